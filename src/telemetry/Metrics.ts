/**
 * The instruments of the resilience layer, and the few functions that record with them.
 *
 * A metric registry never forgets a combination of labels, so every label here has few values: names of dependencies,
 * route patterns, words from a list. Never a user, an address or a path.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type { Outcome } from "../resilience/kernel/Outcome.js"

// From half a cached read to a patient AI call; chosen once, as changing buckets breaks every stored query.
const seconds = MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30])

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

/**
 * @since 0.1.0
 * @category instruments
 */
export const dependencyCalls = counter("dialdrill_dependency_calls_total", "Calls of a dependency by outcome")

/**
 * @since 0.1.0
 * @category instruments
 */
export const dependencyLatency = Metric.histogram(
  "dialdrill_dependency_latency_seconds",
  seconds,
  "Duration of calls that reached a dependency, retries and waits included"
)

/**
 * @since 0.1.0
 * @category instruments
 */
export const breakerState = Metric.gauge("dialdrill_breaker_state", {
  description: "State of a circuit breaker: 0 closed, 1 half-open, 2 open"
})

/**
 * @since 0.1.0
 * @category instruments
 */
export const breakerTransitions = counter("dialdrill_breaker_transitions_total", "Transitions of a circuit breaker")

/**
 * @since 0.1.0
 * @category instruments
 */
export const retries = counter("dialdrill_retries_total", "Retries scheduled for a dependency")

/**
 * @since 0.1.0
 * @category instruments
 */
export const fallbacks = counter("dialdrill_fallbacks_total", "Answers in which a fallback stood in for a dependency")

/**
 * @since 0.1.0
 * @category instruments
 */
export const rateLimited = counter("dialdrill_rate_limited_total", "Requests turned away by a rate limit")

/**
 * @since 0.1.0
 * @category instruments
 */
export const httpRequests = counter("dialdrill_http_requests_total", "HTTP requests by route, method and status")

/**
 * @since 0.1.0
 * @category instruments
 */
export const httpDuration = Metric.histogram(
  "dialdrill_http_request_duration_seconds",
  seconds,
  "Duration of HTTP requests by route"
)

/**
 * @since 0.1.0
 * @category instruments
 */
export const healthStatus = Metric.gauge("dialdrill_health_status", {
  description: "Status of a health check: 0 up, 1 degraded, 2 down, -1 unavailable"
})

/**
 * What became of a call of a dependency: the outcomes a circuit breaker tells apart, and `rejected` by a policy of ours.
 *
 * @since 0.1.0
 * @category models
 */
export type CallOutcome = Outcome | "rejected"

/**
 * @since 0.1.0
 * @category models
 */
export type BreakerStateName = "closed" | "half-open" | "open"

/**
 * The instruments of one dependency, their labels bound once so that recording costs well under a microsecond.
 *
 * @since 0.1.0
 * @category models
 */
export interface DependencyMetrics {
  /** A call ended. Calls that a policy rejected have no latency: they never reached the dependency. */
  readonly call: (outcome: CallOutcome, elapsedMillis: number) => Effect.Effect<void>
  readonly retry: Effect.Effect<void>
  /** `kind` is a word from the program, as in `rules` or `simulated`; never a value from outside. */
  readonly fallback: (kind: string) => Effect.Effect<void>
  readonly breaker: (state: BreakerStateName) => Effect.Effect<void>
  /** Counts the transition and sets the state. */
  readonly transition: (from: BreakerStateName, to: BreakerStateName) => Effect.Effect<void>
}

/**
 * Binds the instruments to a dependency.
 *
 * @since 0.1.0
 * @category constructors
 */
export const forDependency = (name: string): DependencyMetrics => {
  const tagged = <T, I, O>(metric: Metric.Metric<T, I, O>) => Metric.tagged(metric, "dependency", name)
  const calls = tagged(dependencyCalls)
  const byOutcome: Record<CallOutcome, Metric.Metric.Counter<number>> = {
    success: Metric.tagged(calls, "outcome", "success"),
    slow: Metric.tagged(calls, "outcome", "slow"),
    failure: Metric.tagged(calls, "outcome", "failure"),
    ignored: Metric.tagged(calls, "outcome", "ignored"),
    interrupted: Metric.tagged(calls, "outcome", "interrupted"),
    rejected: Metric.tagged(calls, "outcome", "rejected")
  }
  const latency = tagged(dependencyLatency)
  const retried = Metric.increment(tagged(retries))
  const state = tagged(breakerState)
  const transitions = tagged(breakerTransitions)
  const fallen = tagged(fallbacks)
  const breaker = (to: BreakerStateName) => Metric.set(state, breakerValue[to])
  return {
    call: (outcome, elapsedMillis) =>
      outcome === "rejected"
        ? Metric.increment(byOutcome.rejected)
        : Effect.zipRight(Metric.increment(byOutcome[outcome]), Metric.update(latency, elapsedMillis / 1000)),
    retry: retried,
    fallback: (kind) => Metric.increment(Metric.tagged(fallen, "kind", kind)),
    breaker,
    transition: (from, to) =>
      Effect.zipRight(Metric.increment(Metric.tagged(Metric.tagged(transitions, "from", from), "to", to)), breaker(to))
  }
}

/**
 * Counts a request that a rate limit of this group turned away.
 *
 * @since 0.1.0
 * @category recording
 */
export const recordRateLimited = (group: string): Effect.Effect<void> =>
  Metric.increment(Metric.tagged(rateLimited, "group", group))

/**
 * An HTTP request that was answered. `route` is the pattern that matched (`/api/calls/:id`), `undefined` when none did.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpSample {
  readonly route: string | undefined
  readonly method: string
  readonly status: number
  readonly elapsedMillis: number
}

/**
 * Counts and times an HTTP request. A method that HTTP does not define becomes `OTHER`, so that a client cannot make
 * series by inventing methods.
 *
 * @since 0.1.0
 * @category recording
 */
export const recordHttpRequest = (sample: HttpSample): Effect.Effect<void> => {
  const route = sample.route ?? "unmatched"
  const method = methods.has(sample.method) ? sample.method : "OTHER"
  const status = Number.isInteger(sample.status) && sample.status >= 100 && sample.status <= 599 ? sample.status : 0
  return Effect.zipRight(
    Metric.increment(
      Metric.tagged(
        Metric.tagged(Metric.tagged(httpRequests, "route", route), "method", method),
        "status",
        String(status)
      )
    ),
    Metric.update(Metric.tagged(httpDuration, "route", route), sample.elapsedMillis / 1000)
  )
}

/**
 * @since 0.1.0
 * @category recording
 */
export const setHealthStatus = (
  check: string,
  status: "up" | "degraded" | "down" | "unavailable"
): Effect.Effect<void> => Metric.set(Metric.tagged(healthStatus, "check", check), healthValue[status])

const breakerValue: Record<BreakerStateName, number> = { closed: 0, "half-open": 1, open: 2 }

const healthValue = { up: 0, degraded: 1, down: 2, unavailable: -1 }

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
