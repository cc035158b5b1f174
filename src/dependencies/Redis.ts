/**
 * Redis, which keeps the rate limits of a fleet of servers, behind the policy that every dependency has: while its
 * circuit is open the limits are counted in this process at once, instead of after a timeout for every request.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { HealthMonitor } from "../health/HealthMonitor.js"
import * as RedisConnection from "../redis/RedisConnection.js"
import type { CircuitBreakers } from "../resilience/CircuitBreakers.js"
import { isRejection } from "../resilience/Rejection.js"
import type { Dependencies } from "./Dependencies.js"
import * as Dependency from "./Dependency.js"
import { Settings } from "./Settings.js"

/**
 * The connection, guarded: the same service, so that whoever uses Redis need not know of the policy. A rejection is a
 * `RedisError` that Redis is unreachable.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Pick<RedisConnection.Options, "url">
): Layer.Layer<
  RedisConnection.RedisConnection,
  RedisConnection.RedisConfigurationError | Dependency.DependencyConfigurationError,
  Settings | CircuitBreakers | Dependencies | HealthMonitor
> =>
  Layer.scoped(
    RedisConnection.RedisConnection,
    Effect.gen(function* () {
      const { redis: policy } = yield* Settings
      const connection = yield* RedisConnection.make({ ...options, commandTimeout: policy.attemptTimeout })
      const dependency = yield* Dependency.make({
        name: "redis",
        critical: false,
        configured: true,
        policy,
        probe: connection.ping,
        fallback: "rate limits of this server alone"
      })
      return RedisConnection.RedisConnection.of({
        ping: connection.ping,
        run: (operation, use) =>
          Effect.mapError(dependency.call(operation, connection.run(operation, use)), (error) =>
            isRejection(error)
              ? new RedisConnection.RedisError({
                  operation,
                  reason: error._tag === "AttemptTimeout" ? "timeout" : "unreachable",
                  isRetryable: true,
                  cause: error
                })
              : error
          )
      })
    })
  )
