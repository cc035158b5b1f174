/**
 * Wraps a handler in what every handler of a server needs: a rate limit, health tracking, and, where it is asked for, a
 * circuit breaker and retries. The handler's errors stay in its type; the breaker adds one.
 *
 * ```ts
 * handlers.handle(
 *   "list",
 *   withResilience(({ path }) => calls.list(path.user), { rateLimitConfig: "READ", enableRetry: true, idempotent: true })
 * )
 * ```
 *
 * The limit and the tracking are carried by the handler and applied around its whole route, so that a request which never
 * reaches the handler (no identity, unreadable body) counts and is answered with the limit's headers too. A handler that
 * is not registered through `HttpApiRoutes.group` or the envelope's router has neither, and is not in the route table.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as CircuitBreakers from "../resilience/CircuitBreakers.js"
import { RateLimitConfigs } from "../resilience/KeyedRateLimiter.js"
import { CircuitOpen } from "../resilience/Rejection.js"
import * as Retry from "../resilience/Retry.js"
import { DependencyUnavailable } from "./HttpErrors.js"
import * as Problem from "./Problem.js"
import type { RateLimitConfig } from "./RateLimit.js"
import * as RouteTable from "./RouteTable.js"

/**
 * Retries are for handlers that may run twice, and only for those: who enables them says so.
 *
 * @since 0.1.0
 * @category models
 */
export type RetryOptions =
  | { readonly enableRetry?: false | undefined }
  | {
      readonly enableRetry: true
      /** Running the handler twice has the effect of running it once. */
      readonly idempotent: true
      /** Default: the spec's, 3 attempts after 1 and 2 seconds. Errors that blame the caller are never retried. */
      readonly retryOptions?: Retry.Options | undefined
    }

/**
 * @since 0.1.0
 * @category models
 */
export type CircuitBreakerOptions =
  | { readonly enableCircuitBreaker?: false | undefined }
  | {
      readonly enableCircuitBreaker: true
      /** The breaker's name in `CircuitBreakers`. Errors that blame the caller do not count against it. */
      readonly circuitBreakerService: string
    }

/**
 * @since 0.1.0
 * @category models
 */
export type Options = RetryOptions &
  CircuitBreakerOptions & {
    /** Default true. */
    readonly enableRateLimit?: boolean | undefined
    /** The name of a group's limit, or the route's own. Default `RateLimitConfigs.normal`, the route's own. */
    readonly rateLimitConfig?: RateLimitConfig | undefined
    /** Whether a failure that is ours goes to the error log. Default true. */
    readonly trackHealth?: boolean | undefined
  }

/**
 * What the breaker adds to a handler's errors.
 *
 * @since 0.1.0
 * @category models
 */
export type AddedError<O> = O extends { readonly enableCircuitBreaker: true } ? DependencyUnavailable : never

/**
 * What the breaker adds to a handler's requirements.
 *
 * @since 0.1.0
 * @category models
 */
export type AddedContext<O> = O extends { readonly enableCircuitBreaker: true }
  ? CircuitBreakers.CircuitBreakers
  : never

/**
 * Wraps a handler.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withResilience = <Request, A, E, R, const O extends Options>(
  handler: (request: Request) => Effect.Effect<A, E, R>,
  options: O
): ((request: Request) => Effect.Effect<A, E | AddedError<O>, R | AddedContext<O>>) => {
  const breaker = options.enableCircuitBreaker === true ? options.circuitBreakerService : undefined
  const retry = options.enableRetry === true ? (options.retryOptions ?? {}) : undefined
  const resilient =
    breaker === undefined && retry === undefined
      ? handler
      : (request: Request) => {
          const call = sparingCallers(handler(request))
          // Each attempt passes through the breaker, and an open circuit ends the retries.
          const guarded = breaker === undefined ? call : throughBreaker(breaker, call)
          return unavailable(breaker, Effect.flatten(retry === undefined ? guarded : Retry.withRetry(guarded, retry)))
        }
  return RouteTable.withPolicy(
    // A function of its own, because a policy is attached to it. The options' types say what the breaker adds, and the
    // branches above whether there is one.
    ((request: Request) => resilient(request)) as (
      request: Request
    ) => Effect.Effect<A, E | AddedError<O>, R | AddedContext<O>>,
    {
      rateLimit: options.enableRateLimit === false ? undefined : (options.rateLimitConfig ?? RateLimitConfigs.normal),
      circuitBreaker: breaker,
      retry: retry !== undefined,
      trackHealth: options.trackHealth ?? true,
      service: breaker ?? "http"
    }
  )
}

// A handler that tells its caller "not found" works: breaker and retry see a success, the caller its error.
const sparingCallers = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, E, R> =>
  Effect.matchEffect(call, {
    onSuccess: (a) => Effect.succeed(Exit.succeed(a)),
    onFailure: (error) => (blamesCaller(error) ? Effect.succeed(Exit.fail(error)) : Effect.fail(error))
  })

const blamesCaller = (error: unknown): boolean => Problem.isHttpError(error) && (Problem.statusOf(error) ?? 500) < 500

const throughBreaker = <A, E, R>(
  name: string,
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, E | CircuitOpen, R | CircuitBreakers.CircuitBreakers> =>
  Effect.flatMap(
    // Asked for without options, a breaker is given as it is: nothing is left that could be wrong.
    Effect.orDie(CircuitBreakers.getCircuitBreaker(name)),
    (breaker) => breaker.execute(call)
  )

const unavailable = <A, E, R>(
  breaker: string | undefined,
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, E | DependencyUnavailable, R> =>
  Effect.mapError(call, (error) =>
    error instanceof CircuitOpen && error.policy === breaker ? DependencyUnavailable.fromRejection(error) : error
  )
