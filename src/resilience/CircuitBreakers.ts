/**
 * The one breaker of each name, so that everyone who calls a dependency shares what is known about it. (A breaker that
 * is made anew for each request never opens.)
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SynchronizedRef from "effect/SynchronizedRef"
import * as CircuitBreaker from "./CircuitBreaker.js"
import type { Settings } from "./kernel/CircuitBreaker.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface CircuitBreakersShape {
  /**
   * The breaker of that name, made when it is asked for first. Without options it comes as it is (or with the defaults).
   * With options that differ from those it was made with, `CircuitBreakerConfigurationError` names both. Functions are
   * compared by identity: keep `isFailure` in a constant.
   */
  readonly get: (
    name: string,
    options?: Omit<CircuitBreaker.Options, "name">
  ) => Effect.Effect<CircuitBreaker.CircuitBreaker, CircuitBreaker.CircuitBreakerConfigurationError>
  /** Every breaker there is, in the order in which they were asked for. */
  readonly all: Effect.Effect<ReadonlyArray<CircuitBreaker.CircuitBreaker>>
}

/**
 * @since 0.1.0
 * @category services
 */
export class CircuitBreakers extends Context.Tag("@dialdrill/selfheal/CircuitBreakers")<
  CircuitBreakers,
  CircuitBreakersShape
>() {}

/**
 * Makes a registry of at most `capacity` breakers (default 1000). Beyond that `get` refuses new names: names are those
 * of dependencies, not of users or paths, and a breaker that were dropped would forget that its circuit is open.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (settings?: { readonly capacity?: number }): Effect.Effect<CircuitBreakersShape> =>
  Effect.map(SynchronizedRef.make<ReadonlyMap<string, Entry>>(new Map()), (entries) => {
    const capacity = settings?.capacity ?? 1000

    const known = (entry: Entry, options: CircuitBreaker.Options): Found =>
      Effect.flatMap(
        Effect.zip(CircuitBreaker.settingsOf(entry.options), CircuitBreaker.settingsOf(options)),
        (pair) => {
          const differences = differ(...pair)
          if (entry.options.isFailure !== options.isFailure) differences.push("isFailure is another function")
          return differences.length === 0
            ? Effect.succeed(entry.breaker)
            : refuse(options.name, [
                `it exists with other options: ${differences.join(", ")}`,
                "give both places the same options, or two names"
              ])
        }
      )

    const add = (entries: ReadonlyMap<string, Entry>, options: CircuitBreaker.Options) =>
      entries.size >= capacity
        ? refuse(options.name, [
            `there are ${capacity} breakers already; name breakers after dependencies, or raise the capacity`
          ])
        : Effect.map(
            CircuitBreaker.make(options),
            (breaker) => [breaker, new Map(entries).set(options.name, { breaker, options })] as const
          )

    return {
      get: (name, options) => {
        const wanted = options === undefined ? undefined : { ...options, name }
        return SynchronizedRef.modifyEffect(entries, (current) => {
          const entry = current.get(name)
          return entry === undefined
            ? add(current, wanted ?? { name })
            : wanted === undefined
              ? Effect.succeed([entry.breaker, current] as const)
              : Effect.map(known(entry, wanted), (breaker) => [breaker, current] as const)
        })
      },
      all: Effect.map(SynchronizedRef.get(entries), (current) => Array.from(current.values(), ({ breaker }) => breaker))
    }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<CircuitBreakers> = Layer.effect(CircuitBreakers, make())

/**
 * The breaker of that name, from the registry in the context.
 *
 * @since 0.1.0
 * @category accessors
 */
export const getCircuitBreaker = (
  name: string,
  options?: Omit<CircuitBreaker.Options, "name">
): Effect.Effect<CircuitBreaker.CircuitBreaker, CircuitBreaker.CircuitBreakerConfigurationError, CircuitBreakers> =>
  Effect.flatMap(CircuitBreakers, (breakers) => breakers.get(name, options))

interface Entry {
  readonly breaker: CircuitBreaker.CircuitBreaker
  readonly options: CircuitBreaker.Options
}

type Found = Effect.Effect<CircuitBreaker.CircuitBreaker, CircuitBreaker.CircuitBreakerConfigurationError>

const refuse = (policy: string, problems: ReadonlyArray<string>) =>
  Effect.fail(new CircuitBreaker.CircuitBreakerConfigurationError({ policy, problems }))

const differ = (has: Settings, wanted: Settings): Array<string> => {
  const differences: Array<string> = []
  for (const option of Object.keys(has) as ReadonlyArray<keyof Settings>) {
    // Object.keys widens to string
    if (has[option] !== wanted[option]) differences.push(`${option} is ${has[option]}, asked for ${wanted[option]}`)
  }
  return differences
}
