/**
 * Callers that come, hold what they got for a while, and sometimes leave in the middle: what every gate has to survive.
 * `drive` lets them loose on a gate under virtual time and reports what became of each.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"

/**
 * Times in virtual milliseconds. `ends` is what becomes of the call when nobody stops it; `leaveAt` is when the caller
 * leaves, if that is before it has ended, and `by` what makes it leave.
 */
export interface Caller {
  readonly at: number
  readonly hold: number
  readonly ends: "success" | "failure" | "defect"
  readonly leaveAt: number | undefined
  readonly by: "interruption" | "timeout" | "parent"
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
        ends: fc.constantFrom("success" as const, "failure" as const, "defect" as const),
        // Half of those who leave do so soon, most of them before their turn.
        leave: fc.option(fc.oneof(fc.nat(options.hold / 3), fc.nat(options.hold / 9)), { nil: undefined, freq: 6 }),
        by: fc.constantFrom("interruption" as const, "timeout" as const, "parent" as const)
      }),
      { minLength: 16, maxLength: options.most, size: "max" }
    )
    .map((all) => {
      let at = 0
      return all.map(({ by, ends, gap, hold, leave }): Caller => {
        at += gap * 3
        return { at, hold: hold * 3, ends, leaveAt: leave === undefined ? undefined : at + leave * 3 + 1, by }
      })
    })

/** Lets the callers loose until `until`; all of them have ended then, or the run fails. */
export const drive = <E>(
  callers: ReadonlyArray<Caller>,
  protect: (self: Effect.Effect<void, "own failure">, index: number) => Effect.Effect<void, E>,
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
        if (caller.ends === "failure") yield* Effect.fail("own failure" as const)
        if (caller.ends === "defect") yield* Effect.die("own defect")
      })
      return Effect.gen(function* () {
        yield* Effect.sleep(caller.at)
        const running = yield* leaving(caller, protect(call, index))
        const exit = yield* Fiber.await(running)
        const error = Exit.isFailure(exit) && exit.cause._tag === "Fail" ? tagOf(exit.cause.error) : undefined
        return { caller, phase, startedAt, error, interrupted: phase !== "over" && error === undefined } satisfies Ended
      }).pipe(Effect.fork)
    })
    yield* TestClock.adjust(Duration.millis(until))
    return yield* Effect.forEach(fibers, (fiber) =>
      Effect.flatMap(Fiber.poll(fiber), (exit) =>
        exit._tag === "Some" ? exit.value : Effect.die(new Error("A caller is stuck"))
      )
    )
  })

/** Runs a call in a fibre of its own, which is stopped at `leaveAt` in the way that the caller leaves. */
const leaving = <E>(
  { at, by, leaveAt }: Caller,
  call: Effect.Effect<void, E>
): Effect.Effect<Fiber.RuntimeFiber<unknown, E>> => {
  if (leaveAt === undefined) return Effect.fork(call)
  const stay = Duration.millis(leaveAt - at)
  switch (by) {
    case "interruption":
      return Effect.tap(Effect.fork(call), (running) => Effect.fork(Effect.delay(Fiber.interrupt(running), stay)))
    case "timeout":
      return Effect.fork(Effect.timeoutOption(call, stay))
    case "parent":
      // The parent lives as long as the call at most, and takes it with it.
      return Effect.flatMap(Deferred.make<Fiber.RuntimeFiber<void, E>>(), (child) =>
        Effect.zipRight(
          Effect.fork(
            Effect.flatMap(Effect.fork(call), (running) =>
              Effect.zipRight(Deferred.succeed(child, running), Effect.sleep(stay))
            )
          ),
          Deferred.await(child)
        )
      )
  }
}

/**
 * The share of all callers who were interrupted in each phase: behind others in the queue, first in line, running.
 * Those of one run, in order of arrival.
 */
export const interruptedShares = (
  runs: ReadonlyArray<ReadonlyArray<Ended>>
): { readonly queued: number; readonly first: number; readonly running: number } => {
  const counts = { queued: 0, first: 0, running: 0 }
  for (const run of runs) {
    run.forEach(({ caller, interrupted, phase }, i) => {
      if (!interrupted) return
      if (phase === "running") counts.running += 1
      else if (run.slice(0, i).some((other) => waitsAt(other, caller.leaveAt ?? 0))) counts.queued += 1
      else counts.first += 1
    })
  }
  const all = runs.flat().length
  return { queued: counts.queued / all, first: counts.first / all, running: counts.running / all }
}

const waitsAt = ({ caller, startedAt }: Ended, time: number): boolean =>
  (startedAt ?? Infinity) > time && (caller.leaveAt ?? Infinity) > time

/** A property over callers under virtual time, for `fc.assert` and `fc.check`; a failure shows the seed and the callers. */
export const property = (
  arbitrary: fc.Arbitrary<ReadonlyArray<Caller>>,
  body: (callers: ReadonlyArray<Caller>) => Effect.Effect<void, unknown>
) => fc.asyncProperty(arbitrary, (callers) => Effect.runPromise(Effect.provide(body(callers), TestContext.TestContext)))

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "unknown"
