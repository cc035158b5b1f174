import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import * as Policy from "../../src/resilience/Policy.js"
import type { Rejection } from "../../src/resilience/Rejection.js"

class Down extends Data.TaggedError("Down")<{}> {}

/** A service whose methods fail twice and then succeed, and that counts its calls. */
class Weather {
  calls = 0
  readonly unit = "C"
  readonly counted = Ref.unsafeMake(0)
  readonly report: Effect.Effect<string, Down> = Effect.suspend(() => this.flaky("report"))

  today(city: string): Effect.Effect<string, Down> {
    return Effect.suspend(() => this.flaky(`sun in ${city}`))
  }
  warn(city: string): Effect.Effect<string, Down> {
    return Effect.suspend(() => this.flaky(`storm in ${city}`))
  }
  known(city: string): Option.Option<string> {
    return Option.some(`${city}, ${this.unit}`)
  }

  flaky(answer: string): Effect.Effect<string, Down> {
    this.calls += 1
    return this.calls < 3 ? Effect.fail(new Down()) : Effect.succeed(answer)
  }
}

const rig = Effect.gen(function* () {
  const policy = yield* Policy.make({ name: "weather", retry: { maxAttempts: 3 } })
  const weather = new Weather()
  const guarded = Policy.protectAll(weather, policy, {
    methods: { today: { idempotent: true }, report: { idempotent: true } },
    skip: ["flaky", "counted"]
  })
  return { weather, guarded }
})

const inTime = <A, E>(self: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(self)
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

describe("Policy.protectAll", () => {
  it.effect("passes each method's effect through the policy, by what is said about the method", () =>
    Effect.gen(function* () {
      const { guarded, weather } = yield* rig
      const answer: Effect.Effect<string, Down | Rejection> = guarded.today("Graz")
      assert.strictEqual(yield* inTime(answer), "sun in Graz")
      assert.strictEqual(weather.calls, 3)
      weather.calls = 0
      assert.strictEqual((yield* Effect.flip(inTime(guarded.warn("Graz"))))._tag, "Down")
      assert.strictEqual(weather.calls, 1, "what is not declared idempotent is not retried")
    })
  )

  it.effect("passes members that are effects, too", () =>
    Effect.gen(function* () {
      const { guarded } = yield* rig
      assert.strictEqual(yield* inTime(guarded.report), "report")
    })
  )

  it.effect("leaves alone what is no effect, and what is skipped", () =>
    Effect.gen(function* () {
      const { guarded, weather } = yield* rig
      const known: Option.Option<string> = guarded.known("Graz")
      assert.deepStrictEqual(known, Option.some("Graz, C"))
      assert.strictEqual(guarded.unit, "C")
      assert.strictEqual(guarded.counted, weather.counted)
      const flaky: (answer: string) => Effect.Effect<string, Down> = guarded.flaky
      assert.strictEqual((yield* Effect.flip(flaky("x")))._tag, "Down")
      assert.strictEqual(weather.calls, 1)
    })
  )

  it.effect("a method can be taken out without losing its service", () =>
    Effect.gen(function* () {
      const { today } = (yield* rig).guarded
      assert.strictEqual(yield* inTime(today("Linz")), "sun in Linz")
    })
  )

  it.effect("shows members as they are when they are looked at, and runs no getter before", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "weather", retry: { maxAttempts: 2 } })
      class Station {
        #calls = 0
        mood = "sunny"
        get calls() {
          return this.#calls
        }
        get broken(): string {
          throw new Error("only when it is asked for")
        }
        /** An effect of its own for each who asks. */
        get reading(): Effect.Effect<number, Down> {
          this.#calls += 1
          return this.#calls === 1 ? Effect.fail(new Down()) : Effect.succeed(this.#calls)
        }
        turn() {
          this.#calls += 10
          this.mood = "rainy"
        }
      }
      const guarded = Policy.protectAll(new Station(), policy, { methods: { reading: { idempotent: true } } })
      guarded.turn()
      assert.deepStrictEqual([guarded.calls, guarded.mood], [10, "rainy"])
      assert.strictEqual(yield* guarded.reading, 11)
      assert.throws(() => guarded.broken, "only when it is asked for")
    })
  )

  it.effect("leaves functions what they carry besides: name, parameters, properties, and being a class", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "weather" })
      function find(city: string) {
        return Effect.succeed(`${city} here`)
      }
      find.version = 2
      class Place {
        constructor(readonly city: string) {}
      }
      const guarded = Policy.protectAll({ find, Place }, policy)
      assert.deepStrictEqual([guarded.find.name, guarded.find.length], ["find", 1])
      assert.propertyVal(guarded.find, "version", 2)
      assert.strictEqual(yield* guarded.find("Graz"), "Graz here")
      assert.instanceOf(new guarded.Place("Graz"), Place)
      assert.strictEqual(guarded.find, guarded.find)
    })
  )

  it.effect("passes overloads, generators, symbols and what functions return that is no effect", () =>
    Effect.gen(function* () {
      const calls: Array<unknown> = []
      const policy = {
        protect: <A, E, R>(self: Effect.Effect<A, E, R>, call?: Policy.Call) => {
          calls.push(call)
          return self
        }
      }
      const key = Symbol("key")
      class Service {
        *days() {
          yield this.first
        }
        readonly first = "Monday"
        curried(a: number) {
          return (b: number) => Effect.succeed(a + b + this.first.length)
        }
        async later() {
          return Promise.resolve(this.first)
        }
        [key]() {
          return Effect.succeed(this.first)
        }
      }
      const guarded = Policy.protectAll(new Service(), policy, { methods: { [key]: { idempotent: true } } })
      assert.deepStrictEqual([...guarded.days()], ["Monday"])
      assert.strictEqual(yield* guarded.curried(1)(2), 9)
      assert.strictEqual(yield* Effect.promise(() => guarded.later()), "Monday")
      assert.lengthOf(calls, 0)
      assert.strictEqual(yield* guarded[key](), "Monday")
      assert.deepStrictEqual(calls, [{ idempotent: true }])
    })
  )
})
