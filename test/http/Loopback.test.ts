import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Loopback from "../../src/http/Loopback.js"
import { isProblem } from "./support/isProblem.js"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

const guarded = { envelope: { guard: Loopback.guard("https://drill.example.com/app") } }

describe("Loopback", () => {
  it("knows a loopback address", () => {
    for (const host of ["127.0.0.1", "127.8.8.8", "localhost", "::1"]) assert.isTrue(Loopback.isLoopback(host), host)
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.com"]) {
      assert.isFalse(Loopback.isLoopback(host), host)
    }
  })

  it.live("answers nobody who thinks that this machine is another one", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const under = (host: string, path = "/api/items/a") => Wire.send(`${app.url}${path}`, { headers: { host } })
          for (const host of ["127.0.0.1", "LOCALHOST:3000", "[::1]:3000", "127.9.9.9:1", "drill.example.com"]) {
            assert.strictEqual((yield* under(host)).status, 200, host)
          }
          const elsewhere = ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "0.0.0.0:3000", "x y"]
          for (const host of elsewhere) {
            isProblem(yield* under(host), 421, "misdirected-request", "/api/items/a")
          }
          assert.strictEqual((yield* under("10.0.0.7:3000", "/livez")).status, 200)
        }),
      guarded
    )
  )

  it.live("lets no other site's page change anything", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const create = (headers: Record<string, string>) =>
            Wire.post(`${app.url}/api/items`, { name: "a", size: 1 }, headers)
          const ours: ReadonlyArray<Record<string, string>> = [
            {},
            { origin: app.url },
            { origin: app.url, "sec-fetch-site": "same-origin" },
            { "sec-fetch-site": "none" },
            { origin: "https://drill.example.com", "sec-fetch-site": "same-origin" }
          ]
          for (const headers of ours) assert.strictEqual((yield* create(headers)).status, 201, JSON.stringify(headers))
          const theirs: ReadonlyArray<Record<string, string>> = [
            { origin: "https://evil.example" },
            { origin: "null" },
            { origin: "http://localhost:5173", "sec-fetch-site": "same-site" },
            { "sec-fetch-site": "cross-site" },
            { origin: "https://evil.example", "content-type": "text/plain" }
          ]
          for (const headers of theirs) isProblem(yield* create(headers), 403, "forbidden", "/api/items")
          // A link to us may be followed from anywhere.
          const followed = yield* Wire.send(`${app.url}/api/items/a`, { headers: { "sec-fetch-site": "cross-site" } })
          assert.strictEqual(followed.status, 200)
        }),
      guarded
    )
  )
})
