/** Policies inside of policies, budgets, hedges, and listeners that misbehave. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Hedge from "../../src/resilience/Hedge.js"
import * as Policy from "../../src/resilience/Policy.js"
import * as Retry from "../../src/resilience/Retry.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"
import * as Timeout from "../../src/resilience/Timeout.js"

/** Runs a call to its end in virtual time. */
const play = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.exit(call))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

const errorOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isFailure(exit) ? Retry.attemptErrors(exit.cause).at(-1) : assert.fail("the call has not failed")

describe("Policy inside of a policy", () => {
  /** An outer policy around an inner one; `calls` counts how often the outer makes its call. */
  const nested = (inner: Omit<Policy.Options, "name">) =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "feature", failureThreshold: 1 })
      const outer = yield* Policy.make({ name: "feature", breaker, retry: { maxAttempts: 3 } })
      const policy = yield* Policy.make({ name: "openai", ...inner })
      let calls = 0
      const call = <A, E>(self: Effect.Effect<A, E>) =>
        outer.protect(
          Effect.suspend(() => {
            calls += 1
            return policy.protect(self, { idempotent: true })
          }),
          { idempotent: true }
        )
      return { breaker, call, calls: () => calls }
    })

  /** The inner policy rejects in the way of that name; the outer one must neither count it nor try again. */
  const rejects = (
    tag: string,
    inner: Effect.Effect<Omit<Policy.Options, "name">, unknown>,
    self: Effect.Effect<string, string>
  ) =>
    it.effect(`neither counts nor retries the ${tag} of the inner one`, () =>
      Effect.gen(function* () {
        const { breaker, call, calls } = yield* nested(yield* inner)
        const exit = yield* play(call(self))
        const error = Exit.isFailure(exit) && exit.cause._tag !== "Die" ? yield* Effect.flip(exit) : undefined
        assert.propertyVal(error, "_tag", tag)
        assert.propertyVal(error, "policy", "openai")
        assert.strictEqual(calls(), 1)
        assert.deepInclude(yield* breaker.status, { state: "closed", failures: 0 })
      }).pipe(Effect.orDie)
    )

  rejects(
    "CircuitOpen",
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* breaker.force("open")
      return { breaker }
    }),
    Effect.succeed("up")
  )
  rejects(
    "BulkheadFull",
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ name: "openai", maxConcurrent: 1 })
      yield* Effect.fork(Bulkhead.withBulkhead(Effect.never, bulkhead))
      yield* Effect.yieldNow()
      return { bulkhead }
    }),
    Effect.succeed("up")
  )
  rejects("AttemptTimeout", Effect.succeed({ attemptTimeout: "2 seconds", retry: { maxAttempts: 2 } }), Effect.never)
  rejects("DeadlineExceeded", Effect.succeed({ deadline: "2 seconds" }), Effect.never)
  rejects(
    "RetryBudgetExhausted",
    Effect.gen(function* () {
      const retryBudget = yield* RetryBudget.make({ name: "openai", ratio: 0.1, minPerSecond: 0 })
      return { retry: {}, retryBudget }
    }),
    Effect.fail("down")
  )

  it.effect("retries and counts the dependency's own errors, which say the same to both", () =>
    Effect.gen(function* () {
      const { breaker, call, calls } = yield* nested({})
      const exit = yield* play(call(Effect.fail("down")))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(calls(), 1, "the breaker has opened after the first")
      assert.strictEqual((yield* breaker.status).failures, 1)
    })
  )

  it.effect("neither counts nor retries a time limit inside of the inner one, whatever that one is made of", () =>
    Effect.gen(function* () {
      const self = Timeout.withTimeout(Effect.never, { name: "openai", limit: "2 seconds" })
      const inner = [{}, { breaker: yield* CircuitBreaker.make({ name: "openai" }) }, { onEvent: () => Effect.void }]
      for (const options of inner) {
        const { breaker, call, calls } = yield* nested(options)
        assert.propertyVal(errorOf(yield* play(call(self))), "settled", true)
        assert.strictEqual(calls(), 1)
        assert.deepInclude(yield* breaker.status, { state: "closed", failures: 0 })
      }
    })
  )

  it.effect("a policy counts and retries its own timed-out attempts", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const policy = yield* Policy.make({ name: "openai", attemptTimeout: "2 seconds", retry: {}, breaker })
      const exit = yield* play(policy.protect(Effect.never, { idempotent: true }))
      assert.propertyVal(errorOf(exit), "settled", true)
      assert.strictEqual((yield* breaker.status).failures, 3)
    })
  )
})

describe("Policy with a budget and a hedge", () => {
  it.effect("counts every call, retries as far as the budget goes, and then says why it stopped", () =>
    Effect.gen(function* () {
      const retryBudget = yield* RetryBudget.make({ name: "openai", ratio: 0.5, minPerSecond: 0 })
      const policy = yield* Policy.make({ name: "openai", retry: { maxDelay: 1, initialDelay: 1 }, retryBudget })
      let attempts = 0
      const call = Effect.suspend(() => {
        attempts += 1
        return Effect.fail("down")
      })
      // Two calls that are not retried pay for the first retry of the third.
      for (let paid = 0; paid < 2; paid++) yield* Effect.exit(policy.protect(call))
      const fiber = yield* Effect.fork(Effect.exit(policy.protect(call, { idempotent: true })))
      yield* TestClock.adjust(10)
      const exit = yield* Fiber.join(fiber)
      assert.strictEqual(attempts, 4)
      const error = Exit.isFailure(exit) ? yield* Effect.flip(exit) : undefined
      assert.deepInclude(error, { _tag: "RetryBudgetExhausted", policy: "openai", error: "down" })
      assert.deepInclude(yield* retryBudget.status, { calls: 3, retries: 1 })
    })
  )

  it.effect("keeps the errors of all attempts", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "openai", retry: { maxAttempts: 3 } })
      let attempts = 0
      const exit = yield* play(
        policy.protect(
          Effect.suspend(() => Effect.fail((attempts += 1))),
          { idempotent: true }
        )
      )
      assert.deepStrictEqual(Exit.isFailure(exit) ? Retry.attemptErrors(exit.cause) : [], [1, 2, 3])
    })
  )

  it.effect("hedges idempotent calls only, inside of one permit and one attempt, while the circuit is closed", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "search" })
      const bulkhead = yield* Bulkhead.make({ name: "search", maxConcurrent: 1 })
      const hedge = yield* Hedge.make({ name: "search", delay: 100 })
      const events: Array<Policy.Event> = []
      const policy = yield* Policy.make({
        name: "search",
        breaker,
        bulkhead,
        hedge,
        attemptTimeout: "1 second",
        onEvent: (event) => Effect.sync(() => void events.push(event))
      })
      const slowFirst = () => {
        let begun = 0
        return Effect.suspend(() => ((begun += 1) === 1 ? Effect.never : Effect.succeed(begun)))
      }
      assert.deepStrictEqual(yield* play(policy.protect(slowFirst(), { idempotent: true })), Exit.succeed(2))
      assert.deepStrictEqual(
        events.map((event) => event._tag),
        ["AttemptEnded", "CallEnded"]
      )
      const alone = yield* play(policy.protect(slowFirst()))
      assert.propertyVal(errorOf(alone), "_tag", "AttemptTimeout")
      assert.deepInclude(yield* hedge.status, { calls: 1, hedges: 1, won: 1 })
      assert.strictEqual((yield* breaker.status).failures, 1)
    })
  )

  it.effect("pays once a call into the budget of its hedge, where it has none of its own", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ name: "search", ratio: 0.5, minPerSecond: 0 })
      const hedge = yield* Hedge.make({ name: "search", delay: 100, budget })
      const policy = yield* Policy.make({ name: "search", hedge, retry: { maxAttempts: 2, initialDelay: 10 } })
      const call = Effect.delay(Effect.fail("down"), 50)
      // Not hedged, but they pay for those who are; each attempt of the third is made for one and the same call.
      for (let paid = 0; paid < 2; paid++) yield* policy.protect(Effect.void)
      const fiber = yield* Effect.fork(Effect.exit(policy.protect(call, { idempotent: true })))
      yield* TestClock.adjust(1_000)
      yield* Fiber.join(fiber)
      assert.deepInclude(yield* budget.status, { calls: 3 })
    })
  )
})

describe("Policy and listeners that misbehave", () => {
  it.effect("is not held up by a listener that hangs, and lets only so many of them wait", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => logged.push(String(message)))
      let heard = 0
      const policy = yield* Effect.provide(
        Policy.make({
          name: "openai",
          onEvent: () =>
            Effect.suspend(() => {
              heard += 1
              return Effect.never
            })
        }),
        Logger.replace(Logger.defaultLogger, logger)
      )
      // No time passes: whoever waited for the listener would wait here for ever.
      for (let call = 0; call < 100; call++) assert.strictEqual(yield* policy.protect(Effect.succeed("up")), "up")
      assert.strictEqual(heard, 64)
      assert.lengthOf(logged, 1)
      assert.include(logged[0], 'The event listener of policy "openai" hangs; events are lost')
    })
  )

  it.effect("hears again when what it waited for has come", () =>
    Effect.gen(function* () {
      let heard = 0
      const policy = yield* Policy.make({
        name: "openai",
        onEvent: () =>
          Effect.delay(
            Effect.sync(() => (heard += 1)),
            "1 second"
          )
      })
      for (let call = 0; call < 40; call++) yield* policy.protect(Effect.succeed("up"))
      assert.strictEqual(heard, 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(heard, 64)
      yield* policy.protect(Effect.succeed("up"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(heard, 66)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )

  it.effect("goes on with what it does when the call is interrupted", () =>
    Effect.gen(function* () {
      let heard = 0
      const policy = yield* Policy.make({
        name: "openai",
        onEvent: () =>
          Effect.delay(
            Effect.sync(() => (heard += 1)),
            "1 second"
          )
      })
      const fiber = yield* Effect.fork(policy.protect(Effect.never))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(heard, 2)
    })
  )
})
