/** What is kept for a client of a limiter, and for the window of a breaker: the heap's growth, in a process of its own. */
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import { collect } from "./harness.js"
import { clientIds, makeMillionLimiter, million } from "./limiters.js"
import * as Peers from "./peers.js"
import { effect, promise } from "./subjects.js"

/** What fills the heap, and how many things of the kind there are then. */
interface Filling {
  readonly count: number
  readonly fill: () => Promise<unknown>
}

const filling = (count: number, fill: () => Promise<unknown>): Filling => ({ count, fill })

const callsEach = 20
const breakers = 500

/** The sizes that are compared. What is there already, as the clients' names, is not counted. */
export const fillings = {
  "our-clients": () => {
    const ids = clientIds()
    return filling(million, () =>
      Effect.runPromise(
        Effect.tap(makeMillionLimiter, (limiter) =>
          Effect.forEach(ids, (id) => limiter.isAllowed(id), { discard: true })
        )
      )
    )
  },
  "their-clients": () => {
    const ids = clientIds()
    return filling(million, async () => {
      const limiter = Peers.rateLimiterMemory()
      for (const id of ids) await limiter.consume(id)
      return limiter
    })
  },
  "our-windows": () =>
    filling(breakers, () =>
      Effect.runPromise(
        Effect.forEach(Array.from({ length: breakers }), () =>
          Effect.tap(CircuitBreaker.make({ name: "window", window: { type: "count", size: 10_000 } }), (breaker) =>
            Effect.repeatN(breaker.execute(effect), callsEach - 1)
          )
        )
      )
    ),
  "their-windows": () =>
    filling(breakers, async () => {
      const made = Array.from({ length: breakers }, () => Peers.countWindow(10_000))
      for (const breaker of made) for (let calls = 0; calls < callsEach; calls++) await breaker.execute(promise)
      return made
    })
}

/** Bytes of each of the things. */
export const bytesEach = async (name: keyof typeof fillings): Promise<number> => {
  const { count, fill } = fillings[name]()
  const before = await inUse()
  const kept = await fill()
  const after = await inUse()
  // Looked at once more, so that it cannot have been collected before.
  return kept === undefined ? Number.NaN : (after - before) / count
}

const inUse = async (): Promise<number> => {
  for (let times = 0; times < 3; times++) {
    collect("major")
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { external, heapUsed } = process.memoryUsage()
  return external + heapUsed
}
