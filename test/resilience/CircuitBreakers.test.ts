import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type { CircuitBreaker } from "../../src/resilience/CircuitBreaker.js"
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

  it.effect("refuses a capacity that means nothing, and says what to give", () =>
    Effect.gen(function* () {
      for (const capacity of [0, -1, 1.5, Number.NaN, Infinity]) {
        const error = yield* Effect.flip(CircuitBreakers.make({ capacity }))
        assert.include(error.message, `capacity is ${capacity}; give a whole number of at least 1 and at most 16777216`)
      }
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

  it.effect("lets the neutral breaker go that was asked for longest ago, and no other", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make({ capacity: 3 })
      const failing = yield* breakers.get("failing")
      yield* Effect.ignore(failing.execute(Effect.fail("down")))
      yield* breakers.get("older")
      yield* breakers.get("newer")
      yield* breakers.get("older")
      yield* breakers.get("fourth")
      assert.deepStrictEqual(
        (yield* breakers.all).map(({ name }) => name),
        ["failing", "older", "fourth"]
      )
    })
  )

  const remembers: Record<string, (breaker: CircuitBreaker) => Effect.Effect<void, never, Scope.Scope>> = {
    "has a failure in its record": (breaker) => Effect.ignore(breaker.execute(Effect.fail("down"))),
    "is open": (breaker) => Effect.repeatN(Effect.ignore(breaker.execute(Effect.fail("down"))), 4),
    "is half-open": (breaker) =>
      Effect.zipRight(
        Effect.repeatN(Effect.ignore(breaker.execute(Effect.fail("down"))), 4),
        TestClock.adjust("30 seconds")
      ),
    "was open a moment ago": (breaker) =>
      Effect.repeatN(Effect.ignore(breaker.execute(Effect.fail("down"))), 4).pipe(
        Effect.zipRight(TestClock.adjust("30 seconds")),
        Effect.zipRight(Effect.ignore(breaker.execute(Effect.void)))
      ),
    "is forced open": (breaker) => breaker.force("open"),
    "is forced closed": (breaker) => breaker.force("close"),
    "is isolated": (breaker) => breaker.isolated,
    "is left alone": (breaker) => breaker.holdOff("1 second"),
    "is watched": (breaker) => Effect.asVoid(breaker.subscribe)
  }
  for (const [why, act] of Object.entries(remembers)) {
    it.scoped(`keeps a breaker that ${why}, and refuses the new name`, () =>
      Effect.gen(function* () {
        const breakers = yield* CircuitBreakers.make({ capacity: 1 })
        const openai = yield* breakers.get("openai")
        assert.isTrue(yield* openai.neutral)
        yield* act(openai)
        assert.isFalse(yield* openai.neutral)
        const refused = yield* Effect.flip(breakers.get("redis"))
        assert.include(refused.message, "each has something to remember")
        assert.strictEqual(yield* breakers.get("openai"), openai)
      })
    )
  }

  it.effect("keeps a breaker that remembers slow calls, which a new one would have to learn", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make({ capacity: 1 })
      for (const window of [
        { type: "count", size: 10 },
        { type: "time", duration: "1 minute" }
      ] as const) {
        const openai = yield* breakers.get(window.type, { window, slowCallDuration: "1 second" })
        yield* openai.execute(Effect.void)
        assert.isTrue(yield* openai.neutral)
        const call = yield* Effect.fork(openai.execute(Effect.sleep("2 seconds")))
        yield* TestClock.adjust("2 seconds")
        yield* call
        assert.isFalse(yield* openai.neutral)
        yield* Effect.repeatN(openai.execute(Effect.void), 9)
        yield* TestClock.adjust("2 minutes")
        assert.isTrue(yield* openai.neutral)
      }
    })
  )

  it.effect("keeps a breaker whose options were changed while it runs", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make({ capacity: 1 })
      const openai = yield* breakers.get("openai", { failureThreshold: 2 })
      yield* openai.reconfigure({ failureThreshold: 3 })
      assert.isFalse(yield* openai.neutral)
      assert.include((yield* Effect.flip(breakers.get("redis"))).message, "each has something to remember")
    })
  )

  it.scoped("takes a breaker for neutral again when what it remembered is over", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make({ capacity: 1 })
      const openai = yield* breakers.get("openai")
      yield* Effect.repeatN(Effect.ignore(openai.execute(Effect.fail("down"))), 4)
      yield* TestClock.adjust("30 seconds")
      yield* openai.execute(Effect.void)
      yield* Effect.scoped(Effect.asVoid(Effect.zipRight(openai.isolated, openai.subscribe)))
      yield* TestClock.adjust(29_999)
      assert.isFalse(yield* openai.neutral)
      yield* TestClock.adjust(1)
      assert.isTrue(yield* openai.neutral)
      yield* breakers.get("redis")
      assert.deepStrictEqual(
        (yield* breakers.all).map(({ name }) => name),
        ["redis"]
      )
    })
  )

  it.effect("never has two breakers of a name while somebody uses the one that had to leave", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make({ capacity: 1 })
      const options = { failureThreshold: 2 }
      const { execute } = yield* breakers.get("openai", options)
      yield* breakers.get("redis")
      yield* Effect.repeatN(Effect.ignore(execute(Effect.fail("down"))), 1)
      const again = yield* breakers.get("openai")
      assert.strictEqual((yield* again.status).state, "open")
      assert.strictEqual(again.execute, execute)
      assert.include(
        (yield* Effect.flip(breakers.get("openai", { failureThreshold: 3 }))).message,
        "failureThreshold is 2, asked for 3"
      )
      assert.strictEqual(yield* breakers.get("openai", options), again)
      assert.deepStrictEqual(
        (yield* breakers.all).map(({ name }) => name),
        ["openai"]
      )
    })
  )

  it.effect("stays within its capacity, however many names come by", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.make({ capacity: 5 })
      yield* Effect.forEach(Array(200).keys(), (index) => breakers.get(`tenant-${index}`))
      assert.deepStrictEqual(
        (yield* breakers.all).map(({ name }) => name),
        ["tenant-195", "tenant-196", "tenant-197", "tenant-198", "tenant-199"]
      )
    })
  )

  it.effect("looks seldom through those that had to leave, however many they are", () =>
    Effect.gen(function* () {
      const looks = vi.spyOn(WeakRef.prototype, "deref")
      yield* Effect.addFinalizer(() => Effect.sync(() => looks.mockRestore()))
      const breakers = yield* CircuitBreakers.make({ capacity: 1 })
      // All of them are in use: none is forgotten.
      const used = yield* Effect.forEach(Array(1_000).keys(), (index) => breakers.get(`tenant-${index}`))
      assert.isBelow(looks.mock.calls.length, 3_000)
      assert.strictEqual(yield* breakers.get("tenant-0"), used[0])
      assert.strictEqual(yield* breakers.get("tenant-998"), used[998])
    }).pipe(Effect.scoped)
  )
})
