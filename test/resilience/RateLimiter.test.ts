import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import { through } from "../../src/resilience/Gate.js"
import * as RateLimiter from "../../src/resilience/RateLimiter.js"
import { CircuitOpen, RateLimited } from "../../src/resilience/Rejection.js"
import type * as Callers from "../support/Callers.js"
import { survivesInterruptions, waitsOnWithoutItsCaller } from "./support/interruptions.js"

const rejecting: RateLimiter.Options = { name: "openai", limit: 10, interval: "1 minute", mode: "reject" }
const waiting: RateLimiter.Options = { ...rejecting, limit: 2, interval: "10 seconds", mode: "wait" }

const call = (limiter: RateLimiter.RateLimiter) => RateLimiter.withRateLimiter(Clock.currentTimeMillis, limiter)
const admitted = (limiter: RateLimiter.RateLimiter, tries: number) =>
  Effect.map(
    Effect.replicateEffect(Effect.either(call(limiter)), tries),
    (results) => results.filter(Either.isRight).length
  )

describe("RateLimiter that rejects", () => {
  for (const limit of [10, 100, 1000]) {
    it.effect(`lets exactly ${limit} calls start in a minute, and each comes back a minute after it started`, () =>
      Effect.gen(function* () {
        const limiter = yield* RateLimiter.make({ ...rejecting, limit })
        assert.strictEqual(yield* admitted(limiter, limit / 2), limit / 2)
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(yield* admitted(limiter, limit), limit / 2)
        yield* TestClock.adjust(Duration.millis(29_999))
        assert.strictEqual(yield* admitted(limiter, limit), 0)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* admitted(limiter, limit), limit / 2, "no second burst at the edge of a window")
      })
    )
  }

  it.effect("says exactly when a lone retry is admitted, and a rejected call delays nobody", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(rejecting)
      yield* admitted(limiter, 4)
      yield* TestClock.adjust("12345 millis")
      yield* admitted(limiter, 100)
      const error = yield* Effect.flip(call(limiter))
      assert.instanceOf(error, RateLimited)
      assert.strictEqual(error.reason, "limit")
      assert.strictEqual(error.policy, "openai")
      assert.deepStrictEqual(error.retryAfter, Duration.millis(60_000 - 12_345))
      yield* TestClock.adjust(Duration.millis(60_000 - 12_345 - 1))
      assert.strictEqual(yield* admitted(limiter, 1), 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* admitted(limiter, 10), 4)
    })
  )

  it.effect("counts cost, and refuses a cost that could never pass", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(rejecting)
      const heavy = yield* limiter.withCost(6)
      yield* call(heavy)
      const error = yield* Effect.flip(call(heavy))
      assert.deepStrictEqual(error.retryAfter, Duration.minutes(1))
      assert.strictEqual(yield* admitted(limiter, 10), 4, "the rejected call took none of what was left")
      assert.match((yield* Effect.flip(limiter.withCost(11))).message, /costs 11; .* from 1 to the limit of 10/)
      assert.match((yield* Effect.flip(limiter.withCost(0))).message, /costs 0/)
    })
  )

  it.effect("charges a call that ran whatever became of it, and not one that never started", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(rejecting)
      yield* Effect.flip(RateLimiter.withRateLimiter(Effect.fail("declined"), limiter))
      const running = yield* Effect.fork(RateLimiter.withRateLimiter(Effect.never, limiter))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(running)
      assert.strictEqual((yield* limiter.status).inUse, 2)

      const bulkhead = yield* Bulkhead.make({ name: "openai", maxConcurrent: 1, maxQueued: 1, maxWait: "1 minute" })
      const gates = through([limiter, bulkhead])
      const occupant = yield* Effect.fork(gates(Effect.never))
      const queued = yield* Effect.fork(gates(Effect.void))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* limiter.status).inUse, 4)
      assert.strictEqual((yield* Effect.flip(gates(Effect.void)))._tag, "BulkheadFull")
      assert.strictEqual((yield* limiter.status).inUse, 4, "turned away inside: not charged")
      yield* Fiber.interrupt(queued)
      assert.strictEqual((yield* limiter.status).inUse, 3, "gave up inside: not charged")
      yield* Fiber.interrupt(occupant)
    })
  )
})

describe("RateLimiter that waits", () => {
  it.effect("serves in order of arrival, each at the first possible instant", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make({ ...waiting, maxWait: "1 minute", maxQueued: 10 })
      const heavy = yield* limiter.withCost(2)
      const fibers = yield* Effect.forEach([limiter, limiter, heavy, limiter, limiter, limiter], (gate) =>
        Effect.zipLeft(Effect.fork(call(gate)), TestClock.adjust("1 seconds"))
      )
      yield* TestClock.adjust("1 minute")
      const starts = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(starts, [0, 1000, 11_000, 21_000, 21_000, 31_000])
    })
  )

  it.effect("fails at once when the wait cannot succeed in time, and says how long it would have been", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make({ ...waiting, maxWait: "15 seconds" })
      yield* admitted(limiter, 2)
      const first = yield* Effect.fork(call(limiter))
      const second = yield* Effect.fork(call(limiter))
      yield* TestClock.adjust("1 seconds")
      const error = yield* Effect.flip(call(limiter))
      assert.strictEqual(error.reason, "wait-too-long")
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(19))
      assert.strictEqual(yield* Clock.currentTimeMillis, 1000)
      const impatient = yield* Effect.flip(through([limiter], { patience: 18_999 })(Effect.void))
      assert.propertyVal(impatient, "reason", "wait-too-long")
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(yield* Fiber.join(Fiber.zip(first, second)), [10_000, 10_000])
    })
  )

  it.effect("serves a wait that ends exactly at its bound", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(waiting)
      yield* admitted(limiter, 2)
      const exact = yield* Effect.fork(call(limiter))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(exact), 10_000)
    })
  )

  it.effect("bounds its queue", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make({ ...waiting, maxQueued: 1 })
      yield* admitted(limiter, 2)
      yield* Effect.fork(call(limiter))
      yield* TestClock.adjust("1 millis")
      const error = yield* Effect.flip(call(limiter))
      assert.strictEqual(error.reason, "queue-full")
      assert.deepStrictEqual(yield* limiter.status, { inUse: 2, queued: 1, limit: 2 })
    })
  )

  it.effect("gives the place of a caller who gives up to those behind", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make({ ...waiting, maxWait: "1 minute", maxQueued: 5 })
      const heavy = yield* limiter.withCost(2)
      yield* call(limiter)
      yield* TestClock.adjust("1 seconds")
      const gone = yield* Effect.fork(call(heavy))
      const behind = yield* Effect.fork(call(limiter))
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.interrupt(gone)
      assert.strictEqual(yield* Fiber.join(behind), 2000)
      assert.deepStrictEqual(yield* limiter.status, { inUse: 2, queued: 0, limit: 2 })
    })
  )

  it.effect("empties its queue at once when waiting becomes pointless", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(waiting)
      yield* admitted(limiter, 2)
      const opened = yield* Deferred.make<never, CircuitOpen>()
      const waiter = yield* Effect.fork(
        Effect.flip(through([limiter], { pointless: Deferred.await(opened) })(Effect.void))
      )
      yield* TestClock.adjust("1 seconds")
      yield* Deferred.fail(opened, new CircuitOpen({ policy: "openai", reason: "open", retryAfter: undefined }))
      assert.strictEqual((yield* Fiber.join(waiter))._tag, "CircuitOpen")
      assert.deepStrictEqual(yield* limiter.status, { inUse: 2, queued: 0, limit: 2 })
    })
  )

  it.effect("serves a caller who cannot be interrupted", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(waiting)
      yield* admitted(limiter, 2)
      const waiter = yield* Effect.fork(Effect.uninterruptible(call(limiter)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(waiter), 10_000)
    })
  )

  it.effect("lets a caller who cannot be interrupted wait on when someone tries to, whatever bounds the wait", () =>
    Effect.gen(function* () {
      for (const maxWait of [undefined, Duration.infinity]) {
        const limiter = yield* RateLimiter.make({ ...waiting, maxWait })
        yield* admitted(limiter, 2)
        let exit: Exit.Exit<number, unknown> | undefined
        const waiter = yield* Effect.fork(
          Effect.uninterruptible(
            Effect.tap(Effect.exit(call(limiter)), (end) => {
              exit = end
            })
          )
        )
        yield* TestClock.adjust("1 seconds")
        yield* Fiber.interruptFork(waiter)
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual(exit, Exit.succeed(yield* Clock.currentTimeMillis))
      }
    })
  )

  it.effect("takes no time back from the system clock: only time that passes counts", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(rejecting)
      yield* admitted(limiter, 10)
      const clock = yield* Effect.clock
      const stepped = new Proxy(clock, {
        get: (target, key) =>
          key === "currentTimeMillis" ? Effect.succeed(3_600_000) : (Reflect.get(target, key) as unknown)
      })
      assert.strictEqual(yield* Effect.withClock(admitted(limiter, 10), stepped), 0)
    })
  )
})

describe("RateLimiter options", () => {
  it.effect("can be a layer", () =>
    Effect.gen(function* () {
      class Limit extends Context.Tag("test/Limit")<Limit, RateLimiter.RateLimiter>() {}
      const status = Effect.flatMap(Limit, (limiter) => limiter.status)
      assert.strictEqual((yield* Effect.provide(status, RateLimiter.layer(Limit, rejecting))).limit, 10)
    })
  )

  it.effect("are refused when they mean nothing, with what to change", () =>
    Effect.gen(function* () {
      const messageOf = (wrong: Partial<RateLimiter.Options>) =>
        Effect.map(Effect.flip(RateLimiter.make({ ...rejecting, ...wrong })), (error) => error.message)
      assert.match(yield* messageOf({ limit: 0.5 }), /"openai": limit is 0.5; give a whole number/)
      assert.match(yield* messageOf({ name: " ", interval: 0 }), /name is empty; .*; interval is 0; give a duration/)
      assert.match(yield* messageOf({ interval: Duration.infinity }), /interval is without end/)
      assert.match(
        yield* messageOf({ mode: "wait", maxQueued: 0 }),
        /maxQueued is 0; give a whole number of at least 1/
      )
      assert.match(
        yield* messageOf({ mode: "wait", maxWait: -1 }),
        /maxWait is -1; give a duration longer than nothing/
      )
      assert.match(yield* messageOf({ maxWait: "1 seconds" }), /belong to mode "wait"/)
      const error = yield* Effect.flip(RateLimiter.make({ ...rejecting, limit: 0 }))
      assert.instanceOf(error, RateLimiter.RateLimiterConfigurationError)
      assert.strictEqual(error.limiter, "openai")
    })
  )
})

const interval = 60
const limit = 4
const until = 3000

/** When each caller must have started, found by looking at every instant in turn, with an exact log of all starts. */
const expectedStarts = (callers: ReadonlyArray<Callers.Caller>): ReadonlyArray<number | undefined> => {
  const starts: Array<number | undefined> = callers.map(() => undefined)
  for (let now = 0; now <= until; now++) {
    for (const [i, caller] of callers.entries()) {
      if (starts[i] !== undefined || caller.at > now || (caller.leaveAt ?? Infinity) <= now) continue
      const spent = starts.filter((start) => start !== undefined && start > now - interval).length
      if (spent >= limit) break
      starts[i] = now
    }
  }
  return starts
}

const suite = {
  make: RateLimiter.make({ name: "it", limit, interval, mode: "wait", maxWait: "1 hour", maxQueued: 100 }),
  callers: { most: 24, gap: 9, hold: 72 },
  until,
  expected: expectedStarts,
  atRest: { inUse: 0, queued: 0, limit }
} as const

describe("a rate limiter whose callers are interrupted anywhere", () => {
  survivesInterruptions({
    ...suite,
    leaks: {
      "a caller who gave up waiting keeps its reservation": waitsOnWithoutItsCaller,
      "an interrupted call gets back what it has spent": (gate) => ({
        ...gate,
        admit: (admission) =>
          Effect.map(gate.admit(admission), (permit) => (exit) => permit(exit, !Exit.isInterrupted(exit)))
      })
    }
  })
})

describe("a reservation whose owner is interrupted anywhere", () => {
  survivesInterruptions({
    ...suite,
    pass: (limiter, call) => Effect.scoped(Effect.flatMap(limiter.reserve, (place) => place.use(call))),
    leaks: {
      "the place of an owner who left is not given back": (limiter) => ({
        ...limiter,
        reserve: Effect.flatMap(Scope.make(), (scope) => Scope.extend(limiter.reserve, scope))
      })
    }
  })
})
