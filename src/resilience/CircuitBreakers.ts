/**
 * The one breaker of each name, so that everyone who calls a dependency shares what is known about it. (A breaker that
 * is made anew for each request never opens.)
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as SynchronizedRef from "effect/SynchronizedRef"
import * as CircuitBreaker from "./CircuitBreaker.js"
import { CircuitBreakerConfigurationError, differences } from "./CircuitBreakerOptions.js"
import * as OptionsReader from "./OptionsReader.js"
import { StateRef } from "./StateRef.js"

/**
 * A registry of breakers: everyone who asks for a name gets the same breaker.
 *
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
  /** Every breaker there is, in the order in which they were asked for first. */
  readonly all: Effect.Effect<ReadonlyArray<CircuitBreaker.CircuitBreaker>>
}

/**
 * The registry that a program shares. Provide its layer once, at the top.
 *
 * @since 0.1.0
 * @category services
 */
export class CircuitBreakers extends Context.Tag("@dialdrill/selfheal/CircuitBreakers")<
  CircuitBreakers,
  CircuitBreakersShape
>() {}

/**
 * Makes a registry of at most `capacity` breakers (default 1000). Names are those of dependencies, not of users or paths;
 * where they are many all the same (tenants, hosts), a new one takes the place of the `neutral` breaker that was asked for
 * longest ago. Where every breaker has something to remember, `get` refuses new names: one that were dropped would forget
 * that its circuit is open. A capacity that is no whole number of at least 1 fails with `CircuitBreakerConfigurationError`.
 *
 * A breaker that had to leave while somebody still uses it is the breaker that the next who asks gets: it is held weakly,
 * so that a name never has two breakers that know different things. Until then it is missing from `all`. One that nobody
 * uses is forgotten with its options: whoever asks for it later says again which it wants.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (settings?: {
  readonly capacity?: number
}): Effect.Effect<CircuitBreakersShape, CircuitBreakerConfigurationError> =>
  Effect.suspend(() => {
    const read = OptionsReader.make()
    const capacity = read.count("capacity", settings?.capacity ?? defaultCapacity, 1, OptionsReader.largestMap)
    return read.problems.length === 0 ? registryOf(capacity) : refuse("registry", read.problems)
  })

const defaultCapacity = 1000

const registryOf = (capacity: number): Effect.Effect<CircuitBreakersShape> =>
  Effect.gen(function* () {
    const registry = yield* SynchronizedRef.make<Registry>({
      entries: new Map(),
      left: HashMap.empty(),
      sweepAt: fewest
    })
    const asked = yield* Ref.make(0)

    const touch = ({ breaker, lastAsked }: Entry): Effect.Effect<CircuitBreaker.CircuitBreaker> =>
      Effect.flatMap(
        Ref.updateAndGet(asked, (count) => count + 1),
        (count) => Effect.as(Ref.set(lastAsked, count), breaker)
      )

    const find = (current: Registry, name: string, options: CircuitBreaker.Options | undefined) =>
      Effect.gen(function* () {
        const known = current.entries.get(name) ?? comeBack(HashMap.get(current.left, name))
        if (known !== undefined && options !== undefined) yield* mustAgree(known, options)
        if (current.entries.has(name) && known !== undefined) return [known, current] as const
        const wanted = options ?? { name }
        const entry = known ?? entryOf(yield* CircuitBreaker.make(wanted), wanted)
        const { entries, left, sweepAt } =
          current.entries.size < capacity ? current : yield* makeRoom(current, name, capacity)
        return [
          entry,
          { entries: new Map(entries).set(name, entry), left: HashMap.remove(left, name), sweepAt }
        ] as const
      })

    return {
      get: (name, options) =>
        Effect.flatMap(SynchronizedRef.get(registry), ({ entries }) => {
          const entry = entries.get(name)
          return Effect.flatMap(
            entry !== undefined && options === undefined
              ? Effect.succeed(entry)
              : SynchronizedRef.modifyEffect(registry, (current) =>
                  find(current, name, options && { ...options, name })
                ),
            touch
          )
        }),
      all: Effect.map(SynchronizedRef.get(registry), ({ entries }) =>
        Array.from(entries.values(), ({ breaker }) => breaker)
      )
    }
  })

/**
 * An empty registry of at most 1000 breakers: see `make`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<CircuitBreakers> = Layer.effect(
  CircuitBreakers,
  Effect.suspend(() => registryOf(defaultCapacity))
)

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
  /** As it was made with. */
  readonly options: CircuitBreaker.Options
  /** Counts the questions, the one for this breaker that came last. */
  readonly lastAsked: StateRef<number>
}

/** A breaker that had to leave: it lives on for as long as somebody else uses it. */
interface Left {
  readonly breaker: WeakRef<CircuitBreaker.CircuitBreaker>
  readonly options: CircuitBreaker.Options
}

interface Registry {
  readonly entries: ReadonlyMap<string, Entry>
  readonly left: HashMap.HashMap<string, Left>
  /** When so many have left, those that nobody uses any more are forgotten. */
  readonly sweepAt: number
}

/** Fewer are not looked through at all. */
const fewest = 100

const entryOf = (breaker: CircuitBreaker.CircuitBreaker, options: CircuitBreaker.Options): Entry => ({
  breaker,
  options,
  lastAsked: new StateRef(0)
})

const comeBack = (left: Option.Option<Left>): Entry | undefined => {
  if (Option.isNone(left)) return undefined
  const breaker = left.value.breaker.deref()
  return breaker === undefined ? undefined : entryOf(breaker, left.value.options)
}

const mustAgree = (entry: Entry, wanted: CircuitBreaker.Options) =>
  Effect.flatMap(differences(entry.options, wanted), (found) =>
    found.length === 0
      ? Effect.void
      : refuse(wanted.name, [
          `it exists with other options: ${found.join(", ")}`,
          "give both places the same options, or two names"
        ])
  )

/** Lets the neutral breaker go that was asked for longest ago. */
const makeRoom = (current: Registry, name: string, capacity: number) =>
  Effect.gen(function* () {
    const leaving = yield* Effect.findFirst(
      Array.from(current.entries).sort(([, a], [, b]) => a.lastAsked.unsafeCurrent - b.lastAsked.unsafeCurrent),
      ([, { breaker }]) => breaker.neutral
    )
    if (Option.isNone(leaving)) {
      return yield* refuse(name, [
        `there are ${capacity} breakers already, and each has something to remember; name breakers after dependencies, ` +
          "or raise the capacity"
      ])
    }
    const [other, entry] = leaving.value
    const left = HashMap.set(current.left, other, { breaker: new WeakRef(entry.breaker), options: entry.options })
    return swept({
      entries: new Map(Array.from(current.entries).filter(([one]) => one !== other)),
      left,
      sweepAt: current.sweepAt
    })
  })

/** Forgets those that nobody uses, whenever they may be half of all: to look at each for every new name would take long. */
const swept = (registry: Registry): Registry => {
  if (HashMap.size(registry.left) < registry.sweepAt) return registry
  const left = HashMap.filter(registry.left, ({ breaker }) => breaker.deref() !== undefined)
  return { ...registry, left, sweepAt: Math.max(fewest, 2 * HashMap.size(left)) }
}

const refuse = (policy: string, problems: ReadonlyArray<string>) =>
  Effect.fail(new CircuitBreakerConfigurationError({ policy, problems }))
