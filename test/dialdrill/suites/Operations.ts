/** What operators and monitoring read and command, the limits of every group, and what the envelope says to mistakes. */
import { assert, describe, it } from "vitest"
import { request, type Reply } from "../../support/Server.js"
import { metric, run, transcript, until, type App } from "../support/App.js"

export const operations = (app: () => App, adminToken: string): void => {
  const admin = { authorization: `Bearer ${adminToken}` }

  describe("GET /api/health", () => {
    it("says quickly whether the database is there, and nothing else", async () => {
      const { body, headers, status } = await app().get("/api/health")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(Object.keys(body).sort(), ["checks", "status", "timestamp", "uptime"])
      assert.deepStrictEqual(Object.keys(body.checks), ["database"])
      assert.strictEqual(body.checks.database.status, "up")
      assert.isAbove(body.uptime, 0)
      assert.isNull(headers.get("x-ratelimit-limit"))
    })

    it("says in detail how every dependency is", async () => {
      const { body } = await until(
        () => app().get("/api/health?detailed=true"),
        ({ body }) => body.status === "healthy"
      )
      assert.deepStrictEqual(Object.keys(body.checks).sort(), ["database", "elevenlabs", "memory", "openai", "stripe"])
      for (const check of Object.values<{ status: string; since: string }>(body.checks)) {
        assert.strictEqual(check.status, "up")
        assert.isNotNaN(Date.parse(check.since))
      }
      assert.isArray(body.errors)
    })

    it("has the probes of a supervisor beside it", async () => {
      assert.strictEqual((await app().get("/livez")).status, 200)
      assert.strictEqual((await app().get("/readyz")).status, 200)
    })
  })

  describe("GET /api/status", () => {
    it("lists every dependency with its circuit, its fallback and its last probe, and every limit", async () => {
      const { body, status } = await until(
        () => app().get("/api/status"),
        ({ body }) => body.dependencies.every((one: { lastProbe: unknown }) => one.lastProbe !== null)
      )
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body.dependencies.map(({ name }: { name: string }) => name).sort(), [
        "database",
        "elevenlabs",
        "openai",
        "stripe"
      ])
      for (const dependency of body.dependencies) {
        assert.deepStrictEqual(Object.keys(dependency).sort(), [
          "circuitBreaker",
          "configured",
          "critical",
          "fallback",
          "lastProbe",
          "name",
          "status"
        ])
        assert.strictEqual(dependency.critical, dependency.name === "database")
        assert.isTrue(dependency.configured)
        assert.deepInclude(dependency.circuitBreaker, {
          serviceName: dependency.name,
          state: "closed",
          mode: "auto"
        })
      }
      assert.deepStrictEqual(body.rateLimits.map(({ group }: { group: string }) => group).sort(), [
        "BILLING",
        "CALLS",
        "COACHING",
        "READ"
      ])
      assert.match(
        body.rateLimits.find(({ group }: { group: string }) => group === "BILLING").policy,
        /8.*60|8.*minute/
      )
    })
  })

  describe("GET /api/errors", () => {
    it("takes a limit and a service, and refuses others", async () => {
      const { body, status } = await app().get("/api/errors?limit=1&service=openai")
      assert.strictEqual(status, 200)
      assert.isAtMost(body.errors.length, 1)
      for (const query of ["limit=none", "limit=0", "limit=1.5"]) {
        const refused = await app().get(`/api/errors?${query}`)
        assert.strictEqual(refused.status, 400, query)
        assert.isNotEmpty(refused.body.issues)
      }
    })
  })

  describe("POST /api/circuit-breakers/{name}", () => {
    const force = (name: string, body: unknown, headers: Record<string, string> = admin): Promise<Reply> =>
      request(app().url, `/api/circuit-breakers/${name}`, { body, headers })

    it("opens a circuit, which users feel as the fallback, and gives it back; both are on record", async () => {
      const opened = await force("elevenlabs", { action: "open", reason: "the vendor announced an outage" })
      assert.strictEqual(opened.status, 200)
      assert.deepInclude(opened.body, { serviceName: "elevenlabs", state: "open", mode: "forced-open" })
      const simulated = await app().user().start()
      assert.deepInclude(simulated.degraded[0], { reason: "circuit-open", message: "Using simulated mode" })

      const released = await force("elevenlabs", { action: "auto", reason: "it is over" })
      assert.deepInclude(released.body, { state: "closed", mode: "auto", probesInUse: 0 })
      assert.strictEqual((await app().user().start()).mode, "voice")

      const log = await until(
        async () => app().server.output(),
        (text) => text.includes("it is over"),
        10_000
      )
      assert.include(log, "the vendor announced an outage")
      assert.notInclude(log, adminToken)
    })

    it("refuses a wrong token with 401, and none at all likewise", async () => {
      for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: adminToken }]) {
        const { body, status } = await force("openai", { action: "open", reason: "mischief" }, headers as typeof admin)
        assert.strictEqual(status, 401)
        assert.strictEqual(body.code, "unauthorized")
      }
      const { body } = await app().get("/api/status")
      assert.isTrue(
        body.dependencies.every((one: { circuitBreaker: { mode: string } }) => one.circuitBreaker.mode === "auto")
      )
    })

    it("refuses an action that does not exist, one without a reason, and a name that nobody has", async () => {
      assert.strictEqual((await force("openai", { action: "explode", reason: "x" })).status, 400)
      assert.strictEqual((await force("openai", { action: "open" })).status, 400)
      const { body, status } = await force("nobody", { action: "open", reason: "x" })
      assert.strictEqual(status, 404)
      assert.include(body.detail, "elevenlabs")
    })
  })

  describe("GET /metrics", () => {
    it("speaks Prometheus and counts what was called", async () => {
      const user = app().user()
      const { id } = await user.completed()
      await user.post(`/api/calls/${id}/coaching`)
      const { body, headers } = await app().get("/metrics")
      assert.strictEqual(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
      for (const dependency of ["openai", "elevenlabs", "database"]) {
        assert.isAbove(metric(body, "dialdrill_dependency_calls_total", { dependency, outcome: "success" }), 0)
        assert.strictEqual(metric(body, "dialdrill_breaker_state", { dependency }), 0)
      }
      const route = "/api/calls/:id/coaching"
      assert.isAbove(metric(body, "dialdrill_http_requests_total", { route, method: "POST", status: "200" }), 0)
      assert.notInclude(body, id, "an id has become a label")
    })
  })

  describe("POST /api/score", () => {
    it("scores without any dependency", async () => {
      const { body, status } = await app().user().post("/api/score", { transcript, durationSeconds: 60 })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(Object.keys(body).sort(), ["analytics", "score"])
      assert.deepStrictEqual(Object.keys(body.score).sort(), ["categories", "overall", "rubricVersion"])
    })

    it("refuses what is no transcript with 400", async () => {
      const { body, status } = await app().user().post("/api/score", {})
      assert.strictEqual(status, 400)
      assert.deepInclude(body.issues[0], { path: ["transcript"] })
    })
  })

  describe("the limits", () => {
    const limits = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "ratelimit-policy"]

    it("are told on a success and on a refusal alike, by the group of the route", async () => {
      const user = app().user()
      const { id } = await user.completed()
      const replies: ReadonlyArray<[Reply, string]> = [
        [await user.get("/api/calls"), "1000"],
        [await user.get(`/api/calls/${id}`), "1000"],
        [await user.get("/api/calls/nope"), "1000"],
        [await user.get("/api/plans"), "1000"],
        [await user.get("/api/billing"), "1000"],
        [await user.get("/api/status"), "1000"],
        [await user.get("/api/errors"), "1000"],
        [await user.get("/api/errors?limit=none"), "1000"],
        [await user.post("/api/score", { transcript }), "1000"],
        [await user.post("/api/score", {}), "1000"],
        [await user.get(`/api/calls/${id}/coaching`), "1000"],
        [await user.post("/api/calls", {}), "100"],
        [await user.post("/api/calls", {}), "100"],
        [await user.post("/api/calls", { personality: "nobody" }), "100"],
        [await user.post(`/api/calls/${id}/simulate`), "100"],
        [await user.post(`/api/calls/${id}/turns`, { text: "Hi" }), "100"],
        [await user.post(`/api/calls/${id}/complete`), "100"],
        [await user.post(`/api/calls/${id}/coaching`), "10"],
        [await user.post("/api/billing/checkout", { plan: "gold" }), "8"]
      ]
      for (const [{ headers, status }, limit] of replies) {
        for (const name of limits) assert.isNotNull(headers.get(name), `${name} on ${status}`)
        assert.strictEqual(headers.get("x-ratelimit-limit"), limit)
        assert.isAtLeast(Number(headers.get("x-ratelimit-reset")), Math.floor(Date.now() / 1000) - 60)
      }
      const left = replies
        .filter(([, limit]) => limit === "100")
        .map(([{ headers }]) => headers.get("x-ratelimit-remaining"))
      // Two calls were counted before these: the start and the completion. Refusals count as well.
      assert.isBelow(Number(left.at(-1)), Number(left[0]))
    })

    it("answer 429 with Retry-After over the limit, to this user and to nobody else", async () => {
      const user = app().user()
      const buy = () => user.post("/api/billing/checkout", { plan: "gold" })
      for (let n = 0; n < 8; n++) assert.strictEqual((await buy()).status, 400)
      const { body, headers, status } = await until(buy, ({ status }) => status === 429)
      assert.strictEqual(status, 429)
      assert.strictEqual(body.code, "rate-limit-exceeded")
      assert.strictEqual(headers.get("retry-after"), String(body.retryAfterSeconds))
      assert.isAtLeast(body.retryAfterSeconds, 1)
      assert.include(body.detail, "try again in")
      assert.strictEqual(headers.get("x-ratelimit-remaining"), "0")
      assert.strictEqual((await user.get("/api/billing")).status, 200)
      assert.strictEqual((await app().user().post("/api/billing/checkout", { plan: "gold" })).status, 400)
      const { body: system } = await app().get("/api/status")
      assert.isAtLeast(system.rateLimits.find(({ group }: { group: string }) => group === "BILLING").limited, 1)
      const { body: metrics } = await app().get("/metrics")
      assert.isAtLeast(metric(metrics, "dialdrill_rate_limited_total", { group: "BILLING" }), 1)
    })

    it("keep a user from asking the coach more than ten times a minute", async () => {
      const user = app().user()
      const { id } = await user.completed()
      const ask = () => user.post(`/api/calls/${id}/coaching`)
      const { headers } = await until(ask, ({ status }) => status === 429)
      assert.strictEqual(headers.get("x-ratelimit-limit"), "10")
      assert.strictEqual((await user.get(`/api/calls/${id}/coaching`)).status, 200)
    })

    it("never stand before health, probes, metrics and the pages", async () => {
      for (const path of ["/api/health", "/livez", "/readyz", "/metrics", "/", "/docs", "/openapi.json"]) {
        const { headers, status } = await app().get(path)
        assert.strictEqual(status, 200, path)
        assert.isNull(headers.get("x-ratelimit-limit"), path)
      }
    })
  })

  describe("a mistake of the caller", () => {
    const send = async (path: string, init: RequestInit): Promise<Reply> => {
      const response = await fetch(`${app().url}${path}`, init)
      return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
    }
    const json = { "content-type": "application/json" }
    const cases: ReadonlyArray<[string, string, RequestInit, number, string]> = [
      ["malformed JSON", "/api/calls", { method: "POST", headers: json, body: "{" }, 400, "malformed-json"],
      ["a wrong media type", "/api/score", { method: "POST", body: "hello" }, 415, "unsupported-media-type"],
      [
        "a body over 1 MB",
        "/api/score",
        { method: "POST", headers: json, body: `"${"x".repeat(1_100_000)}"` },
        413,
        ""
      ],
      ["an unknown route", "/api/nothing", {}, 404, "not-found"],
      ["a wrong method", "/api/score", { method: "GET" }, 405, "method-not-allowed"],
      ["a page of a later issue", "/dashboard", {}, 404, "not-found"]
    ]
    it.each(cases)("%s gets the envelope of every error", async (_, path, init, status, code) => {
      const reply = await send(path, init)
      assert.strictEqual(reply.status, status)
      assert.match(reply.headers.get("content-type") ?? "", /^application\/problem\+json/)
      for (const name of ["type", "title", "status", "detail", "instance", "code", "requestId"]) {
        assert.property(reply.body, name)
      }
      assert.strictEqual(reply.body.status, status)
      if (code !== "") assert.include(reply.body.code, code.split("-")[0])
      if (status === 405) assert.include(reply.headers.get("allow"), "POST")
    })
  })

  describe("the upstreams", () => {
    it("never see a trace header", async () => {
      for (const standIn of [app().openai, app().elevenlabs, app().stripe]) {
        for (const { headers } of await run(standIn.requests)) {
          assert.notProperty(headers, "traceparent")
          assert.notProperty(headers, "b3")
        }
      }
    })
  })
}
