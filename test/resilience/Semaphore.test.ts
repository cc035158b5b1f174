import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Semaphore from "../../src/resilience/Semaphore.js"

const impatient = { restore: <A, E, R>(self: Effect.Effect<A, E, R>) => self, patience: 0, pointless: Effect.never }

describe("Semaphore", () => {
  it.effect("serves one who needs all permits before newcomers who need one each", () =>
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make({ permits: 2, maxQueued: 100 })
      const hold = (permits: number) =>
        Effect.fork(semaphore.withPermits(permits)(Effect.zipLeft(Clock.currentTimeMillis, Effect.sleep("10 millis"))))
      yield* hold(1)
      yield* TestClock.adjust("1 millis")
      const all = yield* hold(2)
      const newcomers = yield* Effect.forEach([1, 2, 3, 4], () => Effect.tap(hold(1), TestClock.adjust("1 millis")))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Fiber.join(all), 10)
      assert.deepStrictEqual(yield* Fiber.join(Fiber.all(newcomers)), [20, 20, 30, 30])
    })
  )

  it.effect("turns away at once who asks for more than there is in all", () =>
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make({ permits: 2, maxQueued: 1 })
      assert.strictEqual((yield* Effect.flip(semaphore.withPermits(3)(Effect.void))).reason, "more-than-all")
    })
  )

  it.effect("dies of a number of permits that means nothing, before it does harm", () =>
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make({ permits: 2, maxQueued: 1 })
      for (const permits of [0, -1, 0.5, Number.NaN]) {
        const exit = yield* Effect.exit(semaphore.withPermits(permits)(Effect.void))
        assert.match(String(exit), new RegExp(`asked for ${permits} permits; ask for a whole number`))
        assert.isUndefined(semaphore.tryTake(permits), "it is for `take` to say so")
      }
      assert.deepStrictEqual(yield* semaphore.status, { inUse: 0, queued: 0, limit: 2 })
    })
  )

  it.effect("turns away with the error of its maker, who is told why", () =>
    Effect.gen(function* () {
      class Busy extends Error {
        constructor(readonly why: Semaphore.SemaphoreFull["reason"]) {
          super("the printers are busy")
        }
      }
      const printers = yield* Semaphore.makeWith(
        { permits: 1, maxQueued: 1, maxWait: "1 second" },
        (why) => new Busy(why)
      )
      yield* Effect.fork(printers.withPermits(1)(Effect.never))
      const waiter = yield* Effect.fork(Effect.flip(printers.withPermits(1)(Effect.void)))
      yield* TestClock.adjust("1 millis")
      const reasons = [
        (yield* Effect.flip(printers.withPermits(1)(Effect.void))).why,
        (yield* Effect.flip(printers.withPermits(2)(Effect.void))).why
      ]
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(
        [...reasons, (yield* Fiber.join(waiter)).why],
        ["queue-full", "more-than-all", "wait-too-long"]
      )
    })
  )

  it.effect("queues no one by default", () =>
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make({ permits: 1 })
      const error = yield* Effect.flip(semaphore.withPermits(1)(semaphore.withPermits(1)(Effect.void)))
      assert.instanceOf(error, Semaphore.SemaphoreFull)
      assert.strictEqual(error.message, "No permit of the semaphore was to be had (queue-full)")
      assert.deepStrictEqual(yield* semaphore.status, { inUse: 0, queued: 0, limit: 1 })
    })
  )

  it.effect("takes a permit back once, however often it is given back", () =>
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make({ permits: 3 })
      const permit = yield* semaphore.take(2, impatient)
      yield* Effect.asVoid(semaphore.take(1, impatient))
      yield* Effect.replicateEffect(
        Effect.suspend(() => permit(Exit.void)),
        3
      )
      assert.strictEqual((yield* semaphore.status).inUse, 1)
    })
  )

  it.effect("serves those behind when one who needs too much is interrupted", () =>
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make({ permits: 2, maxQueued: 5 })
      yield* Effect.fork(semaphore.withPermits(1)(Effect.never))
      yield* TestClock.adjust("1 millis")
      const big = yield* Effect.fork(semaphore.withPermits(2)(Effect.void))
      yield* TestClock.adjust("1 millis")
      const small = yield* Effect.fork(semaphore.withPermits(1)(Clock.currentTimeMillis))
      yield* TestClock.adjust("1 millis")
      yield* Fiber.interrupt(big)
      assert.strictEqual(yield* Fiber.join(small), 3)
      assert.deepStrictEqual(yield* semaphore.status, { inUse: 1, queued: 0, limit: 2 })
    })
  )
})
