/**
 * Runs one health check again and again in the background, and remembers what it found.
 *
 * At most one run of a check is on its way, whoever asked for it; it belongs to the check's scope and not to the caller,
 * so that a caller who is interrupted takes the answer away from nobody. A run that outlives its timeout is down at that
 * moment and interrupted; if it cannot be interrupted no second one is started beside it, as those would pile up.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as MonotonicClock from "../resilience/MonotonicClock.js"
import * as Waiting from "../resilience/Waiting.js"
import * as Redaction from "../telemetry/Redaction.js"
import * as Check from "./Check.js"

/**
 * A check to be run in the background.
 *
 * @since 0.1.0
 * @category models
 */
export interface Registration {
  /** The name under which the check is shown; the dependency's name in an application. */
  readonly name: string
  /** Whether the whole is unhealthy when this check is down. Default `false`. */
  readonly critical?: boolean | undefined
  /** A check that is not configured is never run and stays `unavailable`. Default `true`. */
  readonly configured?: boolean | undefined
  /** Whether the check is shown and counted at all. Default `true`. */
  readonly listed?: boolean | undefined
  /** Looks at the dependency. Interrupted at `timeout`; a failure, a defect and a timeout are all `down`. */
  readonly check: Effect.Effect<Check.CheckOutcome | void, unknown>
  /** What the first run waits for; until then the check is `unavailable`. Default: nothing. */
  readonly startAfter?: Effect.Effect<void> | undefined
  /** Pause between the end of a run and the next, varied by a tenth. Default 15 seconds. */
  readonly interval?: Duration.DurationInput | undefined
  /** How long a run may take. Default 3 seconds. */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Age from which a result that was not renewed is degraded; at twice that age it is down.
   * Default two intervals plus the timeout.
   */
  readonly staleAfter?: Duration.DurationInput | undefined
  /** Consecutive bad runs that turn a passing check down. Default 1. */
  readonly downAfter?: number | undefined
  /** Consecutive good runs that turn a check that is down up again. Default 1. */
  readonly upAfter?: number | undefined
  /** The worst status the check may show. Default `down`. */
  readonly worst?: "down" | "degraded" | undefined
  /** Reads the state of the dependency's circuit breaker. Must answer at once: readers wait for it. */
  readonly circuit?: Effect.Effect<Check.CircuitView> | undefined
}

/**
 * A check was registered with values that cannot work.
 *
 * @since 0.1.0
 * @category errors
 */
export class HealthConfigurationError extends Data.TaggedError("HealthConfigurationError")<{
  readonly check: string
  readonly message: string
}> {}

/**
 * A check that can be run and read.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckRunner {
  readonly name: string
  readonly critical: boolean
  readonly listed: boolean
  readonly configured: boolean
  /** What the check means at a moment. Waits for nothing but the state of the circuit. */
  readonly read: (now: Check.Moment, audience: Check.Audience) => Effect.Effect<Check.CheckResult>
  /** Runs the check, or joins the run on its way, and returns when there is an answer. */
  readonly probe: Effect.Effect<void>
  /** Runs the check at its interval, for ever. */
  readonly rounds: Effect.Effect<never>
}

/**
 * A runner for a check; `onAnswer` is run after every answer. Dies with `HealthConfigurationError` for values that cannot
 * work.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  registration: Registration,
  onAnswer: Effect.Effect<void>
): Effect.Effect<CheckRunner, never, Scope.Scope> =>
  Effect.gen(function* () {
    const settings = yield* settingsOf(registration)
    const { interval, name, rules, timeout } = settings
    const scope = yield* Effect.scope
    const state = yield* Ref.make(Check.initial(rules, yield* moment))
    const current = yield* Ref.make<Run | undefined>(undefined)

    const circuit =
      registration.circuit === undefined
        ? Effect.succeed(undefined)
        : Effect.catchAllCause(registration.circuit, () => Effect.succeed(undefined))

    const read: CheckRunner["read"] = (now, audience) =>
      Effect.zipWith(Ref.get(state), circuit, (known, seen) => Check.read(rules, known, seen, now, audience))

    const take = (found: Check.Observation): Effect.Effect<void> =>
      Effect.zipRight(
        Effect.flatMap(moment, (now) => Ref.update(state, (known) => Check.observe(rules, known, found, now))),
        onAnswer
      )

    const watch = (run: Run, fiber: Fiber.RuntimeFiber<Check.CheckOutcome | void, unknown>) =>
      Effect.gen(function* () {
        const exit = yield* Waiting.first(
          Effect.asSome(Fiber.await(fiber)),
          Effect.as(Effect.sleep(timeout), Option.none())
        )
        const responseTime = Math.round((yield* MonotonicClock.now) - run.startedAt)
        yield* take({ ...observation(exit, timeout), responseTime })
        if (Option.isSome(exit)) return
        yield* Ref.set(current, { ...run, overdue: true })
        yield* Deferred.succeed(run.answered, undefined)
        yield* Fiber.interrupt(fiber)
      })

    // Forked uninterruptible, so that it cleans up even when it is interrupted before its first step.
    const runOnce = (run: Run): Effect.Effect<void> =>
      Effect.acquireUseRelease(
        Effect.forkDaemon(Effect.interruptible(Effect.suspend(() => registration.check))),
        (fiber) => Effect.interruptible(watch(run, fiber)),
        stop
      ).pipe(Effect.ensuring(Effect.zipRight(Ref.set(current, undefined), Deferred.succeed(run.answered, undefined))))

    const probe = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const startedAt = yield* MonotonicClock.now
        const fresh: Run = { answered: yield* Deferred.make<void>(), startedAt, overdue: false }
        const running = yield* Ref.modify(current, (run) => [run, run ?? fresh] as const)
        if (running === undefined) {
          yield* Effect.forkIn(runOnce(fresh), scope)
          return yield* restore(Deferred.await(fresh.answered))
        }
        if (!running.overdue) return yield* restore(Deferred.await(running.answered))
        // It still hangs, and we know that now: said again, so that the result does not become stale.
        const seconds = Math.round((startedAt - running.startedAt) / 1000)
        const message = `a check that began ${seconds} s ago does not end`
        yield* take({ status: "down", message, internal: false })
      })
    )

    // Varied, so that the instances of a fleet do not all knock at the same moment.
    const pause = (from: number, to: number) =>
      Effect.flatMap(Random.nextRange(from, to), (millis) => Effect.sleep(Math.round(millis)))
    const round = Effect.zipRight(
      Effect.catchAllCause(probe, (cause) => Effect.logError(`the health check "${name}" broke`, cause)),
      pause(interval * 0.9, interval * 1.1)
    )
    const rounds = Effect.zipRight(
      registration.startAfter ?? Effect.void,
      pause(0, Math.min(interval * 0.1, 500))
    ).pipe(Effect.zipRight(Effect.forever(round)))

    return {
      name,
      critical: registration.critical ?? false,
      listed: registration.listed ?? true,
      configured: rules.configured,
      read,
      probe,
      rounds
    }
  })

/**
 * Now, on both clocks.
 *
 * @since 0.1.0
 * @category accessors
 */
export const moment: Effect.Effect<Check.Moment> = Effect.zipWith(
  MonotonicClock.now,
  Clock.currentTimeMillis,
  (millis, wall) => ({ millis, wall })
)

/**
 * The error that a bad registration dies with.
 *
 * @since 0.1.0
 * @category errors
 */
export const misconfigured = (check: string, message: string) =>
  new HealthConfigurationError({ check, message: `The health check "${check}" cannot be registered: ${message}` })

/** The one run of a check that may be on its way. `overdue` since it outlived its timeout and does not end. */
interface Run {
  readonly answered: Deferred.Deferred<void>
  readonly startedAt: number
  readonly overdue: boolean
}

const settingsOf = (registration: Registration) =>
  Effect.gen(function* () {
    const { name } = registration
    const millis = (option: string, given: Duration.DurationInput | undefined, otherwise: number) => {
      const value = given === undefined ? otherwise : Duration.toMillis(given)
      return value > 0 && Number.isFinite(value)
        ? Effect.succeed(value)
        : Effect.die(misconfigured(name, `${option} must be a positive, finite duration`))
    }
    const times = (option: string, given: number | undefined) =>
      given === undefined || (Number.isInteger(given) && given > 0)
        ? Effect.succeed(given ?? 1)
        : Effect.die(misconfigured(name, `${option} must be a positive integer`))
    const interval = yield* millis("interval", registration.interval, 15_000)
    const timeout = yield* millis("timeout", registration.timeout, 3_000)
    const rules: Check.Rules = {
      configured: registration.configured ?? true,
      staleAfter: yield* millis("staleAfter", registration.staleAfter, 2 * interval + timeout),
      downAfter: yield* times("downAfter", registration.downAfter),
      upAfter: yield* times("upAfter", registration.upAfter),
      worst: registration.worst ?? "down"
    }
    if (rules.staleAfter < interval * 1.1 + timeout) {
      yield* Effect.die(misconfigured(name, "staleAfter must be longer than 1.1 intervals plus the timeout"))
    }
    return { name, interval, timeout, rules }
  })

/**
 * Interrupts a check and waits until it has ended, but not for ever: one that cannot be interrupted must not hold up a
 * shutdown. The waits are fibres of their own, since the fibre that cleans up is uninterruptible, or interrupted already.
 */
const stop = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Effect.Effect<void> =>
  Effect.flatMap(Fiber.poll(fiber), (ended) =>
    Option.isSome(ended)
      ? Effect.void
      : Effect.zipRight(
          Fiber.interruptFork(fiber),
          Effect.raceFirst(
            Effect.interruptible(Effect.asVoid(Fiber.await(fiber))),
            Effect.interruptible(Effect.sleep("1 second"))
          )
        )
  )

const observation = (
  answer: Option.Option<Exit.Exit<Check.CheckOutcome | void, unknown>>,
  timeout: number
): Check.Observation => {
  if (Option.isNone(answer)) {
    return { status: "down", message: `no answer within ${Duration.format(timeout)}`, internal: false }
  }
  if (Exit.isFailure(answer.value)) {
    return {
      status: "down",
      message: Redaction.describe(answer.value.cause, { maxLength: 300 }).message,
      internal: true
    }
  }
  const outcome = answer.value.value
  return outcome === undefined
    ? { status: "up", internal: false }
    : {
        status: outcome.status,
        message: outcome.message === undefined ? undefined : Redaction.text(outcome.message, 300),
        internal: true
      }
}
