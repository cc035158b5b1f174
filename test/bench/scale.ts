/** Whether a call costs the same among many: among callers that are on their way at once, and among breakers. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import type { Comparison, Subject } from "./cases.js"
import { makePolicy } from "./policies.js"
import { effect, fiberFloor, inFiber } from "./subjects.js"

const many = 10_000
const callsEach = 2

/** So many callers, started before, who begin together and share the calls. */
const callers = (name: string, count: number, call: Effect.Effect<unknown, unknown>): Subject => ({
  name,
  leastCalls: count * callsEach,
  prepare: (calls) =>
    Effect.gen(function* () {
      const [start, end] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let left = count
      const leave = Effect.suspend(() => (--left === 0 ? Deferred.succeed(end, undefined) : Effect.void))
      const caller = Deferred.await(start).pipe(
        Effect.zipRight(Effect.repeatN(call, Math.ceil(calls / count) - 1)),
        Effect.zipRight(leave)
      )
      yield* Effect.replicateEffect(Effect.forkDaemon(caller), count, { discard: true })
      // Until all of them wait.
      yield* Effect.sleep("1 millis")
      return () => Effect.runPromise(Effect.zipRight(Deferred.succeed(start, undefined), Deferred.await(end)))
    }).pipe(Effect.runPromise)
})

export const make = Effect.gen(function* () {
  const policy = yield* makePolicy(many)
  // The least that makes callers wait for each other: a promise a call would measure the memory that promises take.
  const call = policy.protect(Effect.yieldNow(), { idempotent: true })
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
      floor: callers("10 000 callers without a policy", many, Effect.yieldNow())
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
