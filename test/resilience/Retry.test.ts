import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as CircuitBreakers from "../../src/resilience/CircuitBreakers.js"
import * as Backoff from "../../src/resilience/kernel/Backoff.js"
import { AttemptTimeout, BulkheadFull, DeadlineExceeded, isRejection } from "../../src/resilience/Rejection.js"
import * as Retry from "../../src/resilience/Retry.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"

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

const causeOf = <E>(exit: Exit.Exit<unknown, E>): Cause.Cause<E> =>
  Exit.isFailure(exit) ? exit.cause : assert.fail("the call succeeded")

const lastError = <E>(exit: Exit.Exit<unknown, E>): E | undefined =>
  Option.getOrUndefined(Cause.failureOption(causeOf(exit)))

const timesOf = <E>(error: E, options?: Retry.Options) =>
  Effect.map(attemptsOf(Effect.fail(error), options), ({ times }) => times)

describe("Retry with default options", () => {
  it.effect("makes three attempts, the second after one second and the third two seconds later", () =>
    Effect.gen(function* () {
      const { exit, times } = yield* attemptsOf(Effect.fail("down"))
      assert.deepStrictEqual(times, [0, 1_000, 3_000])
      assert.strictEqual(lastError(exit), "down")
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
      const breaks = (): never => {
        throw new Error("broken predicate")
      }
      for (const broken of [{ isRetryable: breaks }, { retryAfter: breaks }]) {
        const { exit, times } = yield* attemptsOf(Effect.fail("down"), broken)
        assert.deepStrictEqual(exit, Exit.fail("down"))
        assert.lengthOf(times, 1)
      }
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

  it.effect("obeys a dependency that asks for no further attempt, whatever else says that it may pass", () =>
    Effect.gen(function* () {
      const pushedBack = { isRetryable: true, retryAfter: "never" }
      assert.lengthOf(yield* timesOf(pushedBack), 1)
      assert.lengthOf(yield* timesOf(pushedBack, { isRetryable: () => true }), 1)
      assert.lengthOf(yield* timesOf({ ...pushedBack, retryAfter: "soon" }), 3)
    })
  )

  it.effect("reads a pushback where the caller says that it stands", () =>
    Effect.gen(function* () {
      /** As gRPC sends it: milliseconds to wait, or a negative number for no further attempt. */
      const retryAfter = (error: unknown) => {
        const millis = Number(
          (error as { readonly metadata: Record<string, string> }).metadata["grpc-retry-pushback-ms"]
        )
        return millis >= 0 ? Duration.millis(millis) : "never"
      }
      const pushback = (millis: string) => ({ metadata: { "grpc-retry-pushback-ms": millis } })
      assert.deepStrictEqual(yield* timesOf(pushback("2500"), { retryAfter, maxAttempts: 2 }), [0, 2_500])
      assert.lengthOf(yield* timesOf(pushback("-1"), { retryAfter }), 1)
      assert.lengthOf(yield* timesOf(pushback("unreadable"), { retryAfter }), 1)
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
      assert.lengthOf(yield* timesOf(slow, { isRetryable: () => false }), 1)
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

  it.effect("waits exactly as long as its schedule does under Effect.retry, whatever the jitter", () =>
    Effect.gen(function* () {
      for (const jitter of ["none", "full", "equal", "decorrelated"] as const) {
        const options = { jitter, maxAttempts: 8, initialDelay: 50, maxDelay: 5_000 }
        const retried = (retry: <A, E>(call: Effect.Effect<A, E>) => Effect.Effect<A, E>) =>
          Effect.gen(function* () {
            const times: Array<number> = []
            const start = yield* Clock.currentTimeMillis
            const call = Effect.flatMap(Clock.currentTimeMillis, (now) => {
              times.push(now - start)
              return Effect.fail(new Upstream({ message: "busy", retryAfter: Duration.millis(times.length * 40) }))
            })
            const fiber = yield* Effect.fork(Effect.exit(retry(call)))
            yield* TestClock.adjust("1 minute")
            yield* Fiber.join(fiber)
            return times
          }).pipe(Effect.withRandom(Random.make(`seed of ${jitter}`)))
        const own = yield* retried(Retry.withRetry(options))
        assert.lengthOf(own, 8)
        assert.deepStrictEqual(yield* retried((call) => Effect.retry(call, Retry.schedule(options))), own)
      }
    })
  )

  it("refuses its options, or never computes a delay that is not between zero and maxDelay", () => {
    const anyNumber = FastCheck.oneof(
      FastCheck.double(),
      FastCheck.integer({ min: 0, max: 10_000 }),
      FastCheck.constantFrom(0, 1, 2, 2 ** 31 - 1, 2 ** 31, Number.MAX_VALUE, Infinity, -0)
    )
    let accepted = 0
    FastCheck.assert(
      FastCheck.property(
        FastCheck.record({ initialDelay: anyNumber, maxDelay: anyNumber, backoffMultiplier: anyNumber }),
        FastCheck.constantFrom(...(["none", "full", "equal", "decorrelated"] as const)),
        FastCheck.integer({ min: 1, max: 1_000_000 }),
        FastCheck.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (options, jitter, attempt, random) => {
          const settings = Retry.settingsOf({ ...options, jitter })
          if (Either.isLeft(settings)) return
          accepted += 1
          const { backoff } = settings.right
          let previous = backoff.initialDelay
          for (const number of [1, 2, 3, attempt, 1_000_000]) {
            const delay = Backoff.delayAfter(backoff, number, previous, random)
            assert.isTrue(Number.isInteger(delay) && delay >= 0 && delay <= Math.ceil(options.maxDelay), String(delay))
            previous = delay
          }
        }
      ),
      { numRuns: 3_000 }
    )
    assert.isAbove(accepted, 100)
  })

  it.effect("steps the same from options that were read before, as from the options", () =>
    Effect.gen(function* () {
      const options: Retry.Options = { maxAttempts: 4, initialDelay: 300, maxDelay: 900, jitter: "decorrelated" }
      const settings = yield* Retry.settingsOf(options)
      const delays = (schedule: ReturnType<typeof Retry.schedule>) =>
        Effect.withRandom(Schedule.run(schedule, 0, ["down", "down", "down", "down"]), Random.make("seed"))
      const own = Array.from(yield* delays(Retry.scheduleOf(settings)), Duration.toMillis)
      assert.deepStrictEqual(own, Array.from(yield* delays(Retry.schedule(options)), Duration.toMillis))
      // Three retries after four attempts; the fourth failure is the last.
      assert.lengthOf(own, 4)
      assert.strictEqual(own[3], 0)
    })
  )

  it.effect("either of its delays follows the other where that is given alone", () =>
    Effect.gen(function* () {
      const delays = (options: Retry.Options) =>
        Effect.map(Retry.settingsOf(options), ({ backoff }) => [backoff.initialDelay, backoff.maxDelay])
      assert.deepStrictEqual(yield* delays({}), [1_000, 10_000])
      assert.deepStrictEqual(yield* delays({ maxDelay: "500 millis" }), [500, 500])
      assert.deepStrictEqual(yield* delays({ maxDelay: 0 }), [0, 0])
      assert.deepStrictEqual(yield* delays({ initialDelay: "1 minute" }), [60_000, 60_000])
      const unreadable = yield* Effect.flip(delays({ maxDelay: "soon" as never }))
      assert.deepStrictEqual(unreadable.problems, [
        'maxDelay is "soon"; give a duration of at least zero and at most 24 days'
      ])
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
      assert.instanceOf(yield* refused, Retry.RetryConfigurationError)
      const { message, problems } = yield* refused
      assert.lengthOf(problems, 4)
      assert.include(message, "maxDelay is shorter than initialDelay")
      assert.throws(() => Retry.schedule({ retryableErrors: [{ message: "" }] }), /matches everything/)
      assert.throws(() => Retry.schedule({ retryableErrors: [], isRetryable: () => true }), /leave one of them out/)
      assert.throws(() => Retry.schedule({ maxAttempts: 0 }), /maxAttempts is 0/)
      // As it comes from a configuration that no compiler has read.
      assert.throws(
        () => Retry.schedule({ jitter: "Full" as never }),
        /jitter is "Full"; give one of "none", "full", "equal", "decorrelated"/
      )
      const exit = yield* Effect.exit(Retry.withRetry(Effect.fail("down"), { maxAttempts: 0 }))
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
    })
  )
})

/** Fails by the script, one step an attempt. */
const scripted = <A, E>(...steps: ReadonlyArray<Effect.Effect<A, E>>): Effect.Effect<A, E> => {
  let next = 0
  return Effect.suspend(() => steps[next++]!)
}

describe("Retry and the attempts that failed before", () => {
  const three = scripted<never, string>(Effect.fail("first"), Effect.fail("second"), Effect.fail("third"))

  it.effect("keeps their errors in the cause, in order", () =>
    Effect.gen(function* () {
      const cause = causeOf((yield* attemptsOf(three)).exit)
      assert.deepStrictEqual(Retry.attemptErrors(cause), ["first", "second", "third"])
      assert.deepStrictEqual(
        cause,
        Cause.sequential(Cause.fail("third"), Cause.sequential(Cause.fail("second"), Cause.fail("first")))
      )
    })
  )

  it.effect("lets every handler of errors see the last one", () =>
    Effect.gen(function* () {
      const failing = () =>
        Retry.withRetry(
          scripted<never, Upstream | "first">(Effect.fail("first"), Effect.fail(new Upstream({ message: "last" }))),
          { maxAttempts: 2, initialDelay: 0 }
        )
      const message = (error: Upstream | "first") => (error === "first" ? error : error.message)
      const seen = yield* Effect.all([
        Effect.catchTag(failing(), "Upstream", (error) => Effect.succeed(error.message)),
        Effect.catchAll(failing(), (error) => Effect.succeed(message(error))),
        Effect.map(Effect.either(failing()), (either) => (Either.isLeft(either) ? message(either.left) : "right")),
        Effect.map(Effect.flip(failing()), message),
        Effect.catchAll(Effect.mapError(failing(), message), Effect.succeed),
        Effect.catchAllCause(failing(), (cause) => Effect.succeed((Cause.squash(cause) as Upstream).message))
      ]).pipe(Effect.fork, Effect.tap(TestClock.adjust("1 second")), Effect.flatMap(Fiber.join))
      assert.deepStrictEqual(new Set(seen), new Set(["last"]))
      const none = yield* Effect.option(failing()).pipe(Effect.fork, Effect.tap(TestClock.adjust("1 second")))
      assert.isTrue(Option.isNone(yield* Fiber.join(none)))
    })
  )

  it.effect("adds nothing to the cause of a call that was attempted once", () =>
    Effect.gen(function* () {
      const finalized = Effect.ensuring(Effect.fail("down"), Effect.die("broken finalizer"))
      const { exit } = yield* attemptsOf(finalized, { maxAttempts: 1 })
      assert.deepStrictEqual(causeOf(exit), Cause.sequential(Cause.fail("down"), Cause.die("broken finalizer")))
      assert.deepStrictEqual(Retry.attemptErrors(causeOf(exit)), ["down"])
      const refused = yield* attemptsOf(Effect.fail({ isRetryable: false }))
      assert.deepStrictEqual(refused.exit, Exit.fail({ isRetryable: false }))
    })
  )

  it.effect("keeps what else the last attempt ended in, and of the others their errors alone", () =>
    Effect.gen(function* () {
      const stopping = (error: string, other: number) =>
        Effect.failCause(Cause.parallel(Cause.fail(error), Cause.interrupt(FiberId.make(other, 0))))
      const { exit } = yield* attemptsOf(scripted<never, string>(stopping("first", 1), stopping("second", 2)), {
        maxAttempts: 2
      })
      assert.deepStrictEqual([...Cause.interruptors(causeOf(exit))], [FiberId.make(2, 0)])
      assert.deepStrictEqual(Retry.attemptErrors(causeOf(exit)), ["first", "second"])
    })
  )

  it.effect("shows a defect beside an error, and does not try again", () =>
    Effect.gen(function* () {
      const broken = Effect.ensuring(Effect.fail("second"), Effect.die("broken finalizer"))
      const { exit } = yield* attemptsOf(scripted<never, string>(Effect.fail("first"), broken, Effect.fail("third")))
      assert.deepStrictEqual([...Cause.defects(causeOf(exit))], ["broken finalizer"])
      assert.deepStrictEqual(Retry.attemptErrors(causeOf(exit)), ["first", "second"])
    })
  )

  it.effect("forgets those before the last sixteen", () =>
    Effect.gen(function* () {
      for (const maxAttempts of [15, 16, 17, 40]) {
        let attempt = 0
        const { exit } = yield* attemptsOf(
          Effect.failSync(() => ++attempt),
          { maxAttempts, initialDelay: 1, maxDelay: 1 }
        )
        const first = Math.max(0, maxAttempts - 16) + 1
        assert.deepStrictEqual(
          Retry.attemptErrors(causeOf(exit)),
          Array.from({ length: maxAttempts - first + 1 }, (_, index) => first + index)
        )
        assert.strictEqual(lastError(exit), maxAttempts)
      }
    })
  )

  it.effect("leaves a defect and an interruption of a later attempt what they are", () =>
    Effect.gen(function* () {
      const died = yield* attemptsOf(scripted<never, string>(Effect.fail("first"), Effect.die("bug")))
      assert.deepStrictEqual(died.exit, Exit.die("bug"))
      assert.isEmpty(Retry.attemptErrors(causeOf(died.exit)))
      const left = yield* attemptsOf(scripted<never, string>(Effect.fail("first"), Effect.interrupt))
      assert.isTrue(Cause.isInterruptedOnly(causeOf(left.exit)))
    })
  )

  it.effect("ends in nothing but an interruption when it is interrupted while it waits", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Retry.withRetry(Effect.fail("down")))
      yield* TestClock.adjust(1_500)
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
    })
  )
})

describe("Retry with a budget", () => {
  /** Two retries, and nothing for calls. */
  const two = RetryBudget.make({ name: "upstream", ratio: 0, minPerSecond: 0.2 })
  const spend = (budget: RetryBudget.RetryBudget, count: number) => Effect.replicateEffect(budget.withdraw, count)

  it.effect("pays in once a call and is charged once a retry", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ name: "upstream" })
      const call = scripted<string, string>(Effect.fail("first"), Effect.fail("second"), Effect.succeed("up"))
      const fiber = yield* Effect.fork(Retry.withRetry(call, {}, budget))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "up")
      assert.deepInclude(yield* budget.status, { calls: 1, retries: 2 })
    })
  )

  it.effect("fails with the error and its history when the budget is spent, without waiting", () =>
    Effect.gen(function* () {
      const budget = yield* two
      yield* spend(budget, 1)
      const call = scripted<never, string>(Effect.fail("first"), Effect.fail("second"))
      const fiber = yield* call.pipe(Retry.withRetry({ maxAttempts: 5 }, budget), Effect.fork)
      yield* TestClock.adjust("1 second")
      const cause = causeOf(fiber.unsafePoll() ?? assert.fail("it waits for a retry that it must not make"))
      const error = Option.getOrThrow(Cause.failureOption(cause))
      if (typeof error === "string") return assert.fail(`the error is ${error}`)
      assert.deepInclude(error, { _tag: "RetryBudgetExhausted", policy: "upstream", reason: "budget", error: "second" })
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(2))
      assert.include(error.message, `The retry budget of "upstream" is spent; try again in 2 s`)
      assert.isTrue(isRejection(error))
      assert.deepStrictEqual(Retry.attemptErrors(cause), ["first", "second"])
      assert.deepInclude(yield* budget.status, { retries: 2, refused: 1 })
    })
  )

  it.effect("forgets those before the last sixteen also when the budget ends the call", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ name: "upstream", ratio: 0, minPerSecond: 2 })
      let attempt = 0
      const retry = { maxAttempts: 40, initialDelay: 1, maxDelay: 1 }
      const call = Retry.withRetry(
        Effect.failSync(() => ++attempt),
        retry,
        budget
      )
      const { exit } = yield* attemptsOf(call)
      assert.strictEqual(attempt, 21)
      assert.deepStrictEqual(
        Retry.attemptErrors(causeOf(exit)),
        Array.from({ length: 16 }, (_, index) => 6 + index)
      )
    })
  )

  it.effect("never holds up the first attempt", () =>
    Effect.gen(function* () {
      const budget = yield* two
      yield* spend(budget, 5)
      assert.strictEqual(yield* Retry.withRetry(Effect.succeed("up"), {}, budget), "up")
      const exit = yield* Effect.exit(Retry.withRetry(Effect.fail({ isRetryable: false }), {}, budget))
      assert.deepStrictEqual(exit, Exit.fail({ isRetryable: false }))
      assert.deepInclude(yield* budget.status, { calls: 2, refused: 3 })
    })
  )

  it.effect("is not retried from outside when its budget is spent", () =>
    Effect.gen(function* () {
      const budget = yield* two
      yield* spend(budget, 2)
      const { exit, times } = yield* attemptsOf(Retry.withRetry(Effect.fail("down"), {}, budget))
      assert.lengthOf(times, 1)
      assert.deepStrictEqual(Retry.attemptErrors(causeOf(exit)), ["down"])
    })
  )

  it.effect("gets the charge back when the wait is interrupted, and keeps it when the attempt is", () =>
    Effect.gen(function* () {
      const budget = yield* two
      const call = scripted<never, string>(Effect.fail("first"), Effect.never, Effect.never)
      const waiting = yield* Effect.fork(Retry.withRetry(call, {}, budget))
      yield* TestClock.adjust(999)
      assert.strictEqual((yield* budget.status).retries, 1)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual((yield* budget.status).retries, 0)

      const again = scripted<never, string>(Effect.fail("first"), Effect.never)
      const running = yield* Effect.fork(Retry.withRetry(again, {}, budget))
      yield* TestClock.adjust(1_000)
      yield* Fiber.interrupt(running)
      assert.strictEqual((yield* budget.status).retries, 1)
    })
  )

  it.effect("gets the charge back when what runs before the wait breaks", () =>
    Effect.gen(function* () {
      const budget = yield* two
      const schedule = Retry.schedule({ initialDelay: 0 })
      const before = () => Effect.die("broken listener")
      const exit = yield* Effect.exit(Retry.drive(() => Effect.fail("down"), { schedule, budget, before }))
      assert.deepStrictEqual(exit, Exit.die("broken listener"))
      assert.strictEqual((yield* budget.status).retries, 0)
    })
  )

  it.effect("is not charged for a retry that could not begin in time", () =>
    Effect.gen(function* () {
      const budget = yield* two
      const inTime = ({ attempt, delay }: Retry.Scheduled<string>) =>
        Effect.succeed(attempt === 1 && Duration.toMillis(delay) === 1_000)
      const call = scripted<never, string>(Effect.fail("first"), Effect.fail("second"))
      const fiber = yield* Effect.fork(Retry.drive(() => call, { schedule: Retry.schedule(), budget, inTime }))
      yield* TestClock.adjust("1 second")
      const cause = causeOf(fiber.unsafePoll() ?? assert.fail("it waits in vain"))
      assert.deepStrictEqual(Retry.attemptErrors(cause), ["first", "second"])
      assert.deepStrictEqual(Cause.failureOption(cause), Option.some("second"))
      assert.deepInclude(yield* budget.status, { retries: 1, refused: 0 })
    })
  )

  it.effect("refuses a delay longer than the window, in which its charge would be forgotten", () =>
    Effect.gen(function* () {
      const budget = yield* two
      const exit = yield* Effect.exit(Retry.withRetry(Effect.fail("down"), { maxDelay: 10_001 }, budget))
      const [defect] = [...Cause.defects(causeOf(exit))]
      assert.include(String(defect), 'maxDelay is longer than the window of the budget "upstream" (10000 ms)')
      assert.isTrue(Either.isRight(Retry.settingsOf({ maxDelay: 10_000 }, budget)))
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
