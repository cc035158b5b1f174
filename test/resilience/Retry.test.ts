import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import * as CircuitBreakers from "../../src/resilience/CircuitBreakers.js"
import { AttemptTimeout, BulkheadFull, DeadlineExceeded } from "../../src/resilience/Rejection.js"
import * as Retry from "../../src/resilience/Retry.js"

class Upstream extends Data.TaggedError("Upstream")<{
  readonly status?: number
  readonly code?: string
  readonly isRetryable?: boolean
  readonly retryAfter?: Duration.Duration | undefined
  readonly message: string
}> {}

/** Runs a call that always ends so, under a retry, and says how many milliseconds later it was attempted. */
const attemptsOf = <E>(call: Effect.Effect<never, E>, options?: Retry.Options) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const start = yield* Clock.currentTimeMillis
    const attempt = Effect.zipRight(
      Effect.map(Clock.currentTimeMillis, (now) => times.push(now - start)),
      call
    )
    const fiber = yield* Effect.fork(Retry.withRetry(attempt, options))
    yield* TestClock.adjust("1 day")
    const exit = yield* Fiber.await(fiber)
    return { times, exit }
  })

const timesOf = <E>(error: E, options?: Retry.Options) =>
  Effect.map(attemptsOf(Effect.fail(error), options), ({ times }) => times)

describe("Retry with default options", () => {
  it.effect("makes three attempts, the second after one second and the third two seconds later", () =>
    Effect.gen(function* () {
      const { exit, times } = yield* attemptsOf(Effect.fail("down"))
      assert.deepStrictEqual(times, [0, 1_000, 3_000])
      assert.deepStrictEqual(exit, Exit.fail("down"))
    })
  )

  it.effect("does not make the second attempt a millisecond sooner", () =>
    Effect.gen(function* () {
      let attempts = 0
      const call = Effect.suspend(() => (++attempts < 2 ? Effect.fail("down") : Effect.succeed("up")))
      const fiber = yield* Effect.fork(Retry.retryWithBackoff(call))
      yield* TestClock.adjust(999)
      assert.strictEqual(attempts, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(fiber), "up")
    })
  )
})

describe("Retry and what is worth another attempt", () => {
  it.effect("retries neither defects nor interruptions", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* attemptsOf(Effect.die("bug"))).times, [0])
      const { exit, times } = yield* attemptsOf(Effect.uninterruptible(Effect.interrupt))
      assert.isTrue(Exit.isInterrupted(exit))
      assert.lengthOf(times, 1)
    })
  )

  it.effect("stops at once when it is interrupted while it waits", () =>
    Effect.gen(function* () {
      let attempts = 0
      const fiber = yield* Effect.fork(Retry.withRetry(Effect.failSync(() => ++attempts)))
      yield* TestClock.adjust(500)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      yield* TestClock.adjust("1 day")
      assert.strictEqual(attempts, 1)
    })
  )

  it.effect("fails with the error itself when a predicate breaks", () =>
    Effect.gen(function* () {
      const isRetryable = (): boolean => {
        throw new Error("broken predicate")
      }
      const { exit, times } = yield* attemptsOf(Effect.fail("down"), { isRetryable })
      assert.deepStrictEqual(exit, Exit.fail("down"))
      assert.lengthOf(times, 1)
    })
  )

  it.effect("believes an error that says whether it may pass", () =>
    Effect.gen(function* () {
      const retryableErrors = [{ status: 503 }]
      const quota = new Upstream({ status: 503, isRetryable: false, message: "quota used up" })
      const glitch = new Upstream({ status: 400, isRetryable: true, message: "odd" })
      assert.lengthOf(yield* timesOf(quota, { retryableErrors }), 1)
      assert.lengthOf(yield* timesOf(glitch, { retryableErrors }), 3)
      assert.lengthOf(yield* timesOf(quota, { isRetryable: () => true }), 3)
    })
  )

  it.effect("matches retryable errors by status, code and message, each that is given", () =>
    Effect.gen(function* () {
      const retryableErrors: ReadonlyArray<Retry.RetryableError> = [
        { status: 500 },
        { code: "ECONNRESET" },
        { message: "timeout" },
        { status: 409, code: "lock_timeout" }
      ]
      const count = (error: unknown) => Effect.map(timesOf(error, { retryableErrors }), (times) => times.length)
      assert.strictEqual(yield* count(new Upstream({ status: 500, message: "" })), 3)
      assert.strictEqual(yield* count({ statusCode: 500 }), 3)
      assert.strictEqual(yield* count({ cause: { code: "ECONNRESET" } }), 3)
      assert.strictEqual(yield* count(new Error("Request Timeout")), 3)
      assert.strictEqual(yield* count("connect timeout"), 3)
      assert.strictEqual(yield* count({ status: 409, code: "lock_timeout" }), 3)
      assert.strictEqual(yield* count({ status: 409 }), 1)
      assert.strictEqual(yield* count(new Upstream({ status: 404, message: "no such model" })), 1)
      assert.strictEqual(yield* count(undefined), 1)
    })
  )

  it.effect("never retries a rejection of ours, except a timed-out attempt", () =>
    Effect.gen(function* () {
      const always = { isRetryable: () => true }
      const full = new BulkheadFull({ policy: "x", reason: "queue-full", retryAfter: undefined })
      const late = new DeadlineExceeded({
        policy: "x",
        reason: "deadline",
        owner: "openai",
        limit: Duration.seconds(1),
        retryAfter: undefined
      })
      const slow = new AttemptTimeout({
        policy: "x",
        reason: "attempt-timeout",
        limit: Duration.seconds(1),
        retryAfter: undefined
      })
      assert.lengthOf(yield* timesOf(full, always), 1)
      assert.lengthOf(yield* timesOf(late, always), 1)
      assert.lengthOf(yield* timesOf(slow, { retryableErrors: [{ status: 500 }] }), 3)
    })
  )
})

describe("Retry and how long it waits", () => {
  it.effect("grows up to the longest delay", () =>
    Effect.gen(function* () {
      const options = { maxAttempts: 6, initialDelay: "3 seconds", backoffMultiplier: 3 } as const
      assert.deepStrictEqual(yield* timesOf("down", options), [0, 3_000, 12_000, 22_000, 32_000, 42_000])
    })
  )

  it.effect("waits as long as the error asks for, but never less than its own delay", () =>
    Effect.gen(function* () {
      const asking = (retryAfter: Duration.Duration) => new Upstream({ message: "busy", retryAfter })
      assert.deepStrictEqual(yield* timesOf(asking(Duration.seconds(7)), { maxAttempts: 2 }), [0, 7_000])
      assert.deepStrictEqual(yield* timesOf(asking(Duration.millis(1)), { maxAttempts: 2 }), [0, 1_000])
    })
  )

  it.effect("fails at once with the hint when the error asks for more than the longest delay", () =>
    Effect.gen(function* () {
      const busy = new Upstream({ message: "busy", retryAfter: Duration.millis(10_001) })
      const { exit, times } = yield* attemptsOf(Effect.fail(busy))
      assert.deepStrictEqual(times, [0])
      assert.deepStrictEqual(exit, Exit.fail(busy))
    })
  )

  it.effect("draws its jitter from Effect's Random, so that a seed repeats the delays", () =>
    Effect.gen(function* () {
      for (const jitter of ["full", "equal", "decorrelated"] as const) {
        const run = Effect.suspend(() =>
          Effect.withRandom(timesOf("down", { jitter, maxAttempts: 5 }), Random.make(`seed of ${jitter}`))
        )
        const first = yield* run
        assert.deepStrictEqual(yield* run, first)
        assert.notDeepEqual(first, [0, 1_000, 3_000, 7_000, 15_000])
      }
    })
  )

  it.effect("is an ordinary schedule that outputs its delays", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const call = Effect.zipRight(
        Effect.map(Clock.currentTimeMillis, (now) => times.push(now)),
        Effect.fail("down")
      )
      const fiber = yield* Effect.fork(Effect.retry(call, Retry.schedule({ maxAttempts: 4 })))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.await(fiber)
      assert.deepStrictEqual(times, [0, 1_000, 3_000, 7_000])
    })
  )

  it.effect("says everything that is wrong with its options", () =>
    Effect.gen(function* () {
      const refused = Either.flip(
        Retry.settingsOf({
          maxAttempts: 0,
          initialDelay: "2 seconds",
          maxDelay: "1 second",
          backoffMultiplier: Number.NaN,
          retryableErrors: [{}]
        })
      )
      const { message, problems } = yield* refused
      assert.lengthOf(problems, 4)
      assert.include(message, "maxDelay is shorter than initialDelay")
      assert.throws(() => Retry.schedule({ maxAttempts: 0 }), /maxAttempts is 0/)
      const exit = yield* Effect.exit(Retry.withRetry(Effect.fail("down"), { maxAttempts: 0 }))
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
    })
  )
})

describe("retryWithCircuitBreaker", () => {
  it.effect("counts each attempt in the breaker of that name and does not retry its open circuit", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const call = Effect.zipRight(
        Effect.map(Clock.currentTimeMillis, (now) => times.push(now)),
        Effect.fail("down" as const)
      )
      const guarded = Retry.retryWithCircuitBreaker("openai", call, { maxAttempts: 4 }, { failureThreshold: 2 })
      const fiber = yield* Effect.fork(Effect.flip(guarded))
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.isTrue(error !== "down" && error._tag === "CircuitOpen")
      assert.deepStrictEqual(times, [0, 1_000])
      const breakers = yield* CircuitBreakers.CircuitBreakers
      assert.lengthOf(yield* breakers.all, 1)
    }).pipe(Effect.provide(CircuitBreakers.layer))
  )
})
