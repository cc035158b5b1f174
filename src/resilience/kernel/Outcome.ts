/**
 * What became of a call that a gate let through, in the four classes that a circuit breaker tells apart.
 *
 * `ignored` (says nothing about the dependency's health: a declined card, an own rejection) and `interrupted` give the
 * permit back and count nothing.
 *
 * @since 0.1.0
 */
export type Outcome = "success" | "failure" | "ignored" | "interrupted"
