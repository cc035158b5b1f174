import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import { through } from "../../src/resilience/Gate.js"
import { BulkheadFull, CircuitOpen } from "../../src/resilience/Rejection.js"
import type * as Callers from "../support/Callers.js"
import { survivesInterruptions, waitsOnWithoutItsCaller } from "./support/interruptions.js"

const options: Bulkhead.Options = { name: "reports", maxConcurrent: 2, maxQueued: 2, maxWait: "1 second" }

const occupy = (bulkhead: Bulkhead.Bulkhead, millis = 60_000) =>
  Effect.zipRight(Effect.fork(Bulkhead.withBulkhead(Effect.sleep(millis), bulkhead)), Effect.yieldNow())

describe("Bulkhead", () => {
  it.effect("lets so many calls run, so many wait, and turns the next away at once", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(options)
      yield* Effect.repeatN(occupy(bulkhead), 3)
      yield* Effect.yieldNow()
      assert.deepStrictEqual(yield* bulkhead.status, { inUse: 2, queued: 2, limit: 2 })
      const error = yield* Effect.flip(Bulkhead.withBulkhead(Effect.void, bulkhead))
      assert.instanceOf(error, BulkheadFull)
      assert.strictEqual(error.policy, "reports")
      assert.strictEqual(error.reason, "queue-full")
    })
  )

  it.effect("gives up a wait after maxWait, not a millisecond sooner", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(options)
      yield* Effect.repeatN(occupy(bulkhead), 1)
      const waiter = yield* Effect.fork(Effect.flip(Bulkhead.withBulkhead(Effect.void, bulkhead)))
      yield* TestClock.adjust("999 millis")
      assert.strictEqual((yield* Fiber.poll(waiter))._tag, "None")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(waiter)).reason, "wait-too-long")
      assert.deepStrictEqual(yield* bulkhead.status, { inUse: 2, queued: 0, limit: 2 })
    })
  )

  it.effect("serves a place that comes free at the instant at which the wait is over", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ ...options, maxConcurrent: 1 })
      yield* occupy(bulkhead, 1000)
      const waiter = yield* Effect.fork(Effect.exit(Bulkhead.withBulkhead(Effect.void, bulkhead)))
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.join(waiter)
      assert.deepStrictEqual(yield* bulkhead.status, { inUse: 0, queued: 0, limit: 1 })
    })
  )

  it.effect("bounds the wait by the caller's patience, and does not queue who has none", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(options)
      yield* Effect.repeatN(occupy(bulkhead), 1)
      const patient = yield* Effect.fork(Effect.flip(through([bulkhead], { patience: 300 })(Effect.void)))
      yield* TestClock.adjust("300 millis")
      assert.propertyVal(yield* Fiber.join(patient), "reason", "wait-too-long")
      const error = yield* Effect.flip(through([bulkhead], { patience: 0 })(Effect.void))
      assert.propertyVal(error, "reason", "wait-too-long")
    })
  )

  it.effect("empties its queue at once when waiting becomes pointless", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(options)
      yield* Effect.repeatN(occupy(bulkhead), 1)
      const opened = yield* Deferred.make<never, CircuitOpen>()
      const gate = through([bulkhead], { pointless: Deferred.await(opened) })
      const waiters = yield* Effect.fork(
        Effect.all([Effect.flip(gate(Effect.void)), Effect.flip(gate(Effect.void))], { concurrency: 2 })
      )
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* bulkhead.status).queued, 2)
      yield* Deferred.fail(opened, new CircuitOpen({ policy: "reports", reason: "open", retryAfter: undefined }))
      const errors = yield* Fiber.join(waiters)
      assert.deepStrictEqual(
        errors.map((error) => error._tag),
        ["CircuitOpen", "CircuitOpen"]
      )
      assert.deepStrictEqual(yield* bulkhead.status, { inUse: 2, queued: 0, limit: 2 })
    })
  )

  it.effect("still bounds the wait of a caller who cannot be interrupted", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(options)
      yield* Effect.repeatN(occupy(bulkhead), 1)
      const waiter = yield* Effect.fork(
        Effect.uninterruptible(Effect.flip(Bulkhead.withBulkhead(Effect.void, bulkhead)))
      )
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* Fiber.join(waiter)).reason, "wait-too-long")
    })
  )

  it.effect("lets a caller who cannot be interrupted wait on when someone tries to", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ ...options, maxConcurrent: 1 })
      yield* Effect.fork(Bulkhead.withBulkhead(Effect.sleep("100 millis"), bulkhead))
      yield* TestClock.adjust("1 millis")
      let exit: Exit.Exit<unknown, unknown> | undefined
      const waiting = Effect.tap(Effect.exit(Bulkhead.withBulkhead(Effect.succeed("done"), bulkhead)), (end) => {
        exit = end
      })
      const waiter = yield* Effect.fork(Effect.uninterruptible(waiting))
      yield* TestClock.adjust("1 millis")
      yield* Fiber.interruptFork(waiter)
      yield* TestClock.adjust("98 millis")
      assert.deepStrictEqual(exit, Exit.succeed("done"))
    })
  )

  it.effect("gives the place back on success, failure and defect, and passes errors through unwrapped", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ ...options, maxConcurrent: 1, maxQueued: 0, maxWait: undefined })
      assert.strictEqual(yield* Bulkhead.withBulkhead(Effect.succeed(1), bulkhead), 1)
      assert.strictEqual(yield* Effect.flip(Bulkhead.withBulkhead(Effect.fail("own"), bulkhead)), "own")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Bulkhead.withBulkhead(Effect.die("bug"), bulkhead))))
      assert.strictEqual(yield* Effect.succeed(2).pipe(Bulkhead.withBulkhead(bulkhead)), 2)
      assert.strictEqual((yield* bulkhead.status).inUse, 0)
    })
  )

  it.effect("can be a layer", () =>
    Effect.gen(function* () {
      class Reports extends Context.Tag("test/Reports")<Reports, Bulkhead.Bulkhead>() {}
      const status = Effect.flatMap(Reports, (bulkhead) => bulkhead.status)
      assert.strictEqual((yield* Effect.provide(status, Bulkhead.layer(Reports, options))).limit, 2)
    })
  )

  it.effect("refuses options that mean nothing, and says what to change", () =>
    Effect.gen(function* () {
      const messageOf = (wrong: Partial<Bulkhead.Options>) =>
        Effect.map(Effect.flip(Bulkhead.make({ ...options, ...wrong })), (error) => error.message)
      assert.match(yield* messageOf({ maxConcurrent: 0 }), /"reports": maxConcurrent is 0; give a whole number/)
      assert.match(yield* messageOf({ maxConcurrent: Number.NaN }), /maxConcurrent/)
      assert.match(yield* messageOf({ name: "", maxQueued: -1 }), /name is empty; .*; maxQueued is -1/)
      assert.match(yield* messageOf({ maxWait: 0 }), /maxWait is 0; give a duration longer than nothing/)
      assert.match(yield* messageOf({ maxQueued: 0 }), /maxWait is given but maxQueued is 0/)
      const error = yield* Effect.flip(Bulkhead.make({ ...options, maxConcurrent: 0 }))
      assert.instanceOf(error, Bulkhead.BulkheadConfigurationError)
      assert.strictEqual(error.bulkhead, "reports")
    })
  )
})

/** When each caller must have started, found by looking at every instant in turn. */
const expectedStarts = (callers: ReadonlyArray<Callers.Caller>, places: number): ReadonlyArray<number | undefined> => {
  const starts: Array<number | undefined> = callers.map(() => undefined)
  for (let now = 0; now <= until; now++) {
    for (const [i, caller] of callers.entries()) {
      if (starts[i] !== undefined || caller.at > now || (caller.leaveAt ?? Infinity) <= now) continue
      const running = starts.filter((start, j) => start !== undefined && now < endOf(callers[j], start)).length
      if (running >= places) break
      starts[i] = now
    }
  }
  return starts
}
const endOf = (caller: Callers.Caller | undefined, start: number): number =>
  caller === undefined ? 0 : Math.min(start + caller.hold, caller.leaveAt ?? Infinity)

const until = 1500

describe("a bulkhead whose callers are interrupted anywhere", () => {
  survivesInterruptions({
    make: Bulkhead.make({ name: "it", maxConcurrent: 2, maxQueued: 100, maxWait: Duration.infinity }),
    callers: { most: 24, gap: 6, hold: 72 },
    until,
    expected: (callers) => expectedStarts(callers, 2),
    atRest: { inUse: 0, queued: 0, limit: 2 },
    leaks: {
      "it keeps the place of a caller who was interrupted while running": (gate) => ({
        ...gate,
        admit: (admission) =>
          Effect.map(
            gate.admit(admission),
            (permit) => (exit, started) => (Exit.isInterrupted(exit) ? Effect.void : permit(exit, started))
          )
      }),
      "it keeps the place of a call that died": (gate) => ({
        ...gate,
        admit: (admission) =>
          Effect.map(
            gate.admit(admission),
            (permit) => (exit, started) =>
              Exit.isFailure(exit) && Cause.isDie(exit.cause) ? Effect.void : permit(exit, started)
          )
      }),
      "it keeps a caller in the queue who was interrupted while waiting": waitsOnWithoutItsCaller
    }
  })
})
