import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as CircuitBreakers from "../../src/resilience/CircuitBreakers.js"

describe("CircuitBreakers", () => {
  it.effect("gives everyone who asks for a name the same breaker, also when they ask at once", () =>
    Effect.gen(function* () {
      const asked = yield* Effect.replicateEffect(CircuitBreakers.getCircuitBreaker("openai"), 10, {
        concurrency: "unbounded"
      })
      assert.lengthOf(new Set(asked), 1)
      assert.notStrictEqual(yield* CircuitBreakers.getCircuitBreaker("redis"), asked[0]!)
      const breakers = yield* CircuitBreakers.CircuitBreakers
      assert.deepStrictEqual(
        (yield* breakers.all).map(({ name }) => name),
        ["openai", "redis"]
      )
    }).pipe(Effect.provide(CircuitBreakers.layer))
  )

  it.effect("takes options that mean the same for the same", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make()
      const first = yield* breakers.get("openai", { resetTimeout: "30 seconds" })
      assert.strictEqual(yield* breakers.get("openai", { resetTimeout: 30_000, failureThreshold: 5 }), first)
      assert.strictEqual(yield* breakers.get("openai"), first)
    })
  )

  it.effect("refuses other options for a name and names both", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make()
      yield* breakers.get("openai", { failureThreshold: 5 })
      const refused = yield* Effect.flip(
        breakers.get("openai", { failureThreshold: 3, resetTimeout: 1_000, isFailure: () => true })
      )
      assert.include(refused.message, 'Circuit breaker "openai"')
      assert.include(refused.message, "failureThreshold is 5, asked for 3")
      assert.include(refused.message, "resetTimeout is 30000, asked for 1000")
      assert.include(refused.message, "isFailure is another function")
    })
  )

  it.effect("refuses new names beyond its capacity and keeps those it has", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make({ capacity: 1 })
      const openai = yield* breakers.get("openai")
      yield* Effect.ignore(openai.execute(Effect.fail("down")))
      assert.include((yield* Effect.flip(breakers.get("user-42"))).message, "there are 1 breakers already")
      assert.strictEqual(yield* breakers.get("openai"), openai)
    })
  )

  it.effect("does not remember a breaker whose options were refused", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make()
      yield* Effect.flip(breakers.get("openai", { failureThreshold: 0 }))
      yield* breakers.get("openai", { failureThreshold: 1 })
      assert.lengthOf(yield* breakers.all, 1)
    })
  )
})
