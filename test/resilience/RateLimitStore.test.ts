import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import type * as Gcra from "../../src/resilience/kernel/Gcra.js"
import { configure } from "../../src/resilience/kernel/Gcra.js"
import * as RateLimitStore from "../../src/resilience/RateLimitStore.js"

const limitOf = (limit: number, windowMillis: number): Gcra.Limit => {
  const configured = configure(limit, windowMillis)
  return typeof configured === "string" ? assert.fail(configured) : configured
}
const ten = limitOf(10, 60_000)

describe("the book of a limiter in memory", () => {
  it.effect("judges the same whether it is asked as an effect or at a given time", () =>
    Effect.gen(function* () {
      const options = { limits: [ten], maxKeys: 10 }
      const [asked, told] = yield* Effect.all([
        RateLimitStore.makeMemoryBook(options),
        RateLimitStore.makeMemoryBook(options)
      ])
      for (const [at, cost] of [
        [0, 4],
        [0, 7],
        [6_000, 7],
        [6_000, 1]
      ] as const) {
        yield* TestClock.setTime(at)
        assert.deepStrictEqual(yield* asked.spend("ann", cost), told.spendAt("ann", cost, at), `${cost} at ${at}`)
      }
    })
  )

  it.effect("keeps nothing of a request that is not allowed, and forgets a client whose limit is whole again", () =>
    Effect.gen(function* () {
      const book = yield* RateLimitStore.makeMemoryBook({ limits: [ten], maxKeys: 10 })
      assert.isFalse(book.spendAt("greedy", 11, 0).allowed)
      assert.strictEqual(yield* book.clients, 0)
      assert.isTrue(book.spendAt("ann", 2, 0).allowed)
      yield* TestClock.setTime(11_999)
      assert.strictEqual(yield* book.clients, 1)
      yield* TestClock.setTime(12_000)
      assert.strictEqual(yield* book.clients, 0)
    })
  )

  it.effect("forgets the client that was heard of longest ago when there are too many", () =>
    Effect.gen(function* () {
      const book = yield* RateLimitStore.makeMemoryBook({ limits: [ten], maxKeys: 2 })
      for (const client of ["ann", "bob", "ann", "eve"]) book.spendAt(client, 5, 0)
      assert.strictEqual(yield* book.clients, 2)
      assert.isFalse(book.spendAt("ann", 1, 0).allowed)
      // Bob starts afresh.
      assert.strictEqual(book.spendAt("bob", 5, 0).remaining, 5)
    })
  )

  it.effect("is opened for each limiter by the layer, so that limiters count apart", () =>
    Effect.gen(function* () {
      const store = yield* RateLimitStore.RateLimitStore
      const [calls, reads] = yield* Effect.all(
        ["calls", "reads"].map((name) => store.open({ name, limits: [ten], maxKeys: 10 }))
      )
      assert.isTrue((yield* calls!.spend("ann", 10)).allowed)
      assert.isFalse((yield* calls!.spend("ann", 1)).allowed)
      assert.isTrue((yield* reads!.spend("ann", 1)).allowed)
    }).pipe(Effect.provide(RateLimitStore.layerMemory))
  )
})
