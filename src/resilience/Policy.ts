/**
 * One wrapper around every call of a dependency. It walks, from outside in: deadline, retry, a look at the circuit,
 * rate limit, bulkhead, circuit breaker, hedge, attempt timeout, call.
 *
 * - The look comes first, so that a call which would be rejected costs neither a token nor a place; when the circuit
 *   opens, those who queue are rejected at once.
 * - The deadline is handed down as time left: it bounds the waiting in queues, the waits between attempts and each
 *   attempt. An attempt that its own limit ends is a failure of the dependency (`AttemptTimeout`); one that the deadline
 *   ends says nothing about it (`DeadlineExceeded`).
 * - A deadline further out (`Deadline`), as that of the request that is being answered, holds like the policy's own, and
 *   the policy's own holds for the policies inside of its call.
 * - A retry that could not start before the deadline is not waited for: the call fails at once with the last error.
 * - Errors of the call pass through as they are; the policy only adds its rejections. Those of a policy inside of the call
 *   count nothing here and are not retried: the one inside has done that.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "@dialdrill/selfheal"
 * import { Policy } from "@dialdrill/selfheal"
 * import * as Effect from "effect/Effect"
 *
 * declare const askTheModel: Effect.Effect<string, Error>
 *
 * const program = Effect.gen(function* () {
 *   const breaker = yield* CircuitBreaker.make({ name: "openai" })
 *   const policy = yield* Policy.make({ name: "openai", deadline: "20 seconds", attemptTimeout: "12 seconds", retry: {}, breaker })
 *   return yield* policy.protect(askTheModel, { idempotent: true }) // Effect<string, Error | Rejection>
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Engine from "./PolicyEngine.js"
import type * as PolicyEvents from "./PolicyEvents.js"
import * as PolicyOptions from "./PolicyOptions.js"
import type { Rejection } from "./Rejection.js"

export { config, type Defaults, type PolicyValues } from "./PolicyConfig.js"
export type { Outcome } from "./kernel/Outcome.js"
export type { AttemptEnded, CallEnded, Listener, RetryScheduled } from "./PolicyEvents.js"
export { PolicyConfigurationError } from "./PolicyOptions.js"
export { database, http } from "./PolicyPresets.js"
export {
  attemptTimeout,
  breaker,
  bulkhead,
  compose,
  deadline,
  fallback,
  type FallbackStep,
  hedge,
  type PolicyWithFallback,
  rateLimit,
  retry,
  type Step
} from "./PolicySteps.js"
export { type Protected, protectAll } from "./ProtectedService.js"

/**
 * What a policy is made of. Every part is optional; one that is left out costs nothing. See `PolicyOptions`.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = PolicyOptions.Options

/**
 * What a caller says about one call.
 *
 * @since 0.1.0
 * @category models
 */
export type Call = PolicyOptions.Call

/**
 * What a policy tells its listener: `AttemptEnded`, `RetryScheduled` or `CallEnded`. See `PolicyEvents`.
 *
 * @since 0.1.0
 * @category models
 */
export type Event = PolicyEvents.Event

/**
 * A policy, ready for calls: `protect`, `describe` and its name. Make one for each dependency and share it.
 *
 * @since 0.1.0
 * @category models
 */
export type Policy = Engine.Policy

/**
 * Builds a policy. Fails with `PolicyConfigurationError`, which names every wrong or crossed option and what to change.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Policy, PolicyOptions.PolicyConfigurationError> =>
  Effect.flatMap(PolicyOptions.settingsOf(options), Engine.make)

/**
 * Passes an effect through a policy.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPolicy: {
  (policy: Policy, call?: Call): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Rejection, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, policy: Policy, call?: Call): Effect.Effect<A, E | Rejection, R>
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: Effect.Effect<A, E, R>, policy: Policy, call?: Call): Effect.Effect<A, E | Rejection, R> =>
    policy.protect(self, call)
)
