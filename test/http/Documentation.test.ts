import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

interface Specification {
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, { readonly content?: object }> }>>
  readonly components: { readonly schemas: Record<string, unknown> }
}

describe("Documentation", () => {
  it.live("describes every error as a problem document", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const reply = yield* Wire.send(`${app.url}/openapi.json`)
          assert.strictEqual(reply.headers["content-type"], "application/json")
          const specification = JSON.parse(reply.body) as Specification
          assert.property(specification.components.schemas, "Problem")
          const create = specification.paths["/api/items"]?.["post"]?.responses
          for (const status of ["400", "402", "429", "500", "503", "504"]) {
            assert.deepStrictEqual(Object.keys(create?.[status]?.content ?? {}), ["application/problem+json"], status)
          }
          assert.notInclude(reply.body, "HttpApiDecodeError")
          const references = new Set(
            Array.from(reply.body.matchAll(/#\/components\/schemas\/(\w+)/g), (match) => match[1])
          )
          for (const name of references) assert.property(specification.components.schemas, String(name))
          assert.deepStrictEqual(Object.keys(create?.["201"]?.content ?? {}), ["application/json"])
        }),
      { docs: true }
    )
  )

  it.live("serves a page that needs nothing from elsewhere, and is forbidden to", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const page = yield* Wire.send(`${app.url}/docs`)
          assert.strictEqual(page.status, 200)
          assert.include(String(page.headers["content-type"]), "text/html")
          const policy = String(page.headers["content-security-policy"])
          assert.include(policy, "default-src 'none'")
          assert.include(policy, "connect-src 'self'")
          assert.notMatch(page.body, /<(?:script|link)[^>]+(?:src|href)=["']https?:/)
          assert.include(page.body, '"withDefaultFonts":false')
          assert.include(page.body, "application/problem+json")
        }),
      { docs: true }
    )
  )
})
