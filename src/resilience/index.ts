/**
 * The policy library: values that keep an effect's failures from becoming everybody's. One module a concept.
 *
 * @since 0.1.0
 */
export * as Bulkhead from "./Bulkhead.js"
export * as CircuitBreaker from "./CircuitBreaker.js"
export * as CircuitBreakers from "./CircuitBreakers.js"
export * as Coalesce from "./Coalesce.js"
export * as Deadline from "./Deadline.js"
export * as Fallback from "./Fallback.js"
export * as Gate from "./Gate.js"
export * as Hedge from "./Hedge.js"
export * as KeyedRateLimiter from "./KeyedRateLimiter.js"
export * as MonotonicClock from "./MonotonicClock.js"
export * as Policy from "./Policy.js"
export * as RateLimiter from "./RateLimiter.js"
export * as RateLimitStore from "./RateLimitStore.js"
export * as Rejection from "./Rejection.js"
export * as Reservation from "./Reservation.js"
export * as Retry from "./Retry.js"
export * as RetryBudget from "./RetryBudget.js"
export * as Semaphore from "./Semaphore.js"
export * as Timeout from "./Timeout.js"
