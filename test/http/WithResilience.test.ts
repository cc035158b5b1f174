import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpErrors from "../../src/http/HttpErrors.js"
import * as RouteTable from "../../src/http/RouteTable.js"
import { withResilience } from "../../src/http/WithResilience.js"
import * as CircuitBreakers from "../../src/resilience/CircuitBreakers.js"
import { RateLimitConfigs } from "../../src/resilience/KeyedRateLimiter.js"
import { isProblem } from "./support/isProblem.js"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

class Outage extends Schema.TaggedError<Outage>()("Outage", {}, HttpApiSchema.annotations({ status: 502 })) {}

const notFound = new HttpErrors.NotFound({ detail: "No such thing" })

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const isType = <_ extends true>(): void => {}

describe("withResilience", () => {
  it("keeps the handler's error type, to which only the breaker adds", () => {
    const handler = ({ id }: { readonly id: number }): Effect.Effect<number, Outage> =>
      id < 0 ? Effect.fail(new Outage()) : Effect.succeed(id)
    const plain = withResilience(handler, {})
    const guarded = withResilience(handler, { enableCircuitBreaker: true, circuitBreakerService: "x" })
    isType<Equals<ReturnType<typeof plain>, Effect.Effect<number, Outage, never>>>()
    isType<
      Equals<
        ReturnType<typeof guarded>,
        Effect.Effect<number, Outage | HttpErrors.DependencyUnavailable, CircuitBreakers.CircuitBreakers>
      >
    >()
    assert.isFunction(plain)
    assert.isFunction(guarded)
  })

  it("does not compile a retry for a handler that is not declared idempotent", () => {
    const handler = () => Effect.void
    // @ts-expect-error enableRetry wants `idempotent: true`
    const wrong = withResilience(handler, { enableRetry: true })
    const right = withResilience(handler, { enableRetry: true, idempotent: true })
    assert.isFunction(wrong)
    assert.isFunction(right)
  })

  it("carries a policy for the route table, protected by default", () => {
    const policy = RouteTable.policyOf(withResilience(() => Effect.void, {}))
    assert.deepStrictEqual(policy, {
      rateLimit: RateLimitConfigs.normal,
      circuitBreaker: undefined,
      retry: false,
      trackHealth: true,
      service: "http"
    })
    const bare = RouteTable.policyOf(withResilience(() => Effect.void, { enableRateLimit: false, trackHealth: false }))
    assert.isUndefined(bare?.rateLimit)
    assert.isFalse(bare?.trackHealth)
  })

  it.effect("does not touch the policy of a handler that is wrapped twice", () =>
    Effect.sync(() => {
      const handler = () => Effect.void
      const one = withResilience(handler, { rateLimitConfig: "ONE" })
      const two = withResilience(handler, { rateLimitConfig: "TWO" })
      assert.strictEqual(RouteTable.policyOf(one)?.rateLimit, "ONE")
      assert.strictEqual(RouteTable.policyOf(two)?.rateLimit, "TWO")
    })
  )

  it.live("retries what failed on our side, and nothing that blames the caller", () =>
    Effect.gen(function* () {
      const attempts = (error: Outage | HttpErrors.NotFound | HttpErrors.DependencyUnavailable) => {
        let made = 0
        const handler = withResilience(
          () =>
            Effect.suspend(() => {
              made += 1
              return Effect.fail(error)
            }),
          { enableRetry: true, idempotent: true, retryOptions: { initialDelay: "1 millis" } }
        )
        return Effect.map(Effect.flip(handler(undefined)), (failed) => {
          assert.strictEqual(failed, error)
          return made
        })
      }
      assert.strictEqual(yield* attempts(new Outage()), 3)
      assert.strictEqual(yield* attempts(notFound), 1)
      assert.strictEqual(yield* attempts(HttpErrors.dependencyUnavailable("database")), 1)
    })
  )

  it.live("opens the circuit for what failed on our side, not for what blames the caller", () =>
    Effect.gen(function* () {
      const calls = (error: Outage | HttpErrors.NotFound, circuitBreakerService: string) => {
        let made = 0
        const handler = withResilience(
          () =>
            Effect.suspend(() => {
              made += 1
              return Effect.fail(error)
            }),
          { enableCircuitBreaker: true, circuitBreakerService }
        )
        return Effect.gen(function* () {
          let last: unknown
          for (let i = 0; i < 8; i++) last = yield* Effect.flip(handler(undefined))
          return { made, last }
        })
      }
      const outage = yield* calls(new Outage(), "outage")
      assert.strictEqual(outage.made, 5)
      assert.instanceOf(outage.last, HttpErrors.DependencyUnavailable)
      assert.strictEqual((outage.last as HttpErrors.DependencyUnavailable).service, "outage")
      assert.strictEqual((outage.last as HttpErrors.DependencyUnavailable).retryAfterSeconds, 30)
      const callers = yield* calls(notFound, "callers")
      assert.strictEqual(callers.made, 8)
      assert.strictEqual(callers.last, notFound)
    }).pipe(Effect.provide(CircuitBreakers.layer))
  )

  it.live("works behind real routes: retried to a success, and 503 when the circuit is open", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const flaky = yield* Wire.send(`${app.url}/api/flaky`)
        assert.strictEqual(flaky.body, "3")
        for (let i = 0; i < 5; i++) assert.strictEqual((yield* Wire.send(`${app.url}/api/fragile`)).status, 500)
        const open = yield* Wire.send(`${app.url}/api/fragile`)
        isProblem(open, 503, "dependency-unavailable", "/api/fragile")
        assert.strictEqual(open.json["service"], "fragile")
        assert.strictEqual(open.headers["retry-after"], "30")
      })
    )
  )
})

describe("RouteTable", () => {
  it.live("lists every route, and finds those that nobody protected", () =>
    withApp((app) =>
      Effect.sync(() => {
        const entries = Context.get(app.context, RouteTable.RouteTable).entries()
        const routes = entries.map(({ method, path }) => `${method} ${path}`)
        for (const route of ["GET /api/items/:id", "POST /api/items", "GET /livez", "GET /events"]) {
          assert.include(routes, route)
        }
        assert.isTrue(entries.every(({ deadlineMillis }) => deadlineMillis === 30_000))
        assert.deepStrictEqual(RouteTable.unprotected(entries, { prefix: "/api" }), [])
        assert.deepStrictEqual(RouteTable.unprotected(entries, { prefix: "/who" }), [
          "GET /who: its handler was not made by withResilience"
        ])
        assert.deepStrictEqual(RouteTable.unprotected(entries, { prefix: "/who", except: ["GET /who", "GET /gone"] }), [
          "GET /gone: listed as an exception, but there is no such route"
        ])
      })
    )
  )

  it.live("knows plain routes with a prefix, and their policy", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.send(`${app.url}/v1/hello`)
        assert.strictEqual(reply.body, "hello")
        assert.strictEqual(reply.headers["x-ratelimit-limit"], "1000")
        const entry = Context.get(app.context, RouteTable.RouteTable).find("GET", "/v1/hello")
        assert.strictEqual(entry?.policy?.rateLimit, "READ")
        assert.strictEqual((yield* Wire.send(`${app.url}/v1/hello`, { method: "PUT" })).status, 405)
      })
    )
  )

  it("names what a route lacks", () => {
    const policy = {
      rateLimit: undefined,
      circuitBreaker: undefined,
      retry: false,
      trackHealth: false,
      service: "http"
    }
    const entry = { method: "GET", path: "/api/x", deadlineMillis: Infinity, policy }
    assert.deepStrictEqual(RouteTable.unprotected([entry], { prefix: "/api" }), [
      "GET /api/x: no rate limit",
      "GET /api/x: no health tracking",
      "GET /api/x: no deadline"
    ])
  })
})
