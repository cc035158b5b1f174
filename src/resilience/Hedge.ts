/**
 * Cuts the long tail: a call that is slower than most gets a second attempt beside the first, and whichever succeeds
 * first answers (Dean and Barroso, "The Tail at Scale", CACM 2013). The slow one per cent of the calls then costs about
 * one per cent more requests, and hardly anyone waits for it.
 *
 * Only for operations that may run more than once, at the same time: `Policy` hedges the calls that are declared
 * idempotent, and whoever uses this on his own says so by using it.
 *
 * - An attempt that fails starts the next one at once, unless its error says that it would fail as well (see
 *   `isRetryable`), that the dependency wants to be left alone (`retryAfter`), or that a policy turned it away.
 * - A hedge never makes the outcome worse: while an attempt is on its way, the call waits for it. When all have failed,
 *   the last error is the call's, and the earlier causes follow it in the `Cause`, most recent first. If one of them
 *   died, the call dies: a bug is not hidden behind another attempt's error.
 * - The losers are interrupted, and the answer waits until they have let go of what they held. What an attempt adds to
 *   the caller's own `Scope` stays there, also that of a loser: give an attempt that opens something a scope of its own.
 * - The caller gets the `FiberRef`s of the attempt that answered.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Hedge } from "@dialdrill/selfheal"
 *
 * const program = Effect.gen(function* () {
 *   const hedge = yield* Hedge.make({ name: "search", delay: "200 millis", percentile: 0.95 })
 *   return yield* Hedge.withHedge(Effect.succeed("found"), hedge)
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as HedgedCall from "./HedgedCall.js"
import * as LatencySketch from "./kernel/LatencySketch.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as OptionsReader from "./OptionsReader.js"
import * as Retry from "./Retry.js"
import type { RetryBudget } from "./RetryBudget.js"

/**
 * When a hedge begins, how many there may be, and for which errors. Options that make no sense fail with
 * `HedgeConfigurationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The dependency's name. */
  readonly name: string
  /**
   * How long the newest attempt is waited for before the next one begins beside it; zero starts them all at once. With
   * a `percentile`, only until enough latencies are known.
   */
  readonly delay: Duration.DurationInput
  /**
   * Waits as long as this part of the recent calls took, such as 0.95, in place of `delay`; above 0 and below 1. For
   * whoever cannot know a fixed delay that stays right when the dependency becomes faster or slower.
   *
   * Counted are the first attempts that succeeded, and those that had not ended after their delay, with the time they had
   * taken when the call ended: enough to know on which side of the percentile they fall. See `kernel/LatencySketch.ts`
   * for the error: at most a tenth too late, never too early. It takes over once it knows 20 of them, or as many as the
   * percentile can tell apart (100 for 0.99).
   */
  readonly percentile?: number | undefined
  /**
   * A latency counts for at least this long and at most twice as long. Default 1 minute; for whoever makes too few calls
   * in a minute for the percentile to be known.
   */
  readonly window?: Duration.DurationInput | undefined
  /** How many attempts may begin beside the first. Default 1; more for whoever has several replicas that can be slow. */
  readonly maxHedges?: number | undefined
  /**
   * Bounds the additional load, together with the retries when they share it. A budget that is used up fails no call:
   * there is no hedge, that is all.
   */
  readonly budget?: RetryBudget | undefined
  /**
   * Whether another attempt can do better after this error; else the error answers at once. Default as for `Retry`: what
   * the error's own `isRetryable` says, else yes. For whoever calls an API whose refusals (a declined card) are answers.
   */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined
  /** Told which attempt answered, for metrics, while the call waits: keep it short. Its defects are only logged. */
  readonly onEnd?: ((report: Report) => Effect.Effect<void>) | undefined
}

/**
 * What became of one hedged call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  readonly hedge: string
  /** How many attempts began, the first included. */
  readonly attempts: number
  /** How many hedges were due and did not begin, because the budget was used up or they were not allowed. */
  readonly refused: number
  /** The attempt that succeeded, from 1, which is no hedge; `undefined` when none did. */
  readonly winner: number | undefined
  /** Until the answer was known, in milliseconds; the losers may have taken longer to stop. */
  readonly elapsedMillis: number
}

/**
 * What a hedge has done since it was made, and how long it waits now.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  readonly calls: number
  readonly hedges: number
  /** Calls that a hedge answered. */
  readonly won: number
  readonly refused: number
  readonly delayMillis: number
}

/**
 * What is known about one call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  /** The budget has been told of this call already, by the policy that shares it. Default false. */
  readonly deposited?: boolean | undefined
  /** Asked before a hedge begins, such as whether the circuit is still closed. Default: always. */
  readonly allowed?: Effect.Effect<boolean> | undefined
}

/**
 * A hedge, ready for `Policy` or `withHedge`. It adds no error of its own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Hedge {
  readonly name: string
  readonly budget: RetryBudget | undefined
  readonly execute: <A, E, R>(self: Effect.Effect<A, E, R>, call?: Call) => Effect.Effect<A, E, R>
  readonly status: Effect.Effect<Status>
  /** For logs, docs and `Policy`'s description of itself. */
  readonly describe: string
}

/**
 * The options make no sense; `message` says which and what to change.
 *
 * @since 0.1.0
 * @category errors
 */
export class HedgeConfigurationError extends Data.TaggedError("HedgeConfigurationError")<{
  readonly hedge: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Hedge "${this.hedge}": ${this.problems.join("; ")}`
  }
}

/**
 * Makes a hedge. All calls of one operation share it: a percentile is as good as the calls that it has seen are alike.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Hedge, HedgeConfigurationError> =>
  Effect.gen(function* () {
    const settings = yield* settingsOf(options)
    const books = yield* Ref.make<Books>({
      sketch: LatencySketch.empty(settings.window, yield* MonotonicClock.now),
      totals: { calls: 0, hedges: 0, won: 0, refused: 0 }
    })
    const { budget, name } = settings

    const settle = (result: HedgedCall.Result, now: number): Effect.Effect<void> =>
      Effect.zipRight(
        Ref.update(books, ({ sketch, totals }) => ({
          sketch: settings.percentile === undefined ? sketch : learnt(sketch, result, now),
          totals: {
            calls: totals.calls + 1,
            hedges: totals.hedges + result.attempts - 1,
            won: totals.won + (result.winner !== undefined && result.winner > 1 ? 1 : 0),
            refused: totals.refused + result.refused
          }
        })),
        tell(options, result)
      )

    return {
      name,
      budget,
      execute: (self, call) =>
        Effect.flatMap(Effect.zip(Ref.get(books), MonotonicClock.now), ([{ sketch }, start]) => {
          const hedged = HedgedCall.run(self, {
            ...settings,
            delay: delayOf(settings, sketch, start),
            start,
            allowed: call?.allowed,
            settle
          })
          return budget === undefined || call?.deposited === true ? hedged : Effect.zipRight(budget.deposit, hedged)
        }),
      status: Effect.map(Effect.zip(Ref.get(books), MonotonicClock.now), ([{ sketch, totals }, now]) => ({
        ...totals,
        delayMillis: delayOf(settings, sketch, now)
      })),
      describe: describe(settings)
    }
  })

/**
 * A hedge as a layer, for the tag of your choice.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <I>(tag: Context.Tag<I, Hedge>, options: Options): Layer.Layer<I, HedgeConfigurationError> =>
  Layer.effect(tag, make(options))

/**
 * Options of a hedge that has nothing to remember from one call to the next.
 *
 * @since 0.1.0
 * @category models
 */
export type FixedOptions = Omit<Options, "percentile" | "window">

/**
 * Runs an effect with hedges, which says that it may run more than once. A percentile needs a hedge made by `make`,
 * which remembers; for a fixed delay the options will do.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withHedge: {
  (hedge: Hedge): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  (options: FixedOptions): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | HedgeConfigurationError, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, hedge: Hedge): Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, options: FixedOptions): Effect.Effect<A, E | HedgeConfigurationError, R>
} = dual(
  2,
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    by: Hedge | FixedOptions
  ): Effect.Effect<A, E | HedgeConfigurationError, R> =>
    "execute" in by ? by.execute(self) : Effect.flatMap(makeFixed(by), (hedge) => hedge.execute(self))
)

/** TypeScript lets a variable with a percentile pass as one without. */
const makeFixed = (options: FixedOptions & Pick<Options, "percentile">) =>
  options.percentile === undefined
    ? make(options)
    : Effect.fail(
        new HedgeConfigurationError({
          hedge: options.name,
          problems: ["percentile needs a hedge that remembers; make it once with Hedge.make, or leave percentile out"]
        })
      )

interface Books {
  readonly sketch: LatencySketch.Sketch
  readonly totals: Omit<Status, "delayMillis">
}

interface Settings extends Omit<HedgedCall.Settings, "delay" | "start" | "allowed" | "settle"> {
  readonly name: string
  readonly delay: number
  readonly percentile: number | undefined
  readonly window: number
}

const learnt = (sketch: LatencySketch.Sketch, result: HedgedCall.Result, now: number): LatencySketch.Sketch =>
  result.latency === undefined ? sketch : LatencySketch.record(sketch, result.latency, now)

const delayOf = ({ delay, percentile }: Settings, sketch: LatencySketch.Sketch, now: number): number =>
  (percentile === undefined ? undefined : LatencySketch.quantile(sketch, percentile, enough(percentile), now)) ?? delay

/** With fewer, the percentile would be the longest latency of all. */
const enough = (percentile: number): number => Math.max(20, Math.round(1 / (1 - percentile)))

// A listener is not a part of the call: what it breaks is logged and stays there.
const tell = ({ name, onEnd }: Options, { attempts, elapsed, refused, winner }: HedgedCall.Result) =>
  onEnd === undefined
    ? Effect.void
    : Effect.catchAllCause(
        Effect.suspend(() => onEnd({ hedge: name, attempts, refused, winner, elapsedMillis: elapsed })),
        (cause) => Effect.logWarning(`The listener of hedge "${name}" failed`, cause)
      )

const settingsOf = (options: Options): Effect.Effect<Settings, HedgeConfigurationError> =>
  Effect.suspend(() => {
    const read = OptionsReader.make()
    const { percentile } = options
    if (percentile !== undefined && !(percentile > 0 && percentile < 1)) {
      read.refuse(`percentile is ${percentile}; give a number above 0 and below 1, such as 0.95`)
    }
    if (percentile === undefined && options.window !== undefined) {
      read.refuse(
        "window is given but no percentile, so that nothing is remembered; set percentile or leave window out"
      )
    }
    const retry = Retry.settingsOf({ isRetryable: options.isRetryable })
    const settings = {
      name: read.name(options.name),
      delay: read.duration("delay", options.delay, 0),
      percentile,
      window: read.duration("window", options.window ?? "1 minute", 1),
      maxHedges: read.count("maxHedges", options.maxHedges ?? 1, 1),
      budget: options.budget,
      retry: Either.getOrThrow(retry)
    }
    return read.problems.length === 0
      ? Effect.succeed(settings)
      : Effect.fail(new HedgeConfigurationError({ hedge: options.name, problems: read.problems }))
  })

const describe = ({ budget, delay, maxHedges, percentile }: Settings): string =>
  `up to ${maxHedges} hedge${maxHedges === 1 ? "" : "s"}, each after ` +
  (percentile === undefined ? `${delay} ms` : `the ${percentile} quantile of recent latencies (at first ${delay} ms)`) +
  (budget === undefined ? "" : `, as far as the budget "${budget.name}" goes`)
