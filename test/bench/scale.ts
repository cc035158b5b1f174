/** Whether a call costs the same among many: among callers that are on their way at once, and among breakers. */
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import type { Comparison } from "./cases.js"
import { makePolicy } from "./policies.js"
import { effect, fiberFloor, inFiber } from "./subjects.js"

const many = 10_000

const idempotent = { idempotent: true }

/** In a process of its own: so many fibres keep the garbage collector busy, whoever calls. */
export const makeCallers = Effect.gen(function* () {
  const policy = yield* makePolicy(many + 1)
  const crowded = yield* makePolicy(many + 1)
  // They stay inside, each with its place, its timer and its permit, while one more calls. (Ten thousand fibres that take
  // turns would measure Effect: without any policy a turn of one among so many costs nine times that of one alone.)
  yield* Effect.replicateEffect(Effect.forkDaemon(crowded.protect(Effect.never)), many, { discard: true })
  const comparison: Comparison = {
    name: "scale-callers",
    limit: 2,
    goal: 1.3,
    ours: inFiber("one more caller beside 10 000", () => crowded.protect(effect, idempotent)),
    theirs: [inFiber("one caller", () => policy.protect(effect, idempotent))],
    floor: fiberFloor
  }
  return comparison
})

export const makeBreakers = Effect.gen(function* () {
  const breakers = yield* Effect.forEach(Array.from({ length: many }), (_, index) =>
    CircuitBreaker.make({ name: `breaker-${index}` })
  )
  const [one] = breakers
  let next = 0
  const anyBreaker = () => breakers[(next = (next + 1) % many)]!
  const comparison: Comparison = {
    name: "scale-breakers",
    limit: 2,
    goal: 1.5,
    ours: inFiber("10 000 breakers", () => anyBreaker().execute(effect)),
    theirs: [inFiber("1 breaker", () => one!.execute(effect))],
    floor: fiberFloor
  }
  return [comparison]
})
