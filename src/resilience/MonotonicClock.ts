/**
 * The one place where the policies read time: monotonic milliseconds, so that a step of the wall clock (NTP, a
 * suspended laptop) can neither hold a circuit open nor empty a rate limit. `TestClock` drives it like any other time.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * Runs what needs the time: with monotonic milliseconds, and with the wall time for showing to people (when did the
 * circuit open?) and for nothing else. One step of the runtime: a chain of clock effects costs several times as much,
 * on a path where a rejection costs little more than this.
 *
 * @since 0.1.0
 * @category accessors
 */
export const nowWith = <A, E, R>(
  f: (now: number, wall: () => number) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => {
    const clock = clockOf(fiber)
    return f(monotonic(clock), () => clock.unsafeCurrentTimeMillis())
  })

/**
 * Monotonic milliseconds. Only differences mean something: the origin is the clock's own and is not shown to anyone.
 *
 * @since 0.1.0
 * @category accessors
 */
export const now: Effect.Effect<number> = Effect.withFiberRuntime((fiber) => Effect.succeed(of(fiber)))

/**
 * Monotonic milliseconds for those who have the fibre in their hands already: no step of the runtime at all.
 *
 * @since 0.1.0
 * @category accessors
 */
export const of = (fiber: Fiber.RuntimeFiber<unknown, unknown>): number => monotonic(clockOf(fiber))

/**
 * The clock of the fibre that runs at this moment, for what runs inside of one of its steps: no step of its own, either.
 * Outside of any fibre, where there is none, the live one.
 *
 * @since 0.1.0
 * @category accessors
 */
export const unsafeClock = (): Clock.Clock => {
  const fiber = Fiber.getCurrentFiber()
  return Option.isSome(fiber) ? clockOf(fiber.value) : liveClock
}

/**
 * Monotonic milliseconds inside of a step: see `unsafeClock`.
 *
 * @since 0.1.0
 * @category accessors
 */
export const unsafeNow = (): number => monotonic(unsafeClock())

/**
 * Whether time is real, and not a test's.
 *
 * @since 0.1.0
 * @category guards
 */
export const isLive = (clock: Clock.Clock): boolean => clock === liveClock

/**
 * The clock that a fibre goes by.
 *
 * @since 0.1.0
 * @category accessors
 */
export const clockOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

/**
 * Monotonic milliseconds by a clock. Real time comes from where the live clock has it, without its way through whole
 * nanoseconds, which costs ten times that.
 *
 * @since 0.1.0
 * @category accessors
 */
export const monotonic = (clock: Clock.Clock): number =>
  isLive(clock) ? performance.now() : millisOf(clock.unsafeCurrentTimeNanos())

/**
 * In whole microseconds: the nanoseconds since 1970 are more than a number can hold, and where `TestClock` goes by the
 * date, its own are up to 128 off. Whole milliseconds must stay whole, or a circuit is open for a moment too long.
 */
const millisOf = (nanos: bigint): number => Number((nanos + 500n) / 1_000n) / 1_000
