/**
 * What one caller holds or waits for comes back, and nobody behind it is forgotten, wherever in its steps the caller is
 * interrupted.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as RateLimiter from "../../src/resilience/RateLimiter.js"
import { atEveryStep, settle, type Walk } from "./support/Steps.js"

const hasSucceeded = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.map(Fiber.poll(fiber), (exit) => exit._tag === "Some" && Exit.isSuccess(exit.value))

/** How many steps were walked: a handful would mean that the interesting ones were not among them. */
const walked = async (scenario: (walk: Walk) => Effect.Effect<void, unknown>) => {
  assert.isAbove(await Effect.runPromise(atEveryStep(scenario)), 10)
}

describe("interrupted at any step", () => {
  it("a caller whose turn in a bulkhead has come loses no place and blocks nobody", () =>
    walked(({ begin, fork, pass }) =>
      Effect.gen(function* () {
        const bulkhead = yield* Bulkhead.make({ name: "reports", maxConcurrent: 1, maxQueued: 2 })
        const report = Bulkhead.withBulkhead(Effect.sleep(100), bulkhead)
        yield* Effect.fork(report)
        yield* settle
        yield* fork(report)
        yield* settle
        const behind = yield* Effect.fork(report)
        yield* settle
        assert.deepStrictEqual(yield* bulkhead.status, { inUse: 1, queued: 2, limit: 1 })
        yield* pass(100)
        yield* begin
        for (let i = 0; i < 2; i++) {
          yield* settle
          yield* pass(100)
        }
        yield* settle
        assert.isTrue(yield* hasSucceeded(behind))
        assert.deepStrictEqual(yield* bulkhead.status, { inUse: 0, queued: 0, limit: 1 })
      })
    ))

  it("a caller of a rate limiter who serves those behind it leaves none of them asleep", () =>
    walked(({ begin, fork, pass }) =>
      Effect.gen(function* () {
        const options = { name: "mail", limit: 2, interval: 100, maxWait: 1_000 } as const
        const limiter = yield* RateLimiter.make({ ...options, mode: "wait" })
        const send = RateLimiter.withRateLimiter(Effect.void, limiter)
        yield* send
        yield* send
        yield* fork(send)
        yield* settle
        const behind = yield* Effect.fork(send)
        yield* settle
        yield* pass(100)
        yield* begin
        yield* settle
        assert.isTrue(yield* hasSucceeded(behind), "it was due at the same instant")
      })
    ))

  it("a caller of a bulkhead whose turn comes when its patience ends loses no place", () =>
    walked(({ begin, fork, pass }) =>
      Effect.gen(function* () {
        const bulkhead = yield* Bulkhead.make({ name: "reports", maxConcurrent: 1, maxQueued: 1, maxWait: 100 })
        yield* Effect.fork(Bulkhead.withBulkhead(Effect.sleep(100), bulkhead))
        yield* settle
        yield* fork(Bulkhead.withBulkhead(Effect.void, bulkhead))
        yield* settle
        yield* pass(100)
        yield* begin
        yield* settle
        assert.deepStrictEqual(yield* bulkhead.status, { inUse: 0, queued: 0, limit: 1 })
      })
    ))

  it("a caller of a rate limiter whose call has not begun leaves its token to the next", async () => {
    let charged = 0
    await walked(({ begin, fork, pass }) =>
      Effect.gen(function* () {
        const options = { name: "mail", limit: 1, interval: 100, maxQueued: 2, maxWait: 200 } as const
        const limiter = yield* RateLimiter.make({ ...options, mode: "wait" })
        let begun = false
        const note = Effect.sync(() => void (begun = true))
        yield* RateLimiter.withRateLimiter(Effect.void, limiter)
        yield* fork(RateLimiter.withRateLimiter(note, limiter))
        yield* settle
        const behind = yield* Effect.fork(RateLimiter.withRateLimiter(Effect.void, limiter))
        yield* settle
        yield* pass(100)
        yield* begin
        yield* settle
        const free = yield* hasSucceeded(behind)
        assert.isFalse(free && begun, "the token was used twice")
        if (!free && !begun) charged += 1
      })
    )
    assert.isAtMost(charged, 1, "only between the gate's last step and the call's first")
  })
})
