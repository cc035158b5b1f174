/**
 * The one place where the policies read time: monotonic milliseconds, so that a step of the wall clock (NTP, a
 * suspended laptop) can neither hold a circuit open nor empty a rate limit. `TestClock` drives it like any other time.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * Monotonic milliseconds. Only differences mean something: the origin is the clock's own and is not shown to anyone.
 *
 * @since 0.1.0
 * @category accessors
 */
export const now: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

/**
 * The monotonic time together with the wall time, read at the same instant. The wall time is for showing to people
 * (when did the circuit open?) and for nothing else.
 *
 * @since 0.1.0
 * @category accessors
 */
export const nowAndWall: Effect.Effect<{ readonly now: number; readonly wall: number }> = Effect.zipWith(
  Clock.currentTimeNanos,
  Clock.currentTimeMillis,
  (nanos, wall) => ({ now: Number(nanos) / 1e6, wall })
)
