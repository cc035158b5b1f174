/**
 * What one caller holds or waits for comes back, and nobody behind it is forgotten, wherever in its steps the caller is
 * interrupted.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Hedge from "../../src/resilience/Hedge.js"
import * as Policy from "../../src/resilience/Policy.js"
import * as Retry from "../../src/resilience/Retry.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"
import * as RateLimiter from "../../src/resilience/RateLimiter.js"
import * as Timeout from "../../src/resilience/Timeout.js"
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

  it("the maker of a reservation, or whoever waits for it, leaves its place to the next", async () => {
    let charged = 0
    await walked(({ begin, fork, pass }) =>
      Effect.gen(function* () {
        const limiter = yield* RateLimiter.make({ name: "mail", limit: 1, interval: 100, mode: "wait" })
        let begun = false
        const note = Effect.sync(() => void (begun = true))
        yield* RateLimiter.withRateLimiter(Effect.void, limiter)
        yield* fork(Effect.scoped(Effect.flatMap(limiter.reserve, (place) => place.use(note))))
        yield* begin
        yield* settle
        yield* pass(100)
        yield* settle
        const next = yield* Effect.fork(RateLimiter.withRateLimiter(Effect.void, limiter))
        yield* settle
        const free = yield* hasSucceeded(next)
        assert.isFalse(free && begun, "the place was used twice")
        if (!free && !begun) charged += 1
      })
    )
    assert.isAtMost(charged, 1, "only between the last step of the reservation and the first of the call")
  })

  for (const [what, work] of [
    ["20 ms", Effect.sleep(20)],
    ["50 ms", Effect.sleep(50)],
    ["for ever", Effect.never]
  ] as const) {
    it(`a call that takes ${what} where the limit is 50 ms lets go of what it holds, and of its timer`, () =>
      walked(({ asleep, begin, fork, interrupted, pass }) =>
        Effect.gen(function* () {
          let held = 0
          const hold = Effect.sync(() => void (held += 1))
          const letGo = Effect.sync(() => void (held -= 1))
          const call = Effect.acquireUseRelease(
            hold,
            () => work,
            () => letGo
          )
          const caller = yield* fork(Timeout.withTimeout(call, { name: "upstream", limit: 50 }))
          yield* begin
          for (const millis of [20, 30]) {
            yield* settle
            if (interrupted()) {
              assert.isNotNull(caller.unsafePoll(), "who leaves need not wait for the limit")
              assert.strictEqual(held, 0, "nothing goes on for someone who has left")
            }
            yield* pass(millis)
          }
          yield* settle
          assert.strictEqual(held, 0)
          assert.strictEqual(asleep(), 0)
        })
      ))
  }

  it("a probe gives its place back", () =>
    walked(({ begin, fork, pass }) =>
      Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make({
          name: "upstream",
          failureThreshold: 1,
          resetTimeout: 100,
          halfOpenMaxCalls: 1
        })
        yield* Effect.exit(breaker.execute(Effect.fail("down")))
        yield* pass(100)
        yield* fork(breaker.execute(Effect.sleep(10)))
        yield* begin
        yield* settle
        yield* pass(10)
        yield* settle
        assert.strictEqual((yield* breaker.status).probesInUse, 0)
        const next = yield* Effect.fork(breaker.execute(Effect.void))
        yield* settle
        assert.isTrue(yield* hasSucceeded(next), "the place is free at once, and not when a lease is over")
      })
    ))

  it("a retry that does not begin is not charged to the budget", async () => {
    let charged = 0
    await walked(({ begin, fork, pass }) =>
      Effect.gen(function* () {
        const budget = yield* RetryBudget.make({ name: "upstream" })
        let attempts = 0
        const call = Effect.suspend(() => {
          attempts += 1
          return attempts === 1 ? Effect.fail("down") : Effect.void
        })
        yield* fork(Retry.withRetry(call, { initialDelay: 50 }, budget))
        yield* begin
        yield* settle
        yield* pass(50)
        yield* settle
        const { retries } = yield* budget.status
        if (attempts === 2) assert.strictEqual(retries, 1)
        else charged += retries
      })
    )
    assert.isAtMost(charged, 1, "only between the last step of the wait and the first of the attempt")
  })

  it("a call through a whole policy leaves nothing behind", () =>
    walked(({ asleep, begin, fork, pass }) =>
      Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make({ name: "upstream", failureThreshold: 1, resetTimeout: 20 })
        const bulkhead = yield* Bulkhead.make({ name: "upstream", maxConcurrent: 1, maxQueued: 1 })
        const limits = { name: "upstream", limit: 3, interval: 1_000 } as const
        const rateLimiter = yield* RateLimiter.make({ ...limits, mode: "wait" })
        const policy = yield* Policy.make({
          name: "upstream",
          deadline: 500,
          attemptTimeout: 30,
          retry: { initialDelay: 20 },
          breaker,
          bulkhead,
          rateLimiter
        })
        let attempts = 0
        const call = Effect.suspend(() => {
          attempts += 1
          return attempts === 1 ? Effect.fail("down") : Effect.sleep(10)
        })
        yield* Effect.fork(Bulkhead.withBulkhead(Effect.sleep(15), bulkhead))
        yield* settle
        yield* fork(policy.protect(call, { idempotent: true }))
        yield* begin
        for (const millis of [15, 20, 10]) {
          yield* settle
          yield* pass(millis)
        }
        yield* settle
        assert.deepStrictEqual(yield* bulkhead.status, { inUse: 0, queued: 0, limit: 1 })
        assert.strictEqual((yield* breaker.status).probesInUse, 0)
        const { inUse, queued } = yield* rateLimiter.status
        assert.strictEqual(queued, 0)
        // The gates' call is the whole attempt, which begins with its timeout.
        assert.isTrue(inUse === attempts || inUse === attempts + 1)
        assert.strictEqual(asleep(), 0)
      })
    ))

  it("a call tells of each attempt that began, and of its own end once and last", () =>
    walked(({ begin, fork, pass }) =>
      Effect.gen(function* () {
        const events: Array<Policy.Event> = []
        const breaker = yield* CircuitBreaker.make({ name: "upstream" })
        const retryBudget = yield* RetryBudget.make({ name: "upstream" })
        const hedge = yield* Hedge.make({ name: "upstream", delay: 10, budget: retryBudget })
        const policy = yield* Policy.make({
          name: "upstream",
          deadline: 500,
          attemptTimeout: 30,
          retry: { initialDelay: 20 },
          retryBudget,
          breaker,
          hedge,
          onEvent: (event) => Effect.sync(() => void events.push(event))
        })
        let calls = 0
        const call = Effect.suspend(() => {
          calls += 1
          // The first attempt and its hedge hang; the second attempt answers.
          return calls < 3 ? Effect.never : Effect.sleep(5)
        })
        yield* fork(policy.protect(call, { idempotent: true }))
        yield* begin
        // A hedge, its attempt's limit and its own, a retry, and the answer.
        for (const millis of [10, 20, 10, 20, 5]) {
          yield* settle
          yield* pass(millis)
        }
        yield* settle
        const { calls: deposits, retries } = yield* retryBudget.status
        const last = events.at(-1)
        if (last === undefined) {
          assert.deepStrictEqual([deposits, calls], [0, 0], "it had not begun")
          return
        }
        const kinds = events.map(({ _tag }) => _tag)
        const inOrder: ReadonlyArray<Policy.Event["_tag"]> = ["AttemptEnded", "RetryScheduled", "AttemptEnded"]
        assert.deepStrictEqual(kinds, [...inOrder.slice(0, kinds.length - 1), "CallEnded"])
        const attempts = kinds.filter((kind) => kind === "AttemptEnded").length
        assert.propertyVal(last, "attempts", attempts)
        assert.strictEqual(deposits, 1)
        assert.isAtMost(calls, retries + 1, "whatever was begun again was paid for")
      })
    ))
})

describe("at any step of who waits for a circuit to open", () => {
  it("its opening is not missed", () =>
    walked(({ begin, fork, instead }) =>
      Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make({ name: "upstream" })
        instead(() => Effect.runSync(breaker.force("open")))
        const waiting = yield* fork(breaker.opened)
        yield* begin
        yield* settle
        yield* breaker.force("open")
        yield* settle
        const told = yield* Fiber.poll(waiting)
        yield* Fiber.interrupt(waiting)
        assert.strictEqual(told._tag, "Some")
      })
    ))
})
