/**
 * The built server on a PostgreSQL that is stopped, started and locked under it; and what only the database can show:
 * that an accepted write goes on without its caller, and what is kept of a purchase and of an event.
 */
import { connect } from "node:net"
import * as Pg from "pg"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as Postgres from "../support/Postgres.js"
import { metric, run, start, startLimit, transcript, until, type App, type User } from "./support/App.js"

const quick = {
  DATABASE_PROBE_INTERVAL: "500ms",
  DATABASE_CIRCUIT_RESET_TIMEOUT: "1s",
  RATE_LIMIT_CALLS: "10000/60s",
  RATE_LIMIT_BILLING: "10000/60s"
}

const isUp = (app: App) =>
  until(
    () => app.get("/api/health"),
    ({ status }) => status === 200
  )

const isDown = (app: App) =>
  until(
    () => app.get("/api/health"),
    ({ status }) => status === 503
  )

describe.skipIf(!Postgres.available)("the server on a PostgreSQL", { timeout: 180_000 }, () => {
  let postgres: Postgres.Postgres
  let app: App
  beforeAll(async () => {
    postgres = await Postgres.make()
    app = await start({ DATABASE_URL: postgres.url, ...quick })
  }, startLimit)
  afterAll(async () => {
    await app?.close()
    postgres?.dispose()
  })

  it("answers 503 at once while it is down, keeps what needs no database, and heals by itself", async () => {
    const user = app.user()
    const { id } = await user.completed()
    const pid = app.server.pid
    postgres.stop("immediate")

    const first = await user.get("/api/calls")
    assert.strictEqual(first.status, 503)
    assert.deepInclude(first.body, { code: "dependency-unavailable", service: "database" })
    assert.strictEqual(first.headers.get("retry-after"), String(first.body.retryAfterSeconds))
    assert.match(first.body.detail, /try again in \d+ seconds?/)

    // A crowd does not pile up behind it: each is turned away, and the last as fast as the first.
    const crowd = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        [
          () => user.get("/api/calls"),
          () => user.get(`/api/calls/${id}`),
          () => user.post("/api/calls", {}),
          () => user.post("/api/billing/checkout", { plan: "pro" }),
          () => user.get(`/api/calls/${id}/coaching`)
        ][n % 5]!()
      )
    )
    for (const { body, headers, status } of crowd) {
      assert.strictEqual(status, 503, JSON.stringify(body))
      assert.strictEqual(body.service, "database")
      assert.isAtLeast(Number(headers.get("retry-after")), 1)
      assert.isNotNull(headers.get("x-ratelimit-limit"))
    }
    const asked = performance.now()
    assert.strictEqual((await user.get("/api/calls")).status, 503)
    // Its deadline is 8 s: it was not waited for.
    assert.isBelow(performance.now() - asked, 4000)

    const health = await isDown(app)
    assert.strictEqual(health.body.status, "unhealthy")
    assert.strictEqual(health.body.checks.database.status, "down")
    assert.strictEqual((await app.get("/readyz")).status, 200)
    assert.strictEqual((await app.get("/livez")).status, 200)
    const score = await user.post("/api/score", { transcript })
    assert.strictEqual(score.status, 200)
    assert.isAbove(score.body.score.overall, 0)
    assert.strictEqual((await user.get("/api/plans")).status, 200)

    const { body: errors } = await app.get("/api/errors?service=database&limit=5")
    assert.isNotEmpty(errors.errors)
    assert.notInclude(JSON.stringify(errors), "secret-password")
    const { body: status } = await app.get("/api/status")
    const database = status.dependencies.find(({ name }: { name: string }) => name === "database")
    assert.notStrictEqual(database.circuitBreaker.state, "closed")
    const { body: metrics } = await app.get("/metrics")
    assert.isAbove(metric(metrics, "dialdrill_breaker_transitions_total", { dependency: "database", to: "open" }), 0)
    assert.isAbove(
      metric(metrics, "dialdrill_dependency_calls_total", { dependency: "database", outcome: "rejected" }),
      0
    )

    await postgres.start()
    await until(
      () => user.get("/api/calls"),
      ({ status }) => status === 200
    )
    assert.strictEqual((await user.get(`/api/calls/${id}`)).body.status, "completed")
    await isUp(app)
    assert.strictEqual((await app.user().start()).mode, "voice")
    assert.strictEqual(app.server.pid, pid)
    process.kill(pid, 0)
  })

  it("heals as well when users stay away: the probe is enough", async () => {
    postgres.stop("fast")
    await isDown(app)
    await postgres.start()
    await isUp(app)
    await until(
      async () => (await app.get("/api/status")).body,
      ({ status }) => status !== "unhealthy"
    )
  })

  it("starts while it is down, says so, and heals when it comes", async () => {
    const url = await postgres.createDatabase("later")
    postgres.stop("fast")
    const early = await start({ DATABASE_URL: url, ...quick }, false)
    try {
      const health = await isDown(early)
      assert.strictEqual(health.body.status, "unhealthy")
      assert.strictEqual((await early.user().post("/api/calls", {})).status, 503)
      assert.strictEqual((await early.user().post("/api/score", { transcript })).status, 200)
      await postgres.start()
      const { body } = await until(
        () => early.user().post("/api/calls", {}),
        ({ status }) => status === 201
      )
      assert.strictEqual(body.status, "active")
      await isUp(early)
    } finally {
      await early.close()
    }
  })

  /** Holds a call's row, so that whoever writes it has to wait. */
  const holding = async (id: string): Promise<() => Promise<void>> => {
    const client = new Pg.Client({ connectionString: postgres.url })
    await client.connect()
    await client.query("begin")
    await client.query("select 1 from calls where id = $1 for update", [id])
    return async () => {
      await client.query("commit")
      await client.end()
    }
  }

  it("does not lose a completion whose caller goes away after it was accepted", async () => {
    const user = app.user()
    const { id } = await user.start()
    const release = await holding(id)
    const body = JSON.stringify({ transcript })
    const { hostname, port } = new URL(app.url)
    const socket = connect(Number(port), hostname)
    socket.on("error", () => {})
    socket.write(
      [
        `POST /api/calls/${id}/complete HTTP/1.1`,
        `host: ${hostname}`,
        `x-user-id: ${user.name}`,
        "content-type: application/json",
        `content-length: ${Buffer.byteLength(body)}`,
        "",
        body
      ].join("\r\n")
    )
    await until(
      () =>
        postgres.admin("select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%for update%'"),
      (rows) => rows.length > 0
    )
    socket.destroy()
    // The server has seen it go before the write can go on.
    await new Promise((resolve) => setTimeout(resolve, 300))
    await release()
    const { body: call } = await until(
      () => user.get(`/api/calls/${id}`),
      ({ body }) => body.status === "completed"
    )
    assert.isAbove(call.score.overall, 0)
    assert.deepStrictEqual(call.transcript, transcript)
  })

  const checkouts = (user: User) =>
    postgres.admin("select id, session_id from checkouts where user_id = $1 order by created_at", [user.name])

  it("keeps one row for a double click, and another for a click that comes later", async () => {
    const user = app.user()
    const click = () => user.post("/api/billing/checkout", { plan: "pro" })
    const [one, two] = await Promise.all([click(), click()])
    assert.deepStrictEqual(one.body, two.body)
    assert.strictEqual((await checkouts(user)).length, 1)
    await postgres.admin("update checkouts set created_at = created_at - interval '11 seconds' where user_id = $1", [
      user.name
    ])
    const later = await click()
    assert.strictEqual(later.status, 200)
    assert.notStrictEqual(later.body.sessionId, one.body.sessionId)
    const rows = await checkouts(user)
    assert.deepStrictEqual(
      rows.map((row) => row["session_id"]),
      [one.body.sessionId, later.body.sessionId]
    )
    const keys = (await run(app.stripe.requests))
      .filter(({ body }) => body.includes(user.name))
      .map(({ headers }) => headers["idempotency-key"])
    assert.includeMembers(
      keys,
      rows.map((row) => String(row["id"]))
    )
  })

  it("keeps an event that cannot be applied with the reason why, and each event once", async () => {
    const deliveries = [
      await run(app.stripe.event("checkout.session.completed", { client_reference_id: "x", payment_status: "paid" })),
      await run(app.stripe.event("customer.subscription.deleted", { id: "sub_nobody" })),
      await run(app.stripe.event("invoice.paid", { id: "in_1" }))
    ]
    for (const { body, headers } of [...deliveries, ...deliveries]) {
      const response = await fetch(`${app.url}/api/billing/webhook`, { method: "POST", headers, body })
      assert.strictEqual(response.status, 200)
    }
    const rows = await postgres.admin(
      "select id, type, reason, applied_at, payload from stripe_events where id = any($1) order by id",
      [deliveries.map(({ id }) => id)]
    )
    assert.strictEqual(rows.length, 3)
    const reasonOf = (type: string) => rows.find((row) => row["type"] === type)?.["reason"]
    assert.match(String(reasonOf("checkout.session.completed")), /metadata/)
    assert.match(String(reasonOf("customer.subscription.deleted")), /nobody holds/)
    assert.isNull(reasonOf("invoice.paid"))
    for (const row of rows) {
      assert.isNotNull(row["applied_at"])
      assert.strictEqual((row["payload"] as { readonly id: string }).id, row["id"])
    }
  })
})
