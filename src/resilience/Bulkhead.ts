/**
 * A bulkhead keeps one slow dependency from taking the whole ship down: at most `maxConcurrent` calls are on their way
 * at once, at most `maxQueued` wait for a place, at most `maxWait` long, in order of arrival. Everyone else is told so
 * at once. The place comes back when the call has ended, however it ended.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Bulkhead } from "@dialdrill/selfheal"
 *
 * const program = Effect.gen(function* () {
 *   const bulkhead = yield* Bulkhead.make({ name: "reports", maxConcurrent: 4, maxQueued: 16, maxWait: "2 seconds" })
 *   return yield* Bulkhead.withBulkhead(Effect.succeed("a report"), bulkhead)
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type { Gate } from "./Gate.js"
import { through } from "./Gate.js"
import * as OptionsReader from "./OptionsReader.js"
import { BulkheadFull } from "./Rejection.js"
import * as Semaphore from "./Semaphore.js"

/**
 * How many calls a bulkhead lets through at once, and how many may wait for how long. Options that contradict each other
 * fail with `BulkheadConfigurationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Named in rejections and status. */
  readonly name: string
  /** How many calls may be on their way at once; a whole number of at least 1. */
  readonly maxConcurrent: number
  /** How many more may wait for a place. Default 0: no one waits. */
  readonly maxQueued?: number | undefined
  /** How long one may wait. Default 5 seconds; a caller with a deadline never waits beyond it. */
  readonly maxWait?: Duration.DurationInput | undefined
}

/**
 * How full the bulkhead is: calls on their way, calls that wait, and how many may be on their way at once.
 *
 * @since 0.1.0
 * @category models
 */
export type Status = Semaphore.Status

/**
 * A bulkhead, ready for `Policy` or `withBulkhead`. It rejects with `BulkheadFull`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bulkhead extends Gate<BulkheadFull> {
  readonly status: Effect.Effect<Status>
}

/**
 * The options of a bulkhead contradict each other or mean nothing; `message` says which and what to change.
 *
 * @since 0.1.0
 * @category errors
 */
export class BulkheadConfigurationError extends Data.TaggedError("BulkheadConfigurationError")<{
  readonly bulkhead: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Bulkhead "${this.bulkhead}": ${this.problems.join("; ")}`
  }
}

/**
 * Makes a bulkhead.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Bulkhead, BulkheadConfigurationError> =>
  Effect.gen(function* () {
    const problems = problemsOf(options)
    if (problems.length > 0) return yield* new BulkheadConfigurationError({ bulkhead: options.name, problems })
    const semaphore = yield* Semaphore.makeWith(
      {
        permits: options.maxConcurrent,
        maxQueued: options.maxQueued,
        maxWait: options.maxWait ?? "5 seconds"
      },
      (reason) =>
        new BulkheadFull({
          policy: options.name,
          // One permit is never more than all: a bulkhead without places was refused above.
          reason: reason === "more-than-all" ? "queue-full" : reason,
          retryAfter: undefined
        })
    )
    return {
      name: options.name,
      admit: (admission) => semaphore.take(1, admission),
      tryAdmit: () => semaphore.tryTake(1),
      status: semaphore.status
    }
  })

/**
 * A bulkhead as a layer, for the tag of your choice.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <I>(tag: Context.Tag<I, Bulkhead>, options: Options): Layer.Layer<I, BulkheadConfigurationError> =>
  Layer.effect(tag, make(options))

/**
 * Runs an effect inside a bulkhead.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withBulkhead: {
  (bulkhead: Bulkhead): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | BulkheadFull, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, bulkhead: Bulkhead): Effect.Effect<A, E | BulkheadFull, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, bulkhead: Bulkhead): Effect.Effect<A, E | BulkheadFull, R> =>
    // Other rejections enter a gate only through `Admission.pointless`, which a bulkhead on its own does not have.
    through([bulkhead])(self) as Effect.Effect<A, E | BulkheadFull, R>
)

const problemsOf = ({ maxConcurrent, maxQueued = 0, maxWait, name }: Options): ReadonlyArray<string> => {
  const read = OptionsReader.make()
  read.name(name)
  read.count("maxConcurrent", maxConcurrent, 1)
  read.count("maxQueued", maxQueued, 0)
  if (maxWait === undefined) return read.problems
  if (maxQueued === 0) {
    read.refuse("maxWait is given but maxQueued is 0, so that no one waits; set maxQueued or leave maxWait out")
  } else read.wait("maxWait", maxWait)
  return read.problems
}
