/**
 * Interrupts a fibre before its first step, before its second, and so on until it ends by itself: a walk through every
 * place in which an interruption can reach it, where random schedules only sample. Time is moved by hand, in one
 * synchronous step, so that what happens at the same instant really does.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Scheduler from "effect/Scheduler"

export interface Walk {
  /** Forks the fibre that is to be interrupted. */
  readonly fork: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<Fiber.RuntimeFiber<A, E>>
  /** From here its steps count, and those of its children. */
  readonly begin: Effect.Effect<void>
  /** What is done instead of an interruption. */
  readonly instead: (act: () => void) => void
  /** Lets time pass and wakes all who are due, in the order in which they went to sleep. */
  readonly pass: (millis: number) => Effect.Effect<void>
  /** Whether it has been interrupted. */
  readonly interrupted: () => boolean
  /** How many are asleep: timers that somebody forgot, once all is over. */
  readonly asleep: () => number
}

/** Lets every fibre that can go on go on. */
export const settle: Effect.Effect<void> = Effect.repeatN(Effect.yieldNow(), 200)

/**
 * Plays a scenario again and again, and interrupts its fibre each time one step later. The walk is over when the fibre
 * has ended before; the answer is how many steps it took.
 */
export const atEveryStep = (scenario: (walk: Walk) => Effect.Effect<void, unknown>): Effect.Effect<number> =>
  Effect.gen(function* () {
    for (let steps = 0; ; steps++) {
      const clock = handClock()
      let target: Fiber.RuntimeFiber<unknown, unknown> | undefined
      let left: number | undefined
      let acted = false
      let act = () => {
        target?.unsafeInterruptAsFork(FiberId.none)
      }
      const isLast = (): boolean => {
        if (left === undefined || acted || left-- > 0) return false
        acted = true
        act()
        return true
      }
      // The runtime asks its scheduler before each step whether the fibre should make way.
      const counting: Scheduler.Scheduler = {
        scheduleTask: (task, priority) => {
          Scheduler.defaultScheduler.scheduleTask(task, priority)
        },
        // A child makes way too, as any fibre has to now and then: or it would be done before it hears of the interruption.
        shouldYield: (fiber) => (isLast() ? 0 : Scheduler.defaultScheduler.shouldYield(fiber))
      }
      const walk: Walk = {
        fork: (self) =>
          // A daemon: a fibre that cannot be ended must not hold up the test that finds it.
          Effect.tap(Effect.forkDaemon(Effect.withScheduler(self, counting)), (fiber) => {
            target = fiber
          }),
        begin: Effect.sync(() => {
          left = steps
          if (left === 0) isLast()
        }),
        instead: (other) => {
          act = other
        },
        pass: (millis) =>
          Effect.sync(() => {
            clock.advance(millis)
          }),
        interrupted: () => acted,
        asleep: clock.asleep
      }
      const ended = Effect.suspend(() =>
        target?.unsafePoll() === null && acted ? Effect.dieMessage("it was interrupted and has not ended") : Effect.void
      )
      const played = Effect.withClock(Effect.zipRight(scenario(walk), Effect.zipRight(settle, ended)), clock)
      yield* Effect.catchAllCause(played, (cause) =>
        Effect.die(new Error(`after ${steps} steps: ${Cause.pretty(cause)}`))
      )
      if (!acted) return steps
    }
  })

interface HandClock extends Clock.Clock {
  readonly advance: (millis: number) => void
  readonly asleep: () => number
}

const handClock = (): HandClock => {
  let now = 0
  let sleepers: ReadonlyArray<{ readonly until: number; readonly wake: () => void }> = []
  const nanos = () => BigInt(now) * 1_000_000n
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async((resume) => {
        const sleeper = { until: now + Duration.toMillis(duration), wake: () => void resume(Effect.void) }
        sleepers = [...sleepers, sleeper]
        return Effect.sync(() => {
          sleepers = sleepers.filter((other) => other !== sleeper)
        })
      }),
    asleep: () => sleepers.length,
    advance: (millis) => {
      now += millis
      const due = sleepers.filter(({ until }) => until <= now)
      sleepers = sleepers.filter(({ until }) => until > now)
      for (const { wake } of due) wake()
    }
  }
}
