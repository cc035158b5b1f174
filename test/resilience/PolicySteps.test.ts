import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Hedge from "../../src/resilience/Hedge.js"
import * as Policy from "../../src/resilience/Policy.js"
import type { Rejection } from "../../src/resilience/Rejection.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"
import * as Turnstile from "./support/Turnstile.js"

class Upstream extends Data.TaggedError("Upstream")<{}> {}

/** The errors of the effects that a policy with a fallback takes. */
type Understood<P> = P extends Policy.PolicyWithFallback<infer E, infer _A, infer _E, infer _R> ? E : never

const problemsOf = (steps: ReadonlyArray<Policy.Step>) =>
  Effect.map(Effect.flip(Policy.compose("openai", steps)), ({ problems }) => problems)

describe("Policy.compose", () => {
  it.effect("builds what the options build", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const budget = yield* RetryBudget.make({ name: "openai" })
      const hedge = yield* Hedge.make({ name: "openai", delay: "2 seconds", budget })
      const [rateLimiter, bulkhead] = [Turnstile.make("limit"), Turnstile.make("places")]
      const composed = yield* Policy.compose("openai", [
        Policy.deadline("20 seconds"),
        Policy.retry({ jitter: "full", budget }),
        Policy.rateLimit(rateLimiter),
        Policy.bulkhead(bulkhead),
        Policy.breaker(breaker),
        Policy.hedge(hedge),
        Policy.attemptTimeout("12 seconds")
      ])
      const made = yield* Policy.make({
        name: "openai",
        deadline: "20 seconds",
        retry: { jitter: "full" },
        retryBudget: budget,
        rateLimiter,
        bulkhead,
        breaker,
        hedge,
        attemptTimeout: "12 seconds"
      })
      assert.strictEqual(composed.describe, made.describe)
      assert.include(composed.describe, ', budget "openai"), idempotent calls only > look at circuit "openai"')
      assert.include(composed.describe, "idempotent calls only > attempt timeout 12s")
      assert.strictEqual(yield* composed.protect(Effect.succeed("up"), { idempotent: true }), "up")
      assert.deepInclude(bulkhead.counts, { admitted: 1, inside: 0 })
    })
  )

  it.effect("refuses an order in which a step would not do what it says, and tells what to change", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      assert.deepStrictEqual(yield* problemsOf([Policy.breaker(breaker), Policy.retry()]), [
        "retry stands inside of circuit breaker: all its attempts would count there as one, and hold it while they wait; " +
          "put retry before circuit breaker"
      ])
      const [problem] = yield* problemsOf([Policy.retry(), Policy.deadline("20 seconds")])
      assert.include(problem, "deadline stands inside of retry: it would bound a part of the call")
      const [hedged] = yield* problemsOf([
        Policy.attemptTimeout("12 seconds"),
        Policy.hedge(yield* Hedge.make({ name: "openai", delay: "2 seconds" }))
      ])
      assert.include(hedged, "hedge stands inside of attempt timeout")
    })
  )

  it.effect("names every step that stands in the wrong place or twice, and contradictions besides", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const problems = yield* problemsOf([
        Policy.attemptTimeout("12 seconds"),
        Policy.breaker(breaker),
        Policy.bulkhead(Turnstile.make("places")),
        Policy.deadline("3 seconds"),
        Policy.deadline("4 seconds")
      ])
      assert.lengthOf(problems, 5)
      assert.include(problems[3], "deadline stands twice; keep one of them")
      assert.include(problems[4], "lower attemptTimeout, or raise the deadline")
    })
  )

  it.effect("answers with the fallback, outermost, which the types show", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.compose("openai", [
        Policy.fallback((error: Upstream | Rejection) => Effect.succeed(`without (${error._tag})`)),
        Policy.attemptTimeout("12 seconds")
      ])
      const answer: Effect.Effect<string> = policy.protect(Effect.fail(new Upstream()))
      assert.strictEqual(yield* answer, "without (Upstream)")
      assert.strictEqual(yield* policy.protect(Effect.succeed(1)), 1)
      assert.match(policy.describe, /^fallback > attempt timeout 12s/)
      const understood: Understood<typeof policy> extends Upstream ? true : false = true
      assert.isTrue(understood, "an effect with other errors does not fit")
    })
  )

  it.effect("refuses a fallback whose answers would pass for the dependency's own", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const inside = Policy.fallback(() => Effect.succeed("less"))
      // @ts-expect-error a fallback can only stand first
      const misplaced = Policy.compose("openai", [Policy.breaker(breaker), inside])
      const { message } = yield* Effect.flip(misplaced)
      assert.include(
        message,
        "fallback stands inside of circuit breaker: its answers would pass for the dependency's own"
      )
      assert.include(message, "put fallback before circuit breaker")
    })
  )
})

describe("Policy and contradictions", () => {
  const problem = (options: Omit<Policy.Options, "name">) =>
    Effect.map(Effect.flip(Policy.make({ name: "openai", ...options })), ({ problems }) => problems.join("; "))

  it.effect("a hedge must begin while the attempt that it helps is on its way", () =>
    Effect.gen(function* () {
      const hedge = yield* Hedge.make({ name: "openai", delay: "2 seconds" })
      assert.include(
        yield* problem({ hedge, attemptTimeout: "2 seconds" }),
        "lower the hedge's delay, or raise attemptTimeout"
      )
      assert.include(yield* problem({ hedge, deadline: "1 second" }), "lower the hedge's delay, or raise the deadline")
    })
  )

  it.effect("one budget is for all that is done more than once, and for something", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ name: "shared", window: "5 seconds" })
      const other = yield* RetryBudget.make({ name: "other" })
      const hedge = yield* Hedge.make({ name: "openai", delay: "2 seconds" })
      const own = yield* Hedge.make({ name: "openai", delay: "2 seconds", budget: other })
      assert.include(yield* problem({ hedge, retryBudget: budget }), "make the hedge with the same budget")
      assert.include(yield* problem({ hedge: own, retryBudget: budget }), "the hedge has another budget")
      assert.include(yield* problem({ retryBudget: budget }), "give retry or hedge as well, or leave it out")
      assert.include(
        yield* problem({ retryBudget: budget, retry: { maxDelay: "6 seconds" } }),
        "lower retry.maxDelay, or raise the budget's window"
      )
    })
  )
})
