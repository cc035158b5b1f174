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
  // Every racer is interruptible by itself: in an uninterruptible caller the losers could otherwise not be stopped.
  const over = Effect.interruptible(Effect.as(wait, "over" as const))
  const bounded = Number.isFinite(millis)
    ? Effect.raceFirst(over, Effect.interruptible(Effect.as(sleep(millis), "too-long" as const)))
    : over
  return admission.restore(
    admission.pointless === Effect.never
      ? bounded
      : Effect.raceFirst(Effect.interruptible(bounded), Effect.interruptible(admission.pointless))
  )
}

/**
 * Sleeps a number of milliseconds, rounded up: a timer cuts fractions off, and would wake too early.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sleep = (millis: number): Effect.Effect<void> => Effect.sleep(Duration.millis(Math.ceil(millis)))
