/**
 * Callers who come and leave at random, of two keys, against a reference model that foretells when and how each of them
 * ends and how many runs there are. Arrivals, ends, departures and the ends of stopped runs fall on different
 * milliseconds (0, 1, 2 and 3 modulo 4), so that nothing depends on who is first at the same instant.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Coalesce from "../../src/resilience/Coalesce.js"

const keys = ["a", "b"] as const
type Key = (typeof keys)[number]

interface Caller {
  readonly key: Key
  readonly at: number
  readonly leaves: { readonly at: number; readonly how: "interrupted" | "timed out" | "with its parent" } | undefined
}

/** The n-th run of any key: how long it takes, how it ends, how long it takes to stop; rounded up to its milliseconds. */
interface Run {
  readonly takes: number
  readonly ends: "success" | "failure" | "defect"
  readonly letsGoIn: number
}

const anyScript = fc.record({
  whenAbandoned: fc.constantFrom(...(["interrupt", "interrupt", "finish"] as const)),
  runs: fc.array(
    fc.record({
      takes: fc.integer({ min: 0, max: 90 }),
      ends: fc.constantFrom(...(["success", "success", "failure", "defect"] as const)),
      letsGoIn: fc.constantFrom(0, 40, 80)
    }),
    { minLength: 3, maxLength: 3 }
  ),
  callers: fc
    .array(
      fc.record({
        key: fc.constantFrom(...keys),
        at: fc.integer({ min: 0, max: 30 }),
        // Short enough that runs are abandoned, and callers wait for one that is being stopped.
        stays: fc.oneof(fc.nat(3), fc.nat(12)),
        how: fc.constantFrom(...([undefined, "interrupted", "interrupted", "timed out", "with its parent"] as const))
      }),
      { minLength: 2, maxLength: 14, size: "max" }
    )
    .map((all) => {
      // No two leave at the same instant: which of them is the last would be nobody's promise.
      const taken = new Set<number>()
      return all.map(({ at, how, key, stays }): Caller => {
        let leavesAt = 4 * (at + stays) + 2
        while (taken.has(leavesAt)) leavesAt += 4
        if (how !== undefined) taken.add(leavesAt)
        return { key, at: 4 * at, leaves: how === undefined ? undefined : { at: leavesAt, how } }
      })
    })
})
type Script = typeof anyScript extends fc.Arbitrary<infer T> ? T : never

/** The first millisecond from here on that is so much modulo 4. */
const next = (from: number, remainder: number): number => from + ((remainder - (from % 4) + 4) % 4)

interface Fate {
  readonly at: number
  readonly end: "success" | "failure" | "defect" | "left"
  /** What an interrupted caller was doing. */
  readonly phase: "leading" | "joined" | "waiting" | undefined
}

const until = 1000

/** What must become of the callers of one key, and how many runs there are. */
const foretell = (script: Script, key: Key) => {
  const fates = new Map<Caller, Fate>()
  const callers = script.callers.filter((caller) => caller.key === key)
  let runs = 0
  let waited = 0
  let now = 0
  let run: { step: Run; endsAt: number; inside: Array<Caller>; leader: Caller; dying: Caller | undefined } | undefined
  let waiting: Array<Caller> = []

  const enter = (caller: Caller): void => {
    if (run?.dying !== undefined) {
      waiting.push(caller)
      waited++
    } else if (run !== undefined) run.inside.push(caller)
    else {
      const step = script.runs[runs++ % script.runs.length]!
      run = { step, endsAt: next(now + step.takes, 1), inside: [caller], leader: caller, dying: undefined }
    }
  }
  for (; now < until; now++) {
    if (run?.endsAt === now) {
      const { dying, inside, leader, step } = run
      run = undefined
      for (const caller of inside) fates.set(caller, { at: now, end: step.ends, phase: undefined })
      if (dying !== undefined) {
        fates.set(dying, { at: now, end: "left", phase: dying === leader ? "leading" : "joined" })
        const newcomers = waiting
        waiting = []
        newcomers.forEach(enter)
      }
    }
    for (const caller of callers) if (caller.at === now) enter(caller)
    for (const caller of callers) {
      if (caller.leaves?.at !== now || fates.has(caller) || caller === run?.dying) continue
      if (waiting.includes(caller)) {
        waiting = waiting.filter((other) => other !== caller)
        fates.set(caller, { at: now, end: "left", phase: "waiting" })
      } else if (run !== undefined) {
        run.inside = run.inside.filter((other) => other !== caller)
        if (run.inside.length > 0 || script.whenAbandoned === "finish") {
          fates.set(caller, { at: now, end: "left", phase: caller === run.leader ? "leading" : "joined" })
        } else {
          run.dying = caller
          run.endsAt = next(now + run.step.letsGoIn, 3)
        }
      }
    }
  }
  return { fates, runs, waited }
}

type Share = (script: Script) => Effect.Effect<Coalesce.Coalesce<string, string, string>, unknown, Scope.Scope>

type Count = (what: "leading" | "joined" | "waiting" | "waited" | "stayed", times: number) => void

const play = (script: Script, share: Share, count: Count) =>
  Effect.gen(function* () {
    const shared = yield* share(script)
    const ended = new Map<Caller, Omit<Fate, "phase">>()
    const begun = { a: 0, b: 0 }
    const running = { a: 0, b: 0 }
    const ends = { success: Effect.succeed("up"), failure: Effect.fail("down"), defect: Effect.die("bug") }
    const untilThe = (millis: number, remainder: number) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(next(now + millis, remainder) - now))

    const work = (key: Key) =>
      Effect.suspend(() => {
        const step = script.runs[begun[key]++ % script.runs.length]!
        assert.strictEqual(++running[key], 1, "two runs of one key at the same time")
        return Effect.zipRight(untilThe(step.takes, 1), ends[step.ends]).pipe(
          Effect.onInterrupt(() => untilThe(step.letsGoIn, 3)),
          Effect.ensuring(Effect.sync(() => running[key]--))
        )
      })

    yield* Effect.forEach(script.callers, (caller) => {
      const asking = Effect.onExit(shared.run(caller.key, work(caller.key)), (exit) =>
        Effect.map(Clock.currentTimeMillis, (at) => void ended.set(caller, { at, end: endOf(exit) }))
      )
      const { at, leaves } = caller
      const life =
        leaves === undefined
          ? asking
          : leaves.how === "timed out"
            ? Effect.timeoutOption(asking, leaves.at - at)
            : leaves.how === "interrupted"
              ? Effect.flatMap(Effect.forkDaemon(asking), (fiber) =>
                  Effect.delay(Fiber.interrupt(fiber), leaves.at - at)
                )
              : Effect.zipRight(Effect.fork(asking), Effect.sleep(leaves.at - at))
      return Effect.forkDaemon(Effect.delay(life, at))
    })
    yield* TestClock.adjust(until)

    for (const key of keys) {
      const { fates, runs, waited } = foretell(script, key)
      assert.strictEqual(begun[key], runs, `runs of ${key}`)
      assert.strictEqual(running[key], 0)
      count("waited", waited)
      for (const [caller, { at, end, phase }] of fates) {
        assert.deepStrictEqual(ended.get(caller), { at, end })
        count(phase ?? "stayed", 1)
      }
    }
    assert.strictEqual(ended.size, script.callers.length)
    assert.deepInclude(yield* shared.status, { runs: 0, callers: 0 })
  })

const endOf = (exit: Exit.Exit<string, string>): Fate["end"] =>
  Exit.isSuccess(exit)
    ? "success"
    : exit.cause._tag === "Fail"
      ? "failure"
      : exit.cause._tag === "Die"
        ? "defect"
        : "left"

const property = (share: Share, count: Count = () => undefined) =>
  fc.asyncProperty(anyScript, (script) =>
    Effect.runPromise(Effect.provide(Effect.scoped(play(script, share, count)), TestContext.TestContext))
  )

const busyMachine = 120_000

describe("callers who share runs, and come and leave at random", () => {
  const ours: Share = ({ whenAbandoned }) => Coalesce.make({ whenAbandoned })

  it(
    "end how and when the reference model says",
    async () => {
      const counts = { leading: 0, joined: 0, waiting: 0, waited: 0, stayed: 0 }
      await fc.assert(
        property(ours, (what, times) => void (counts[what] += times)),
        { numRuns: 100 }
      )
      const { joined, leading, stayed, waited, waiting } = counts
      assert.isAtLeast(leading / (leading + joined + stayed), 0.05)
      assert.isAtLeast(joined / (leading + joined + stayed), 0.05)
      assert.isAtLeast(waited, 20, "too few to mean anything")
      assert.isAtLeast(waiting / waited, 0.05)
    },
    busyMachine
  )

  const wrong: Record<string, Share> = {
    // As Effect's `Cache`, which interrupts everyone with the first caller.
    "the run belongs to the first caller": () =>
      Effect.sync(() => {
        const runs = new Map<string, Deferred.Deferred<string, string>>()
        return {
          status: Effect.succeed({ runs: 0, callers: 0, joined: 0, alone: 0 }),
          run: (key, self) =>
            Effect.suspend(() => {
              const known = runs.get(key)
              if (known !== undefined) return Deferred.await(known)
              const run = Deferred.unsafeMake<string, string>(FiberId.none)
              runs.set(key, run)
              return Effect.onExit(self, (exit) => {
                runs.delete(key)
                return Deferred.done(run, exit)
              })
            })
        }
      }),
    "an abandoned run is never stopped": () => Coalesce.make({ whenAbandoned: "finish" }),
    "every run is stopped when it is abandoned": () => Coalesce.make({ whenAbandoned: "interrupt" }),
    "nothing is shared": () =>
      Effect.succeed({
        status: Effect.succeed({ runs: 0, callers: 0, joined: 0, alone: 0 }),
        run: (_, self) => self
      })
  }
  for (const [what, share] of Object.entries(wrong)) {
    it(
      `are found out where ${what}`,
      async () => {
        assert.isTrue((await fc.check(property(share), { numRuns: 150, endOnFailure: true })).failed)
      },
      busyMachine
    )
  }
})
