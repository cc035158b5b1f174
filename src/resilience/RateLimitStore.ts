/**
 * Where the per-client limiters keep what each client has used: in memory, or, by another layer of the same service, in
 * Redis for a fleet. A store only keeps books; what happens when it fails is the limiter's to say.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Gcra from "./kernel/Gcra.js"
import * as MonotonicClock from "./MonotonicClock.js"

/**
 * The store could not be asked, or did not answer.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimitStoreError extends Data.TaggedError("RateLimitStoreError")<{
  readonly reason: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `The rate-limit store failed: ${this.reason}`
  }
}

/**
 * The book of one limiter.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimitBook {
  /** Judges a request and, when it is allowed, enters it, both in one step. */
  readonly spend: (key: string, cost: number) => Effect.Effect<Gcra.Verdict, RateLimitStoreError>
  /** How many clients have something entered now; `undefined` when the store cannot tell cheaply. */
  readonly clients: Effect.Effect<number | undefined>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RateLimitStoreShape {
  /** Opens the book of a limiter. `maxKeys` bounds a store that cannot expire clients by itself. */
  readonly open: (options: {
    readonly name: string
    readonly limits: ReadonlyArray<Gcra.Limit>
    readonly maxKeys: number
  }) => Effect.Effect<RateLimitBook>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class RateLimitStore extends Context.Tag("@dialdrill/selfheal/RateLimitStore")<
  RateLimitStore,
  RateLimitStoreShape
>() {}

/** Every request may sweep this many clients that have nothing entered any more; it adds at most one itself. */
const sweptPerRequest = 2

/**
 * A book in this process's memory. A client is forgotten once its limit is whole again; beyond `maxKeys` clients the
 * one that was heard of longest ago is forgotten early and starts afresh, so memory is bounded whoever chooses the keys.
 *
 * The map is mutable and private to the book: a hundred thousand clients would make an immutable one the slowest part of
 * every request. Each request changes it within one synchronous step, which nothing can interrupt.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemoryBook = (options: {
  readonly limits: ReadonlyArray<Gcra.Limit>
  readonly maxKeys: number
}): Effect.Effect<RateLimitBook> =>
  Effect.map(MonotonicClock.now, (origin): RateLimitBook => {
    const { limits, maxKeys } = options
    /** In the order in which the clients were last heard of. */
    const clients = new Map<string, ReadonlyArray<number>>()

    const sweep = (now: number): void => {
      let left = sweptPerRequest
      for (const [key, tats] of clients) {
        if (left-- === 0 || Gcra.expiry(limits, tats) > now) return
        clients.delete(key)
      }
    }
    const forgetOldest = (): void => {
      for (const key of clients.keys()) {
        clients.delete(key)
        return
      }
    }
    const millis = Effect.map(MonotonicClock.now, (now) => Math.floor(now - origin))

    return {
      spend: (key, cost) =>
        Effect.map(millis, (now) => {
          const [verdict, tats] = Gcra.decide(limits, clients.get(key) ?? [], now, cost)
          clients.delete(key)
          sweep(now)
          if (tats.length > 0) clients.set(key, tats)
          if (clients.size > maxKeys) forgetOldest()
          return verdict
        }),
      clients: Effect.map(millis, (now) => {
        // All of them: one with much entered, heard of long ago, may stand before others that are whole again.
        for (const [key, tats] of clients) if (Gcra.expiry(limits, tats) <= now) clients.delete(key)
        return clients.size
      })
    }
  })

/**
 * Keeps every book in memory: right for one process; each process of a fleet counts for itself.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<RateLimitStore> = Layer.succeed(RateLimitStore, { open: makeMemoryBook })
