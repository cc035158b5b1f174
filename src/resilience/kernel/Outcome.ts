/**
 * The words for the ends of calls, which gates, events and metrics share.
 *
 * @since 0.1.0
 */

/**
 * What became of a call that a gate let through, in the five classes that a circuit breaker tells apart.
 *
 * `slow` is a success that took longer than the breaker's `slowCallDuration`; without that option nothing is slow.
 * `ignored` (says nothing about the dependency's health: a declined card, an own rejection) and `interrupted` give the
 * permit back and count nothing.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "success" | "slow" | "failure" | "ignored" | "interrupted"

/** What the exit of a call says by itself; whether a success was slow is for the breaker to know. */
export type Verdict = Exclude<Outcome, "slow">
