import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as RedisConnection from "../../src/redis/RedisConnection.js"
import * as RedisServer from "../support/Redis.js"

/** Heals by itself: asks until it works, at most five seconds. */
const healed = (redis: RedisConnection.RedisConnectionShape) =>
  Effect.retry(redis.ping, Schedule.intersect(Schedule.spaced("20 millis"), Schedule.recurs(250)))

/** Connected, and with time to answer: this machine may be busy. */
const connect = (url: Redacted.Redacted) =>
  Effect.tap(RedisConnection.make({ url, commandTimeout: "10 seconds" }), healed)

const millisOf = (duration: Duration.Duration): number => Duration.toMillis(duration)

RedisServer.describeWithRedis("RedisConnection", () => {
  it.scopedLive("runs commands", () =>
    Effect.gen(function* () {
      const { url } = yield* RedisServer.running
      const redis = yield* connect(url)
      yield* redis.run("write", (client) => client.set("a", "1"))
      assert.strictEqual(yield* redis.run("read", (client) => client.get("a")), "1")
    })
  )

  it.scopedLive("starts without Redis, fails at once while there is none, and connects when it comes", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make
      const [starting, redis] = yield* Effect.timed(RedisConnection.make({ url: server.url }))
      assert.isBelow(millisOf(starting), 3000)
      const [failing, error] = yield* Effect.timed(Effect.flip(redis.ping))
      assert.isBelow(millisOf(failing), 100)
      assert.strictEqual(error.reason, "unreachable")
      assert.isTrue(error.isRetryable)
      assert.match(error.message, /ECONNREFUSED/)
      yield* server.start
      yield* healed(redis)
    })
  )

  it.scopedLive("survives a kill -9 of the server and heals after its restart", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const redis = yield* RedisConnection.make({ url: server.url })
      for (let i = 0; i < 3; i++) {
        yield* healed(redis)
        yield* server.kill
        assert.strictEqual((yield* Effect.flip(redis.ping)).reason, "unreachable")
        yield* server.start
      }
      yield* healed(redis)
    })
  )

  it.scopedLive("gives up on a server that does not answer, then stops asking, and heals when it answers again", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const redis = yield* RedisConnection.make({ url: server.url })
      yield* healed(redis)
      yield* server.freeze
      const [elapsed, error] = yield* Effect.timed(Effect.flip(redis.ping))
      assert.strictEqual(error.reason, "timeout")
      assert.isBelow(millisOf(elapsed), 1000)
      yield* Effect.sleep("1500 millis")
      const [later, gone] = yield* Effect.timed(Effect.flip(redis.ping))
      assert.strictEqual(gone.reason, "unreachable", "the silent connection was given up")
      assert.isBelow(millisOf(later), 100)
      yield* server.thaw
      yield* healed(redis)
    })
  )

  it.scopedLive("tells an error of Redis from one of the connection", () =>
    Effect.gen(function* () {
      const { url } = yield* RedisServer.running
      const redis = yield* connect(url)
      const error = yield* Effect.flip(redis.run("nonsense", (client) => client.call("NONSENSE")))
      assert.strictEqual(error.reason, "refused")
      assert.isFalse(error.isRetryable)
      assert.match(error.message, /"nonsense" \(refused\): ERR unknown command/)
    })
  )

  it.scopedLive("closes cleanly whether Redis is there, down or frozen", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      for (const trouble of [Effect.void, server.freeze, Effect.zipRight(server.thaw, server.kill)]) {
        const scope = yield* Scope.make()
        yield* Scope.extend(RedisConnection.make({ url: server.url }), scope)
        yield* trouble
        const [elapsed, exit] = yield* Effect.timed(Effect.exit(Scope.close(scope, Exit.void)))
        assert.isTrue(Exit.isSuccess(exit))
        assert.isBelow(millisOf(elapsed), 1000)
      }
    })
  )

  it.effect("refuses an address at which no Redis can be, without repeating it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        for (const url of ["secret", "http://:secret@localhost", "redis://"]) {
          const error = yield* Effect.flip(RedisConnection.make({ url: Redacted.make(url) }))
          assert.match(error.message, /an example is redis:\/\/localhost:6379/)
          assert.notInclude(error.message, "secret")
        }
      })
    )
  )
})
