/** What a per-client limiter's decision costs: for one client, and for a random one of a million. */
import * as Effect from "effect/Effect"
import * as KeyedRateLimiter from "../../src/resilience/KeyedRateLimiter.js"
import * as RateLimitStore from "../../src/resilience/RateLimitStore.js"
import type { Comparison } from "./cases.js"
import * as Peers from "./peers.js"
import { randomFrom } from "./statistics.js"
import { awaited, fiberFloor, inFiber } from "./subjects.js"

/**
 * A limiter that never says no while the benchmarks run: a year's requests, one in so many milliseconds, may all come at
 * once. A client is remembered for that long after each of its requests.
 */
export const makeLimiter = (maxKeys: number, every: number) =>
  KeyedRateLimiter.make({ name: "clients", limit: year / every, window: year, maxKeys }).pipe(
    Effect.provide(RateLimitStore.layerMemory)
  )

const year = 365 * 24 * 3_600_000

/** A million clients, all of them remembered. */
export const million = 1_000_000
export const makeMillionLimiter = makeLimiter(million, 3_600_000)
export const clientIds = (): ReadonlyArray<string> => Array.from({ length: million }, (_, index) => `client-${index}`)

export const make = Effect.gen(function* () {
  const limiter = yield* makeLimiter(100_000, 1_000)
  const peer = Peers.rateLimiterMemory()
  const comparison: Comparison = {
    name: "keyed",
    limit: 2.5,
    goal: 1.2,
    ours: inFiber("keyed limiter", () => limiter.isAllowed("client")),
    theirs: [awaited("rate-limiter-flexible", () => peer.consume("client"))],
    floor: fiberFloor
  }
  return [comparison]
})

/** Both limiters know a million clients, and each request comes from a random one: mostly a walk through memory. */
export const makeMillion = Effect.gen(function* () {
  const ids = clientIds()
  const random = randomFrom(2)
  const anyone = () => ids[Math.floor(random() * million)]!
  const limiter = yield* makeMillionLimiter
  const peer = Peers.rateLimiterMemory()
  for (const id of ids) {
    yield* limiter.isAllowed(id)
    yield* Effect.promise(() => peer.consume(id))
  }
  const comparison: Comparison = {
    name: "keyed-1m",
    limit: 0.6,
    goal: 0.35,
    ours: inFiber("keyed limiter, 1M clients", () => limiter.isAllowed(anyone())),
    theirs: [awaited("rate-limiter-flexible, 1M clients", () => peer.consume(anyone()))],
    floor: inFiber("a fibre's loop with a random client", () => Effect.sync(anyone))
  }
  return comparison
})
