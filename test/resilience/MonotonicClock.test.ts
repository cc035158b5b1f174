import { assert, describe, it } from "@effect/vitest"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as MonotonicClock from "../../src/resilience/MonotonicClock.js"

const viaFiber = Effect.withFiberRuntime<number>((fiber) => Effect.succeed(MonotonicClock.of(fiber)))
const clock = Effect.withFiberRuntime<Clock.Clock>((fiber) => Effect.succeed(MonotonicClock.clockOf(fiber)))

/** The same clock, but for some of its members. */
const changed = (clock: Clock.Clock, members: Partial<Clock.Clock>): Clock.Clock =>
  Object.assign(Object.create(clock), members)

describe("MonotonicClock", () => {
  it.effect("reads the same time in each of its ways, and a test's clock drives them all", () =>
    Effect.gen(function* () {
      const all = Effect.all([MonotonicClock.now, viaFiber, MonotonicClock.nowWith((now) => Effect.succeed(now))])
      assert.deepStrictEqual(yield* all, [0, 0, 0])
      yield* TestClock.adjust(1_500)
      assert.deepStrictEqual(yield* all, [1_500, 1_500, 1_500])
    })
  )

  it.effect("is not moved by a step of the wall clock, which it hands on apart", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(7_200_000)
      const test = yield* clock
      const times = yield* Effect.withClock(
        MonotonicClock.nowWith((now, wall) => Effect.succeed([now, wall()])),
        changed(test, {
          unsafeCurrentTimeMillis: () => test.unsafeCurrentTimeMillis() - 3_600_000,
          unsafeCurrentTimeNanos: () => test.unsafeCurrentTimeNanos()
        })
      )
      assert.deepStrictEqual(times, [7_200_000, 3_600_000])
    })
  )

  it.effect("tells what runs inside of a step the time of the fibre whose step it is", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(250)
      const test = yield* clock
      const late = changed(test, { unsafeCurrentTimeNanos: () => 9_000_000n })
      const inner = Effect.withClock(Effect.sync(MonotonicClock.unsafeNow), late)
      const seen = yield* Effect.sync(() => [
        MonotonicClock.unsafeNow(),
        // Another fibre that runs on top of this one, and is over.
        Effect.runSync(inner),
        MonotonicClock.unsafeNow()
      ])
      assert.deepStrictEqual(seen, [250, 9, 250])
      assert.strictEqual(MonotonicClock.monotonic(test), 250)
    })
  )

  it("goes by the live clock outside of all fibres", () => {
    assert.isTrue(MonotonicClock.isLive(MonotonicClock.unsafeClock()))
    const before = performance.now()
    const now = MonotonicClock.unsafeNow()
    assert.isAtLeast(now, before)
    assert.isAtMost(now, performance.now())
  })

  it.effect("reads whole milliseconds as they are, also where a test's clock goes by the date", () =>
    Effect.gen(function* () {
      const today = Date.parse("2026-11-26T14:00:00Z")
      for (let millis = today; millis < today + 20; millis++) {
        yield* TestClock.setTime(millis)
        assert.strictEqual(yield* MonotonicClock.now, millis)
      }
    })
  )

  it.effect("reads parts of a millisecond", () =>
    Effect.gen(function* () {
      const nanos = changed(yield* clock, { unsafeCurrentTimeNanos: () => 1_250_000n })
      assert.strictEqual(yield* Effect.withClock(MonotonicClock.now, nanos), 1.25)
    })
  )

  it.effect("knows that a test's time is not real", () =>
    Effect.gen(function* () {
      assert.isFalse(MonotonicClock.isLive(yield* clock))
    })
  )

  it.live("knows that a program's own time is, and it never goes back", () =>
    Effect.gen(function* () {
      assert.isTrue(MonotonicClock.isLive(yield* clock))
      const [before, after] = [yield* MonotonicClock.now, yield* MonotonicClock.now]
      assert.isAtLeast(after, before)
    })
  )
})
