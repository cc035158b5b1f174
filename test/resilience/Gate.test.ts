import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import type { Gate } from "../../src/resilience/Gate.js"
import { through, walk } from "../../src/resilience/Gate.js"
import { RateLimited } from "../../src/resilience/Rejection.js"
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

describe("Gate.walk", () => {
  it.effect("passes what stands last inside of all gates, which can still turn the call away", () =>
    Effect.gen(function* () {
      const bulkhead = Turnstile.make("bulkhead")
      const started: Array<boolean | undefined> = []
      const meter: Gate = {
        name: "meter",
        admit: () => Effect.succeed((_, began) => Effect.sync(() => void started.push(began)))
      }
      const full = new RateLimited({ policy: "last", reason: "limit", retryAfter: undefined })
      const call = (isFull: boolean) =>
        Effect.uninterruptibleMask((restore) =>
          walk([bulkhead, meter], Effect.succeed(bulkhead.counts.inside), {
            restore,
            until: Infinity,
            pointless: Effect.never,
            last: (begin) => (isFull ? Effect.fail(full) : begin)
          })
        )
      assert.strictEqual(yield* Effect.flip(call(true)), full)
      assert.deepInclude(bulkhead.counts, { admitted: 1, inside: 0 })
      yield* call(false)
      // Who was turned away last of all has cost nothing, and the gates are told so.
      assert.deepStrictEqual(started, [false, true])
    })
  )

  it.effect("gives each gate what is left of the time until then", () =>
    Effect.gen(function* () {
      const [first, second] = [Turnstile.make("first"), Turnstile.make("second")]
      first.waits.push(400)
      const walked = Effect.uninterruptibleMask((restore) =>
        walk([first, second], Effect.void, { restore, until: 1_000, callLimit: 50, pointless: Effect.never })
      )
      const fiber = yield* Effect.fork(walked)
      yield* TestClock.adjust(400)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        [first, second].map(({ admissions }) => admissions.map(({ callLimit, patience }) => [patience, callLimit])),
        [[[1_000, 50]], [[600, 50]]]
      )
    })
  )
})
