/**
 * Waiting at a gate: until the wait is over, until it has lasted too long, or until it has become pointless, whichever
 * comes first.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Admission } from "./Gate.js"
import { longestDelay } from "./OptionsReader.js"
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
 * Ends as the one that ends first; the other is interrupted and awaited. As `Effect.raceFirst`, without its two traps
 * (Effect 3.22):
 *
 * - It makes its two fibres in one step and starts them in the next: who is interrupted in between waits for ever for
 *   fibres that never began. Here nothing can come between.
 * - Its fibres are children of the caller, and Effect hands the interruption of a fibre on to its children even where the
 *   fibre itself is uninterruptible: such a caller would lose both. Here they are nobody's children, and each can be
 *   stopped by itself.
 *
 * @since 0.1.0
 * @category combinators
 */
export const first = <A, E, R, A2, E2, R2>(
  one: Effect.Effect<A, E, R>,
  other: Effect.Effect<A2, E2, R2>
): Effect.Effect<A | A2, E | E2, R | R2> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const end = yield* Deferred.make<A | A2, E | E2>()
      const fibers = yield* Effect.forEach([one, other], (racer: Effect.Effect<A | A2, E | E2, R | R2>) =>
        Effect.forkDaemon(Effect.intoDeferred(Effect.interruptible(racer), end))
      )
      return yield* Effect.ensuring(restore(Deferred.await(end)), Fiber.interruptAll(fibers))
    })
  )

/**
 * Sleeps a number of milliseconds, rounded up: a timer cuts fractions off, and would wake too early. What is too long for
 * a timer is slept in parts; Effect would sleep for ever.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sleep = (millis: number): Effect.Effect<void> =>
  millis <= longestDelay
    ? Effect.sleep(Duration.millis(Math.ceil(millis)))
    : Effect.zipRight(
        Effect.sleep(Duration.millis(longestDelay)),
        Effect.suspend(() => sleep(millis - longestDelay))
      )
