import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Timeout from "../../src/resilience/Timeout.js"

const limited = Timeout.withTimeout({ name: "openai", limit: "2 seconds" })

describe("Timeout", () => {
  it.effect("fails at the limit, and not a millisecond sooner, naming policy and limit", () =>
    Effect.gen(function* () {
      let interrupted = false
      const call = Effect.onInterrupt(Effect.never, () => Effect.sync(() => (interrupted = true)))
      const fiber = yield* Effect.fork(Effect.flip(limited(call)))
      yield* TestClock.adjust(1_999)
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(fiber)
      assert.isTrue(interrupted)
      assert.strictEqual(error._tag, "AttemptTimeout")
      assert.strictEqual(error.policy, "openai")
      assert.strictEqual(Duration.toMillis(error.limit), 2_000)
      assert.notInclude(error.stack ?? "", "\n    at ")
    })
  )

  it.effect("passes what ends in time through as it is", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(limited(Effect.delay(Effect.succeed("up"), 1_999)))
      yield* TestClock.adjust(1_999)
      assert.strictEqual(yield* Fiber.join(fiber), "up")
      assert.strictEqual(yield* Effect.flip(Timeout.withTimeout(Effect.fail("down"), { name: "x", limit: 1 })), "down")
    })
  )
})
