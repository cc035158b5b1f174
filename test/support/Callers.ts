/**
 * Callers that come, hold what they got for a while, and sometimes leave in the middle: what every gate has to survive.
 * `drive` lets them loose on a gate under virtual time and reports what became of each.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"

/** Times in virtual milliseconds; `leaveAt` is when the caller is interrupted, if that is before it has ended. */
export interface Caller {
  readonly at: number
  readonly hold: number
  readonly leaveAt: number | undefined
}

/** `phase` is how far the caller came, and where it was when it left. */
export interface Ended {
  readonly caller: Caller
  readonly phase: "waiting" | "running" | "over"
  readonly startedAt: number | undefined
  readonly interrupted: boolean
  /** The tag of the error it was turned away with. */
  readonly error: string | undefined
}

/** One after the other, `gap` milliseconds apart at most; all at multiples of three, but interruptions between them. */
export const callers = (options: { readonly most: number; readonly gap: number; readonly hold: number }) =>
  fc
    .array(
      fc.record({
        gap: fc.integer({ min: 1, max: options.gap / 3 }),
        hold: fc.integer({ min: 1, max: options.hold / 3 }),
        leave: fc.option(fc.nat(options.hold / 2), { nil: undefined, freq: 2 })
      }),
      { minLength: 4, maxLength: options.most }
    )
    .map((all) => {
      let at = 0
      return all.map(({ gap, hold, leave }): Caller => {
        at += gap * 3
        return { at, hold: hold * 3, leaveAt: leave === undefined ? undefined : at + leave * 3 + 1 }
      })
    })

/** Lets the callers loose until `until`; all of them have ended then, or the run fails. */
export const drive = <E>(
  callers: ReadonlyArray<Caller>,
  protect: (self: Effect.Effect<void>, index: number) => Effect.Effect<void, E>,
  until: number
): Effect.Effect<ReadonlyArray<Ended>> =>
  Effect.gen(function* () {
    const fibers = yield* Effect.forEach(callers, (caller, index) => {
      let phase: Ended["phase"] = "waiting"
      let startedAt: number | undefined
      const call = Effect.gen(function* () {
        phase = "running"
        startedAt = yield* Clock.currentTimeMillis
        yield* Effect.sleep(caller.hold)
        phase = "over"
      })
      return Effect.gen(function* () {
        yield* Effect.sleep(caller.at)
        const running = yield* Effect.fork(protect(call, index))
        if (caller.leaveAt !== undefined) {
          yield* Effect.fork(Effect.zipRight(Effect.sleep(caller.leaveAt - caller.at), Fiber.interrupt(running)))
        }
        const exit = yield* Fiber.await(running)
        const error = Exit.isFailure(exit) && exit.cause._tag === "Fail" ? tagOf(exit.cause.error) : undefined
        return { caller, phase, startedAt, error, interrupted: Exit.isInterrupted(exit) } satisfies Ended
      }).pipe(Effect.fork)
    })
    yield* TestClock.adjust(Duration.millis(until))
    return yield* Effect.forEach(fibers, (fiber) =>
      Effect.flatMap(Fiber.poll(fiber), (exit) =>
        exit._tag === "Some" ? exit.value : Effect.die(new Error("A caller is stuck"))
      )
    )
  })

/** How many of the callers who were interrupted were so in each phase, as a share of all callers. */
export const interruptedShares = (
  ended: ReadonlyArray<Ended>
): { readonly waiting: number; readonly running: number } => {
  const share = (phase: Ended["phase"]): number =>
    ended.filter((end) => end.interrupted && end.phase === phase).length / ended.length
  return { waiting: share("waiting"), running: share("running") }
}

/** A property over callers under virtual time, for `fc.assert` and `fc.check`; a failure shows the seed and the callers. */
export const property = (
  arbitrary: fc.Arbitrary<ReadonlyArray<Caller>>,
  body: (callers: ReadonlyArray<Caller>) => Effect.Effect<void, unknown>
) => fc.asyncProperty(arbitrary, (callers) => Effect.runPromise(Effect.provide(body(callers), TestContext.TestContext)))

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "unknown"
