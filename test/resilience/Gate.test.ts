import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import type { Gate } from "../../src/resilience/Gate.js"
import { through } from "../../src/resilience/Gate.js"
import * as Turnstile from "./support/Turnstile.js"

describe("Gate.through", () => {
  it.effect("bounds all waits together by the caller's patience", () =>
    Effect.gen(function* () {
      const [limiter, bulkhead] = [Turnstile.make("limiter"), Turnstile.make("bulkhead")]
      limiter.waits.push(900)
      bulkhead.waits.push(900)
      const gates = through([limiter, bulkhead], { patience: 1_500 })
      const fiber = yield* Effect.fork(Effect.flip(gates(Effect.void)))
      yield* TestClock.adjust(1_499)
      assert.deepInclude(bulkhead.counts, { queued: 1, inside: 0 })
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).policy, "bulkhead")
      assert.deepInclude(limiter.counts, { queued: 0, inside: 0 })
    })
  )

  it.effect("gives back what was taken when a further gate throws", () =>
    Effect.gen(function* () {
      const bulkhead = Turnstile.make("bulkhead")
      const broken: Gate = {
        name: "broken",
        admit: () => {
          throw new Error("bug")
        }
      }
      const exit = yield* Effect.exit(through([bulkhead, broken])(Effect.void))
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
      assert.deepInclude(bulkhead.counts, { admitted: 1, inside: 0 })
    })
  )
})
