import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as OperatorAccess from "../../src/http/OperatorAccess.js"
import { isProblem } from "./support/isProblem.js"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

const adminToken = Redacted.make("a-long-admin-token")
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe("OperatorAccess", () => {
  it.live("lets the holder of the token read and command, and nobody else", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const read = (headers: Record<string, string>) => Wire.send(`${app.url}/api/status`, { headers })
          const command = (headers: Record<string, string>) =>
            Wire.send(`${app.url}/api/command`, { method: "POST", headers })
          for (const ask of [read, command]) {
            assert.strictEqual((yield* ask(bearer("a-long-admin-token"))).status, 200)
            assert.strictEqual((yield* ask(bearer("a-long-admin-toke"))).status, 401)
            assert.strictEqual((yield* ask({ authorization: "Basic a-long-admin-token" })).status, 401)
            const none = yield* ask({})
            assert.strictEqual(none.status, 401)
            assert.strictEqual(none.headers["www-authenticate"], "Bearer")
          }
        }),
      { operator: { adminToken, loopback: false } }
    )
  )

  it.live("opens reading, not commanding, on a loopback listener", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          assert.strictEqual((yield* Wire.send(`${app.url}/api/status`)).status, 200)
          assert.strictEqual((yield* Wire.send(`${app.url}/api/command`, { method: "POST" })).status, 401)
        }),
      { operator: { adminToken, loopback: true } }
    )
  )

  it.live("opens nothing to who comes to a loopback listener by another name, or through a proxy", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const read = (headers: Record<string, string>) => Wire.send(`${app.url}/api/status`, { headers })
          for (const from of [
            { host: "drill.example.com" },
            { "x-forwarded-for": "203.0.113.5" },
            { forwarded: "for=203.0.113.5" }
          ]) {
            assert.strictEqual((yield* read({ ...from })).status, 401, JSON.stringify(from))
            assert.strictEqual((yield* read({ ...from, ...bearer("a-long-admin-token") })).status, 200)
          }
        }),
      { operator: { adminToken, loopback: true } }
    )
  )

  it.live("refuses commands where no token is configured", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          for (const headers of [{}, bearer(""), bearer("undefined")]) {
            const reply = yield* Wire.send(`${app.url}/api/command`, { method: "POST", headers })
            isProblem(reply, 403, "forbidden", "/api/command")
            assert.include(String(reply.json["detail"]), "ADMIN_TOKEN")
          }
        }),
      { operator: { adminToken: undefined, loopback: true } }
    )
  )

  it("takes an empty token for none", () => {
    const access = OperatorAccess.make({ adminToken: Redacted.make(""), loopback: false })
    assert.isFalse(access.isToken(""))
    assert.isFalse(access.mayRead({ authorization: "Bearer " } as never))
  })
})
