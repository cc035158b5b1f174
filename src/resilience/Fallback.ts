/**
 * Answers with less when the full answer cannot be had. Only typed failures fall back: a defect is a bug to be seen, and
 * whoever interrupted the call does not wait for an answer any more.
 *
 * The error that made the fallback necessary is handed over, so that the answer can say what it lacks.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"

/**
 * Runs another effect in place of the failed one; its errors replace those of the effect.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withFallback: {
  <E, A2, E2, R2>(
    fallback: (error: E) => Effect.Effect<A2, E2, R2>
  ): <A, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A | A2, E2, R | R2>
  <A, E, R, A2, E2, R2>(
    self: Effect.Effect<A, E, R>,
    fallback: (error: E) => Effect.Effect<A2, E2, R2>
  ): Effect.Effect<A | A2, E2, R | R2>
} = dual(
  2,
  <A, E, R, A2, E2, R2>(
    self: Effect.Effect<A, E, R>,
    fallback: (error: E) => Effect.Effect<A2, E2, R2>
  ): Effect.Effect<A | A2, E2, R | R2> => Effect.catchAll(self, fallback)
)

/**
 * Answers with a value computed from the error.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withFallbackValue: {
  <E, A2>(value: (error: E) => A2): <A, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A | A2, never, R>
  <A, E, R, A2>(self: Effect.Effect<A, E, R>, value: (error: E) => A2): Effect.Effect<A | A2, never, R>
} = dual(2, <A, E, R, A2>(self: Effect.Effect<A, E, R>, value: (error: E) => A2): Effect.Effect<A | A2, never, R> =>
  Effect.catchAll(self, (error) => Effect.succeed(value(error)))
)

/**
 * Runs another effect only for some errors; the others pass through, and the types show which are left.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withFallbackIf: {
  <E, EB extends E, A2, E2, R2>(
    refinement: (error: E) => error is EB,
    fallback: (error: EB) => Effect.Effect<A2, E2, R2>
  ): <A, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A | A2, Exclude<E, EB> | E2, R | R2>
  <A, E, R, EB extends E, A2, E2, R2>(
    self: Effect.Effect<A, E, R>,
    refinement: (error: E) => error is EB,
    fallback: (error: EB) => Effect.Effect<A2, E2, R2>
  ): Effect.Effect<A | A2, Exclude<E, EB> | E2, R | R2>
} = dual(
  3,
  <A, E, R, EB extends E, A2, E2, R2>(
    self: Effect.Effect<A, E, R>,
    refinement: (error: E) => error is EB,
    fallback: (error: EB) => Effect.Effect<A2, E2, R2>
  ): Effect.Effect<A | A2, Exclude<E, EB> | E2, R | R2> => Effect.catchIf(self, refinement, fallback)
)
