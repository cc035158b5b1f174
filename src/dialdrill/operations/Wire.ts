/**
 * What operators and their tools read: health, the state of every dependency, the error log.
 */
import * as Schema from "effect/Schema"

export const CheckResult = Schema.Struct({
  status: Schema.Literal("up", "degraded", "down", "unavailable"),
  /** Milliseconds that the last probe took. */
  responseTime: Schema.optionalWith(Schema.Number, { exact: true }),
  message: Schema.optionalWith(Schema.String, { exact: true }),
  /** Since when the status holds, ISO 8601. */
  since: Schema.String
}).annotations({ identifier: "CheckResult" })

export const ErrorEntry = Schema.Struct({
  timestamp: Schema.String,
  service: Schema.String,
  operation: Schema.String,
  message: Schema.String,
  code: Schema.optionalWith(Schema.String, { exact: true }),
  requestId: Schema.optionalWith(Schema.String, { exact: true }),
  /** In development only. */
  stack: Schema.optionalWith(Schema.String, { exact: true })
}).annotations({ identifier: "ErrorEntry" })

export const Health = Schema.Struct({
  status: Schema.Literal("healthy", "degraded", "unhealthy"),
  timestamp: Schema.String,
  checks: Schema.Record({ key: Schema.String, value: CheckResult }),
  /** Milliseconds since the start. */
  uptime: Schema.Number,
  errors: Schema.optionalWith(Schema.Array(ErrorEntry), { exact: true })
}).annotations({ identifier: "Health" })
export type Health = typeof Health.Type

export const CircuitBreakerStatus = Schema.Struct({
  serviceName: Schema.String,
  state: Schema.Literal("closed", "open", "half-open"),
  mode: Schema.Literal("auto", "forced-open", "forced-closed"),
  failures: Schema.Number,
  openedAt: Schema.optionalWith(Schema.String, { exact: true }),
  retryAfterSeconds: Schema.optionalWith(Schema.Number, { exact: true }),
  probesInUse: Schema.Number,
  /** How many hold the circuit open for a task of theirs; absent where nobody does. */
  handles: Schema.optionalWith(Schema.Number, { exact: true })
}).annotations({ identifier: "CircuitBreakerStatus" })

export const DependencyStatus = Schema.Struct({
  name: Schema.String,
  critical: Schema.Boolean,
  configured: Schema.Boolean,
  status: Schema.Literal("up", "degraded", "down", "unavailable"),
  circuitBreaker: CircuitBreakerStatus,
  /** What users get in its place; `null` where nothing can stand in. */
  fallback: Schema.NullOr(Schema.String),
  lastProbe: Schema.NullOr(
    Schema.Struct({
      at: Schema.String,
      status: Schema.Literal("up", "degraded", "down"),
      responseTime: Schema.Number,
      message: Schema.optionalWith(Schema.String, { exact: true })
    })
  )
}).annotations({ identifier: "DependencyStatus" })

export const SystemStatus = Schema.Struct({
  status: Schema.Literal("healthy", "degraded", "unhealthy"),
  dependencies: Schema.Array(DependencyStatus),
  rateLimits: Schema.Array(
    Schema.Struct({
      group: Schema.String,
      /** In words, as `100/60s`. */
      policy: Schema.String,
      allowed: Schema.Number,
      limited: Schema.Number,
      /** Clients in this process's memory; `null` where a shared store keeps them. */
      clients: Schema.NullOr(Schema.Number)
    })
  )
}).annotations({ identifier: "SystemStatus" })
export type SystemStatus = typeof SystemStatus.Type
