/**
 * The last errors of every service, newest first, in bounded memory: what an operator reads when something is wrong.
 *
 * Each service has a ring of its own, so that a flood from one cannot push out the rare error of another; the first
 * services to fail get one, later names share the last. Rejections by our own open circuit say nothing new about a
 * dependency and are counted instead of listed. Secrets are taken out before an entry is kept.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as MonotonicClock from "../resilience/MonotonicClock.js"
import { CircuitOpen } from "../resilience/Rejection.js"
import * as Redaction from "../telemetry/Redaction.js"
import { RequestId } from "../telemetry/RequestContext.js"

/**
 * One error as it is kept and shown. `timestamp` is ISO 8601 in UTC; `stack` is kept in development only.
 *
 * @since 0.1.0
 * @category models
 */
export interface ErrorEntry {
  readonly timestamp: string
  readonly service: string
  readonly operation: string
  readonly message: string
  readonly code?: string
  readonly requestId?: string
  readonly stack?: string
}

/**
 * What the caller knows about an error beyond the error itself. Without `requestId`, the current request's is taken.
 *
 * @since 0.1.0
 * @category models
 */
export interface ErrorContext {
  readonly operation?: string | undefined
  readonly code?: string | undefined
  readonly requestId?: string | undefined
}

/**
 * How much happened to a service since the start: `recorded` counts entries ever written, kept or not; `rejected` counts
 * calls that our own open circuit turned away.
 *
 * @since 0.1.0
 * @category models
 */
export interface ErrorCount {
  readonly service: string
  readonly recorded: number
  readonly rejected: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ErrorLogShape {
  /**
   * Keeps an error of any shape. Never fails. A cause of nothing but interruptions is not an error and is left out.
   */
  readonly recordError: (service: string, error: unknown, context?: ErrorContext) => Effect.Effect<void>
  /** The last `count` errors (default 10), newest first, of one service or of all. */
  readonly getRecentErrors: (count?: number, service?: string) => Effect.Effect<ReadonlyArray<ErrorEntry>>
  /** Forgets entries older than `maxAge` and answers how many those were. */
  readonly clearOldErrors: (maxAge: Duration.DurationInput) => Effect.Effect<number>
  /** One count a service, in the order in which the services first failed. */
  readonly counts: Effect.Effect<ReadonlyArray<ErrorCount>>
}

/**
 * @since 0.1.0
 * @category services
 */
export class ErrorLog extends Context.Tag("@dialdrill/selfheal/ErrorLog")<ErrorLog, ErrorLogShape>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface ErrorLogOptions {
  /** Entries kept of each service. Default 100, and not less. */
  readonly perService?: number | undefined
  /** Services that have entries of their own; the rest share one more ring. Default 64. */
  readonly maxServices?: number | undefined
  /** Whether stacks are kept. Default `false`. */
  readonly stacks?: boolean | undefined
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: ErrorLogOptions = {}): Effect.Effect<ErrorLogShape> =>
  Effect.gen(function* () {
    const perService = Math.max(100, Math.floor(options.perService ?? 100))
    const maxServices = Math.max(1, Math.floor(options.maxServices ?? 64))
    const stacks = options.stacks === true
    const rings = yield* Ref.make<ReadonlyMap<string, Ring>>(new Map())
    const sequence = yield* Ref.make(0)

    const change = (service: string, f: (ring: Ring) => Ring) =>
      Ref.update(rings, (current) => {
        const key = current.has(service) || current.size < maxServices ? service : overflow
        return new Map(current).set(key, f(current.get(key) ?? emptyRing))
      })

    const recordError: ErrorLogShape["recordError"] = (name, error, context = {}) =>
      Effect.gen(function* () {
        const service = Redaction.text(String(name), 64)
        if (isOwnRejection(error)) {
          return yield* change(service, (ring) => ({ ...ring, rejected: ring.rejected + 1 }))
        }
        if (Redaction.isInterruption(error)) return
        const described = Redaction.describe(error, { stack: stacks })
        const requestId = context.requestId ?? (yield* RequestId)
        const code = context.code ?? described.code
        const entry: ErrorEntry = {
          timestamp: new Date(yield* Clock.currentTimeMillis).toISOString(),
          service,
          operation: Redaction.text(context.operation ?? operationOf(error), 100),
          message: described.message,
          ...(code === undefined ? {} : { code: Redaction.text(code, 100) }),
          ...(requestId === undefined ? {} : { requestId: Redaction.text(requestId, 128) }),
          ...(described.stack === undefined ? {} : { stack: described.stack })
        }
        const kept: Kept = {
          entry,
          at: yield* MonotonicClock.now,
          order: yield* Ref.getAndUpdate(sequence, (n) => n + 1)
        }
        yield* change(service, (ring) => ({
          ...ring,
          recorded: ring.recorded + 1,
          entries: [...ring.entries.slice(-(perService - 1)), kept]
        }))
      })

    const getRecentErrors: ErrorLogShape["getRecentErrors"] = (count = 10, service) =>
      Effect.map(Ref.get(rings), (current) =>
        [...current.values()]
          .flatMap((ring) => ring.entries)
          .filter(({ entry }) => service === undefined || entry.service === service)
          .sort((a, b) => b.order - a.order)
          .slice(0, Number.isNaN(count) ? 0 : Math.max(0, Math.floor(count)))
          // Copies: what one reader does to its answer is nothing to the next.
          .map(({ entry }) => ({ ...entry }))
      )

    const clearOldErrors: ErrorLogShape["clearOldErrors"] = (maxAge) =>
      Effect.flatMap(MonotonicClock.now, (now) => {
        const oldest = now - Duration.toMillis(maxAge)
        return Ref.modify(rings, (current) => {
          let cleared = 0
          const next = new Map<string, Ring>()
          for (const [service, ring] of current) {
            const entries = ring.entries.filter(({ at }) => at >= oldest)
            cleared += ring.entries.length - entries.length
            next.set(service, { ...ring, entries })
          }
          return [cleared, next] as const
        })
      })

    const counts = Effect.map(Ref.get(rings), (current) =>
      [...current].map(([service, { recorded, rejected }]) => ({ service, recorded, rejected }))
    )

    return { recordError, getRecentErrors, clearOldErrors, counts }
  })

/**
 * An error log with the given options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: ErrorLogOptions): Layer.Layer<ErrorLog> => Layer.effect(ErrorLog, make(options))

/**
 * The default error log: 100 entries a service, stacks unless `NODE_ENV` is `production`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<ErrorLog> = Layer.effect(
  ErrorLog,
  Effect.flatMap(Effect.option(Config.string("NODE_ENV")), (environment) =>
    make({ stacks: Option.getOrUndefined(environment) !== "production" })
  )
)

interface Kept {
  readonly entry: ErrorEntry
  readonly at: number
  readonly order: number
}

interface Ring {
  readonly entries: ReadonlyArray<Kept>
  readonly recorded: number
  readonly rejected: number
}

const emptyRing: Ring = { entries: [], recorded: 0, rejected: 0 }

// Shared by the services that came when every ring was taken. Its entries keep their own names.
const overflow = "(others)"

// A wrapper around a rejection is a rejection still: a feature's "coaching unavailable" carries it as its cause.
const isOwnRejection = (error: unknown): boolean => {
  let current = Redaction.squash(error)
  for (let depth = 0; depth < 5 && current !== undefined && current !== null; depth++) {
    if (isCircuitOpen(current)) return true
    current = Redaction.squash(Redaction.peek(current, "cause"))
  }
  return false
}

const isCircuitOpen = (u: unknown): boolean => {
  try {
    return u instanceof CircuitOpen
  } catch {
    // A proxy whose prototype cannot be read is not one of ours.
    return false
  }
}

const operationOf = (error: unknown): string => {
  const operation = Redaction.peek(error, "operation")
  return typeof operation === "string" && operation.length > 0 ? operation : "unknown"
}
