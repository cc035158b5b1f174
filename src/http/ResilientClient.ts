/**
 * An `HttpClient` whose every request goes through a policy.
 *
 * - What may be sent more than once is decided by the method (RFC 9110, section 9.2.2), or by an `Idempotency-Key`; a body
 *   that streams is sent once, since it may be used up by then.
 * - An answer that says "not now" (408, 429, 5xx) is a failure of its attempt: it is retried, counts in the circuit breaker,
 *   and its `Retry-After` is obeyed. When nothing follows it is handed to the caller, as from any other client.
 * - A request that cannot be sent as it is (no address, a body that cannot be encoded) is neither sent again nor held
 *   against the server.
 * - An answer is read to its end within its attempt, so that the attempt's limit covers the body, too; and an attempt that
 *   ends in any other way closes its connection. So this is not for answers that stream: there, put the policy around the
 *   whole exchange.
 *
 * ```ts
 * const policy = yield* Policy.make(Policy.http({ name: "weather", breaker }))
 * const client = ResilientClient.withPolicy(yield* HttpClient.HttpClient, policy)
 * const response = yield* client.get("https://weather.example/today") // HttpClientError | Rejection
 * ```
 *
 * Who needs it: whoever calls an API with the platform's client and wants no more than that. `src/dependencies` reads its
 * answers with a schema and a taxonomy of errors for each service, and puts its policies around that.
 *
 * @since 0.1.0
 */
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Policy } from "../resilience/Policy.js"
import type { Rejection } from "../resilience/Rejection.js"
import type { Pushback } from "../resilience/Retryable.js"
import * as RetryAfter from "./RetryAfter.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Whether an answer says that the attempt failed. Default: 408, 429 and every 5xx. For APIs that say so in another way,
   * or that answer 500 to what is wrong with the request.
   */
  readonly isFailure?: ((response: HttpClientResponse.HttpClientResponse) => boolean) | undefined
  /**
   * Whether a request may be sent more than once. Default `isIdempotent`. For APIs whose POST is a search, and for streams
   * that begin anew whenever they are read.
   */
  readonly isIdempotent?: ((request: HttpClientRequest.HttpClientRequest) => boolean) | undefined
  /** The largest answer that is read, in bytes; a larger one is a `ResponseError`. Default 16 MiB. */
  readonly maxAnswerBytes?: number | undefined
}

/**
 * An answer that counts as a failure, as policies see it: in the attempts of a call (`Retry.attemptErrors`) and in
 * `RetryBudgetExhausted`.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnhealthyResponse extends Data.TaggedError("UnhealthyResponse")<{
  readonly response: HttpClientResponse.HttpClientResponse
  readonly retryAfter: Pushback | undefined
}> {
  get status(): number {
    return this.response.status
  }
  /** Not when the server says that it does not know how (501). */
  get isRetryable(): boolean {
    return this.status !== 501
  }
  override get message(): string {
    return `${this.response.request.method} ${this.response.request.url}: status ${this.status}`
  }
}

/**
 * Passes every request of a client through a policy.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPolicy = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  policy: Pick<Policy, "protect">,
  options: Options = {}
): HttpClient.HttpClient.With<E | HttpClientError.ResponseError | Rejection, Exclude<R, Scope.Scope>> => {
  const { isFailure = saysNotNow, maxAnswerBytes = 16 * 1024 * 1024 } = options
  const mayRepeat = options.isIdempotent ?? isIdempotent
  const scoped = HttpClient.withScope(client)

  const attempt = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.gen(function* () {
      // Each attempt has a request of its own: the platform finds the attempt's connection by it.
      const response = yield* scoped.execute(HttpClientRequest.modify(request, {}))
      const whole = yield* read(response, maxAnswerBytes)
      if (!isFailure(whole)) return whole
      const now = yield* Clock.currentTimeMillis
      return yield* new UnhealthyResponse({ response: whole, retryAfter: RetryAfter.pushback(whole.headers, now) })
    }).pipe(Effect.scoped)

  /** What is wrong with the request is no failure of the server: to the policy it is an answer. */
  const blamesRequest = (error: unknown): boolean =>
    (error instanceof HttpClientError.RequestError && error.reason !== "Transport") ||
    // From a client that takes some answers for errors itself.
    (error instanceof HttpClientError.ResponseError && error.reason === "StatusCode" && !isFailure(error.response))

  const answered = (request: HttpClientRequest.HttpClientRequest) =>
    attempt(request).pipe(
      Effect.map(Either.right),
      Effect.catchIf(blamesRequest, (error) => Effect.succeed(Either.left(error)))
    )

  const guarded = (request: HttpClientRequest.HttpClientRequest) =>
    policy.protect(answered(request), { idempotent: mayRepeat(request) }).pipe(
      Effect.flatten,
      // An `E` cannot be one: this class is made here alone.
      Effect.catchIf(
        (error) => error instanceof UnhealthyResponse,
        ({ response }) => Effect.succeed(response)
      )
    )

  return HttpClient.makeWith(
    (request: Effect.Effect<HttpClientRequest.HttpClientRequest>) => Effect.flatMap(request, guarded),
    Effect.succeed
  )
}

/**
 * Whether a request may be sent more than once: by its method, or because a key lets the server tell. Never one whose body
 * is a stream: what one attempt has read of it the next would not send.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isIdempotent = ({ body, headers, method }: HttpClientRequest.HttpClientRequest): boolean =>
  ((method !== "POST" && method !== "PATCH") || headers["idempotency-key"] !== undefined) && !streams(body)

/** Node's streams and the web's can both be iterated. */
const streams = (body: HttpBody.HttpBody): boolean =>
  body._tag === "Stream" || (body._tag === "Raw" && Predicate.hasProperty(body.body, Symbol.asyncIterator))

const saysNotNow = ({ status }: HttpClientResponse.HttpClientResponse): boolean =>
  status === 408 || status === 429 || status >= 500

/** The same answer with its body in memory. */
const read = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.ResponseError> =>
  Effect.suspend(() => {
    const { request } = response
    const chunks: Array<Uint8Array> = []
    let size = 0
    const tooLarge = new HttpClientError.ResponseError({
      request,
      response,
      reason: "Decode",
      description: `the answer is larger than ${limit} bytes`
    })
    const drained = Stream.runForEach(response.stream, (chunk) => {
      size += chunk.byteLength
      chunks.push(chunk)
      return size > limit ? Effect.fail(tooLarge) : Effect.void
    })
    return Effect.map(emptyIsNoError(drained), () => {
      const { cookies, headers, remoteAddress, status } = response
      // Forms can only be read by who knows their type.
      const type = headers["content-type"]
      const web = new Response(Buffer.concat(chunks), type === undefined ? {} : { headers: { "content-type": type } })
      const body = HttpClientResponse.fromWeb(request, web)
      // The body of one and the rest of the other: the web's Response refuses some statuses and forgets cookies.
      return Object.create(body, {
        status: { value: status, enumerable: true },
        headers: { value: headers, enumerable: true },
        cookies: { value: cookies },
        remoteAddress: { value: remoteAddress }
      }) as HttpClientResponse.HttpClientResponse
    })
  })

/** The web's client calls an answer without a body an error when its stream is asked for. */
const emptyIsNoError = <R>(
  drained: Effect.Effect<void, HttpClientError.ResponseError, R>
): Effect.Effect<void, HttpClientError.ResponseError, R> =>
  Effect.catchIf(
    drained,
    ({ reason }) => reason === "EmptyBody",
    () => Effect.void
  )
