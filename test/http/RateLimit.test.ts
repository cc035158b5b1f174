import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as RateLimit from "../../src/http/RateLimit.js"
import { isProblem } from "./support/isProblem.js"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

describe("RateLimit", () => {
  it.live("tells the client its limit on every answer, and refuses with the time to wait", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const first = yield* Wire.send(`${app.url}/api/limited`)
        assert.strictEqual(first.status, 200)
        assert.strictEqual(first.headers["x-ratelimit-limit"], "2")
        assert.strictEqual(first.headers["x-ratelimit-remaining"], "1")
        assert.strictEqual(first.headers["ratelimit-policy"], '"TINY";q=2;w=60')
        assert.strictEqual(first.headers["ratelimit"], '"TINY";r=1;t=30')
        const reset = Number(first.headers["x-ratelimit-reset"])
        assert.closeTo(reset, Date.now() / 1000 + 30, 3)

        yield* Wire.send(`${app.url}/api/limited`)
        const refused = yield* Wire.send(`${app.url}/api/limited`)
        isProblem(refused, 429, "rate-limit-exceeded", "/api/limited")
        assert.strictEqual(refused.headers["retry-after"], "30")
        assert.strictEqual(refused.json["retryAfterSeconds"], 30)
        assert.include(String(refused.json["detail"]), "try again in 30 seconds")
        assert.strictEqual(refused.headers["x-ratelimit-remaining"], "0")
      })
    )
  )

  it.live("counts requests whatever their outcome: 400, 401, 404, 413, 415, 500, 503", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const replies = [
            yield* Wire.post(`${app.url}/api/items`, {}),
            yield* Wire.send(`${app.url}/api/items/none`),
            yield* Wire.send(`${app.url}/api/items`, { method: "POST", body: Buffer.alloc(2_000_000) }),
            yield* Wire.send(`${app.url}/api/items`, { method: "POST", headers: { "content-type": "a/b" }, body: "x" }),
            yield* Wire.send(`${app.url}/api/crash`),
            yield* Wire.send(`${app.url}/api/needy`),
            yield* Wire.send(`${app.url}/api/me`)
          ]
          assert.deepStrictEqual(
            replies.map((reply) => reply.status),
            [400, 404, 413, 415, 500, 503, 401]
          )
          assert.deepStrictEqual(
            replies.map((reply) => reply.headers["x-ratelimit-remaining"]),
            ["49", "48", "47", "46", "45", "44", "43"]
          )
        }),
      {
        limits: { READ: { limit: 50, window: "1 hour" } },
        identity: { _tag: "Jwks", url: new URL("http://127.0.0.1:1/keys") }
      }
    )
  )

  it.live("counts users apart on one address, and addresses where there is no user", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const remaining = (headers: Record<string, string>) =>
          Effect.map(Wire.send(`${app.url}/api/limited`, { headers }), (r) => r.headers["x-ratelimit-remaining"])
        assert.strictEqual(yield* remaining({ "x-user-id": "ann" }), "1")
        assert.strictEqual(yield* remaining({ "x-user-id": "bob" }), "1")
        assert.strictEqual(yield* remaining({ "x-user-id": "ann" }), "0")
      })
    )
  )

  it("names a client by its user, else by its address, of IPv6 the network", () => {
    const from = (clientAddress: string) => ({ clientAddress })
    assert.strictEqual(RateLimit.getClientIdentifier(from("192.0.2.1"), "ann"), "user:ann")
    assert.strictEqual(RateLimit.getClientIdentifier(from("192.0.2.1")), "ip:192.0.2.1")
    assert.strictEqual(RateLimit.getClientIdentifier(from("2001:db8:0:1:2:3:4:5")), "ip:2001:db8:0:1::/64")
  })
})
