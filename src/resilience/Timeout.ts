/**
 * Ends an attempt that takes too long: it is interrupted, and awaited until it has let go of what it held.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import { AttemptTimeout, stackless } from "./Rejection.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The dependency's name, for the error. */
  readonly name: string
  /** The longest time that one attempt may take. */
  readonly limit: Duration.DurationInput
}

/**
 * Fails with `AttemptTimeout` when the effect has not ended within the limit. The effect is interrupted first, so a
 * region that cannot be interrupted holds the answer up: nothing goes on in the background.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTimeout: {
  (options: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | AttemptTimeout, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, options: Options): Effect.Effect<A, E | AttemptTimeout, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, options: Options): Effect.Effect<A, E | AttemptTimeout, R> =>
  Effect.timeoutFail(self, {
    duration: options.limit,
    onTimeout: () =>
      stackless(
        () =>
          new AttemptTimeout({
            policy: options.name,
            reason: "attempt-timeout",
            limit: Duration.decode(options.limit),
            retryAfter: undefined
          })
      )
  })
)
