import { assert, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { Redis } from "ioredis"
import * as KeyedRateLimiter from "../../src/resilience/KeyedRateLimiter.js"
import type { RateLimitStore } from "../../src/resilience/RateLimitStore.js"
import * as RedisConnection from "../../src/redis/RedisConnection.js"
import * as RedisRateLimitStore from "../../src/redis/RedisRateLimitStore.js"
import * as RedisServer from "../support/Redis.js"

/**
 * One process of a fleet: a connection and a store of its own, connected. Where a slow answer is not the subject it has
 * time, since this machine may be busy.
 */
const instance = (server: RedisServer.RedisServer, commandTimeout: Duration.DurationInput = "10 seconds") =>
  Effect.tap(
    Layer.build(
      Layer.provideMerge(RedisRateLimitStore.layer, RedisConnection.layer({ url: server.url, commandTimeout }))
    ),
    (context) => on(context, connected)
  )

const connected = Effect.flatMap(RedisConnection.RedisConnection, (redis) =>
  Effect.retry(redis.ping, Schedule.intersect(Schedule.spaced("20 millis"), Schedule.recurs(250)))
)

const on = <A, E>(
  context: Context.Context<RateLimitStore | RedisConnection.RedisConnection>,
  self: Effect.Effect<A, E, RateLimitStore | RedisConnection.RedisConnection>
) => Effect.provide(self, context)

const look = <A>(use: (client: Redis) => Promise<A>) =>
  Effect.flatMap(RedisConnection.RedisConnection, (connection) => connection.run("look", use))

const burst = (limiter: KeyedRateLimiter.KeyedRateLimiter, key: string, tries: number) =>
  Effect.all(Effect.replicate(limiter.isAllowed(key), tries), { concurrency: "unbounded" })

const countAllowed = (decisions: ReadonlyArray<KeyedRateLimiter.Decision>): number =>
  decisions.filter((decision) => decision.allowed).length

/** Asks as new clients until Redis decides again; the healing is the connection's own. */
const backOnRedis = (limiter: KeyedRateLimiter.KeyedRateLimiter) =>
  Effect.iterate(0, {
    while: (tries) => tries >= 0 && tries < 250,
    body: (tries) =>
      Effect.flatMap(limiter.isAllowed(`probe-${tries}`), ({ decidedBy }) =>
        decidedBy === "store" ? Effect.succeed(-1) : Effect.as(Effect.sleep("20 millis"), tries + 1)
      )
  })

RedisServer.describeWithRedis("RedisRateLimitStore", () => {
  it.scopedLive("counts a fleet as one, exactly, whatever the limit", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const [a, b] = [yield* instance(server), yield* instance(server)]
      // 7 and 997 divide nothing: their requests are a fraction of a millisecond's part apart.
      for (const limit of [1, 7, 100, 997]) {
        const options = { name: `api-${limit}`, limit, window: "1 hour" } as const
        const one = yield* on(a, KeyedRateLimiter.make(options))
        const two = yield* on(b, KeyedRateLimiter.make(options))
        const decisions = yield* Effect.zipWith(
          burst(one, "ann", limit),
          burst(two, "ann", limit),
          (x, y) => [...x, ...y],
          { concurrent: true }
        )
        assert.deepStrictEqual([...new Set(decisions.map((decision) => decision.decidedBy))], ["store"])
        assert.strictEqual(countAllowed(decisions), limit)
        assert.strictEqual(Math.min(...decisions.map((decision) => decision.remaining)), 0)
      }
    })
  )

  it.scopedLive("says exactly when a lone retry is allowed", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const context = yield* instance(server)
      const limiter = yield* on(context, KeyedRateLimiter.make({ name: "api", limit: 3, window: "1 second" }))
      yield* burst(limiter, "ann", 3)
      const rejected = yield* limiter.isAllowed("ann")
      assert.isFalse(rejected.allowed)
      assert.isAtMost(rejected.retryAfterMillis, 334)
      yield* Effect.sleep(Duration.millis(rejected.retryAfterMillis + 1))
      assert.isTrue((yield* limiter.isAllowed("ann")).allowed)
    })
  )

  it.scopedLive("keeps one key for each client, which expires when its whole limit is back", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const context = yield* instance(server)
      const limiter = yield* on(
        context,
        KeyedRateLimiter.make({ name: "api", limit: 7, window: "1 minute", and: [{ limit: 1000, window: "1 hour" }] })
      )
      const { resetAfterMillis } = yield* limiter.isAllowed("ann")
      yield* limiter.isAllowed("bob")
      const keys = yield* on(
        context,
        look((client) => client.keys("*"))
      )
      assert.deepStrictEqual(keys.sort(), [
        "selfheal:limit:api:7/60000+1000/3600000:ann",
        "selfheal:limit:api:7/60000+1000/3600000:bob"
      ])
      const ttl = yield* on(
        context,
        look((client) => client.pttl(keys[0] ?? ""))
      )
      assert.isAbove(ttl, 0)
      assert.isAtMost(ttl, Math.max(resetAfterMillis, 8572))
      const stored = yield* on(
        context,
        look((client) => client.get(keys[0] ?? ""))
      )
      assert.match(stored ?? "", /^\d+ \d+$/, "whole numbers, every digit of them")
    })
  )

  it.scopedLive("enters a rejected request nowhere, under several limits neither", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const context = yield* instance(server)
      const limiter = yield* on(
        context,
        KeyedRateLimiter.make({ name: "api", limit: 2, window: "1 hour", and: [{ limit: 50, window: "1 hour" }] })
      )
      yield* burst(limiter, "ann", 2)
      const key = "selfheal:limit:api:2/3600000+50/3600000:ann"
      const before = yield* on(
        context,
        look((client) => client.get(key))
      )
      assert.strictEqual(countAllowed(yield* burst(limiter, "ann", 100)), 0)
      const after = yield* on(
        context,
        look((client) => client.get(key))
      )
      assert.strictEqual(after, before)
    })
  )

  it.scopedLive("teaches Redis its script again after it has forgotten it", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const context = yield* instance(server)
      const limiter = yield* on(context, KeyedRateLimiter.make({ name: "api", limit: 2, window: "1 hour" }))
      yield* limiter.isAllowed("ann")
      yield* on(
        context,
        look((client) => client.script("FLUSH"))
      )
      const decision = yield* limiter.isAllowed("ann")
      assert.deepStrictEqual([decision.decidedBy, decision.remaining], ["store", 0])
    })
  )

  it.scopedLive("falls back to this process's memory while Redis is dead, and goes back by itself", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const context = yield* instance(server)
      const limiter = yield* on(context, KeyedRateLimiter.make({ name: "api", limit: 5, window: "1 hour" }))
      assert.strictEqual((yield* limiter.isAllowed("ann")).decidedBy, "store")
      yield* server.kill
      const [elapsed, decisions] = yield* Effect.timed(burst(limiter, "ann", 20))
      assert.strictEqual(countAllowed(decisions), 5)
      assert.deepStrictEqual([...new Set(decisions.map((decision) => decision.decidedBy))], ["localFallback"])
      assert.isBelow(Duration.toMillis(elapsed), 1000)
      yield* server.start
      assert.strictEqual(yield* backOnRedis(limiter), -1)
    })
  )

  it.scopedLive("falls back to this process's memory while Redis is frozen, and goes back by itself", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const context = yield* instance(server, "150 millis")
      const limiter = yield* on(context, KeyedRateLimiter.make({ name: "api", limit: 5, window: "1 hour" }))
      assert.strictEqual(yield* backOnRedis(limiter), -1)
      yield* server.freeze
      const [elapsed, decisions] = yield* Effect.timed(burst(limiter, "ann", 20))
      assert.strictEqual(countAllowed(decisions), 5)
      assert.isBelow(Duration.toMillis(elapsed), 1500)
      assert.deepStrictEqual([...new Set(decisions.map((decision) => decision.decidedBy))], ["localFallback"])
      yield* server.thaw
      assert.strictEqual(yield* backOnRedis(limiter), -1)
    })
  )
})
