/**
 * The one form of every error answer: an RFC 9457 problem document, the same for what a feature refuses, what the platform
 * refuses and what nobody foresaw, so that a client needs to understand one thing.
 *
 * @since 0.1.0
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { STATUS_CODES } from "node:http"

/**
 * @since 0.1.0
 * @category constants
 */
export const mediaType = "application/problem+json"

/**
 * RFC 9457's members, our three (`code`, `requestId`, `retryAfterSeconds`), and the error's own fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface Problem {
  /** A URI reference that identifies the kind of problem: `/problems/<code>`. */
  readonly type: string
  /** The status in words. */
  readonly title: string
  readonly status: number
  /** What went wrong this time, and when another try can help, in words. */
  readonly detail: string
  /** The path of the request, without its query. */
  readonly instance: string
  /** Kebab case, stable: what a program should look at. */
  readonly code: string
  readonly requestId: string
  readonly retryAfterSeconds?: number
  readonly [extension: string]: unknown
}

/**
 * A typed error that was made for the wire: a `Schema.TaggedError` whose schema is annotated with a status.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpError extends Error {
  readonly _tag: string
  readonly code?: string
  readonly retryAfterSeconds?: number | undefined
}

/**
 * Whether a value is an error that may be shown to a caller. An error without a status of its own is not, whatever its
 * type: nobody decided that its fields may leave.
 *
 * @since 0.1.0
 * @category guards
 */
export const isHttpError = (u: unknown): u is HttpError =>
  u instanceof Error && "_tag" in u && Schema.isSchema(u.constructor) && statusOf(u) !== undefined

/**
 * The status that the error's schema is annotated with.
 *
 * @since 0.1.0
 * @category accessors
 */
export const statusOf = (error: Error): number | undefined => {
  const schema: unknown = error.constructor
  if (!Schema.isSchema(schema)) return undefined
  const status = HttpApiSchema.getStatus(schema.ast, 0)
  return status === 0 ? undefined : status
}

/**
 * The error's code: its own, else its tag in kebab case (`PlanLimitReached` is `plan-limit-reached`).
 *
 * @since 0.1.0
 * @category accessors
 */
export const codeOf = (error: HttpError): string =>
  typeof error.code === "string"
    ? error.code
    : error._tag.replace(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "-").toLowerCase()

/**
 * What a problem says, before it says of which request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Statement {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly retryAfterSeconds?: number | undefined
}

/**
 * The problem document of a statement, for one request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const of = (
  statement: Statement,
  request: { readonly id: string; readonly url: string },
  extensions?: Record<string, unknown>
): Problem => {
  const { code, detail, retryAfterSeconds, status } = statement
  return {
    ...extensions,
    type: `/problems/${code}`,
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail: withRetry(detail, retryAfterSeconds),
    instance: pathOf(request.url),
    code,
    requestId: request.id,
    ...(retryAfterSeconds === undefined ? undefined : { retryAfterSeconds })
  }
}

/**
 * The problem document of an error: its own fields become members. `extensions` are further ones, such as a stack in
 * development. Fails, as an `Either`, when the error does not fit its own schema.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  error: HttpError,
  request: { readonly id: string; readonly url: string },
  extensions?: Record<string, unknown>
): Either.Either<Problem, unknown> => {
  // The constructor of a Schema class is its schema; `isHttpError` has looked.
  const schema = error.constructor as unknown as Schema.Schema<HttpError, Record<string, unknown>>
  const statement: Statement = {
    status: statusOf(error) ?? 500,
    code: codeOf(error),
    detail: error.message,
    retryAfterSeconds: retryAfterOf(error)
  }
  return Either.map(Schema.encodeEither(schema)(error), (fields) =>
    of(statement, request, { ...fields, ...extensions })
  )
}

/**
 * The answer that carries a problem, with `Retry-After` where a retry can help.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toResponse = (
  problem: Problem,
  headers: Record<string, string> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson(problem, {
    status: problem.status,
    contentType: mediaType,
    headers:
      problem.retryAfterSeconds === undefined
        ? headers
        : { ...headers, "retry-after": String(problem.retryAfterSeconds) }
  })

/**
 * The path of a request target, without the query: queries carry what should not be repeated.
 *
 * @since 0.1.0
 * @category accessors
 */
export const pathOf = (url: string): string => {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

const retryAfterOf = (error: HttpError): number | undefined =>
  typeof error.retryAfterSeconds === "number" && Number.isFinite(error.retryAfterSeconds)
    ? Math.max(0, Math.ceil(error.retryAfterSeconds))
    : undefined

const withRetry = (message: string, seconds: number | undefined): string =>
  seconds === undefined || message.includes("try again")
    ? message
    : `${message.replace(/\.$/, "")}; try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}`
