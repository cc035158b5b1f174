/** Circuit breakers: what a call costs while the circuit is closed, and what a rejection costs while it is open. */
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import type { Comparison } from "./cases.js"
import * as Peers from "./peers.js"
import { awaited, effect, fiberFloor, inFiber, promise } from "./subjects.js"

export const make = Effect.gen(function* () {
  const closed = yield* CircuitBreaker.make({ name: "closed" })
  const byCount = yield* CircuitBreaker.make({ name: "count", window: { type: "count", size: 100 } })
  const byTime = yield* CircuitBreaker.make({ name: "time", window: { type: "time", duration: "10 seconds" } })
  const open = yield* CircuitBreaker.make({ name: "open", resetTimeout: "1 hour" })
  for (let failures = 0; failures < 5; failures++) yield* Effect.ignore(open.execute(Effect.fail("down")))

  const cockatiel = Peers.consecutive()
  const cockatielCount = Peers.countWindow(100)
  const cockatielTime = Peers.timeWindow(10_000)
  const cockatielOpen = Peers.consecutive(3_600_000)
  const fails = () => Promise.reject(new Error("down"))
  for (let failures = 0; failures < 5; failures++)
    yield* Effect.promise(() => cockatielOpen.execute(fails).catch(() => 0))
  const opossum = Peers.openOpossum(promise)

  const comparisons: ReadonlyArray<Comparison> = [
    {
      name: "breaker",
      limit: 2.2,
      goal: 1.2,
      ours: inFiber("breaker", () => closed.execute(effect)),
      theirs: [awaited("cockatiel, consecutive", () => cockatiel.execute(promise))],
      floor: fiberFloor
    },
    {
      name: "breaker-count",
      limit: 2.2,
      goal: 1.2,
      ours: inFiber("breaker, window of 100 calls", () => byCount.execute(effect)),
      theirs: [awaited("cockatiel, count", () => cockatielCount.execute(promise))],
      floor: fiberFloor
    },
    {
      name: "breaker-time",
      limit: 2.5,
      goal: 1.5,
      ours: inFiber("breaker, window of 10 seconds", () => byTime.execute(effect)),
      theirs: [awaited("cockatiel, sampling", () => cockatielTime.execute(promise))],
      floor: fiberFloor
    },
    {
      name: "rejection",
      limit: 0.25,
      goal: 0.15,
      ours: inFiber("open breaker", () => Effect.exit(open.execute(effect))),
      theirs: [
        awaited("cockatiel, open", () => cockatielOpen.execute(promise).catch(() => undefined)),
        awaited("opossum, open", () => opossum.fire().catch(() => undefined))
      ],
      floor: fiberFloor
    }
  ]
  return comparisons
})
