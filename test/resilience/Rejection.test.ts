import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Rejection from "../../src/resilience/Rejection.js"

const policy = "openai"
const retryAfter = Duration.millis(1_200)
const timeout = new Rejection.AttemptTimeout({
  policy,
  reason: "attempt-timeout",
  limit: Duration.seconds(12),
  retryAfter: undefined
})
const all: ReadonlyArray<Rejection.Rejection> = [
  new Rejection.CircuitOpen({ policy, reason: "open", retryAfter }),
  new Rejection.RateLimited({ policy, reason: "wait-too-long", retryAfter }),
  new Rejection.BulkheadFull({ policy, reason: "queue-full", retryAfter: undefined }),
  timeout,
  new Rejection.DeadlineExceeded({
    policy,
    reason: "deadline",
    limit: Duration.seconds(20),
    owner: "request",
    retryAfter: undefined
  }),
  new Rejection.RetryBudgetExhausted({ policy, reason: "budget", retryAfter, error: "down" })
]

describe("a rejection", () => {
  it("says who rejected, why, and in how many whole seconds another try can help", () => {
    assert.deepStrictEqual(
      all.map(({ message }) => message),
      [
        'The circuit of "openai" is open (open); try again in 2 s',
        'The rate limit of "openai" is used up (wait-too-long); try again in 2 s',
        '"openai" is at its limit of concurrent calls (queue-full)',
        'An attempt at "openai" did not finish within 12s',
        'The call of "openai" did not finish within 20s, the deadline of "request"',
        'The retry budget of "openai" is spent; try again in 2 s'
      ]
    )
  })

  it("is told from every other error, also from one that only looks like it", () => {
    assert.isTrue(all.every(Rejection.isRejection))
    for (const other of [new Error("down"), { _tag: "CircuitOpen", policy }, undefined, "CircuitOpen"]) {
      assert.isFalse(Rejection.isRejection(other))
    }
  })

  it("says something about the dependency only where an attempt timed out and nobody has dealt with it", () => {
    assert.deepStrictEqual(all.filter(Rejection.speaksOfDependency), [timeout])
    const settled = new Rejection.AttemptTimeout({ ...timeout, settled: true })
    assert.isFalse(Rejection.speaksOfDependency(settled))
  })
})

describe("Rejection.settle", () => {
  it("marks every timed-out attempt of a failure, with all else as it was", () => {
    const cause = Cause.sequential(Cause.fail(timeout), Cause.parallel(Cause.fail("down"), Cause.fail(timeout)))
    const failures = Array.from(Cause.failures(Rejection.settle<string>(cause)))
    assert.strictEqual(failures.length, 3)
    const [last, down, first] = failures
    assert.strictEqual(down, "down")
    for (const error of [last, first]) {
      assert.instanceOf(error, Rejection.AttemptTimeout)
      assert.strictEqual(error.settled, true)
      assert.deepStrictEqual(error.limit, timeout.limit)
      assert.strictEqual(error.message, timeout.message)
    }
  })

  it("gives a failure without one back untouched", () => {
    const cause = Cause.sequential(Cause.fail(all[0]!), Cause.die(new Error("bug")))
    assert.strictEqual(Rejection.settle(cause), cause)
    const once = Rejection.settle(Cause.fail(timeout))
    assert.strictEqual(Rejection.settle(once), once)
  })
})

describe("Rejection.stackless", () => {
  it.effect("builds an error without frames, and leaves the stacks of others alone", () =>
    Effect.gen(function* () {
      const limit = Error.stackTraceLimit
      const error = Rejection.stackless(() => new Rejection.CircuitOpen({ policy, reason: "open", retryAfter }))
      assert.notInclude(error.stack ?? "", "at ")
      assert.include(new Error("other").stack ?? "", "at ")
      const bug = yield* Effect.flip(
        Effect.try(() =>
          Rejection.stackless(() => {
            throw new Error("bug")
          })
        )
      )
      assert.isDefined(bug)
      assert.strictEqual(Error.stackTraceLimit, limit)
    })
  )
})
