/** What the conformance tests of limits share: per-client limiters on other formulas and stores, and the libraries from npm. */
import { assert, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as KeyedRateLimiter from "../../../src/resilience/KeyedRateLimiter.js"
import * as Gcra from "../../../src/resilience/kernel/Gcra.js"
import * as MonotonicClock from "../../../src/resilience/MonotonicClock.js"
import * as RateLimitStore from "../../../src/resilience/RateLimitStore.js"
import { load } from "./peers.js"

export type Decide = typeof Gcra.decide

/** A store that keeps everyone for ever and judges by the formula given. */
const storeOn = (decide: Decide): RateLimitStore.RateLimitStoreShape => ({
  open: ({ limits }) => {
    const clients = new Map<string, ReadonlyArray<number>>()
    return Effect.succeed({
      spend: (key, cost) =>
        Effect.map(MonotonicClock.now, (now) => {
          const [verdict, tats] = decide(limits, clients.get(key) ?? [], Math.floor(now), cost)
          clients.set(key, tats)
          return verdict
        }),
      clients: Effect.sync(() => clients.size)
    })
  }
})

/** A limiter of ours on another formula or store. */
export const limiterOn = (decide: Decide, options: KeyedRateLimiter.Options) =>
  Effect.provideService(KeyedRateLimiter.make(options), RateLimitStore.RateLimitStore, storeOn(decide))

export const limiter = (options: KeyedRateLimiter.Options) =>
  Effect.provide(KeyedRateLimiter.make(options), RateLimitStore.layerMemory)

/** Where a formula has a client's TATs after a request, whatever it decides. */
export const spentAnyway: Decide = (limits, tats, now, cost) => [
  Gcra.decide(limits, tats, now, cost)[0],
  limits.map((limit, i) => Math.max(tats[i] ?? 0, now * limit.scale) + cost * limit.emission)
]

/** Allows unless the balance is exactly zero. */
export const unlessZero: Decide = (limits, tats, now, cost) => {
  const isZero = limits.some((limit, i) => (tats[i] ?? 0) - now * limit.scale === limit.tolerance)
  return [{ ...Gcra.decide(limits, tats, now, 1)[0], allowed: !isZero }, spentAnyway(limits, tats, now, cost)[1]]
}

/** Asks each limit by itself, and so uses up what the first ones allow when a later one refuses. */
export const oneByOne: Decide = (limits, tats, now, cost) => [
  Gcra.decide(limits, tats, now, cost)[0],
  limits.flatMap((limit, i) => Gcra.decide([limit], tats.slice(i, i + 1), now, cost)[1])
]

/** Fixed windows; `beginOf` says when the one of this moment begins. The numbers kept are that and how many there were. */
export const fixedWindow =
  (beginOf: (now: number, windowMillis: number) => number): Decide =>
  (limits, [begin = 0, count = 0], now, cost) => {
    const [limit] = limits
    if (limit === undefined) throw new Error("a limiter without limits")
    const isOver = count === 0 || now >= begin + limit.windowMillis
    const [from, before] = isOver ? [beginOf(now, limit.windowMillis), 0] : [begin, count]
    const allowed = before + cost <= limit.limit
    const left = from + limit.windowMillis - now
    return [
      {
        allowed,
        limit,
        remaining: limit.limit - before - (allowed ? cost : 0),
        resetAfterMillis: left,
        retryAfterMillis: allowed ? 0 : left
      },
      [from, before + (allowed ? cost : 0)]
    ]
  }

export type Keyed = (options: KeyedRateLimiter.Options) => Effect.Effect<KeyedRateLimiter.KeyedRateLimiter, unknown>

/** What ours says, said wrongly. */
export const worded =
  (reword: (decision: KeyedRateLimiter.Decision) => Partial<KeyedRateLimiter.Decision>): Keyed =>
  (options) =>
    Effect.map(limiter(options), (limiter) => ({
      ...limiter,
      isAllowed: (key) => Effect.map(limiter.isAllowed(key), (decision) => ({ ...decision, ...reword(decision) }))
    }))

const unreachable = RateLimitStore.RateLimitStore.of({
  open: () =>
    Effect.succeed({
      spend: () => Effect.fail(new RateLimitStore.RateLimitStoreError({ reason: "down" })),
      clients: Effect.succeed(undefined)
    })
})
export const withoutStore: Keyed = (options) =>
  Effect.provideService(KeyedRateLimiter.make(options), RateLimitStore.RateLimitStore, unreachable)

interface Consumed {
  readonly msBeforeNext: number
}

/** rate-limiter-flexible with its memory store; `duration` in seconds. */
export const flexible = (points: number, duration: number) => {
  const { RateLimiterMemory } = load<{
    readonly RateLimiterMemory: new (options: { points: number; duration: number }) => {
      readonly consume: (key: string, points?: number) => Promise<Consumed>
    }
  }>("rate-limiter-flexible")
  const limiter = new RateLimiterMemory({ points, duration })
  const ask = (key: string, cost = 1): Promise<{ readonly allowed: boolean; readonly msBeforeNext: number }> =>
    limiter.consume(key, cost).then(
      ({ msBeforeNext }) => ({ allowed: true, msBeforeNext }),
      // It rejects with the same record, not with an error.
      ({ msBeforeNext }: Consumed) => ({ allowed: false, msBeforeNext })
    )
  const burst = async (key: string, tries: number): Promise<number> => {
    let allowed = 0
    for (let i = 0; i < tries; i++) if ((await ask(key)).allowed) allowed += 1
    return allowed
  }
  return { ask, burst }
}

/** cockatiel's bulkhead. */
export const cockatielBulkhead = (capacity: number, queue: number) =>
  load<{
    readonly bulkhead: (
      capacity: number,
      queue: number
    ) => { readonly execute: (call: () => Promise<void>, signal?: AbortSignal) => Promise<void> }
  }>("cockatiel").bulkhead(capacity, queue)

/** Bottleneck with a place for each of so many calls at once. */
export const bottleneck = (options: { readonly maxConcurrent?: number; readonly minTime?: number }) => {
  const Bottleneck =
    load<new (options: object) => { readonly schedule: (call: () => Promise<void>) => Promise<void> }>("bottleneck")
  return new Bottleneck(options)
}

/** A promise and what ends it. */
export const signal = (): { readonly done: Promise<void>; readonly end: () => void } => {
  let end = (): void => {}
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  return { done, end: () => end() }
}

/** Two wait for one place, and a newcomer comes in the very step in which the place comes free. */
export const arrivesInBetween = async (schedule: (call: () => Promise<void>) => Promise<void>): Promise<void> => {
  const order: Array<string> = []
  const first = signal()
  const note = (name: string) => () => {
    order.push(name)
    return Promise.resolve()
  }
  void schedule(() => {
    order.push("first")
    return first.done
  })
  void schedule(note("second"))
  void schedule(note("third"))
  await vi.advanceTimersByTimeAsync(10)
  void first.done.then(() => schedule(note("newcomer")))
  first.end()
  await vi.advanceTimersByTimeAsync(1000)
  assert.deepStrictEqual(order, ["first", "second", "third", "newcomer"])
}
