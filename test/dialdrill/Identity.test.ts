/**
 * A server that more than its own machine could reach: users come with tokens, operators with theirs, and neither opens
 * the other's doors.
 */
import { SignJWT } from "jose"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { request, type Reply } from "../support/Server.js"
import { start, startLimit, transcript, until, userOf, type App, type User } from "./support/App.js"

const secret = "a-secret-of-at-least-32-characters!!"
const adminToken = "an-admin-token-of-this-test"
const admin = { authorization: `Bearer ${adminToken}` }

const token = (sub: string, options: { readonly secret?: string; readonly expires?: string } = {}): Promise<string> =>
  new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(options.expires ?? "10 minutes")
    .sign(new TextEncoder().encode(options.secret ?? secret))

describe("a server that is open to others", { timeout: 90_000 }, () => {
  let app: App
  let ann: User
  let bob: User
  const as = async (sub: string): Promise<User> => userOf(app.url, sub, { authorization: `Bearer ${await token(sub)}` })
  const get = (path: string, headers: Record<string, string> = {}): Promise<Reply> =>
    request(app.url, path, { headers })

  beforeAll(async () => {
    app = await start({
      // The loopback address in a form that nobody is expected to know as one: nothing is reachable from outside here.
      HOST: "127.1",
      AUTH_JWT_SECRET: secret,
      ADMIN_TOKEN: adminToken,
      NODE_ENV: "production"
    })
    ann = await as("ann")
    bob = await as("bob")
  }, startLimit)
  afterAll(() => app?.close())

  it("takes a user's token, and shows nobody another one's calls", async () => {
    const { id } = await ann.completed()
    assert.strictEqual((await ann.get(`/api/calls/${id}`)).status, 200)
    assert.deepStrictEqual((await bob.get("/api/calls")).body, { calls: [] })
    for (const reply of [
      await bob.get(`/api/calls/${id}`),
      await bob.get(`/api/calls/${id}/coaching`),
      await bob.post(`/api/calls/${id}/coaching`),
      await bob.post(`/api/calls/${id}/complete`, { transcript })
    ]) {
      assert.strictEqual(reply.status, 404)
    }
    assert.strictEqual((await ann.get("/api/calls")).body.calls.length, 1)
  })

  it("does not believe the name that somebody gives", async () => {
    const headers = { authorization: `Bearer ${await token("bob")}`, "x-user-id": "ann" }
    assert.deepStrictEqual((await get("/api/calls", headers)).body, { calls: [] })
    assert.strictEqual((await get("/api/calls", { "x-user-id": "ann" })).status, 401)
  })

  it("answers 401 to whoever cannot say who it is", async () => {
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from('{"sub":"ann"}').toString("base64url")}.`
    const offered = [
      undefined,
      "Bearer nonsense",
      `Bearer ${unsigned}`,
      `Bearer ${await token("ann", { secret: "another-secret-of-32-characters!!!" })}`,
      `Bearer ${await token("ann", { expires: "1 hour ago" })}`,
      `Basic ${await token("ann")}`,
      `Bearer ${adminToken}`
    ]
    for (const authorization of offered) {
      for (const path of ["/api/calls", "/api/billing"]) {
        const { body, status } = await get(path, authorization === undefined ? {} : { authorization })
        assert.strictEqual(status, 401, `${authorization}`)
        assert.strictEqual(body.code, "unauthorized")
        assert.notProperty(body, "stack")
      }
    }
  })

  it("shows what is behind the scenes only to the admin token", async () => {
    const user = { authorization: `Bearer ${await token("ann")}` }
    for (const path of ["/api/status", "/api/errors", "/metrics"]) {
      assert.strictEqual((await get(path)).status, 401, path)
      assert.strictEqual((await get(path, user)).status, 401, path)
      assert.strictEqual((await get(path, { authorization: "Bearer wrong" })).status, 401, path)
      assert.strictEqual((await get(path, admin)).status, 200, path)
    }
  })

  it("answers a detailed question about its health like a quick one", async () => {
    const quick = await get("/api/health?detailed=true")
    assert.strictEqual(quick.status, 200)
    assert.deepStrictEqual(Object.keys(quick.body.checks), ["database"])
    assert.notProperty(quick.body, "errors")
    const detailed = await get("/api/health?detailed=true", admin)
    assert.includeMembers(Object.keys(detailed.body.checks), ["database", "memory", "openai"])
    assert.property(detailed.body, "errors")
  })

  it("lets only the admin token switch a circuit, and puts that on record", async () => {
    const force = (headers: Record<string, string>) =>
      request(app.url, "/api/circuit-breakers/openai", {
        body: { action: "open", reason: "a drill of this test" },
        headers
      })
    assert.strictEqual((await force({})).status, 401)
    assert.strictEqual((await force({ authorization: `Bearer ${await token("ann")}` })).status, 401)
    const { body, status } = await force(admin)
    assert.strictEqual(status, 200)
    assert.strictEqual(body.mode, "forced-open")
    await until(
      async () => app.server.output(),
      (text) => text.includes("a drill of this test"),
      10_000
    )
    for (const kept of [adminToken, secret]) assert.notInclude(app.server.output(), kept)
  })

  it("leaves open what is nobody's secret", async () => {
    for (const path of ["/api/health", "/livez", "/readyz", "/api/plans", "/api/personalities", "/"]) {
      assert.strictEqual((await get(path)).status, 200, path)
    }
  })
})
