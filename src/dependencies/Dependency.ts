/**
 * Ties together what one external system needs: its policy (deadline, retry, circuit breaker, rate limit, bulkhead,
 * attempt timeout), its health check, its metrics and its entries in the error log, and puts it on the list of
 * `Dependencies`. A service is then written as `dependency.call("do a thing", effect, { idempotent: true })` and nothing
 * else.
 *
 * An error says by itself what it means: `isRetryable` to the retry, `countsAsFailure` to the circuit breaker,
 * `retryAfter` (the system asked to be left alone) to both, `isExpected` (an answer, like a declined card, and nothing
 * for an operator) to the error log. Errors that say nothing are retried, counted and recorded.
 *
 * @example
 * ```ts
 * const weather = yield* Dependency.make({
 *   name: "weather",
 *   critical: false,
 *   configured: true,
 *   policy: (yield* Settings).openai.policy,
 *   probe: askForTheTime,
 *   fallback: "yesterday's forecast"
 * })
 * const forecast = weather.call("read the forecast", readForecast, { idempotent: true })
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CheckOutcome } from "../health/Check.js"
import { HealthMonitor } from "../health/HealthMonitor.js"
import * as Bulkhead from "../resilience/Bulkhead.js"
import type * as CircuitBreaker from "../resilience/CircuitBreaker.js"
import { CircuitBreakers } from "../resilience/CircuitBreakers.js"
import * as MonotonicClock from "../resilience/MonotonicClock.js"
import * as Policy from "../resilience/Policy.js"
import * as RateLimiter from "../resilience/RateLimiter.js"
import { CircuitOpen, isRejection } from "../resilience/Rejection.js"
import * as Retry from "../resilience/Retry.js"
import * as RetryBudget from "../resilience/RetryBudget.js"
import * as Metrics from "../telemetry/Metrics.js"
import { Dependencies, type Dependency, type Probe } from "./Dependencies.js"
import type { PolicySettings } from "./Settings.js"

export type { Dependency } from "./Dependencies.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Used everywhere: checks, status, errors, metrics, the breaker. */
  readonly name: string
  /** Whether the product is unhealthy without it. */
  readonly critical: boolean
  /** Whether it is used at all. One that is not is listed as unavailable and never probed. */
  readonly configured: boolean
  /** Whether the health check is shown at all. Default true. */
  readonly listed?: boolean
  readonly policy: PolicySettings
  /** What kind of system it is, for what the parameters leave open. Default `Policy.http`. */
  readonly preset?: (options: Policy.Options) => Policy.Options
  /**
   * Looks whether the system is there and would serve us. It does not pass through the policy, so that it can find out
   * that the system is back while the circuit is open.
   */
  readonly probe: Effect.Effect<CheckOutcome | void, unknown>
  /** How long a probe may take. Default: one attempt, at most 3 seconds. */
  readonly probeTimeout?: Duration.DurationInput
  /** What the first probe waits for, as a database that is being made. Default: nothing. */
  readonly startAfter?: Effect.Effect<void>
  /** What users get in its place while it fails. */
  readonly fallback?: string
}

/**
 * The policy's parameters contradict each other. Parameters from `Settings` have been checked before.
 *
 * @since 0.1.0
 * @category errors
 */
export type DependencyConfigurationError =
  | CircuitBreaker.CircuitBreakerConfigurationError
  | Bulkhead.BulkheadConfigurationError
  | RateLimiter.RateLimiterConfigurationError
  | RetryBudget.RetryBudgetConfigurationError
  | Policy.PolicyConfigurationError

/**
 * However long a system asks to be left alone: nobody is locked out for longer by a header.
 *
 * @since 0.1.0
 * @category constants
 */
export const longestHoldOff: Duration.Duration = Duration.seconds(60)

// How many calls may wait for a place: a burst of hundreds of users at once, also where one is served at a time. It bounds
// memory; the deadline, or an opening circuit, ends the wait earlier.
const maxQueued = 500

/**
 * Makes a dependency and registers it; it is on the list, and its health is checked, until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<
  Dependency,
  DependencyConfigurationError,
  CircuitBreakers | Dependencies | HealthMonitor | Scope.Scope
> =>
  Effect.gen(function* () {
    const { name, policy: settings } = options
    const health = yield* HealthMonitor
    const breakers = yield* CircuitBreakers
    const dependencies = yield* Dependencies
    const metrics = Metrics.forDependency(name)
    const lastProbe = yield* Ref.make<Probe | undefined>(undefined)

    const { circuit } = settings
    const grows = Duration.greaterThan(circuit.maxResetTimeout, circuit.resetTimeout)
    const breaker = yield* breakers.get(name, {
      failureThreshold: circuit.failureThreshold,
      resetTimeout: circuit.resetTimeout,
      halfOpenMaxCalls: circuit.halfOpenMaxCalls,
      ...(grows ? { resetTimeoutMultiplier: 2, maxResetTimeout: circuit.maxResetTimeout } : {}),
      isFailure: countsAsFailure,
      // Users need not wait for a timer when the system is already back.
      healOnProbe: true
    })

    const preset = (options.preset ?? Policy.http)({
      name,
      deadline: settings.deadline,
      attemptTimeout: settings.attemptTimeout,
      retry: settings.retry
    })
    const { maxAttempts, maxDelay } = settings.retry
    const policy = yield* Policy.make({
      ...preset,
      retryBudget:
        maxAttempts === 1 ? undefined : yield* RetryBudget.make({ name, window: Duration.max("10 seconds", maxDelay) }),
      breaker,
      rateLimiter:
        settings.rateLimit === undefined
          ? undefined
          : yield* RateLimiter.make({ name, ...settings.rateLimit, mode: "wait", maxWait: settings.deadline }),
      bulkhead:
        settings.maxConcurrent === undefined
          ? undefined
          : yield* Bulkhead.make({
              name,
              maxConcurrent: settings.maxConcurrent,
              maxQueued,
              maxWait: settings.deadline
            }),
      onEvent: (event) => {
        switch (event._tag) {
          case "AttemptEnded":
            return Effect.void
          case "RetryScheduled":
            return metrics.retry
          case "CallEnded":
            return metrics.call(
              event.attempts === 0 && event.rejection !== undefined ? "rejected" : event.outcome,
              event.elapsedMillis
            )
        }
      }
    })

    /** A system that asked to be left alone is left alone, by everyone. */
    const obey = (error: unknown): Effect.Effect<void> => {
      const wish = retryAfterOf(error)
      return wish === undefined ? Effect.void : breaker.holdOff(Duration.min(wish, longestHoldOff))
    }

    const note = (operation: string, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
      // A circuit that opened between two attempts turned the second away, and a spent budget forbade it; what the system
      // did is the error of the attempt before.
      const did = Retry.attemptErrors(cause).findLast((error) => !(error instanceof CircuitOpen))
      const error = did ?? Option.getOrUndefined(Cause.failureOption(cause))
      if (says(error, "isExpected") === true) return Effect.void
      return Effect.zipRight(obey(error), health.recordError(name, error ?? cause, { operation }))
    }

    const call: Dependency["call"] = (operation, effect, how) =>
      Effect.tapErrorCause(policy.protect(effect, how), (cause) => note(operation, cause))

    const probe = Effect.gen(function* () {
      const held = yield* Effect.flip(breaker.look).pipe(Effect.option)
      if (Option.isSome(held) && held.value.reason === "throttled") {
        return { status: "degraded", message: held.value.message } satisfies CheckOutcome
      }
      const outcome = yield* Effect.tapError(options.probe, obey)
      if (outcome?.status !== "down") yield* breaker.healthy
      return outcome ?? ({ status: "up" } satisfies CheckOutcome)
    })

    /** Keeps what the probe found for the status page; the health monitor gets the same. */
    const remembered = Effect.gen(function* () {
      const start = yield* MonotonicClock.now
      const at = new Date(yield* Clock.currentTimeMillis).toISOString()
      const remember = (status: Probe["status"], message: string | undefined) =>
        Effect.flatMap(MonotonicClock.now, (now) =>
          Ref.set(lastProbe, { at, status, responseTime: Math.round(now - start), message })
        )
      return yield* Effect.onExit(
        probe,
        Exit.match({
          onSuccess: ({ message, status }) => remember(status, message),
          onFailure: (cause) => remember("down", messageOf(cause))
        })
      )
    })

    const dependency: Dependency = {
      name,
      critical: options.critical,
      configured: options.configured,
      fallback: options.fallback,
      breaker,
      policy: settings,
      describe: policy.describe,
      lastProbe: Ref.get(lastProbe),
      call,
      fellBack: metrics.fallback
    }

    yield* metrics.breaker("closed")
    yield* (yield* breaker.subscribe).pipe(
      Stream.runForEach(({ from, reason, to }) =>
        Effect.zipRight(
          metrics.transition(from, to),
          Effect.logWarning(`The circuit of ${name} went from ${from} to ${to} (${reason})`)
        )
      ),
      Effect.forkScoped
    )
    yield* dependencies.register(dependency)
    yield* health.register({
      name,
      critical: options.critical,
      configured: options.configured,
      listed: options.listed,
      check: remembered,
      startAfter: options.startAfter,
      circuit: breaker.status,
      interval: settings.probeInterval,
      timeout: options.probeTimeout ?? Duration.min(settings.attemptTimeout, "3 seconds")
    })
    return dependency
  })

/**
 * Whether an error says that the system is unwell: its own `countsAsFailure` when it says so, and not when the system
 * asked to be left alone (`retryAfter`), which is neither failure nor success.
 *
 * @since 0.1.0
 * @category predicates
 */
export const countsAsFailure = (error: unknown): boolean =>
  says(error, "countsAsFailure") ?? retryAfterOf(error) === undefined

const says = (error: unknown, field: "countsAsFailure" | "isExpected"): boolean | undefined => {
  const value = Predicate.hasProperty(error, field) ? error[field] : undefined
  return typeof value === "boolean" ? value : undefined
}

/** Rejections carry a `retryAfter` too, but that is our own wish and not the system's. */
const retryAfterOf = (error: unknown): Duration.Duration | undefined =>
  !isRejection(error) && Predicate.hasProperty(error, "retryAfter") && Duration.isDuration(error.retryAfter)
    ? error.retryAfter
    : undefined

const messageOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.isInterruptedOnly(cause)) return "no answer in time"
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}
