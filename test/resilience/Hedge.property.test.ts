/**
 * Hedged calls under random schedules: how long each attempt takes, how it ends, how long it takes to let go, what the
 * budget says and how soon; and callers who are interrupted, time out, or die with the fibre that forked them, in every
 * phase. Whatever happens, nothing is left running and the budget is square.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Supervisor from "effect/Supervisor"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Hedge from "../../src/resilience/Hedge.js"
import type { RetryBudget } from "../../src/resilience/RetryBudget.js"
import * as Waiting from "../../src/resilience/Waiting.js"

const delay = 30
const maxHedges = 2

const attempt = fc.record({
  takes: fc.oneof(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 60, max: 120 })),
  ends: fc.constantFrom(...(["success", "failure", "failure", "fatal", "defect", "interruption"] as const)),
  letsGoIn: fc.constantFrom(0, 0, 15)
})

const call = fc.record({
  attempts: fc.array(attempt, { minLength: maxHedges + 1, maxLength: maxHedges + 1 }),
  grants: fc.array(fc.boolean(), { minLength: maxHedges, maxLength: maxHedges }),
  thinks: fc.constantFrom(0, 10, 25),
  leaves: fc.constantFrom(
    ...(["never", "interrupted", "interrupted", "timed out", "with its parent", "uninterruptible"] as const)
  ),
  // Half of those who leave do so when there is a hedge, as a rule.
  after: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: delay + 1, max: 100 }))
})
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never

/** `alone`: nothing but the first attempt, which still has time. `hedged`: others beside it. */
type Phase = "alone" | "hedged" | "over"

interface Tally {
  readonly phase: Phase
  readonly interrupted: boolean
}

type Protect = (self: Effect.Effect<string, string>, budget: RetryBudget) => Effect.Effect<string, unknown>

const ours: Protect = (self, budget) =>
  Hedge.withHedge(self, { name: "it", delay, maxHedges, budget, isRetryable: (error) => error !== "fatal" })

const play = (script: Call, protect: Protect) =>
  Effect.gen(function* () {
    const counts = { deposits: 0, withdrawn: 0, refunded: 0, started: 0, ended: 0, running: 0 }
    const budget: RetryBudget = {
      name: "it",
      windowMillis: 1000,
      deposit: Effect.sync(() => void counts.deposits++),
      unsafeDeposit: () => void counts.deposits++,
      withdraw: Effect.delay(
        Effect.sync(() => {
          const granted = script.grants[counts.withdrawn] ?? false
          if (granted) counts.withdrawn++
          return granted
        }),
        script.thinks
      ),
      refund: Effect.sync(() => void counts.refunded++),
      status: Effect.dieMessage("not asked here")
    }
    const ends: Record<(typeof script.attempts)[number]["ends"], Effect.Effect<string, string>> = {
      success: Effect.succeed("up"),
      failure: Effect.fail("down"),
      fatal: Effect.fail("fatal"),
      defect: Effect.die("bug"),
      interruption: Effect.interrupt
    }
    const self = Effect.suspend(() => {
      const step = script.attempts[counts.started++] ?? assert.fail("more attempts than hedges and one")
      assert.isAtMost(++counts.running, maxHedges + 1)
      return Effect.ensuring(
        Effect.delay(ends[step.ends], step.takes),
        Effect.delay(
          Effect.sync(() => {
            counts.running--
            counts.ended++
          }),
          step.letsGoIn
        )
      )
    })

    let left: { running: number; phase: Phase } | undefined
    const look = () => {
      const phase = over ? "over" : counts.started > 1 ? "hedged" : "alone"
      return { running: counts.running, phase } as const
    }
    let over = false
    let atEnd = -1
    let exit: Exit.Exit<string, unknown> | undefined
    const supervisor = yield* Supervisor.track
    const watched = Effect.onExit(Effect.supervised(protect(self, budget), supervisor), (end) =>
      Effect.map(supervisor.value, (fibers) => {
        over = true
        exit = end
        // Timers as well as attempts.
        atEnd = fibers.length
      })
    )
    const leaving = Effect.zipRight(
      Effect.sleep(script.after),
      Effect.sync(() => (left = look()))
    )
    switch (script.leaves) {
      case "never":
        yield* Effect.fork(watched)
        break
      case "interrupted": {
        const fiber = yield* Effect.fork(watched)
        yield* Effect.fork(Effect.zipRight(leaving, Fiber.interrupt(fiber)))
        break
      }
      case "uninterruptible": {
        const fiber = yield* Effect.fork(Effect.uninterruptible(watched))
        yield* Effect.fork(Effect.zipRight(Effect.sleep(script.after), Fiber.interrupt(fiber)))
        break
      }
      case "timed out":
        yield* Effect.fork(Effect.raceFirst(leaving, watched))
        break
      case "with its parent":
        yield* Effect.fork(Effect.zipRight(Effect.fork(watched), leaving))
    }
    yield* TestClock.adjust(1000)

    assert.isTrue(over, "the call has not ended")
    assert.strictEqual(atEnd, 0, "something was still running when the call ended")
    assert.strictEqual(counts.started, counts.ended)
    assert.strictEqual(counts.deposits, 1)
    assert.strictEqual(counts.withdrawn, counts.started - 1 + counts.refunded, "the budget is not square")
    const interrupted = left !== undefined && left.phase !== "over"
    if (!interrupted && exit !== undefined) assertAnswer(script, exit, counts.started)
    return { phase: left?.phase ?? "over", interrupted } satisfies Tally
  })

/** What is true of every answer: nothing may hide a success of the first attempt, and errors have their order. */
const assertAnswer = (script: Call, exit: Exit.Exit<string, unknown>, started: number): void => {
  const ends = script.attempts.slice(0, started).map((step) => step.ends)
  if (Exit.isSuccess(exit)) {
    assert.include(ends, "success")
    return
  }
  if (!ends.includes("fatal")) assert.notInclude(ends, "success")
  if (ends.every((end) => end === "interruption")) assert.isTrue(Exit.isInterrupted(exit))
}

const property = (protect: Protect, tallies: Array<Tally> = []) =>
  fc.asyncProperty(call, async (script) => {
    tallies.push(await Effect.runPromise(Effect.provide(play(script, protect), TestContext.TestContext)))
  })

const busyMachine = 120_000

describe("hedged calls whose callers leave anywhere", () => {
  it(
    "leave nothing running, never make it worse, and square the budget",
    async () => {
      const tallies: Array<Tally> = []
      await fc.assert(property(ours, tallies), { numRuns: 200 })
      for (const phase of ["alone", "hedged"] as const) {
        const share = tallies.filter((tally) => tally.interrupted && tally.phase === phase).length / tallies.length
        assert.isAtLeast(share, 0.05, `interrupted ${phase}: ${share}`)
      }
    },
    busyMachine
  )

  const leaky: Record<string, Protect> = {
    "does not wait for the losers": (self, budget) => ours(Effect.disconnect(self), budget),
    "keeps the charge of a hedge that did not begin": (self, budget) => ours(self, { ...budget, refund: Effect.void }),
    "lets a failing hedge answer while the first attempt is on its way": (self, budget) =>
      Effect.zipRight(
        budget.deposit,
        // Not Effect's own race, which an interruption in its first step leaves waiting for ever.
        Waiting.first(
          self,
          Effect.delay(
            Effect.flatMap(budget.withdraw, (granted) => (granted ? self : Effect.never)),
            delay
          )
        )
      )
  }
  for (const [what, protect] of Object.entries(leaky)) {
    it(
      `are found out where the hedge ${what}`,
      async () => {
        const { errorInstance, failed } = await fc.check(property(protect), { numRuns: 200, endOnFailure: true })
        assert.isTrue(failed)
        assert.include((errorInstance as Error).name, "AssertionError")
      },
      busyMachine
    )
  }
})
