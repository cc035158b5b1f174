import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as KeyedRateLimiter from "../../src/resilience/KeyedRateLimiter.js"
import * as RateLimitStore from "../../src/resilience/RateLimitStore.js"

const { RateLimitConfigs } = KeyedRateLimiter

const make = (options: KeyedRateLimiter.Options) =>
  Effect.provide(KeyedRateLimiter.make(options), RateLimitStore.layerMemory)

const allowed = (limiter: KeyedRateLimiter.KeyedRateLimiter, key: string, tries: number) =>
  Effect.map(
    Effect.replicateEffect(limiter.isAllowed(key), tries),
    (decisions) => decisions.filter((decision) => decision.allowed).length
  )

const brokenStore = RateLimitStore.RateLimitStore.of({
  open: () =>
    Effect.succeed({
      spend: () => Effect.fail(new RateLimitStore.RateLimitStoreError({ reason: "down" })),
      clients: Effect.succeed(undefined)
    })
})

describe("KeyedRateLimiter", () => {
  for (const [preset, limit, windowMillis] of [
    ["strict", 10, 60_000],
    ["normal", 100, 60_000],
    ["loose", 1000, 60_000],
    ["hourly", 1000, 3_600_000]
  ] as const) {
    it.effect(`${preset}: exactly ${limit} requests, then one every ${windowMillis / limit} ms`, () =>
      Effect.gen(function* () {
        const limiter = yield* make({ name: "api", ...RateLimitConfigs[preset] })
        assert.strictEqual(yield* allowed(limiter, "ann", limit), limit)
        const rejected = yield* limiter.check("ann")
        assert.deepStrictEqual(rejected, {
          allowed: false,
          limit,
          windowMillis,
          remaining: 0,
          resetAfterMillis: windowMillis,
          retryAfterMillis: windowMillis / limit,
          policy: "api",
          decidedBy: "store"
        })
        assert.isTrue((yield* limiter.check("bob")).allowed, "another client has its own limit")
        yield* TestClock.adjust(Duration.millis(windowMillis / limit - 1))
        assert.strictEqual(yield* allowed(limiter, "ann", 5), 0)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* allowed(limiter, "ann", 5), 1)
        yield* TestClock.adjust(Duration.millis(windowMillis))
        assert.strictEqual(yield* allowed(limiter, "ann", limit * 2), limit, "after a window, the whole limit again")
      })
    )
  }

  it.effect("tells what is left and when all is back", () =>
    Effect.gen(function* () {
      const limiter = yield* make({ name: "api", ...RateLimitConfigs.strict })
      const first = yield* limiter.check("ann")
      assert.deepStrictEqual([first.remaining, first.resetAfterMillis, first.retryAfterMillis], [9, 6000, 0])
      const third = yield* limiter.check("ann", 2)
      assert.deepStrictEqual([third.remaining, third.resetAfterMillis], [7, 18_000])
    })
  )

  it.effect("counts cost, and refuses a cost that could never be allowed", () =>
    Effect.gen(function* () {
      const limiter = yield* make({ name: "api", ...RateLimitConfigs.strict, and: [{ limit: 5, window: "1 second" }] })
      assert.isTrue((yield* limiter.check("ann", 5)).allowed)
      const error = yield* Effect.flip(limiter.check("ann", 6))
      assert.match(error.message, /costs 6; .* from 1 to the limit of 5/)
      assert.match((yield* Effect.flip(limiter.check("ann", 0.5))).message, /costs 0.5/)
    })
  )

  it.effect("counts a request under all of its limits or under none", () =>
    Effect.gen(function* () {
      const limiter = yield* make({
        name: "api",
        limit: 2,
        window: "1 second",
        and: [{ limit: 3, window: "1 minute" }]
      })
      assert.strictEqual(yield* allowed(limiter, "ann", 100), 2)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* allowed(limiter, "ann", 100), 1, "98 rejected ones did not use up the minute")
      assert.strictEqual((yield* limiter.check("ann")).limit, 3)
    })
  )

  it.effect("says how many clients have something counted now, and not how many had", () =>
    Effect.gen(function* () {
      const limiter = yield* make({ name: "strict", ...RateLimitConfigs.strict })
      yield* allowed(limiter, "busy", 10)
      yield* allowed(limiter, "quiet", 1)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* limiter.status).clients, 1)
    })
  )

  it.effect("keeps no more clients than it may, and forgets first whom it heard of longest ago", () =>
    Effect.gen(function* () {
      const limiter = yield* make({ name: "api", limit: 1, window: "1 minute", maxKeys: 100 })
      for (let i = 0; i < 100; i++) yield* limiter.check(`client-${i}`)
      yield* limiter.check("client-0")
      for (let i = 100; i < 150; i++) yield* limiter.check(`client-${i}`)
      assert.strictEqual((yield* limiter.status).clients, 100)
      assert.isFalse((yield* limiter.check("client-0")).allowed, "a client that keeps knocking is not forgotten")
      assert.isTrue((yield* limiter.check("client-1")).allowed)
    })
  )

  it.effect("forgets a client once its limit is whole again, without a timer", () =>
    Effect.gen(function* () {
      const limiter = yield* make({ name: "api", ...RateLimitConfigs.strict })
      for (let i = 0; i < 50; i++) yield* limiter.check(`client-${i}`)
      assert.strictEqual((yield* limiter.status).clients, 50)
      yield* TestClock.adjust("5999 millis")
      assert.strictEqual((yield* limiter.status).clients, 50)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* limiter.status).clients, 0)
    })
  )

  it.effect("counts what it decided", () =>
    Effect.gen(function* () {
      const limiter = yield* make({
        name: "api",
        ...RateLimitConfigs.strict,
        and: [{ limit: 3, window: "1500 millis" }]
      })
      yield* allowed(limiter, "ann", 5)
      assert.deepStrictEqual(yield* limiter.status, {
        name: "api",
        policy: "10/60s, 3/1500ms",
        allowed: 3,
        limited: 2,
        storeFailures: 0,
        clients: 1
      })
    })
  )

  it.effect("refuses options that mean nothing, and says what to change", () =>
    Effect.gen(function* () {
      const messageOf = (wrong: Partial<KeyedRateLimiter.Options>) =>
        Effect.map(Effect.flip(make({ name: "api", ...RateLimitConfigs.strict, ...wrong })), (error) => error.message)
      assert.match(yield* messageOf({ limit: 0 }), /"api": limit is 0; give a whole number of at least 1/)
      assert.match(
        yield* messageOf({ window: "0 millis" }),
        /window is "0 millis"; give a whole number of milliseconds/
      )
      assert.match(yield* messageOf({ window: 1.5 }), /window is 1.5; give a whole number of milliseconds/)
      assert.match(yield* messageOf({ window: "5000 days" }), /window is 432000000000 ms; .* to ten years/)
      // As they come from a configuration that no compiler has read.
      assert.match(yield* messageOf({ window: "a minute" as never }), /window is "a minute"; give a whole number/)
      assert.match(
        yield* messageOf({ onStoreFailure: "failopen" as never }),
        /onStoreFailure is "failopen"; give one of "failOpen", "failClosed", "localFallback"/
      )
      assert.match(yield* messageOf({ limit: 1_000_003 }), /cannot be counted exactly/)
      assert.match(yield* messageOf({ maxKeys: 0 }), /maxKeys is 0/)
      assert.match(
        yield* messageOf({ maxKeys: 2 ** 24 + 1 }),
        /maxKeys is 16777217; .* at least 1 and at most 16777216/
      )
      assert.match(yield* messageOf({ and: [{ limit: -1, window: "1 second" }] }), /and\[0\]: limit is -1/)
    })
  )

  it.effect("names all that is wrong at once", () =>
    Effect.gen(function* () {
      const wrong = { limit: 0, window: 0, and: [{ limit: 1_000_003, window: "1 minute" }], maxKeys: 0 } as const
      const error = yield* Effect.flip(make({ name: "api", ...wrong }))
      assert.instanceOf(error, KeyedRateLimiter.KeyedRateLimiterConfigurationError)
      assert.strictEqual(error.limiter, "api")
      assert.lengthOf(error.problems, 4)
      assert.match(error.problems[2] ?? "", /^and\[0\]: 1000003 per 60000 ms cannot be counted exactly/)
      for (const problem of error.problems) assert.include(error.message, problem)
    })
  )
})

describe("KeyedRateLimiter whose store is down", () => {
  const withBrokenStore = (onStoreFailure?: KeyedRateLimiter.StoreFailurePolicy) =>
    Effect.provideService(
      KeyedRateLimiter.make({ name: "api", ...RateLimitConfigs.strict, onStoreFailure }),
      RateLimitStore.RateLimitStore,
      brokenStore
    )

  it.effect("counts in this process by default", () =>
    Effect.gen(function* () {
      const limiter = yield* withBrokenStore()
      assert.strictEqual(yield* allowed(limiter, "ann", 20), 10)
      assert.strictEqual((yield* limiter.check("ann")).decidedBy, "localFallback")
      assert.strictEqual((yield* limiter.status).storeFailures, 21)
    })
  )

  it.effect("lets everything pass when told to fail open", () =>
    Effect.gen(function* () {
      const limiter = yield* withBrokenStore("failOpen")
      assert.strictEqual(yield* allowed(limiter, "ann", 20), 20)
      assert.strictEqual((yield* limiter.check("ann")).decidedBy, "failOpen")
    })
  )

  it.effect("lets nothing pass when told to fail closed, and says to try again in a second", () =>
    Effect.gen(function* () {
      const limiter = yield* withBrokenStore("failClosed")
      const decision = yield* limiter.check("ann")
      assert.isFalse(decision.allowed)
      assert.strictEqual(decision.retryAfterMillis, 1000)
      assert.strictEqual(decision.decidedBy, "failClosed")
    })
  )
})

describe("getRateLimiter", () => {
  const registry = Layer.provide(KeyedRateLimiter.KeyedRateLimiters.layer, RateLimitStore.layerMemory)

  it.effect("gives the one limiter of a name", () =>
    Effect.gen(function* () {
      const one = yield* KeyedRateLimiter.getRateLimiter("api", RateLimitConfigs.strict)
      const two = yield* KeyedRateLimiter.getRateLimiter("api", { limit: 10, window: "60 seconds" })
      assert.strictEqual(yield* allowed(one, "ann", 10), 10)
      assert.isFalse((yield* two.isAllowed("ann")).allowed)
      yield* KeyedRateLimiter.getRateLimiter("other", RateLimitConfigs.loose)
      const all = yield* Effect.flatMap(KeyedRateLimiter.KeyedRateLimiters, (limiters) => limiters.all)
      assert.deepStrictEqual(
        all.map((limiter) => limiter.name),
        ["api", "other"]
      )
    }).pipe(Effect.provide(registry))
  )

  it.effect("names both sets of limits when a name is asked for with others", () =>
    Effect.gen(function* () {
      yield* KeyedRateLimiter.getRateLimiter("api", RateLimitConfigs.strict)
      const error = yield* Effect.flip(KeyedRateLimiter.getRateLimiter("api", RateLimitConfigs.hourly))
      assert.match(error.message, /asked for with 1000 per 3600000 ms, .* but it exists with 10 per 60000 ms, /)
    }).pipe(Effect.provide(registry))
  )

  it.effect("refuses options that mean nothing, also for a name that it knows", () =>
    Effect.gen(function* () {
      const wrong = { limit: 10, window: "a minute" as never }
      assert.match((yield* Effect.flip(KeyedRateLimiter.getRateLimiter("api", wrong))).message, /window is "a minute"/)
      yield* KeyedRateLimiter.getRateLimiter("api", RateLimitConfigs.strict)
      assert.match((yield* Effect.flip(KeyedRateLimiter.getRateLimiter("api", wrong))).message, /window is "a minute"/)
    }).pipe(Effect.provide(registry))
  )

  it.effect("finds out names that are made from requests", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 1000; i++) yield* KeyedRateLimiter.getRateLimiter(`api-${i}`, RateLimitConfigs.strict)
      const error = yield* Effect.flip(KeyedRateLimiter.getRateLimiter("one-more", RateLimitConfigs.strict))
      assert.match(error.message, /1000 limiters already/)
    }).pipe(Effect.provide(registry))
  )
})
