/** Answers the routes of operators and their tools. Everything is read from snapshots: nothing here waits for a check. */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Dependencies, type Dependency } from "../../dependencies/Dependencies.js"
import { HealthMonitor, type HealthStatus } from "../../health/HealthMonitor.js"
import { CurrentRequest } from "../../http/CurrentRequest.js"
import { group } from "../../http/HttpApiRoutes.js"
import { NotFound } from "../../http/HttpErrors.js"
import { OperatorAccess } from "../../http/OperatorAccess.js"
import { withResilience } from "../../http/WithResilience.js"
import { KeyedRateLimiters } from "../../resilience/KeyedRateLimiter.js"
import * as Metrics from "../../telemetry/Metrics.js"
import * as Prometheus from "../../telemetry/Prometheus.js"
import { DialDrillApi } from "../Api.js"

const reads = { rateLimitConfig: "READ" } as const
/** What monitoring asks for at any rate: no limit may keep it from an answer. */
const unlimited = { enableRateLimit: false } as const

const answer = (health: HealthStatus) =>
  HttpServerResponse.unsafeJson(health, {
    status: health.status === "unhealthy" ? 503 : 200,
    headers: { "cache-control": "no-store" }
  })

export const layerHealth = group(DialDrillApi, "health", (handlers) =>
  Effect.gen(function* () {
    const health = yield* HealthMonitor
    const operators = yield* OperatorAccess
    return handlers.handle(
      "health",
      withResilience(
        ({ urlParams }) =>
          Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
            Effect.map(
              urlParams.detailed === "true" && operators.mayRead(headers) ? health.getHealthStatus : health.quick,
              answer
            )
          ),
        unlimited
      )
    )
  })
)

const defaultErrors = 100

export const layerOperations = group(DialDrillApi, "operations", (handlers) =>
  Effect.gen(function* () {
    const health = yield* HealthMonitor
    const dependencies = yield* Dependencies
    const limiters = yield* KeyedRateLimiters

    const describe = (dependency: Dependency, checks: HealthStatus["checks"]) =>
      Effect.zipWith(dependency.breaker.getStatus, dependency.lastProbe, (circuitBreaker, probe) => ({
        name: dependency.name,
        critical: dependency.critical,
        configured: dependency.configured,
        status: checks[dependency.name]?.status ?? ("unavailable" as const),
        circuitBreaker,
        fallback: dependency.fallback ?? null,
        lastProbe:
          probe === undefined
            ? null
            : {
                at: probe.at,
                status: probe.status,
                responseTime: probe.responseTime,
                ...(probe.message === undefined ? {} : { message: probe.message })
              }
      }))

    const status = Effect.gen(function* () {
      const { checks, status } = yield* health.getHealthStatus
      const all = yield* Effect.forEach(yield* dependencies.all, (dependency) => describe(dependency, checks))
      const limits = yield* Effect.forEach(yield* limiters.all, (limiter) => limiter.status)
      return {
        status,
        dependencies: all,
        rateLimits: limits.map((limit) => ({
          group: limit.name,
          policy: limit.policy,
          allowed: limit.allowed,
          limited: limit.limited,
          clients: limit.clients ?? null
        }))
      }
    })

    return handlers
      .handle(
        "status",
        withResilience(() => status, reads)
      )
      .handle(
        "errors",
        withResilience(
          ({ urlParams }) =>
            Effect.map(health.getRecentErrors(urlParams.limit ?? defaultErrors, urlParams.service), (errors) => ({
              errors
            })),
          reads
        )
      )
  })
)

export const layerMetrics = group(DialDrillApi, "metrics", (handlers) =>
  Effect.map(Dependencies, (dependencies) => {
    // A circuit that became half-open by time alone has told nobody yet; whoever reads the figures has to see it.
    const readCircuits = Effect.flatMap(dependencies.all, (all) =>
      Effect.forEach(
        all,
        ({ breaker, name }) =>
          Effect.flatMap(breaker.status, ({ state }) => Metrics.forDependency(name).breaker(state)),
        { discard: true }
      )
    )
    return handlers.handle(
      "metrics",
      withResilience(() => Effect.zipRight(readCircuits, Prometheus.text), unlimited)
    )
  })
)

export const layerCircuitBreakers = group(DialDrillApi, "circuit-breakers", (handlers) =>
  Effect.map(Dependencies, (dependencies) =>
    handlers.handle(
      "force",
      withResilience(
        ({ path, payload }) =>
          Effect.gen(function* () {
            const found = yield* dependencies.get(path.name)
            if (Option.isNone(found)) {
              const names = (yield* dependencies.all).map(({ name }) => name).join(", ")
              return yield* new NotFound({ detail: `There is no circuit breaker of that name; there are ${names}` })
            }
            const { breaker } = found.value
            yield* breaker.force(payload.action)
            const { clientAddress } = yield* CurrentRequest
            yield* Effect.annotateLogs(Effect.logWarning("An operator changed a circuit breaker"), {
              audit: true,
              circuitBreaker: path.name,
              action: payload.action,
              reason: payload.reason,
              clientAddress
            })
            return yield* breaker.getStatus
          }),
        reads
      )
    )
  )
)
