/**
 * An inbound rate limit, one for each client: how often a user or an address may call us. A client may use its whole
 * limit at once and gets it back evenly (GCRA, `kernel/Gcra.ts`). Rejected requests cost nothing, several limits count
 * all or nothing, memory is bounded, and what happens when the store fails is said, not left to chance.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { KeyedRateLimiter } from "@dialdrill/selfheal"
 * import { RateLimitStore } from "@dialdrill/selfheal"
 *
 * const program = Effect.gen(function* () {
 *   const limiter = yield* KeyedRateLimiter.make({ name: "api", ...KeyedRateLimiter.RateLimitConfigs.normal })
 *   const decision = yield* limiter.isAllowed("user-1")
 *   return decision.allowed ? "200" : `429, retry after ${decision.retryAfterMillis} ms`
 * }).pipe(Effect.provide(RateLimitStore.layerMemory))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type * as Gcra from "./kernel/Gcra.js"
import {
  type KeyedRateLimiterConfigurationError,
  misconfigured,
  type Options,
  type Settings,
  settingsOf,
  type StoreFailurePolicy
} from "./KeyedRateLimiterOptions.js"
import * as MonotonicClock from "./MonotonicClock.js"
import { makeMemoryBook, RateLimitStore } from "./RateLimitStore.js"

export {
  KeyedRateLimiterConfigurationError,
  type Options,
  type RateLimitConfig,
  RateLimitConfigs,
  type StoreFailurePolicy
} from "./KeyedRateLimiterOptions.js"

/**
 * What was decided about one request, and what a client should be told. With several limits: of the one that decided.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decision {
  readonly allowed: boolean
  readonly limit: number
  readonly windowMillis: number
  /** How many more requests would be allowed now. */
  readonly remaining: number
  /** Until the client has its whole limit back. */
  readonly resetAfterMillis: number
  /** Until the same request is allowed if no other comes before; 0 when it is allowed. A whole number. */
  readonly retryAfterMillis: number
  /** The limiter's name. */
  readonly policy: string
  /** Who decided: the store, or, because the store failed, one of the policies for that. */
  readonly decidedBy: "store" | StoreFailurePolicy
}

/**
 * `clients`: how many have something counted now, `undefined` when the store cannot tell cheaply.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  readonly name: string
  /** The limits in words, as `100/60s`. */
  readonly policy: string
  readonly allowed: number
  readonly limited: number
  /** Decisions that were made without the store, because it failed. */
  readonly storeFailures: number
  readonly clients: number | undefined
}

/**
 * A limiter that counts each client by itself. It decides and never fails: what becomes of a request that is not allowed
 * is its caller's to say.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyedRateLimiter {
  readonly name: string
  readonly limits: ReadonlyArray<{ readonly limit: number; readonly windowMillis: number }>
  /**
   * Counts a request of a client and says whether it is allowed. A cost above the limit could never be. Keys are kept as
   * they are: bound the length of those that come from outside.
   */
  readonly check: {
    (key: string): Effect.Effect<Decision>
    (key: string, cost: number): Effect.Effect<Decision, KeyedRateLimiterConfigurationError>
  }
  /** `check` for a request of cost 1. */
  readonly isAllowed: (clientId: string) => Effect.Effect<Decision>
  readonly status: Effect.Effect<Status>
}

/**
 * Makes a limiter that keeps its books in the store.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<KeyedRateLimiter, KeyedRateLimiterConfigurationError, RateLimitStore> =>
  Effect.flatMap(
    Effect.suspend(() => settingsOf(options)),
    (settings) => fromSettings(options.name, settings)
  )

const fromSettings = (
  name: string,
  { limits, maxKeys, onStoreFailure }: Settings
): Effect.Effect<KeyedRateLimiter, never, RateLimitStore> =>
  Effect.gen(function* () {
    const store = yield* RateLimitStore
    const book = yield* store.open({ name, limits, maxKeys })
    const localBook = yield* makeMemoryBook({ limits, maxKeys })
    // Plain numbers, changed in the step that decides: a `Ref` would be a second step of the runtime for every request.
    const counts = { allowed: 0, limited: 0, storeFailures: 0 }
    const smallest = Math.min(...limits.map((limit) => limit.limit))
    const first = limits.reduce((a, b) => (b.limit < a.limit ? b : a))

    const counted = (verdict: Gcra.Verdict, decidedBy: Decision["decidedBy"]): Decision => {
      if (verdict.allowed) counts.allowed++
      else counts.limited++
      if (decidedBy !== "store") counts.storeFailures++
      return {
        allowed: verdict.allowed,
        limit: verdict.limit.limit,
        windowMillis: verdict.limit.windowMillis,
        remaining: verdict.remaining,
        resetAfterMillis: verdict.resetAfterMillis,
        retryAfterMillis: verdict.retryAfterMillis,
        policy: name,
        decidedBy
      }
    }

    const withoutStore = (key: string, cost: number, now: number): Gcra.Verdict => {
      switch (onStoreFailure) {
        case "failOpen":
          return { allowed: true, limit: first, remaining: smallest - cost, resetAfterMillis: 0, retryAfterMillis: 0 }
        case "failClosed":
          return { allowed: false, limit: first, remaining: 0, resetAfterMillis: 1000, retryAfterMillis: 1000 }
        case "localFallback":
          return localBook.spendAt(key, cost, now)
      }
    }

    const { spendAt } = book
    const decide: (key: string, cost: number) => Effect.Effect<Decision> =
      spendAt === undefined
        ? (key, cost) =>
            Effect.matchEffect(book.spend(key, cost), {
              onSuccess: (verdict) => Effect.succeed(counted(verdict, "store")),
              onFailure: () =>
                MonotonicClock.nowWith((now) => Effect.succeed(counted(withoutStore(key, cost, now), onStoreFailure)))
            })
        : (key, cost) =>
            // The one step of the runtime that a decision in memory takes.
            Effect.withFiberRuntime((fiber) =>
              Effect.succeed(counted(spendAt(key, cost, MonotonicClock.of(fiber)), "store"))
            )

    // The two signatures of `check` differ only in the error, which a request of cost 1 cannot meet.
    const check = ((key: string, cost: number = 1) =>
      Number.isSafeInteger(cost) && cost >= 1 && cost <= smallest
        ? decide(key, cost)
        : misconfigured(
            name,
            `a request costs ${cost}; it must be a whole number from 1 to the limit of ${smallest}, or it could never be allowed`
          )) as KeyedRateLimiter["check"]

    return {
      name,
      limits: limits.map(({ limit, windowMillis }) => ({ limit, windowMillis })),
      check,
      isAllowed: (clientId) => decide(clientId, 1),
      status: Effect.map(book.clients, (clients) => ({
        name,
        policy: limits.map(inWords).join(", "),
        ...counts,
        clients
      }))
    }
  })

const inWords = ({ limit, windowMillis }: Gcra.Limit): string =>
  windowMillis % 1000 === 0 ? `${limit}/${windowMillis / 1000}s` : `${limit}/${windowMillis}ms`

/**
 * The limiters of an application by name: asking twice gives the same one.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyedRateLimitersShape {
  /** The limiter of that name. Fails when it exists with other options. */
  readonly get: (options: Options) => Effect.Effect<KeyedRateLimiter, KeyedRateLimiterConfigurationError>
  readonly all: Effect.Effect<ReadonlyArray<KeyedRateLimiter>>
}

/**
 * The limiters that a program shares. Provide its layer once, over a `RateLimitStore`.
 *
 * @since 0.1.0
 * @category tags
 */
export class KeyedRateLimiters extends Context.Tag("@dialdrill/selfheal/KeyedRateLimiters")<
  KeyedRateLimiters,
  KeyedRateLimitersShape
>() {
  /**
   * @since 0.1.0
   * @category layers
   */
  static readonly layer: Layer.Layer<KeyedRateLimiters, never, RateLimitStore> = Layer.effect(
    KeyedRateLimiters,
    Effect.suspend(() => makeRegistry)
  )
}

/** More names than any application has: a name made from a request's data is found out before memory is. */
const maxLimiters = 1000

interface Known {
  readonly limiter: KeyedRateLimiter
  readonly settings: Settings
}

const makeRegistry: Effect.Effect<KeyedRateLimitersShape, never, RateLimitStore> = Effect.gen(function* () {
  const store = yield* RateLimitStore
  const limiters = yield* Ref.make<ReadonlyMap<string, Known>>(new Map())

  const create = (name: string, settings: Settings): Effect.Effect<Known, KeyedRateLimiterConfigurationError> =>
    Effect.gen(function* () {
      const limiter = yield* Effect.provideService(fromSettings(name, settings), RateLimitStore, store)
      // Another caller may have been faster; the first one stays.
      const known = yield* Ref.modify(limiters, (all): [Known | undefined, ReadonlyMap<string, Known>] => {
        const known = all.get(name)
        if (known !== undefined) return [known, all]
        if (all.size >= maxLimiters) return [undefined, all]
        const made = { limiter, settings }
        return [made, new Map(all).set(name, made)]
      })
      return known ?? (yield* misconfigured(name, `there are ${maxLimiters} limiters already; use fewer names`))
    })

  return {
    all: Effect.map(Ref.get(limiters), (all) => [...all.values()].map(({ limiter }) => limiter)),
    get: (options) =>
      Effect.gen(function* () {
        const { name } = options
        const settings = yield* settingsOf(options)
        const known = (yield* Ref.get(limiters)).get(name) ?? (yield* create(name, settings))
        const [asked, there] = [inFull(settings), inFull(known.settings)]
        if (asked === there) return known.limiter
        return yield* misconfigured(
          name,
          `asked for with ${asked}, but it exists with ${there}; use one set of options for a name, or another name`
        )
      })
  }
})

const inFull = ({ limits, maxKeys, onStoreFailure }: Settings): string =>
  [
    ...limits.map(({ limit, windowMillis }) => `${limit} per ${windowMillis} ms`),
    `at most ${maxKeys} clients`,
    onStoreFailure
  ].join(", ")

/**
 * The one limiter of a name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const getRateLimiter = (
  name: string,
  config: Omit<Options, "name">
): Effect.Effect<KeyedRateLimiter, KeyedRateLimiterConfigurationError, KeyedRateLimiters> =>
  Effect.flatMap(KeyedRateLimiters, (limiters) => limiters.get({ name, ...config }))
