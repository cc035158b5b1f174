/**
 * What became of a call that a gate let through, in the five classes that a circuit breaker tells apart.
 *
 * `ignored` (says nothing about the dependency's health: a declined card, an own rejection) and `interrupted` give the
 * permit back and count nothing; `slow` is a call that succeeded or failed after the slow-call limit.
 *
 * @since 0.1.0
 */
export type Outcome = "success" | "failure" | "slow" | "ignored" | "interrupted"
