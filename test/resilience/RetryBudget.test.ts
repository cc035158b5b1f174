import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"

const times = <A>(count: number, effect: Effect.Effect<A>): Effect.Effect<Array<A>> =>
  Effect.replicateEffect(effect, count)

const granted = (budget: RetryBudget.RetryBudget, asked: number): Effect.Effect<number> =>
  Effect.map(times(asked, budget.withdraw), (answers) => answers.filter(Boolean).length)

describe("RetryBudget with default options", () => {
  it.effect("grants ten retries a second without any call, and one more for five calls", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ name: "openai" })
      assert.strictEqual(yield* granted(budget, 200), 100)
      yield* times(4, budget.deposit)
      assert.isFalse(yield* budget.withdraw)
      yield* budget.deposit
      assert.strictEqual(yield* granted(budget, 5), 1)
      assert.deepStrictEqual(yield* budget.status, {
        name: "openai",
        calls: 5,
        retries: 101,
        available: 0,
        refused: 105
      })
    })
  )

  it.effect("forgets retries after ten seconds, and calls too", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ name: "openai" })
      yield* times(50, budget.deposit)
      assert.strictEqual(yield* granted(budget, 200), 110)
      yield* TestClock.adjust("10 seconds")
      assert.isFalse(yield* budget.withdraw)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* granted(budget, 200), 100)
    })
  )

  it.effect("takes back what was never made", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ name: "openai" })
      assert.strictEqual(yield* granted(budget, 100), 100)
      yield* budget.refund
      assert.deepStrictEqual(yield* times(2, budget.withdraw), [true, false])
    })
  )
})

describe("The options of a RetryBudget", () => {
  it.effect("set the share, the reserve and the window", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ name: "x", ratio: 0.5, minPerSecond: 1, window: "2 seconds" })
      assert.strictEqual(budget.windowMillis, 2_000)
      yield* times(10, budget.deposit)
      assert.strictEqual((yield* budget.status).available, 7)
    })
  )

  it.effect("are refused with everything that is wrong with them", () =>
    Effect.gen(function* () {
      const wrong = { name: " ", ratio: -1, minPerSecond: Number.NaN, window: "10 millis" } as const
      const { _tag, message, problems } = yield* Effect.flip(RetryBudget.make(wrong))
      assert.strictEqual(_tag, "RetryBudgetConfigurationError")
      assert.deepStrictEqual(
        problems.map((problem) => problem.split(" ")[0]),
        ["name", "ratio", "minPerSecond", "window"]
      )
      assert.include(message, "Retry budget")
    })
  )

  it.effect("are refused when they never grant anything", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(RetryBudget.make({ name: "x", ratio: 0, minPerSecond: 0.09 }))
      assert.deepStrictEqual(problems, [
        "ratio is 0 and minPerSecond makes less than one retry a window, so none is ever granted; raise either"
      ])
      assert.isTrue(yield* (yield* RetryBudget.make({ name: "x", ratio: 0, minPerSecond: 0.1 })).withdraw)
    })
  )

  it.effect("make a layer for a tag of one's own", () => {
    class OpenAiBudget extends Context.Tag("OpenAiBudget")<OpenAiBudget, RetryBudget.RetryBudget>() {}
    return Effect.gen(function* () {
      assert.strictEqual((yield* OpenAiBudget).name, "openai")
    }).pipe(Effect.provide(RetryBudget.layer(OpenAiBudget, { name: "openai" })))
  })
})
