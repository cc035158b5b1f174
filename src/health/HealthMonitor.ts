/**
 * Watches every dependency in the background and tells at any moment how the whole is doing.
 *
 * A check runs in a fibre of its own, at its own interval, with its own timeout; readers get the snapshot of what is
 * known and never wait for a check. So a dependency that hangs delays neither the endpoint nor the other checks, and a
 * thousand readers cause no probe. How results, their age and the circuit become one status is in `Check.ts`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as MonotonicClock from "../resilience/MonotonicClock.js"
import * as Metrics from "../telemetry/Metrics.js"
import * as Redaction from "../telemetry/Redaction.js"
import * as Check from "./Check.js"
import * as ErrorLog from "./ErrorLog.js"
import * as Memory from "./Memory.js"

/**
 * `unhealthy`: a critical check is down. `degraded`: anything else is not up.
 *
 * @since 0.1.0
 * @category models
 */
export type OverallStatus = "healthy" | "degraded" | "unhealthy"

/**
 * The answer of the health endpoint. `timestamp` is ISO 8601, `uptime` milliseconds since the monitor was made; `errors`
 * is there in the detailed answer only.
 *
 * @since 0.1.0
 * @category models
 */
export interface HealthStatus {
  readonly status: OverallStatus
  readonly timestamp: string
  readonly checks: { readonly [name: string]: Check.CheckResult }
  readonly uptime: number
  readonly errors?: ReadonlyArray<ErrorLog.ErrorEntry>
}

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
 * Something changed: one check, or the status of the whole. `seq` has no gaps, so that a slow subscriber can tell that it
 * missed something.
 *
 * @since 0.1.0
 * @category models
 */
export type HealthChange =
  | {
      readonly _tag: "CheckChanged"
      readonly seq: number
      readonly at: Date
      readonly name: string
      readonly critical: boolean
      readonly from: Check.CheckStatus
      readonly to: Check.CheckStatus
      readonly message: string | undefined
    }
  | {
      readonly _tag: "StatusChanged"
      readonly seq: number
      readonly at: Date
      readonly from: OverallStatus
      readonly to: OverallStatus
    }

/**
 * @since 0.1.0
 * @category models
 */
export interface HealthMonitorShape extends ErrorLog.ErrorLogShape {
  /**
   * Starts a check; closing the scope stops it and takes it out of the status. A second check of a name, or a time that
   * is not positive, is a bug of the program and dies with `HealthConfigurationError`.
   */
  readonly register: (registration: Registration) => Effect.Effect<void, never, Scope.Scope>
  /** Every check and the recent errors, from the snapshot: for operators. */
  readonly getHealthStatus: Effect.Effect<HealthStatus>
  /** The database alone, and nothing that only an operator should see: for everyone. */
  readonly quick: Effect.Effect<HealthStatus>
  /** Runs a check now, or joins the run that is on its way. `None` when there is no such check. */
  readonly probeNow: (name: string) => Effect.Effect<Option.Option<Check.CheckResult>>
  /** Every change from now on, in order. A subscriber that falls more than 256 behind loses the oldest. */
  readonly changes: Stream.Stream<HealthChange>
}

/**
 * @since 0.1.0
 * @category services
 */
export class HealthMonitor extends Context.Tag("@dialdrill/selfheal/HealthMonitor")<
  HealthMonitor,
  HealthMonitorShape
>() {}

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
 * @since 0.1.0
 * @category models
 */
export interface HealthMonitorOptions {
  /** The check that decides and is shown in `quick`. Default `database`. */
  readonly quick?: string | undefined
  /** How many errors `getHealthStatus` shows. Default 10. */
  readonly recentErrors?: number | undefined
  /** How the built-in `memory` check measures; `false` leaves the check out. Default this process. */
  readonly memory?: Memory.MemoryOptions | false | undefined
  /** How often changes by age or circuit, which no run reports, are looked for. Default 1 second. */
  readonly lookEvery?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: HealthMonitorOptions = {}
): Effect.Effect<HealthMonitorShape, never, ErrorLog.ErrorLog | Scope.Scope> =>
  Effect.gen(function* () {
    const errors = yield* ErrorLog.ErrorLog
    const startedAt = yield* moment
    const quickName = options.quick ?? "database"
    const entries = yield* Ref.make<ReadonlyMap<string, Entry>>(new Map())
    const shown = yield* Ref.make<Shown>({ seq: 0, status: undefined, checks: new Map() })
    const hub = yield* Effect.acquireRelease(PubSub.sliding<HealthChange>(256), PubSub.shutdown)

    const readAll = (audience: "operator" | "public", only?: string) =>
      Effect.gen(function* () {
        const now = yield* moment
        const announced = (yield* Ref.get(shown)).checks
        const listed = [...(yield* Ref.get(entries)).values()].filter(
          (entry) => entry.listed && (only === undefined || entry.name === only)
        )
        const checks = yield* Effect.forEach(listed, (entry) =>
          Effect.map(readEntry(entry, now, audience), (result): Read => {
            const before = announced.get(entry.name)
            return { entry, result: before?.status === result.status ? { ...result, since: before.since } : result }
          })
        )
        return { now, checks }
      })

    const getHealthStatus = Effect.gen(function* () {
      const { checks, now } = yield* readAll("operator")
      return {
        ...envelope(overall(checks), checks, now, startedAt),
        errors: yield* errors.getRecentErrors(options.recentErrors ?? 10)
      }
    })

    const quick = Effect.gen(function* () {
      const { checks, now } = yield* readAll("public", quickName)
      const [decisive] = checks
      if (decisive !== undefined)
        return envelope(
          overall(checks, () => true),
          checks,
          now,
          startedAt
        )
      // A deciding check that nobody registered must not look like one that is well.
      const since = new Date(now.wall - (now.millis - startedAt.millis)).toISOString()
      const missing: Check.CheckResult = { status: "unavailable", message: "not checked yet", since }
      return { ...envelope("degraded", [], now, startedAt), checks: { [quickName]: missing } }
    })

    // One at a time, so that changes are announced in the order in which they were seen.
    const announcer = yield* Effect.makeSemaphore(1)
    const announce = announcer.withPermits(1)(
      Effect.gen(function* () {
        const { checks, now } = yield* readAll("operator")
        const changes = yield* Ref.modify(shown, (before) => difference(before, overall(checks), checks, now))
        for (const { entry, result } of checks) yield* Metrics.setHealthStatus(entry.name, result.status)
        for (const change of changes) {
          yield* PubSub.publish(hub, change)
          yield* logged(change)
        }
      })
    )

    const register: HealthMonitorShape["register"] = (registration) =>
      Effect.gen(function* () {
        const entry = yield* makeEntry(registration)
        yield* Effect.acquireRelease(
          Effect.flatten(
            Ref.modify(entries, (current) =>
              current.has(entry.name)
                ? [Effect.die(misconfigured(entry.name, "there is a check of this name already")), current]
                : [Effect.void, new Map(current).set(entry.name, entry)]
            )
          ),
          () => Ref.update(entries, (current) => new Map([...current].filter(([, other]) => other !== entry)))
        )
        yield* announce
        if (!entry.rules.configured) return
        // Varied, so that the instances of a fleet do not all knock at the same moment.
        const pause = (from: number, to: number) =>
          Effect.flatMap(Random.nextRange(from, to), (millis) => Effect.sleep(millis))
        const round = Effect.zipRight(
          Effect.catchAllCause(probe(entry, announce), (cause) => Effect.logError("a health check broke", cause)),
          pause(entry.interval * 0.9, entry.interval * 1.1)
        )
        yield* Effect.forkScoped(Effect.zipRight(pause(0, Math.min(entry.interval * 0.1, 500)), Effect.forever(round)))
      })

    const probeNow: HealthMonitorShape["probeNow"] = (name) =>
      Effect.gen(function* () {
        const entry = (yield* Ref.get(entries)).get(name)
        if (entry === undefined) return Option.none()
        if (entry.rules.configured) yield* probe(entry, announce)
        return Option.some(yield* readEntry(entry, yield* moment, "operator"))
      })

    const monitor: HealthMonitorShape = {
      ...errors,
      register,
      getHealthStatus,
      quick,
      probeNow,
      changes: Stream.fromPubSub(hub)
    }

    if (options.memory !== false) yield* register(Memory.registration(options.memory))
    yield* Effect.forkScoped(
      Effect.forever(Effect.zipRight(Effect.sleep(options.lookEvery ?? "1 second"), Effect.ignoreLogged(announce)))
    )
    return monitor
  })

/**
 * A health monitor with the given options over the error log.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: HealthMonitorOptions): Layer.Layer<HealthMonitor, never, ErrorLog.ErrorLog> =>
  Layer.scoped(HealthMonitor, make(options))

/**
 * The default health monitor together with the default error log.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<HealthMonitor | ErrorLog.ErrorLog> = Layer.provideMerge(layerWith({}), ErrorLog.layer)

interface Entry {
  readonly name: string
  readonly critical: boolean
  readonly listed: boolean
  readonly rules: Check.Rules
  readonly check: Registration["check"]
  readonly circuit: Effect.Effect<Check.CircuitView | undefined>
  readonly interval: number
  readonly timeout: number
  readonly scope: Scope.Scope
  readonly state: Ref.Ref<Check.CheckState>
  readonly run: Ref.Ref<Run | undefined>
}

/** The one run of a check that may be on its way. `overdue` since it outlived its timeout and does not end. */
interface Run {
  readonly answered: Deferred.Deferred<void>
  readonly startedAt: number
  readonly overdue: boolean
}

interface Shown {
  readonly seq: number
  readonly status: OverallStatus | undefined
  readonly checks: ReadonlyMap<string, { readonly status: Check.CheckStatus; readonly since: string }>
}

interface Read {
  readonly entry: Entry
  readonly result: Check.CheckResult
}

const moment: Effect.Effect<Check.Moment> = Effect.zipWith(
  MonotonicClock.now,
  Clock.currentTimeMillis,
  (millis, wall) => ({ millis, wall })
)

const misconfigured = (check: string, message: string) =>
  new HealthConfigurationError({ check, message: `The health check "${check}" cannot be registered: ${message}` })

const makeEntry = (registration: Registration): Effect.Effect<Entry, never, Scope.Scope> =>
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
    return {
      name,
      critical: registration.critical ?? false,
      listed: registration.listed ?? true,
      rules,
      check: registration.check,
      circuit:
        registration.circuit === undefined
          ? Effect.succeed(undefined)
          : Effect.catchAllCause(registration.circuit, () => Effect.succeed(undefined)),
      interval,
      timeout,
      scope: yield* Effect.scope,
      state: yield* Ref.make(Check.initial(rules, yield* moment)),
      run: yield* Ref.make<Run | undefined>(undefined)
    }
  })

const readEntry = (entry: Entry, now: Check.Moment, audience: "operator" | "public") =>
  Effect.zipWith(Ref.get(entry.state), entry.circuit, (state, circuit) =>
    Check.read(entry.rules, state, circuit, now, audience)
  )

const overall = (checks: ReadonlyArray<Read>, critical = ({ entry }: Read) => entry.critical): OverallStatus =>
  checks.some((check) => critical(check) && check.result.status === "down")
    ? "unhealthy"
    : checks.every(({ result }) => result.status === "up")
      ? "healthy"
      : "degraded"

const envelope = (
  status: OverallStatus,
  checks: ReadonlyArray<Read>,
  now: Check.Moment,
  startedAt: Check.Moment
): HealthStatus => ({
  status,
  timestamp: new Date(now.wall).toISOString(),
  checks: Object.fromEntries(checks.map(({ entry, result }) => [entry.name, result])),
  uptime: Math.round(now.millis - startedAt.millis)
})

const difference = (
  before: Shown,
  status: OverallStatus,
  checks: ReadonlyArray<Read>,
  now: Check.Moment
): readonly [ReadonlyArray<HealthChange>, Shown] => {
  const at = new Date(now.wall)
  const changes: Array<HealthChange> = []
  const seen = new Map<string, { readonly status: Check.CheckStatus; readonly since: string }>()
  for (const { entry, result } of checks) {
    const previous = before.checks.get(entry.name)
    if (previous === undefined || previous.status === result.status) {
      seen.set(entry.name, { status: result.status, since: result.since })
      continue
    }
    // What a probe said long ago holds again, as after a circuit that closed: from now on, not from then on.
    const since = result.since > previous.since ? result.since : at.toISOString()
    seen.set(entry.name, { status: result.status, since })
    const { critical, name } = entry
    const [from, to] = [previous.status, result.status]
    changes.push({
      _tag: "CheckChanged",
      seq: before.seq + changes.length,
      at,
      name,
      critical,
      from,
      to,
      message: result.message
    })
  }
  if (before.status !== undefined && before.status !== status) {
    changes.push({ _tag: "StatusChanged", seq: before.seq + changes.length, at, from: before.status, to: status })
  }
  return [changes, { seq: before.seq + changes.length, status, checks: seen }]
}

const logged = (change: HealthChange): Effect.Effect<void> => {
  if (change._tag === "StatusChanged") {
    const text = `health is ${change.to} (was ${change.from})`
    return change.to === "healthy" ? Effect.logInfo(text) : Effect.logWarning(text)
  }
  const why = change.message === undefined ? "" : `: ${change.message}`
  const text = `health check "${change.name}" is ${change.to} (was ${change.from})${why}`
  if (change.to !== "up") return Effect.logWarning(text)
  return change.from === "unavailable" ? Effect.logDebug(text) : Effect.logInfo(text)
}

/**
 * Runs a check once, or joins the run on its way, and returns when there is an answer. The run belongs to the check's
 * scope and not to the caller, so that a caller who is interrupted takes the answer away from nobody.
 */
const probe = (entry: Entry, announce: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const startedAt = yield* MonotonicClock.now
      const fresh: Run = { answered: yield* Deferred.make<void>(), startedAt, overdue: false }
      const running = yield* Ref.modify(entry.run, (current) =>
        current === undefined ? ([undefined, fresh] as const) : ([current, current] as const)
      )
      if (running === undefined) {
        yield* Effect.forkIn(runOnce(entry, fresh, announce), entry.scope)
        return yield* restore(Deferred.await(fresh.answered))
      }
      if (!running.overdue) return yield* restore(Deferred.await(running.answered))
      // Never a second run beside one that hangs and cannot be interrupted: they would pile up. It is down, and we know
      // that now, so the result does not become stale either.
      const seconds = Math.round((startedAt - running.startedAt) / 1000)
      yield* take(entry, {
        status: "down",
        message: `a check that began ${seconds} s ago does not end`,
        internal: false
      })
      yield* announce
    })
  )

/** Forked uninterruptible, so that it cleans up even when it is interrupted before its first step. */
const runOnce = (entry: Entry, run: Run, announce: Effect.Effect<void>): Effect.Effect<void> => {
  const answer = (found: Check.Observation) =>
    Effect.gen(function* () {
      const responseTime = Math.round((yield* MonotonicClock.now) - run.startedAt)
      yield* take(entry, { ...found, responseTime })
      yield* announce
    })
  const watch = (fiber: Fiber.RuntimeFiber<Check.CheckOutcome | void, unknown>) =>
    Effect.gen(function* () {
      const exit = yield* Effect.raceFirst(
        Effect.asSome(Fiber.await(fiber)),
        Effect.as(Effect.sleep(entry.timeout), Option.none())
      )
      yield* answer(observation(exit, entry.timeout))
      if (Option.isSome(exit)) return
      yield* Ref.set(entry.run, { ...run, overdue: true })
      yield* Deferred.succeed(run.answered, undefined)
      yield* Fiber.interrupt(fiber)
    })
  return Effect.acquireUseRelease(
    Effect.forkDaemon(Effect.interruptible(Effect.suspend(() => entry.check))),
    (fiber) => Effect.interruptible(watch(fiber)),
    stop
  ).pipe(Effect.ensuring(Effect.zipRight(Ref.set(entry.run, undefined), Deferred.succeed(run.answered, undefined))))
}

/** Interrupts a check and waits until it has ended, but not for ever: one that cannot be interrupted must not hold up a shutdown. */
const stop = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Effect.Effect<void> =>
  Effect.zipRight(
    Fiber.interruptFork(fiber),
    Effect.raceFirst(
      Effect.interruptible(Effect.asVoid(Fiber.await(fiber))),
      Effect.interruptible(Effect.sleep("1 second"))
    )
  )

const take = (entry: Entry, found: Check.Observation): Effect.Effect<void> =>
  Effect.flatMap(moment, (now) => Ref.update(entry.state, (state) => Check.observe(entry.rules, state, found, now)))

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
