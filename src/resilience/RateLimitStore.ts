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
import * as ClientTable from "./ClientTable.js"
import * as Gcra from "./kernel/Gcra.js"
import * as MonotonicClock from "./MonotonicClock.js"

export type { Limit, Verdict } from "./kernel/Gcra.js"

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
  /**
   * The same for a book that asks nobody: answers at once, given the monotonic time in milliseconds. A limiter prefers
   * it, because a request then takes one step of the runtime.
   */
  readonly spendAt?: ((key: string, cost: number, now: number) => Gcra.Verdict) | undefined
  /** How many clients have something entered now; `undefined` when the store cannot tell cheaply. */
  readonly clients: Effect.Effect<number | undefined>
}

/**
 * Where limiters keep their books.
 *
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
 * The store that the limiters of a program share: `layerMemory`, or Redis (`src/redis`) for several processes.
 *
 * @since 0.1.0
 * @category tags
 */
export class RateLimitStore extends Context.Tag("@dialdrill/selfheal/RateLimitStore")<
  RateLimitStore,
  RateLimitStoreShape
>() {}

/**
 * A book that cannot fail.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryBook extends RateLimitBook {
  readonly spendAt: (key: string, cost: number, now: number) => Gcra.Verdict
}

/** Every request may sweep this many clients that have nothing entered any more; it adds at most one itself. */
const sweptPerRequest = 2

/**
 * A book in this process's memory. A client is forgotten once its limit is whole again; beyond `maxKeys` clients the
 * one that was heard of longest ago is forgotten early and starts afresh, so memory is bounded whoever chooses the keys.
 *
 * The table is mutable and private to the book: a hundred thousand clients would make an immutable one the slowest part
 * of every request. Each request changes it within one synchronous step, which nothing can interrupt.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemoryBook = (options: {
  readonly limits: ReadonlyArray<Gcra.Limit>
  readonly maxKeys: number
}): Effect.Effect<MemoryBook> =>
  Effect.map(MonotonicClock.now, (origin) => {
    const { limits, maxKeys } = options
    const clients = ClientTable.make(limits.length, maxKeys)

    const isWhole = (slot: ClientTable.Slot, now: number): boolean => Gcra.expiry(limits, clients.read(slot)) <= now
    /** `caller` has something entered, so that there is no need to look: often it is alone. */
    const sweep = (now: number, caller?: ClientTable.Slot): void => {
      for (let left = sweptPerRequest; left > 0; left--) {
        const oldest = clients.newer(0)
        if (oldest === 0 || oldest === caller || !isWhole(oldest, now)) return
        clients.remove(oldest)
      }
    }
    const spendAt: MemoryBook["spendAt"] = (key, cost, monotonic) => {
      const now = Math.floor(monotonic - origin)
      const slot = clients.find(key)
      const [verdict, tats] = Gcra.decide(limits, slot === undefined ? [] : clients.read(slot), now, cost)
      if (slot === undefined) {
        sweep(now)
        // Nothing is rejected that would have been allowed to an unknown client: what is entered here has been spent.
        if (verdict.allowed) clients.add(key, tats)
      } else {
        if (verdict.allowed) clients.write(slot, tats)
        clients.touch(slot)
        sweep(now, slot)
      }
      return verdict
    }

    return {
      spendAt,
      spend: (key, cost) => MonotonicClock.nowWith((now) => Effect.succeed(spendAt(key, cost, now))),
      clients: MonotonicClock.nowWith((monotonic) => {
        const now = Math.floor(monotonic - origin)
        // All of them: one with much entered, heard of long ago, may stand before others that are whole again.
        let next = clients.newer(0)
        for (let slot = next; slot !== 0; slot = next) {
          next = clients.newer(slot)
          if (isWhole(slot, now)) clients.remove(slot)
        }
        return Effect.succeed(clients.size())
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
