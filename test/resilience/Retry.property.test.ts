/**
 * The retry in motion: callers whose attempts succeed, fail and break by a random script share one budget, and leave at a
 * random moment in one of several ways. Whatever happens, the budget holds exactly the retries that began.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { RetryBudgetExhausted } from "../../src/resilience/Rejection.js"
import * as Retry from "../../src/resilience/Retry.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"

const retry = { maxAttempts: 3, initialDelay: 200, maxDelay: 300, backoffMultiplier: 2 }

/** Where a caller can be interrupted: before its first attempt, in the first attempt, in a wait, in a retry. */
const phases = ["before", "first", "sleeping", "retrying"] as const
type Phase = (typeof phases)[number]

interface Step {
  readonly takes: number
  readonly ends: "success" | "failure" | "defect"
}

interface Caller {
  readonly begins: number
  readonly steps: ReadonlyArray<Step>
  readonly leaves: { readonly how: "interrupted" | "timeout" | "parent"; readonly after: number } | undefined
}

const anyStep: FastCheck.Arbitrary<Step> = FastCheck.record({
  // A coarse grid, so that callers often leave at the very moment at which something else happens.
  takes: FastCheck.constantFrom(0, 50, 150, 200, 300),
  ends: FastCheck.constantFrom("success", "failure", "failure", "failure", "failure", "defect")
})

const anyCaller: FastCheck.Arbitrary<Caller> = FastCheck.record({
  begins: FastCheck.constantFrom(0, 0, 50, 100, 400),
  steps: FastCheck.array(anyStep, { minLength: 3, maxLength: 3 }),
  leaves: FastCheck.option(
    FastCheck.record({
      how: FastCheck.constantFrom("interrupted", "timeout", "parent"),
      after: FastCheck.integer({ min: 0, max: 18 }).map((steps) => steps * 50)
    }),
    { freq: 4, nil: undefined }
  )
})

/** How a call ends to which nothing happens but its own script. */
const foretell = (steps: ReadonlyArray<Step>): { readonly end: Step["ends"]; readonly failed: number } => {
  const failed = steps.findIndex(({ ends }) => ends !== "failure")
  return failed === -1 ? { end: "failure", failed: steps.length } : { end: steps[failed]!.ends, failed }
}

interface Count {
  all: number
  interrupted: number
}

type Retries = (
  attempt: Effect.Effect<string, number>,
  budget: RetryBudget.RetryBudget
) => Effect.Effect<string, Failure>
type Failure = number | RetryBudgetExhausted

const ours: Retries = (attempt, budget) => Retry.withRetry(attempt, retry, budget)

const play = (callers: ReadonlyArray<Caller>, reserve: number, retries: Retries, counts: Map<Phase, Count>) =>
  Effect.gen(function* () {
    // Within a window that long nothing is forgotten, and each charge can be accounted for.
    const window = "1 day"
    const budget = yield* RetryBudget.make({ name: "x", ratio: 0.2, minPerSecond: reserve / 86_400, window })
    const count = (phase: Phase, field: keyof Count) => (counts.get(phase)![field] += 1)
    const begun = { calls: 0, retries: 0 }

    const callOf = ({ steps }: Caller) => {
      let phase: Phase = "before"
      let attempts = 0
      const attempt = Effect.suspend(() => {
        const number = attempts++
        phase = number === 0 ? "first" : "retrying"
        count(phase, "all")
        begun[number === 0 ? "calls" : "retries"] += 1
        const { ends, takes } = steps[number]!
        const end =
          ends === "success" ? Effect.succeed("up") : ends === "failure" ? Effect.fail(number) : Effect.die("bug")
        const leave = Effect.sync(() => (phase = "sleeping"))
        return Effect.onExit(takes === 0 ? end : Effect.delay(end, takes), (exit) =>
          Exit.isInterrupted(exit) ? Effect.void : leave
        )
      })
      const watched: RetryBudget.RetryBudget = {
        ...budget,
        withdraw: Effect.tap(budget.withdraw, (granted) => Effect.sync(() => granted && count("sleeping", "all")))
      }
      return {
        call: Effect.onInterrupt(retries(attempt, watched), () => Effect.sync(() => count(phase, "interrupted"))),
        begun: () => attempts > 0
      }
    }

    const fibers = yield* Effect.forEach(callers, (caller): Effect.Effect<Fiber.Fiber<string, Failure | "timeout">> => {
      const { begins, leaves } = caller
      const { begun, call } = callOf(caller)
      count("before", "all")
      const begin = begins === 0 ? call : Effect.delay(call, begins)
      if (leaves === undefined) return Effect.fork(begin)
      const { after, how } = leaves
      // One that leaves while its beginning is still to come, or at once, before the runtime has begun it.
      const until = Effect.onInterrupt(begin, () => Effect.sync(() => begun() || count("before", "interrupted")))
      switch (how) {
        case "timeout":
          return Effect.fork(Effect.timeoutFail(until, { duration: after, onTimeout: () => "timeout" as const }))
        case "interrupted":
          return Effect.gen(function* () {
            const fiber = yield* Effect.fork(until)
            const leave = Fiber.interruptFork(fiber)
            yield* after === 0 ? leave : Effect.fork(Effect.delay(leave, after))
            return fiber
          })
        case "parent":
          return Effect.gen(function* () {
            const child = yield* Effect.fork(until)
            return yield* Effect.zipRight(Effect.sleep(after), Effect.as(Effect.yieldNow(), child))
          }).pipe(
            Effect.fork,
            Effect.map((parent) => Fiber.map(parent, () => "left" as const))
          )
      }
    })
    yield* TestClock.adjust("1 minute")
    const exits = yield* Effect.forEach(fibers, (fiber) => Fiber.await(fiber))

    const status = yield* budget.status
    assert.strictEqual(status.retries, begun.retries, "the budget holds what began, no more and no less")
    assert.isAtMost(status.retries, Math.floor(0.2 * status.calls + reserve + 1e-9))
    // A call may pay in and be interrupted before its first attempt begins, but not the other way round.
    assert.isAtLeast(status.calls, begun.calls)

    callers.forEach(({ leaves, steps }, index) => {
      const exit = exits[index]!
      const spent =
        Exit.isFailure(exit) &&
        Option.exists(Cause.failureOption(exit.cause), (error) => error instanceof RetryBudgetExhausted)
      if (leaves !== undefined || spent) return
      const { end, failed } = foretell(steps)
      if (Exit.isSuccess(exit)) return assert.strictEqual(end, "success")
      const errors = Retry.attemptErrors(exit.cause)
      assert.strictEqual(Cause.isDie(exit.cause), end === "defect")
      assert.deepStrictEqual(errors, end === "defect" ? [] : Array.from({ length: failed }, (_, number) => number))
    })
  })

const property = (retries: Retries, counts: Map<Phase, Count> = emptyCounts()) =>
  FastCheck.asyncProperty(
    FastCheck.array(anyCaller, { minLength: 1, maxLength: 12, size: "max" }),
    FastCheck.constantFrom(1, 3, 100),
    (callers, reserve) =>
      Effect.runPromise(Effect.provide(play(callers, reserve, retries, counts), TestContext.TestContext))
  )

const emptyCounts = () => new Map(phases.map((phase): [Phase, Count] => [phase, { all: 0, interrupted: 0 }]))

describe("Retry in motion", () => {
  it("charges a budget for exactly the retries that begin, however and wherever callers leave", async () => {
    const counts = emptyCounts()
    await FastCheck.assert(property(ours, counts), { numRuns: 60 })
    for (const [phase, { all, interrupted }] of counts) {
      assert.isAbove(all, 100, `${phase}: too few to mean anything`)
      assert.isAtLeast(interrupted / all, 0.05, `${phase}: ${interrupted} of ${all} interrupted`)
    }
  }, 120_000)

  it("is caught when a charge is not given back after an interruption", async () => {
    const leaky: Retries = (attempt, budget) => ours(attempt, { ...budget, refund: Effect.void })
    const { counterexample, failed } = await FastCheck.check(property(leaky), { numRuns: 200 })
    assert.isTrue(failed)
    const [callers] = counterexample ?? assert.fail("no counterexample")
    assert.isAtMost(callers.length, 3, "the trace shrinks to what a reader can follow")
  }, 120_000)

  it("is caught when a charge is given back twice", async () => {
    const generous: Retries = (attempt, budget) =>
      ours(attempt, { ...budget, refund: Effect.zipRight(budget.refund, budget.refund) })
    const { failed } = await FastCheck.check(property(generous), { numRuns: 300, endOnFailure: true })
    assert.isTrue(failed)
  }, 120_000)
})
