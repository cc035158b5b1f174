import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Dependencies } from "../../src/dependencies/Dependencies.js"
import * as Redis from "../../src/dependencies/Redis.js"
import * as Settings from "../../src/dependencies/Settings.js"
import * as RedisRateLimitStore from "../../src/redis/RedisRateLimitStore.js"
import * as KeyedRateLimiter from "../../src/resilience/KeyedRateLimiter.js"
import * as RedisServer from "../support/Redis.js"
import { ground } from "./support.js"

RedisServer.describeWithRedis("the redis dependency", () => {
  it.scopedLive("stops asking a Redis that is gone, counts in this process meanwhile, and heals by itself", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.running
      const context = yield* Layer.build(
        RedisRateLimitStore.layer.pipe(
          Layer.provideMerge(Redis.layer({ url: server.url })),
          Layer.provide(
            Settings.layerFrom({
              REDIS_ATTEMPT_TIMEOUT: "2s",
              REDIS_DEADLINE: "2s",
              REDIS_CIRCUIT_RESET_TIMEOUT: "300ms",
              REDIS_PROBE_INTERVAL: "1h"
            })
          ),
          Layer.provideMerge(ground)
        )
      )
      yield* Effect.gen(function* () {
        const limiter = yield* KeyedRateLimiter.make({ name: "api", limit: 1000, window: "1 hour" })
        const { breaker } = Option.getOrThrow(yield* (yield* Dependencies).get("redis"))
        const by = Effect.map(limiter.isAllowed("ann"), ({ decidedBy }) => decidedBy)
        const until = (wanted: string) =>
          Effect.repeat(Effect.delay(by, "20 millis"), { until: (who) => who === wanted, times: 500 })

        yield* until("store")
        yield* server.kill
        yield* until("localFallback")
        yield* Effect.repeatN(by, 10)
        assert.strictEqual((yield* breaker.status).state === "closed", false)
        yield* server.start
        assert.strictEqual(yield* until("store"), "store")
        assert.strictEqual((yield* breaker.status).state, "closed")
      }).pipe(Effect.provide(context))
    })
  )
})
