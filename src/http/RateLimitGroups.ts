/**
 * The limits of a server's routes: each group of routes shares one limiter, and a route with a limit of its own gets its
 * own. All of them are in `KeyedRateLimiters`, where status pages find them, and count whom they turn away.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type KeyedRateLimiter,
  KeyedRateLimiters,
  type KeyedRateLimiterConfigurationError,
  type RateLimitConfig
} from "../resilience/KeyedRateLimiter.js"
import * as Metrics from "../telemetry/Metrics.js"
import { RateLimits, type Limiter } from "./RateLimit.js"

const toLimiter = (limiter: KeyedRateLimiter): Limiter => {
  const turnedAway = Metrics.recordRateLimited(limiter.name)
  return {
    name: limiter.name,
    check: (key) => Effect.tap(limiter.check(key), ({ allowed }) => (allowed ? Effect.void : turnedAway))
  }
}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  groups: Readonly<Record<string, RateLimitConfig>>
): Layer.Layer<RateLimits, KeyedRateLimiterConfigurationError, KeyedRateLimiters> =>
  Layer.effect(
    RateLimits,
    Effect.gen(function* () {
      const limiters = yield* KeyedRateLimiters
      const make = (name: string, config: RateLimitConfig) => Effect.map(limiters.get({ name, ...config }), toLimiter)
      const made = yield* Effect.all(
        Object.fromEntries(Object.entries(groups).map(([name, config]) => [name, make(name, config)]))
      )
      return RateLimits.of({
        limiter: (config, route) => {
          // The limits of a route are written in the program: one that cannot be built is a bug, not a condition.
          if (typeof config !== "string") return Effect.orDie(make(route, config))
          const limiter = made[config]
          return limiter === undefined
            ? Effect.dieMessage(`No rate limit group is named "${config}"`)
            : Effect.succeed(limiter)
        }
      })
    })
  )
