/**
 * The errors that every HTTP API has, as values that a handler may fail with and an API may declare. Each knows its
 * status, and `detail` is the sentence the caller reads; {@link Problem} gives them their form on the wire.
 *
 * A feature's own errors are classes like these: a `Schema.TaggedError` with a status. Their code is the tag in kebab
 * case unless they have a `code` of their own, and their fields become members of the problem.
 *
 * @since 0.1.0
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { type Rejection, stackless } from "../resilience/Rejection.js"

const Seconds = Schema.Number.annotations({ description: "Seconds after which another try can help" })

const Issue = Schema.Struct({
  path: Schema.Array(Schema.Union(Schema.String, Schema.Number)),
  message: Schema.String
})

/**
 * 400: the request was understood as JSON but does not fit what the route takes. `path` leads to the value.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()(
  "InvalidRequest",
  { detail: Schema.String, issues: Schema.Array(Issue) },
  HttpApiSchema.annotations({ status: 400, description: "The request does not fit what the route takes" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 400: the body is not what its media type promises, such as broken JSON.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedBody extends Schema.TaggedError<MalformedBody>()(
  "MalformedBody",
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 400, description: "The body cannot be read" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 400: not a request that HTTP allows.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedRequest extends Schema.TaggedError<MalformedRequest>()(
  "MalformedRequest",
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 400, description: "Not a valid HTTP request" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 401: nobody, or somebody who cannot prove it. The envelope adds `WWW-Authenticate`.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()(
  "Unauthorized",
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 401, description: "Credentials are missing or not valid" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 403: known or not, the caller may not do this.
 *
 * @since 0.1.0
 * @category errors
 */
export class Forbidden extends Schema.TaggedError<Forbidden>()(
  "Forbidden",
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 403, description: "Not allowed" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 404: no such thing, or not the caller's.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotFound extends Schema.TaggedError<NotFound>()(
  "NotFound",
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 404, description: "No such thing, or not the caller's" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 405: the path exists, the method does not. The envelope adds `Allow`.
 *
 * @since 0.1.0
 * @category errors
 */
export class MethodNotAllowed extends Schema.TaggedError<MethodNotAllowed>()(
  "MethodNotAllowed",
  { detail: Schema.String, allow: Schema.Array(Schema.String) },
  HttpApiSchema.annotations({ status: 405, description: "The route does not have this method" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 413: the body is larger than the server takes.
 *
 * @since 0.1.0
 * @category errors
 */
export class ContentTooLarge extends Schema.TaggedError<ContentTooLarge>()(
  "ContentTooLarge",
  { detail: Schema.String, limitBytes: Schema.Number },
  HttpApiSchema.annotations({ status: 413, description: "The body is too large" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 415: the body has a media type or an encoding that the route does not take.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  { detail: Schema.String, accepts: Schema.Array(Schema.String) },
  HttpApiSchema.annotations({ status: 415, description: "The route does not take this media type" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 421: the request was meant for another server, which the `Host` header names.
 *
 * @since 0.1.0
 * @category errors
 */
export class MisdirectedRequest extends Schema.TaggedError<MisdirectedRequest>()(
  "MisdirectedRequest",
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 421, description: "Meant for another server" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 429: the caller has used up its rate limit.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimitExceeded extends Schema.TaggedError<RateLimitExceeded>()(
  "RateLimitExceeded",
  { detail: Schema.String, retryAfterSeconds: Seconds },
  HttpApiSchema.annotations({ status: 429, description: "The rate limit is used up" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 500: our mistake. What exactly stays in the log.
 *
 * @since 0.1.0
 * @category errors
 */
export class InternalError extends Schema.TaggedError<InternalError>()(
  "InternalError",
  { detail: Schema.String },
  HttpApiSchema.annotations({ status: 500, description: "The server made a mistake" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 503: a dependency that the route cannot do without fails. `retryAfterSeconds` is the dependency's own hint, else the time
 * until its circuit lets a probe through, else 1.
 *
 * @since 0.1.0
 * @category errors
 */
export class DependencyUnavailable extends Schema.TaggedError<DependencyUnavailable>()(
  "DependencyUnavailable",
  { detail: Schema.String, service: Schema.String, retryAfterSeconds: Seconds },
  HttpApiSchema.annotations({ status: 503, description: "A dependency that the route needs is unavailable" })
) {
  override get message(): string {
    return this.detail
  }

  /** The dependency's own policy has tried; who tries again multiplies its attempts. */
  get isRetryable(): boolean {
    return false
  }

  /**
   * From a policy's rejection: `service` is the policy's name.
   */
  static fromRejection(rejection: Rejection): DependencyUnavailable {
    return dependencyUnavailable(rejection.policy, rejection.retryAfter)
  }
}

/**
 * The 503 for a dependency, with its sentence. `retryAfter` is rounded up to whole seconds, at least 1.
 *
 * @since 0.1.0
 * @category constructors
 */
export const dependencyUnavailable = (
  service: string,
  retryAfter?: Duration.Duration | undefined
): DependencyUnavailable =>
  stackless(
    () =>
      new DependencyUnavailable({
        detail: `"${service}" is temporarily unavailable`,
        service,
        retryAfterSeconds: wholeSeconds(retryAfter === undefined ? 0 : Duration.toMillis(retryAfter))
      })
  )

/**
 * 503: the server itself cannot answer now, as while it stops.
 *
 * @since 0.1.0
 * @category errors
 */
export class ServiceUnavailable extends Schema.TaggedError<ServiceUnavailable>()(
  "ServiceUnavailable",
  { detail: Schema.String, retryAfterSeconds: Seconds },
  HttpApiSchema.annotations({ status: 503, description: "The server cannot answer now" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * 504: the request took longer than the server gives a request, and was stopped.
 *
 * @since 0.1.0
 * @category errors
 */
export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>()(
  "DeadlineExceeded",
  { detail: Schema.String, retryAfterSeconds: Seconds },
  HttpApiSchema.annotations({ status: 504, description: "The request took too long and was stopped" })
) {
  override get message(): string {
    return this.detail
  }
}

/**
 * Milliseconds as a `Retry-After`: whole seconds, rounded up so that nobody comes back too early, at least 1.
 *
 * @since 0.1.0
 * @category conversions
 */
export const wholeSeconds = (millis: number): number =>
  Number.isFinite(millis) ? Math.max(1, Math.ceil(millis / 1000)) : 1
