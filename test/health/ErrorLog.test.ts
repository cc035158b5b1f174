import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as ErrorLog from "../../src/health/ErrorLog.js"
import { CircuitOpen } from "../../src/resilience/Rejection.js"
import { RequestId } from "../../src/telemetry/RequestContext.js"

const open = new CircuitOpen({ policy: "openai", reason: "open", retryAfter: Duration.seconds(12) })

describe("ErrorLog", () => {
  it.effect("keeps time, service, operation, message, code and request id, newest first", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make()
      yield* TestClock.setTime(Date.parse("2025-01-15T12:00:00Z"))
      yield* log.recordError("openai", new Error("first"), { operation: "coach", code: "E1", requestId: "r-1" })
      yield* TestClock.adjust("1 second")
      yield* log.recordError("database", Object.assign(new Error("second"), { code: "08006", operation: "query" }))
      assert.deepStrictEqual(yield* log.getRecentErrors(10), [
        {
          timestamp: "2025-01-15T12:00:01.000Z",
          service: "database",
          operation: "query",
          message: "second",
          code: "08006"
        },
        {
          timestamp: "2025-01-15T12:00:00.000Z",
          service: "openai",
          operation: "coach",
          message: "first",
          code: "E1",
          requestId: "r-1"
        }
      ])
    })
  )

  it.effect("takes the request id of the request that it is called in", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make()
      yield* Effect.provideService(log.recordError("stripe", "declined"), RequestId, "r-42")
      assert.strictEqual((yield* log.getRecentErrors())[0]?.requestId, "r-42")
    })
  )

  it.effect("keeps the last 100 of each service, whatever the others do", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make({ perService: 3 })
      yield* log.recordError("database", "rare")
      for (let i = 0; i < 1000; i++) yield* log.recordError("openai", `error ${i}`)
      const openai = yield* log.getRecentErrors(1000, "openai")
      assert.strictEqual(openai.length, 100)
      assert.strictEqual(openai[0]?.message, "error 999")
      assert.strictEqual(openai[99]?.message, "error 900")
      assert.strictEqual((yield* log.getRecentErrors(10, "database"))[0]?.message, "rare")
      assert.deepStrictEqual(yield* log.counts, [
        { service: "database", recorded: 1, rejected: 0 },
        { service: "openai", recorded: 1000, rejected: 0 }
      ])
    })
  )

  it.effect("bounds the number of services without losing what the first ones recorded", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make({ maxServices: 2 })
      yield* log.recordError("database", "rare")
      for (let i = 0; i < 500; i++) yield* log.recordError(`service-${i}`, `error ${i}`)
      assert.strictEqual((yield* log.getRecentErrors(10, "database")).length, 1)
      assert.strictEqual((yield* log.getRecentErrors(10, "service-499"))[0]?.service, "service-499")
      assert.strictEqual((yield* log.getRecentErrors(10_000)).length, 1 + 1 + 100)
      assert.strictEqual((yield* log.counts).length, 3)
    })
  )

  it.effect("counts rejections by our own open circuit instead of listing them, wrapped ones too", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make()
      yield* log.recordError("openai", open)
      yield* log.recordError("openai", Cause.fail(open))
      yield* log.recordError("openai", new Error("coaching unavailable", { cause: open }))
      yield* log.recordError("openai", new Error("a real one"))
      assert.deepStrictEqual(
        (yield* log.getRecentErrors()).map(({ message }) => message),
        ["a real one"]
      )
      assert.deepStrictEqual(yield* log.counts, [{ service: "openai", recorded: 1, rejected: 3 }])
    })
  )

  it.effect("does not take an interruption for an error", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make()
      yield* log.recordError("openai", Cause.interrupt(FiberId.none))
      yield* log.recordError("openai", Cause.parallel(Cause.interrupt(FiberId.none), Cause.fail("with a failure")))
      yield* log.recordError("openai", Cause.fail(undefined))
      yield* log.recordError("openai", undefined)
      assert.deepStrictEqual(
        (yield* log.getRecentErrors()).map(({ message }) => message),
        ["undefined", "undefined", "with a failure"]
      )
    })
  )

  it.effect("records hostile values without failing", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make({ stacks: true })
      const trap = (): never => {
        throw new Error("trap")
      }
      const hostile = new Proxy(new Error("x"), { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap })
      yield* log.recordError("openai", hostile)
      yield* log.recordError("openai", {
        get operation() {
          return trap()
        },
        message: "half readable"
      })
      yield* log.recordError("openai", {
        [Cause.CauseTypeId]: Cause.CauseTypeId,
        get _tag() {
          return trap()
        }
      })
      const messages = (yield* log.getRecentErrors()).map(({ message }) => message)
      assert.strictEqual(messages.length, 3)
      assert.strictEqual(messages[1], "half readable")
    })
  )

  it.effect("never keeps a secret, in no field", () =>
    Effect.gen(function* () {
      const secret = "h7Qm2xWv9LkZ"
      const log = yield* ErrorLog.make({ stacks: true })
      const context = { operation: `Bearer ${secret}`, code: `sk-${secret}`, requestId: `token=${secret}` }
      yield* log.recordError(`postgres://a:${secret}@b`, new Error(`password=${secret}`), context)
      yield* log.recordError("openai", { key: Redacted.make(secret), headers: { authorization: secret } })
      yield* log.recordError("openai", new Error("outer", { cause: new Error(`Bearer ${secret}`) }))
      assert.notInclude(JSON.stringify(yield* log.getRecentErrors(10)), secret)
      assert.strictEqual((yield* log.getRecentErrors(10)).length, 3)
    })
  )

  it.effect("keeps stacks in development only", () =>
    Effect.gen(function* () {
      const stackIn = (environment: ReadonlyArray<readonly [string, string]>) =>
        Effect.gen(function* () {
          const log = yield* ErrorLog.ErrorLog
          yield* log.recordError("openai", new Error("x"))
          return (yield* log.getRecentErrors())[0]?.stack
        }).pipe(Effect.provide(ErrorLog.layer), Effect.withConfigProvider(ConfigProvider.fromMap(new Map(environment))))
      assert.include(yield* stackIn([]), "ErrorLog.test")
      assert.include(yield* stackIn([["NODE_ENV", "development"]]), "ErrorLog.test")
      assert.isUndefined(yield* stackIn([["NODE_ENV", "production"]]))
    })
  )

  it.effect("clears what is older than an age, counted on the monotonic clock", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make()
      yield* log.recordError("a", "old")
      yield* TestClock.adjust("10 minutes")
      yield* log.recordError("a", "young")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* log.clearOldErrors("10 minutes"), 1)
      assert.deepStrictEqual(
        (yield* log.getRecentErrors()).map(({ message }) => message),
        ["young"]
      )
      assert.strictEqual(yield* log.clearOldErrors("5 minutes"), 0)
      assert.strictEqual(yield* log.clearOldErrors(0), 1)
    })
  )

  it.effect("answers nothing for a count that asks for nothing", () =>
    Effect.gen(function* () {
      const log = yield* ErrorLog.make()
      yield* log.recordError("a", "x")
      for (const count of [0, -1, NaN]) assert.deepStrictEqual(yield* log.getRecentErrors(count), [])
      assert.strictEqual((yield* log.getRecentErrors(Infinity)).length, 1)
      assert.deepStrictEqual(yield* log.getRecentErrors(10, "unknown"), [])
    })
  )
})
