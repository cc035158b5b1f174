/**
 * Watches every dependency in the background and tells at any moment how the whole is doing.
 *
 * A check runs in a fibre of its own, at its own interval, with its own timeout; readers get the snapshot of what is
 * known and never wait for a check. So a dependency that hangs delays neither the endpoint nor the other checks, and a
 * thousand readers cause no probe. How results, their age and the circuit become one status is in `Check.ts`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import type * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Metrics from "../telemetry/Metrics.js"
import * as Check from "./Check.js"
import * as CheckRunner from "./CheckRunner.js"
import * as ErrorLog from "./ErrorLog.js"
import * as HealthChange from "./HealthChange.js"
import * as Memory from "./Memory.js"

/**
 * The answer of the health endpoint. `timestamp` is ISO 8601, `uptime` milliseconds since the monitor was made; `errors`
 * is there in the detailed answer only.
 *
 * @since 0.1.0
 * @category models
 */
export interface HealthStatus {
  readonly status: Check.OverallStatus
  readonly timestamp: string
  readonly checks: { readonly [name: string]: Check.CheckResult }
  readonly uptime: number
  readonly errors?: ReadonlyArray<ErrorLog.ErrorEntry>
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
  readonly register: (registration: CheckRunner.Registration) => Effect.Effect<void, never, Scope.Scope>
  /** Every check and the recent errors, from the snapshot: for operators. */
  readonly getHealthStatus: Effect.Effect<HealthStatus>
  /** The database alone, and nothing that only an operator should see: for everyone. */
  readonly quick: Effect.Effect<HealthStatus>
  /** Runs a check now, or joins the run that is on its way. `None` when there is no such check. */
  readonly probeNow: (name: string) => Effect.Effect<Option.Option<Check.CheckResult>>
  /** Every change from now on, in order. A subscriber that falls more than 256 behind loses the oldest. */
  readonly changes: Stream.Stream<HealthChange.HealthChange>
  /** The same as a queue whose subscription has begun when this returns, for those who must not miss the first change. */
  readonly subscribe: Effect.Effect<Queue.Dequeue<HealthChange.HealthChange>, never, Scope.Scope>
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
    const startedAt = yield* CheckRunner.moment
    const quickName = options.quick ?? "database"
    const runners = yield* Ref.make<ReadonlyMap<string, CheckRunner.CheckRunner>>(new Map())
    const announced = yield* Ref.make(HealthChange.nothing)
    const hub = yield* Effect.acquireRelease(PubSub.sliding<HealthChange.HealthChange>(256), PubSub.shutdown)

    const read = (runner: CheckRunner.CheckRunner, now: Check.Moment, audience: Check.Audience) =>
      Effect.zipWith(runner.read(now, audience), Ref.get(announced), (result, { checks }) => {
        const before = checks.get(runner.name)
        return before?.status === result.status ? { ...result, since: before.since } : result
      })

    const readAll = (now: Check.Moment) =>
      Effect.flatMap(Ref.get(runners), (all) =>
        Effect.forEach(
          [...all.values()].filter((runner) => runner.listed),
          (runner) =>
            Effect.map(read(runner, now, "operator"), (result) => ({
              name: runner.name,
              critical: runner.critical,
              result
            }))
        )
      )

    const getHealthStatus = Effect.gen(function* () {
      const now = yield* CheckRunner.moment
      const checks = yield* readAll(now)
      return {
        ...envelope(checks, now, startedAt),
        errors: yield* errors.getRecentErrors(options.recentErrors ?? 10)
      }
    })

    const quick = Effect.gen(function* () {
      const now = yield* CheckRunner.moment
      const runner = (yield* Ref.get(runners)).get(quickName)
      // A deciding check that nobody registered must not look like one that is well.
      const missing: Check.CheckResult = {
        status: "unavailable",
        message: "not checked yet",
        since: new Date(startedAt.wall).toISOString()
      }
      const result = runner === undefined ? missing : yield* read(runner, now, "public")
      return envelope([{ name: quickName, critical: true, result }], now, startedAt)
    })

    // One at a time, so that changes are announced in the order in which they were seen; and to the end, as a change that
    // was taken for announced and not told would never be told.
    const announcer = yield* Effect.makeSemaphore(1)
    const announce = announcer.withPermits(1)(
      Effect.gen(function* () {
        const now = yield* CheckRunner.moment
        const checks = yield* readAll(now)
        yield* Effect.uninterruptible(tell(checks, now))
      })
    )

    const tell = (checks: ReadonlyArray<HealthChange.NamedResult>, now: Check.Moment) =>
      Effect.gen(function* () {
        const changes = yield* Ref.modify(announced, (before) =>
          HealthChange.difference(before, Check.overall(checks), checks, new Date(now.wall))
        )
        for (const { name, result } of checks) yield* Metrics.setHealthStatus(name, result.status)
        for (const change of changes) {
          yield* PubSub.publish(hub, change)
          yield* HealthChange.log(change)
        }
      })

    // Nearly every answer says what the last one said: then there is nothing to compare with the others.
    const announceIfNew = (name: string) =>
      Effect.gen(function* () {
        const runner = (yield* Ref.get(runners)).get(name)
        if (runner === undefined) return
        const result = yield* read(runner, yield* CheckRunner.moment, "operator")
        if ((yield* Ref.get(announced)).checks.get(name)?.status !== result.status) yield* announce
      })

    const register: HealthMonitorShape["register"] = (registration) =>
      Effect.gen(function* () {
        const { name } = registration
        const runner = yield* CheckRunner.make(registration, announceIfNew(name))
        const add = Ref.modify(runners, (all) =>
          all.has(name)
            ? [Effect.die(CheckRunner.misconfigured(name, "there is a check of this name already")), all]
            : [Effect.void, new Map(all).set(name, runner)]
        )
        const remove = Ref.update(runners, (all) => new Map([...all].filter(([, other]) => other !== runner)))
        yield* Effect.acquireRelease(Effect.flatten(add), () => remove)
        yield* announce
        if (runner.configured) yield* Effect.forkScoped(runner.rounds)
      })

    const probeNow: HealthMonitorShape["probeNow"] = (name) =>
      Effect.gen(function* () {
        const runner = (yield* Ref.get(runners)).get(name)
        if (runner === undefined) return Option.none()
        if (runner.configured) yield* runner.probe
        return Option.some(yield* read(runner, yield* CheckRunner.moment, "operator"))
      })

    const monitor: HealthMonitorShape = {
      ...errors,
      register,
      getHealthStatus,
      quick,
      probeNow,
      changes: Stream.fromPubSub(hub),
      subscribe: PubSub.subscribe(hub)
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

const envelope = (
  checks: ReadonlyArray<HealthChange.NamedResult>,
  now: Check.Moment,
  startedAt: Check.Moment
): HealthStatus => ({
  status: Check.overall(checks),
  timestamp: new Date(now.wall).toISOString(),
  checks: Object.fromEntries(checks.map(({ name, result }) => [name, result])),
  uptime: Math.round(now.millis - startedAt.millis)
})
