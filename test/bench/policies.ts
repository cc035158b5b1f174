/** The whole policy around one call that succeeds, beside cockatiel's and beside one made of Effect's own operators. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Policy from "../../src/resilience/Policy.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"
import type { Comparison } from "./cases.js"
import * as Peers from "./peers.js"
import {
  awaited,
  effect,
  fiberFloor,
  fiberPromiseFloor,
  inFiber,
  promise,
  promiseWithSignal,
  runFloor
} from "./subjects.js"

/** Everything that a policy can do for a call, with room for so many calls at once; its limits outlast a measurement. */
export const makePolicy = (maxConcurrent: number) =>
  Effect.gen(function* () {
    return yield* Policy.make({
      name: "upstream",
      deadline: "3 hours",
      attemptTimeout: "1 hour",
      retry: { maxAttempts: 3 },
      retryBudget: yield* RetryBudget.make({ name: "upstream" }),
      bulkhead: yield* Bulkhead.make({ name: "upstream", maxConcurrent, maxQueued: 20 }),
      breaker: yield* CircuitBreaker.make({ name: "upstream" })
    })
  })

const idempotent = { idempotent: true }

/**
 * The same without this library, as the documentation of Effect suggests: a timeout for the attempt and one for the
 * whole, a semaphore, a retry with a schedule, and a breaker of the simplest kind. Effect has no retry budget.
 */
const makeIdiomatic = Effect.gen(function* () {
  const places = yield* Effect.makeSemaphore(20)
  const failures = yield* Ref.make(0)
  const admit = Effect.filterOrFail(
    Ref.get(failures),
    (count) => count < 5,
    () => "open" as const
  )
  return <A, E>(self: Effect.Effect<A, E>) =>
    self.pipe(
      Effect.timeout("12 seconds"),
      (attempt) =>
        Effect.acquireUseRelease(
          admit,
          () => attempt,
          (_, exit) => Ref.update(failures, (count) => (exit._tag === "Success" ? 0 : count + 1))
        ),
      places.withPermits(1),
      Effect.retry(Schedule.intersect(Schedule.exponential("1 second"), Schedule.recurs(2))),
      Effect.timeout("20 seconds")
    )
})

export const make = Effect.gen(function* () {
  const policy = yield* makePolicy(20)
  const idiomatic = yield* makeIdiomatic
  const cockatiel = Peers.wrapOfFour()

  const ours = inFiber("policy", () => policy.protect(effect, idempotent))
  const cockatielWithSignal = awaited("cockatiel, wrap of four, signal", () =>
    cockatiel.execute(({ signal }) => promiseWithSignal(signal))
  )
  const comparisons: ReadonlyArray<Comparison> = [
    {
      name: "policy",
      limit: 0.2,
      goal: 0.1,
      ours,
      theirs: [awaited("cockatiel, wrap of four", () => cockatiel.execute(promise))],
      floor: fiberFloor
    },
    {
      name: "policy-promise",
      limit: 0.6,
      goal: 0.45,
      ours: inFiber("policy over a promise", () => policy.protect(Effect.promise(promiseWithSignal), idempotent)),
      theirs: [cockatielWithSignal],
      floor: fiberPromiseFloor
    },
    {
      name: "policy-run",
      limit: 0.75,
      goal: 0.55,
      ours: awaited("policy over a promise, run each time", () =>
        Effect.runPromiseExit(policy.protect(Effect.promise(promiseWithSignal), idempotent))
      ),
      theirs: [cockatielWithSignal],
      floor: runFloor
    },
    {
      name: "policy-idiomatic",
      limit: 0.08,
      goal: 0.04,
      ours,
      theirs: [inFiber("idiomatic Effect", () => idiomatic(effect))],
      floor: fiberFloor
    }
  ]
  return comparisons
})
