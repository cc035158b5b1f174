/** Whether a call costs the same among many: among callers that are on their way at once, and among breakers. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import type { Comparison, Subject } from "./cases.js"
import { makePolicy } from "./policies.js"
import { effect, fiberFloor, fiberPromiseFloor, inFiber, promise } from "./subjects.js"

const many = 10_000
const callsEach = 5

/** So many callers that begin together and share the calls; a few calls each make up for their being started. */
const callers = (name: string, count: number, call: Effect.Effect<unknown, unknown>): Subject => ({
  name,
  leastCalls: count * callsEach,
  run: (calls) =>
    Effect.gen(function* () {
      const start = yield* Deferred.make<void>()
      const caller = Effect.zipRight(Deferred.await(start), Effect.repeatN(call, Math.ceil(calls / count) - 1))
      const fibers = yield* Effect.replicateEffect(Effect.fork(caller), count)
      yield* Deferred.succeed(start, undefined)
      yield* Effect.forEach(fibers, Fiber.join, { discard: true })
    }).pipe(Effect.runPromise)
})

export const make = Effect.gen(function* () {
  const policy = yield* makePolicy(many)
  const call = policy.protect(Effect.promise(promise), { idempotent: true })
  const breakers = yield* Effect.forEach(Array.from({ length: many }), (_, index) =>
    CircuitBreaker.make({ name: `breaker-${index}` })
  )
  const [one] = breakers
  let next = 0
  const anyBreaker = () => breakers[(next = (next + 1) % many)]!

  const comparisons: ReadonlyArray<Comparison> = [
    {
      name: "scale-callers",
      limit: 2,
      goal: 1.3,
      ours: callers("10 000 callers", many, call),
      theirs: [callers("1 caller", 1, call)],
      floor: fiberPromiseFloor
    },
    {
      name: "scale-breakers",
      limit: 2,
      goal: 1.5,
      ours: inFiber("10 000 breakers", () => anyBreaker().execute(effect)),
      theirs: [inFiber("1 breaker", () => one!.execute(effect))],
      floor: fiberFloor
    }
  ]
  return comparisons
})
