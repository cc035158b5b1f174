/**
 * Waiting at a gate: until the wait is over, until it has lasted too long, or until it has become pointless, whichever
 * comes first.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Admission } from "./Gate.js"
import type { Rejection } from "./Rejection.js"

/**
 * Waits under the caller's own interruptibility. `"too-long"` after `millis` milliseconds; the failure of
 * `admission.pointless` as soon as there is one. Whoever calls this must look again at what was waited for: both can
 * happen at the same instant.
 *
 * @since 0.1.0
 * @category combinators
 */
export const atMost = (
  millis: number,
  wait: Effect.Effect<void>,
  admission: Pick<Admission, "restore" | "pointless">
): Effect.Effect<"over" | "too-long", Rejection> => {
  const over = Effect.as(wait, "over" as const)
  const bounded = Number.isFinite(millis) ? first(over, Effect.as(sleep(millis), "too-long" as const)) : over
  return admission.restore(admission.pointless === Effect.never ? bounded : first(bounded, admission.pointless))
}

/**
 * What ends first of the two; the other is interrupted and awaited.
 *
 * Not `Effect.raceFirst` alone, which makes its two fibres in one step and starts them in the next: who is interrupted in
 * between waits for ever for fibres that never began (Effect 3.22). Behind a mask the interruption is heard only once they
 * run, and since every racer is interruptible by itself, it ends them, and with them the race, as `Effect.timeout` has it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const first = <A, E, R, A2, E2, R2>(
  self: Effect.Effect<A, E, R>,
  that: Effect.Effect<A2, E2, R2>
): Effect.Effect<A | A2, E | E2, R | R2> =>
  Effect.uninterruptible(Effect.raceFirst(Effect.interruptible(self), Effect.interruptible(that)))

/**
 * Sleeps a number of milliseconds, rounded up: a timer cuts fractions off, and would wake too early.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sleep = (millis: number): Effect.Effect<void> => Effect.sleep(Duration.millis(Math.ceil(millis)))
