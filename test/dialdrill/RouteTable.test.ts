/**
 * Walks the routes of the application as they are put on the router, with nothing behind them: no route under /api is
 * without a limit, a deadline and health tracking.
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { assert, describe, it } from "@effect/vitest"
import * as Dependencies from "../../src/dependencies/Dependencies.js"
import { Billing, type BillingShape } from "../../src/dialdrill/billing/Billing.js"
import { Calls, type CallsShape } from "../../src/dialdrill/calls/Calls.js"
import { CoachingService, type CoachingShape } from "../../src/dialdrill/coaching/CoachingService.js"
import * as Groups from "../../src/dialdrill/RateLimitGroups.js"
import * as Routes from "../../src/dialdrill/Routes.js"
import * as ErrorLog from "../../src/health/ErrorLog.js"
import * as HealthMonitor from "../../src/health/HealthMonitor.js"
import * as Envelope from "../../src/http/Envelope.js"
import * as Identity from "../../src/http/Identity.js"
import * as Lifecycle from "../../src/http/Lifecycle.js"
import * as OperatorAccess from "../../src/http/OperatorAccess.js"
import * as RateLimitGroups from "../../src/http/RateLimitGroups.js"
import * as RouteTable from "../../src/http/RouteTable.js"
import { KeyedRateLimiters } from "../../src/resilience/KeyedRateLimiter.js"
import * as RateLimitStore from "../../src/resilience/RateLimitStore.js"

/** Nobody calls these: the routes are looked at and not used. */
const never = () => Effect.never
const features = Layer.mergeAll(
  Layer.succeed(Calls, {
    start: never,
    simulate: never,
    say: never,
    complete: never,
    list: never,
    get: never
  } satisfies CallsShape),
  Layer.succeed(CoachingService, { coach: never, stored: never } satisfies CoachingShape),
  Layer.succeed(Billing, { state: never, checkout: never, receive: never } satisfies BillingShape)
)

const table = Effect.map(
  Layer.build(
    Routes.layer.pipe(
      Layer.provideMerge(Envelope.layer()),
      Layer.provide(HttpLayerRouter.layer),
      Layer.provide(features),
      Layer.provide(RateLimitGroups.layer(Groups.defaults)),
      Layer.provide(Identity.layer({ _tag: "Loopback" })),
      Layer.provide(OperatorAccess.layer({ adminToken: undefined, loopback: true })),
      Layer.provide(KeyedRateLimiters.layer),
      Layer.provide(RateLimitStore.layerMemory),
      Layer.provide(Layer.mergeAll(Dependencies.layer, Lifecycle.layer)),
      Layer.provide(HealthMonitor.layerWith({ memory: false })),
      Layer.provide(ErrorLog.layerWith({})),
      Layer.provide(NodeHttpServer.layerContext)
    )
  ),
  (context) => Context.get(context, RouteTable.RouteTable).entries()
)

/** Monitoring must get through at any rate, and Stripe's events have no user to count. */
const unlimited = ["GET /api/health", "POST /api/billing/webhook"]

describe("the routes of the application", () => {
  it.scoped("are all there", () =>
    Effect.map(table, (entries) => {
      const routes = entries.map(({ method, path }) => `${method} ${path}`)
      for (const route of [
        "GET /api/health",
        "GET /metrics",
        "GET /api/status",
        "GET /api/errors",
        "POST /api/circuit-breakers/:name",
        "POST /api/calls",
        "GET /api/calls",
        "GET /api/calls/:id",
        "POST /api/calls/:id/simulate",
        "POST /api/calls/:id/turns",
        "POST /api/calls/:id/complete",
        "POST /api/calls/:id/coaching",
        "GET /api/calls/:id/coaching",
        "POST /api/score",
        "GET /api/plans",
        "GET /api/billing",
        "POST /api/billing/checkout",
        "POST /api/billing/webhook"
      ]) {
        assert.include(routes, route)
      }
    })
  )

  it.scoped("under /api all have a limit, a deadline and health tracking", () =>
    Effect.map(table, (entries) =>
      assert.deepStrictEqual(RouteTable.unprotected(entries, { prefix: "/api", except: unlimited }), [])
    )
  )

  it.scoped("that are not limited are two, and have the rest", () =>
    Effect.map(table, (entries) => {
      const without = entries.filter(({ path, policy }) => path.startsWith("/api/") && policy?.rateLimit === undefined)
      assert.deepStrictEqual(without.map(({ method, path }) => `${method} ${path}`).sort(), unlimited)
      for (const { deadlineMillis, policy } of without) {
        assert.isTrue(policy?.trackHealth)
        assert.isTrue(Number.isFinite(deadlineMillis))
      }
    })
  )

  it.scoped("belong to the groups that they cost", () =>
    Effect.map(table, (entries) => {
      const groupOf = Object.fromEntries(
        entries.map(({ method, path, policy }) => [`${method} ${path}`, policy?.rateLimit])
      )
      for (const route of ["", "/:id/simulate", "/:id/turns", "/:id/complete"]) {
        assert.strictEqual(groupOf[`POST /api/calls${route}`], "CALLS")
      }
      assert.strictEqual(groupOf["POST /api/calls/:id/coaching"], "COACHING")
      assert.strictEqual(groupOf["POST /api/billing/checkout"], "BILLING")
      const rest = entries.filter(
        ({ path, policy }) =>
          path.startsWith("/api/") && !["CALLS", "COACHING", "BILLING"].includes(String(policy?.rateLimit))
      )
      for (const { method, path, policy } of rest) {
        if (!unlimited.includes(`${method} ${path}`)) assert.strictEqual(policy?.rateLimit, "READ", path)
      }
    })
  )
})
