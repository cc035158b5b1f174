/**
 * Timeouts in motion. Timed regions stand one within the other, shield part of what they do from interruption, take a
 * while to clean up, fork, and change fibre refs; the caller has a fibre of its own and leaves at a random instant, often
 * the very one at which a limit is over. A model foretells how and when the call ends; where two things happen at the
 * same instant only what must always hold is checked.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Timeout from "../../src/resilience/Timeout.js"

type Ending = "success" | "failure" | "defect" | "self-interrupted"

interface Step {
  readonly millis: number
  /** Whether it cannot be interrupted. */
  readonly shielded: boolean
}

/** A timed region: its steps before and after the region within, and what it does in any case before it ends. */
interface Region {
  readonly limit: number
  readonly before: Step
  readonly after: Step
  readonly cleanup: number
}

interface Script {
  /** Outside in; the innermost region ends with `ending`. */
  readonly regions: ReadonlyArray<Region>
  readonly ending: Ending
  /** Whether the caller itself cannot be interrupted. */
  readonly shielded: boolean
  readonly leaves: number | undefined
}

const anyMillis = FastCheck.integer({ min: 1, max: 12 })
const anyStep: FastCheck.Arbitrary<Step> = FastCheck.record({
  millis: anyMillis,
  shielded: FastCheck.oneof({ weight: 3, arbitrary: FastCheck.constant(false) }, FastCheck.constant(true))
})
const anyScript: FastCheck.Arbitrary<Script> = FastCheck.record({
  regions: FastCheck.array(
    FastCheck.record({
      limit: FastCheck.integer({ min: 1, max: 40 }),
      before: anyStep,
      after: anyStep,
      cleanup: FastCheck.integer({ min: 0, max: 4 })
    }),
    { minLength: 1, maxLength: 3 }
  ),
  ending: FastCheck.constantFrom<Ending>("success", "success", "success", "failure", "defect", "self-interrupted"),
  shielded: FastCheck.oneof({ weight: 5, arbitrary: FastCheck.constant(false) }, FastCheck.constant(true)),
  leaves: FastCheck.option(FastCheck.integer({ min: 0, max: 30 }), { nil: undefined })
})

/** Two things happen at the same instant, and the order is nobody's promise. */
class Tie extends Error {}

interface Foretold {
  readonly end: Ending | "interrupted" | `limit ${number}`
  readonly at: number
  /** The regions whose changes of fibre refs the caller sees. */
  readonly inherits: ReadonlyArray<number>
}

const foretell = ({ ending, leaves = Infinity, regions, shielded }: Script): Foretold => {
  const within = (index: number, start: number, kill: number): Foretold => {
    const region = regions[index]
    if (region === undefined) return { end: ending, at: start, inherits: [] }
    const limit = start + region.limit
    const stop = Math.min(kill, limit)
    let now = start
    let end: Foretold["end"] = "success"
    let inherits: ReadonlyArray<number> = []
    const step = ({ millis, ...step }: Step): void => {
      if (end !== "success") return
      if (stop === now || stop === now + millis) throw new Tie()
      if (step.shielded || shielded || now + millis < stop) now += millis
      else now = Math.max(now, stop)
      if (!shielded && stop <= now) end = "interrupted"
    }
    step(region.before)
    if (end === "success") {
      const inner = within(index + 1, now, stop)
      ;({ at: now, end, inherits } = inner)
      step(region.after)
    }
    now += region.cleanup
    if (kill === now || limit === now) throw new Tie()
    if (!shielded && kill < now) return { end: "interrupted", at: now, inherits: [] }
    if (limit < now) return { end: `limit ${index}`, at: now, inherits: [] }
    return { end, at: now, inherits: [...inherits, index] }
  }
  return within(0, 0, leaves)
}

const endOf = (exit: Exit.Exit<unknown, unknown>): Foretold["end"] => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.isInterrupted(exit.cause)) return "interrupted"
  if (Cause.isDie(exit.cause)) return "defect"
  const error = Cause.squash(exit.cause)
  return error === "failure" ? "failure" : `limit ${Number(error)}`
}

type TimeoutTo = typeof Timeout.timeoutTo

const play = (script: Script, timeoutTo: TimeoutTo, count: (end: Foretold["end"] | "tie") => void) =>
  Effect.gen(function* () {
    const held = { regions: 0, children: 0 }
    const refs = script.regions.map(() => FiberRef.unsafeMake("untouched"))
    const hold = (what: keyof typeof held) => Effect.sync(() => void (held[what] += 1))
    const letGo = (what: keyof typeof held) => Effect.sync(() => void (held[what] -= 1))
    const take = ({ millis, shielded }: Step) =>
      shielded ? Effect.uninterruptible(Effect.sleep(millis)) : Effect.sleep(millis)
    const endings: Record<Ending, Effect.Effect<void, string>> = {
      success: Effect.void,
      failure: Effect.fail("failure"),
      defect: Effect.die("defect"),
      "self-interrupted": Effect.interrupt
    }

    const within = (index: number): Effect.Effect<void, string | number> => {
      const region = script.regions[index]
      if (region === undefined) return endings[script.ending]
      const child = Effect.acquireUseRelease(
        hold("children"),
        () => Effect.interruptible(Effect.never),
        () => letGo("children")
      )
      const body = Effect.acquireUseRelease(
        hold("regions"),
        () =>
          Effect.fork(child).pipe(
            Effect.zipRight(FiberRef.set(refs[index]!, "touched")),
            Effect.zipRight(take(region.before)),
            Effect.zipRight(within(index + 1)),
            Effect.zipRight(take(region.after))
          ),
        () => Effect.zipRight(region.cleanup > 0 ? Effect.sleep(region.cleanup) : Effect.void, letGo("regions"))
      )
      return timeoutTo(body, { limit: region.limit, onTimeout: () => Effect.fail(index) })
    }

    const done = yield* Deferred.make<{ readonly at: number; readonly held: object; readonly touched: Array<number> }>()
    const call = Effect.onExit(within(0), () =>
      Effect.gen(function* () {
        const values = yield* Effect.forEach(refs, FiberRef.get)
        const touched = values.flatMap((value, index) => (value === "touched" ? [index] : [])).reverse()
        yield* Deferred.succeed(done, { at: yield* Clock.currentTimeMillis, held: { ...held }, touched })
      })
    )
    let survivor: Fiber.RuntimeFiber<unknown> | undefined
    const caller = Effect.gen(function* () {
      survivor = yield* Effect.fork(Effect.interruptible(Effect.never))
      const exit = yield* Effect.exit(script.shielded ? Effect.uninterruptible(call) : call)
      // The caller goes on as if nothing had been: no interruption of the region's comes after it.
      yield* Effect.sleep(100)
      return { exit, survived: survivor.unsafePoll() === null }
    })
    const fiber = yield* Effect.fork(caller)
    if (script.leaves !== undefined) {
      yield* TestClock.adjust(script.leaves)
      yield* Fiber.interruptFork(fiber)
    }
    yield* TestClock.adjust(1_000)
    const { at, held: heldAtEnd, touched } = yield* Deferred.await(done)
    const result = fiber.unsafePoll() ?? assert.fail("the caller does not end")
    const left = script.leaves !== undefined && script.leaves <= at + 100
    const end = Exit.isSuccess(result) ? endOf(result.value.exit) : left ? "interrupted" : endOf(result)

    assert.deepStrictEqual(heldAtEnd, { regions: 0, children: 0 }, "something goes on after the answer")
    if (Exit.isSuccess(result)) assert.isTrue(result.value.survived, "what the caller forked before has ended")
    else assert.isTrue(left, "the caller was interrupted, and not from outside")
    try {
      const foretold = foretell(script)
      count(foretold.end)
      assert.strictEqual(at, foretold.at)
      if (Exit.isFailure(result)) return
      const interrupted = foretold.end === "self-interrupted" ? "interrupted" : foretold.end
      assert.deepStrictEqual({ end, touched }, { end: interrupted, touched: foretold.inherits })
    } catch (error) {
      if (!(error instanceof Tie)) throw error
      count("tie")
    }
  })

const property = (timeoutTo: TimeoutTo, count: (end: Foretold["end"] | "tie") => void = () => undefined) =>
  FastCheck.asyncProperty(anyScript, (script) =>
    Effect.runPromise(Effect.provide(play(script, timeoutTo, count), TestContext.TestContext))
  )

describe("Timeout in motion", () => {
  it("ends every call how and when the model says, with nothing left behind", async () => {
    const counts = new Map<string, number>()
    const count = (end: string) => counts.set(end, (counts.get(end) ?? 0) + 1)
    await FastCheck.assert(property(Timeout.timeoutTo, count), { numRuns: 400 })
    for (const end of [
      "success",
      "failure",
      "defect",
      "self-interrupted",
      "interrupted",
      "limit 0",
      "limit 1",
      "tie"
    ]) {
      assert.isAtLeast(counts.get(end) ?? 0, 3, `${end}: too few to mean anything`)
    }
  }, 120_000)

  it("is caught when it ends the caller's own fibre and takes that back", async () => {
    const sameFibre: TimeoutTo = <A, E, R, A2, E2, R2>(
      self: Effect.Effect<A, E, R>,
      { limit, onTimeout }: Parameters<typeof Timeout.timeoutTo<A, E, R, A2, E2, R2>>[1]
    ) =>
      Effect.withFiberRuntime<A | A2, E | E2, R | R2>((fiber) =>
        Effect.uninterruptibleMask((restore) => {
          const sentinel = FiberId.unsafeMake()
          let late = false
          const timer = Effect.runFork(Effect.provide(Effect.sleep(limit), fiber.currentDefaultServices))
          timer.addObserver((exit) => {
            if (!Exit.isSuccess(exit)) return
            late = true
            fiber.unsafeInterruptAsFork(sentinel)
          })
          return Effect.flatMap(Effect.exit(restore(self)), (exit): Effect.Effect<A | A2, E | E2, R2> => {
            timer.unsafeInterruptAsFork(sentinel)
            if (!late) return exit
            const others = Cause.filter(fiber.getFiberRef(FiberRef.interruptedCause), (cause) =>
              cause._tag === "Interrupt" ? cause.fiberId !== sentinel : true
            )
            return Effect.zipRight(FiberRef.set(FiberRef.interruptedCause, others), onTimeout())
          })
        })
      )
    const { errorInstance, failed } = await FastCheck.check(property(sameFibre), { numRuns: 300 })
    assert.isTrue(failed)
    assert.match(String(errorInstance), /goes on after the answer|forked before/)
  }, 120_000)

  it("is caught when it answers before the call has ended", async () => {
    const inTheBackground: TimeoutTo = (self, { limit, onTimeout }) =>
      Effect.raceFirst(Effect.disconnect(self), Effect.flatMap(Effect.sleep(limit), onTimeout))
    // It does not hand on fibre refs either, which is what another seed might meet first.
    const { errorInstance, failed } = await FastCheck.check(property(inTheBackground), { numRuns: 300, seed: 1 })
    assert.isTrue(failed)
    assert.match(String(errorInstance), /goes on after the answer/)
  }, 120_000)
})
