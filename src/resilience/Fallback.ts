/**
 * Answers with less when the full answer cannot be had: with a value, by another effect, or with the last good answer.
 * Only typed failures fall back: a defect is a bug to be seen, and whoever interrupted the call does not wait for an
 * answer any more.
 *
 * The error that made the fallback necessary is handed over, so that the answer can say what it lacks.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Fallback } from "@dialdrill/selfheal"
 *
 * declare const rates: (currency: string) => Effect.Effect<number, Error>
 *
 * const program = Effect.gen(function* () {
 *   const lastGood = yield* Fallback.makeStale<number>({ name: "rates", maxAge: "1 hour" })
 *   const answer = yield* lastGood.run("EUR", rates("EUR"))
 *   return answer._tag === "Fresh" ? `${answer.value}` : `${answer.value}, as of ${answer.age}`
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as MonotonicClock from "./MonotonicClock.js"
import * as OptionsReader from "./OptionsReader.js"
import * as StaleCache from "./StaleCache.js"

/**
 * Runs another effect in place of the failed one; its errors replace those of the effect.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withFallback: {
  <E, A2, E2, R2>(
    fallback: (error: E) => Effect.Effect<A2, E2, R2>
  ): <A, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A | A2, E2, R | R2>
  <A, E, R, A2, E2, R2>(
    self: Effect.Effect<A, E, R>,
    fallback: (error: E) => Effect.Effect<A2, E2, R2>
  ): Effect.Effect<A | A2, E2, R | R2>
} = dual(
  2,
  <A, E, R, A2, E2, R2>(
    self: Effect.Effect<A, E, R>,
    fallback: (error: E) => Effect.Effect<A2, E2, R2>
  ): Effect.Effect<A | A2, E2, R | R2> => Effect.catchAll(defectsFirst(self), fallback)
)

/**
 * Answers with a value computed from the error. For whoever has an answer that is always right to give, such as an empty
 * list of recommendations.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withFallbackValue: {
  <E, A2>(value: (error: E) => A2): <A, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A | A2, never, R>
  <A, E, R, A2>(self: Effect.Effect<A, E, R>, value: (error: E) => A2): Effect.Effect<A | A2, never, R>
} = dual(2, <A, E, R, A2>(self: Effect.Effect<A, E, R>, value: (error: E) => A2): Effect.Effect<A | A2, never, R> =>
  Effect.catchAll(defectsFirst(self), (error) => Effect.succeed(value(error)))
)

/**
 * Runs another effect only for some errors; the others pass through, and the types show which are left. For whoever
 * calls something whose errors are partly answers: an outage falls back, "no such user" does not.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withFallbackIf: {
  <E, EB extends E, A2, E2, R2>(
    refinement: (error: E) => error is EB,
    fallback: (error: EB) => Effect.Effect<A2, E2, R2>
  ): <A, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A | A2, Exclude<E, EB> | E2, R | R2>
  <A, E, R, EB extends E, A2, E2, R2>(
    self: Effect.Effect<A, E, R>,
    refinement: (error: E) => error is EB,
    fallback: (error: EB) => Effect.Effect<A2, E2, R2>
  ): Effect.Effect<A | A2, Exclude<E, EB> | E2, R | R2>
} = dual(
  3,
  <A, E, R, EB extends E, A2, E2, R2>(
    self: Effect.Effect<A, E, R>,
    refinement: (error: E) => error is EB,
    fallback: (error: EB) => Effect.Effect<A2, E2, R2>
  ): Effect.Effect<A | A2, Exclude<E, EB> | E2, R | R2> => Effect.catchIf(defectsFirst(self), refinement, fallback)
)

/**
 * How old a remembered answer may be, how many are remembered, and which errors one may stand in for. Options that make
 * no sense fail with `FallbackConfigurationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface StaleOptions {
  /** What the answers are of; for messages and layers. */
  readonly name: string
  /**
   * How old an answer may be and still be given, counted from the beginning of the call that gave it. An older one is
   * none, and the error passes through.
   */
  readonly maxAge: Duration.DurationInput
  /** How many answers are remembered. Default 1000; beyond that the one that was used longest ago is forgotten. */
  readonly capacity?: number | undefined
  /**
   * Which errors an old answer may stand in for. Default: every typed error. For whoever calls something whose errors are
   * partly answers: what was deleted must not come back from memory. When it throws, the error passes through.
   */
  readonly when?: ((error: unknown) => boolean) | undefined
}

/**
 * An answer as good as it can be.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fresh<out A> {
  readonly _tag: "Fresh"
  readonly value: A
}

/**
 * The last good answer, with its age and with the error because of which there is no fresh one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stale<out A, out E> {
  readonly _tag: "Stale"
  readonly value: A
  readonly age: Duration.Duration
  readonly error: E
}

/**
 * What a stale fallback remembers, and how often it was needed.
 *
 * @since 0.1.0
 * @category models
 */
export interface StaleStatus {
  readonly name: string
  /** How many answers are remembered, too old ones included that nobody has asked for since. */
  readonly remembered: number
  /** How often an old answer was given so far. */
  readonly served: number
}

/**
 * Remembers the last good answer of each key and gives it when there is no new one.
 *
 * @since 0.1.0
 * @category models
 */
export interface StaleFallback<in out A> {
  readonly name: string
  /**
   * Runs the effect, which stands for this key: its success is remembered, and answers again when the effect fails. What
   * depends on the user belongs into the key.
   */
  readonly run: <E, R>(key: string, self: Effect.Effect<A, E, R>) => Effect.Effect<Fresh<A> | Stale<A, E>, E, R>
  readonly status: Effect.Effect<StaleStatus>
}

/**
 * The options of a stale fallback make no sense; `message` says which and what to change.
 *
 * @since 0.1.0
 * @category errors
 */
export class FallbackConfigurationError extends Data.TaggedError("FallbackConfigurationError")<{
  readonly fallback: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Fallback "${this.fallback}": ${this.problems.join("; ")}`
  }
}

/**
 * A fallback to the last good answer, as `stale-if-error` of RFC 5861 has it for HTTP: for data that is read often,
 * changes seldom, and is better old than missing, such as exchange rates or a catalogue. The type of the answer says
 * whether it is old, so that it cannot be shown as if it were not.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeStale = <A>(options: StaleOptions): Effect.Effect<StaleFallback<A>, FallbackConfigurationError> =>
  Effect.suspend(() => {
    const read = OptionsReader.make()
    const name = read.name(options.name)
    const maxAge = read.duration("maxAge", options.maxAge, 1)
    const capacity = read.count("capacity", options.capacity ?? 1000, 1, OptionsReader.largestMap)
    if (read.problems.length > 0) {
      return Effect.fail(new FallbackConfigurationError({ fallback: options.name, problems: read.problems }))
    }
    const answers = StaleCache.make<A>(capacity, maxAge)
    let served = 0

    const lastGood = <E>(key: string, error: E): Effect.Effect<Stale<A, E>, E> =>
      MonotonicClock.nowWith((now) => {
        const known = mayStandIn(options, error) ? answers.get(key, now) : undefined
        if (known === undefined) return Effect.fail(error)
        served++
        return Effect.succeed({ _tag: "Stale", value: known.value, age: Duration.millis(now - known.at), error })
      })

    return Effect.succeed<StaleFallback<A>>({
      name,
      run: (key, self) =>
        MonotonicClock.nowWith((start) =>
          Effect.matchEffect(defectsFirst(self), {
            onSuccess: (value) => {
              answers.put(key, value, start)
              return Effect.succeed({ _tag: "Fresh", value } as const)
            },
            onFailure: (error) => lastGood(key, error)
          })
        ),
      status: Effect.sync(() => ({ name, remembered: answers.size(), served }))
    })
  })

/**
 * A fallback to the last good answer as a layer, for the tag of your choice.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStale = <I, A>(
  tag: Context.Tag<I, StaleFallback<A>>,
  options: StaleOptions
): Layer.Layer<I, FallbackConfigurationError> => Layer.effect(tag, makeStale<A>(options))

/** A defect beside an error, as when a finalizer breaks, would be seen by nobody behind the answer to the error. */
const defectsFirst = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.mapErrorCause(self, (cause) => (Cause.isDie(cause) ? Cause.stripFailures(cause) : cause))

// What user code throws about an error must not take the error's place.
const mayStandIn = ({ when }: StaleOptions, error: unknown): boolean => {
  try {
    return when === undefined || when(error)
  } catch {
    return false
  }
}
