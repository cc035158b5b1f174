import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Jose from "jose"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { isProblem } from "./support/isProblem.js"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

const secret = "a-secret-of-at-least-thirty-two-bytes"
const key = new TextEncoder().encode(secret)

const hs256 = (claims: Jose.JWTPayload, options: { readonly expires?: string; readonly key?: Uint8Array } = {}) =>
  Effect.promise(() => {
    const jwt = new Jose.SignJWT(claims).setProtectedHeader({ alg: "HS256" })
    return (options.expires === "never" ? jwt : jwt.setExpirationTime(options.expires ?? "1 hour")).sign(
      options.key ?? key
    )
  })

const me = (url: string, authorization?: string) =>
  Wire.send(`${url}/api/me`, { headers: authorization === undefined ? {} : { authorization } })

interface KeyServer {
  readonly url: URL
  requests: number
  answer: "keys" | "error" | "garbage" | "hang"
  readonly close: Effect.Effect<void>
}

const keyServer = (keys: ReadonlyArray<Jose.JWK>) =>
  Effect.acquireRelease(
    Effect.async<KeyServer>((resume) => {
      const server = Http.createServer((_, response) => {
        state.requests += 1
        if (state.answer === "hang") return
        if (state.answer === "error") return void response.writeHead(500).end()
        response.setHeader("content-type", "application/json")
        response.end(state.answer === "garbage" ? '{"keys":"none"}' : JSON.stringify({ keys }))
      })
      const state = { requests: 0, answer: "keys" as KeyServer["answer"] } as KeyServer
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = Effect.async<void>((done) => {
          server.closeAllConnections()
          server.close(() => {
            done(Effect.void)
          })
        })
        resume(Effect.succeed(Object.assign(state, { url: new URL(`http://127.0.0.1:${port}/keys`), close })))
      })
    }),
    ({ close }) => close
  )

const keyPair = (kid: string) =>
  Effect.promise(async () => {
    const pair = await Jose.generateKeyPair("ES256")
    const sign = (sub: string, header: Partial<Jose.JWTHeaderParameters> = {}) =>
      Effect.promise(() =>
        new Jose.SignJWT({ sub })
          .setProtectedHeader({ alg: "ES256", kid, ...header })
          .setExpirationTime("1 hour")
          .sign(pair.privateKey)
      )
    return { jwk: { ...(await Jose.exportJWK(pair.publicKey)), kid, alg: "ES256" }, sign }
  })

describe("Identity with a shared secret", () => {
  const options = { identity: { _tag: "Secret", secret: Redacted.make(secret) } } as const

  it.live("knows the user of a good token, and remembers it", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const token = yield* hs256({ sub: "ann" })
          for (const scheme of ["Bearer", "bearer", "BEARER"]) {
            const reply = yield* me(app.url, `${scheme} ${token}`)
            assert.strictEqual(reply.status, 200)
            assert.deepStrictEqual(reply.json, { id: "ann" })
          }
        }),
      options
    )
  )

  it.live("refuses every token that proves nothing", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const none = yield* me(app.url)
          isProblem(none, 401, "unauthorized", "/api/me")
          assert.strictEqual(none.headers["www-authenticate"], "Bearer")

          const encode = (json: unknown) => Buffer.from(JSON.stringify(json)).toString("base64url")
          const unsigned = `${encode({ alg: "none" })}.${encode({ sub: "ann", exp: 9_999_999_999 })}.`
          const expired = yield* me(app.url, `Bearer ${yield* hs256({ sub: "ann" }, { expires: "-1 second" })}`)
          assert.include(String(expired.json["detail"]), "expired")
          for (const authorization of [
            `Bearer ${yield* hs256({ sub: "ann" }, { expires: "-1 second" })}`,
            `Bearer ${yield* hs256({ sub: "ann" }, { key: new TextEncoder().encode("another-secret-of-thirty-two-bytes!") })}`,
            `Bearer ${yield* hs256({})}`,
            `Bearer ${yield* hs256({ sub: " " })}`,
            `Bearer ${yield* hs256({ sub: "x".repeat(201) })}`,
            `Bearer ${yield* hs256({ sub: "ann\u0000" })}`,
            `Bearer ${yield* hs256({ sub: "ann" }, { expires: "never" })}`,
            `Bearer ${unsigned}`,
            "Bearer garbage",
            "Bearer",
            `Basic ${Buffer.from("ann:ann").toString("base64")}`
          ]) {
            const reply = yield* me(app.url, authorization)
            isProblem(reply, 401, "unauthorized", "/api/me")
            assert.strictEqual(reply.headers["www-authenticate"], 'Bearer error="invalid_token"')
          }
        }),
      options
    )
  )

  it.live("does not believe X-User-Id", () =>
    withApp(
      (app) =>
        Effect.map(Wire.send(`${app.url}/api/me`, { headers: { "x-user-id": "ann" } }), (reply) => {
          assert.strictEqual(reply.status, 401)
        }),
      options
    )
  )
})

describe("Identity with published keys", () => {
  it.live("fetches the keys once, and lives on without their server", () =>
    Effect.gen(function* () {
      const pair = yield* keyPair("one")
      const server = yield* keyServer([pair.jwk])
      yield* withApp(
        (app) =>
          Effect.gen(function* () {
            assert.deepStrictEqual((yield* me(app.url, `Bearer ${yield* pair.sign("ann")}`)).json, { id: "ann" })
            assert.deepStrictEqual((yield* me(app.url, `Bearer ${yield* pair.sign("bob")}`)).json, { id: "bob" })
            assert.strictEqual(server.requests, 1)
            const unknownKey = yield* me(app.url, `Bearer ${yield* pair.sign("ann", { kid: "two" })}`)
            assert.strictEqual(unknownKey.status, 401)
            const symmetric = yield* me(app.url, `Bearer ${yield* hs256({ sub: "ann" })}`)
            assert.strictEqual(symmetric.status, 401)
            yield* server.close
            assert.strictEqual((yield* me(app.url, `Bearer ${yield* pair.sign("cid")}`)).status, 200)
          }),
        { identity: { _tag: "Jwks", url: server.url } }
      )
    }).pipe(Effect.scoped)
  )

  it.live("answers 503, not 401, while the keys cannot be fetched, and heals", () =>
    Effect.gen(function* () {
      const pair = yield* keyPair("one")
      const server = yield* keyServer([pair.jwk])
      yield* withApp(
        (app) =>
          Effect.gen(function* () {
            const token = yield* pair.sign("ann")
            for (const answer of ["error", "garbage", "hang"] as const) {
              server.answer = answer
              const reply = yield* me(app.url, `Bearer ${token}`)
              isProblem(reply, 503, "dependency-unavailable", "/api/me")
              assert.strictEqual(reply.json["service"], "identity")
              assert.strictEqual(reply.headers["retry-after"], "5")
            }
            server.answer = "keys"
            assert.strictEqual((yield* me(app.url, `Bearer ${token}`)).status, 200)
          }),
        { identity: { _tag: "Jwks", url: server.url } }
      )
    }).pipe(Effect.scoped)
  )

  it.live("answers 503 when the key server is down", () =>
    Effect.gen(function* () {
      const pair = yield* keyPair("one")
      const server = yield* keyServer([pair.jwk])
      yield* server.close
      yield* withApp(
        (app) =>
          Effect.gen(function* () {
            const reply = yield* me(app.url, `Bearer ${yield* pair.sign("ann")}`)
            isProblem(reply, 503, "dependency-unavailable", "/api/me")
          }),
        { identity: { _tag: "Jwks", url: server.url } }
      )
    }).pipe(Effect.scoped)
  )
})

describe("Identity on a loopback server", () => {
  it.live("takes the caller's word, and demo where there is none", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const as = (headers: Record<string, string>) => Wire.send(`${app.url}/api/me`, { headers })
        assert.deepStrictEqual((yield* as({})).json, { id: "demo" })
        assert.deepStrictEqual((yield* as({ "x-user-id": " " })).json, { id: "demo" })
        assert.deepStrictEqual((yield* as({ "x-user-id": "ann" })).json, { id: "ann" })
        isProblem(yield* as({ "x-user-id": "x".repeat(129) }), 401, "unauthorized", "/api/me")
      })
    )
  )
})
