import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import { AttemptTimeout, BulkheadFull, type CircuitOpen } from "../../src/resilience/Rejection.js"

const down = Effect.fail("down" as const)
const up = Effect.succeed("up" as const)

const failTimes = (breaker: CircuitBreaker.CircuitBreaker, times: number) =>
  Effect.repeatN(Effect.ignore(breaker.execute(down)), times - 1)

const stateOf = (breaker: CircuitBreaker.CircuitBreaker) => Effect.map(breaker.status, ({ state }) => state)

/** A call that has passed the breaker and waits to be told how to end. */
const begin = (breaker: CircuitBreaker.CircuitBreaker) =>
  Effect.gen(function* () {
    const started = yield* Deferred.make<void>()
    const end = yield* Deferred.make<string, string>()
    const fiber = yield* Effect.fork(
      breaker.execute(Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(end)))
    )
    yield* Deferred.await(started)
    return {
      fiber,
      succeed: Effect.zipRight(Deferred.succeed(end, "up"), Fiber.await(fiber)),
      fail: Effect.zipRight(Deferred.fail(end, "down"), Fiber.await(fiber)),
      interrupt: Fiber.interrupt(fiber)
    }
  })

const halfOpen = (options?: Partial<CircuitBreaker.Options>) =>
  Effect.gen(function* () {
    const breaker = yield* CircuitBreaker.make({ name: "openai", ...options })
    yield* failTimes(breaker, 5)
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual(yield* stateOf(breaker), "half-open")
    return breaker
  })

const rejectionOf = (breaker: CircuitBreaker.CircuitBreaker): Effect.Effect<CircuitOpen> =>
  Effect.flatMap(Effect.flip(breaker.execute(down)), (error) =>
    error === "down" ? Effect.dieMessage("the call was let through") : Effect.succeed(error)
  )

describe("CircuitBreaker with default options", () => {
  it.effect("opens at the fifth failure in a row, and not before", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 4)
      yield* breaker.execute(up)
      yield* failTimes(breaker, 4)
      assert.strictEqual(yield* stateOf(breaker), "closed")
      yield* failTimes(breaker, 1)
      assert.strictEqual(yield* stateOf(breaker), "open")
    })
  )

  it.effect("rejects for 30 seconds to the millisecond, then lets three probes at a time through", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 5)
      yield* TestClock.adjust(29_999)
      const rejection = yield* rejectionOf(breaker)
      assert.strictEqual(rejection.policy, "openai")
      assert.strictEqual(rejection.reason, "open")
      assert.strictEqual(Duration.toMillis(rejection.retryAfter!), 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* Effect.replicateEffect(begin(breaker), 3)
      assert.strictEqual((yield* breaker.status).probesInUse, 3)
      assert.strictEqual((yield* rejectionOf(breaker)).reason, "half-open-full")
    })
  )

  it.effect("closes at the first successful probe", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      yield* breaker.execute(up)
      assert.deepStrictEqual(yield* breaker.status, {
        serviceName: "openai",
        state: "closed",
        mode: "auto",
        failures: 0,
        probesInUse: 0
      })
    })
  )

  it.effect("opens for another 30 seconds at a failed probe", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      yield* TestClock.adjust(700)
      yield* failTimes(breaker, 1)
      yield* TestClock.adjust(29_999)
      assert.strictEqual(yield* stateOf(breaker), "open")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* stateOf(breaker), "half-open")
    })
  )

  it.effect("says in its status since when it is open and when a call can pass", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* TestClock.adjust(2_000)
      yield* failTimes(breaker, 5)
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(yield* breaker.getStatus, {
        serviceName: "openai",
        state: "open",
        mode: "auto",
        failures: 5,
        openedAt: "1970-01-01T00:00:02.000Z",
        retryAfterSeconds: 30,
        probesInUse: 0
      })
    })
  )
})
