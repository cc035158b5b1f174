import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ErrorLog } from "../../src/health/ErrorLog.js"
import type { HttpSample } from "../../src/telemetry/Metrics.js"
import { isProblem } from "./support/isProblem.js"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

describe("Envelope", () => {
  it.live("answers a success with an id and security headers", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.send(`${app.url}/api/items/a`)
        assert.strictEqual(reply.status, 200)
        assert.deepStrictEqual(reply.json, { id: "a", size: 1 })
        assert.match(String(reply.headers["x-request-id"]), /^[\da-f-]{36}$/)
        assert.strictEqual(reply.headers["x-content-type-options"], "nosniff")
        assert.strictEqual(reply.headers["referrer-policy"], "no-referrer")
        assert.strictEqual(reply.headers["cache-control"], "no-store")
        assert.strictEqual(reply.headers["x-ratelimit-limit"], "1000")
      })
    )
  )

  it.live("repeats a safe request id and replaces any other", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const id = (offered: string) =>
          Effect.map(Wire.send(`${app.url}/who`, { headers: { "x-request-id": offered } }), (reply) => {
            assert.strictEqual(reply.json["id"], reply.headers["x-request-id"])
            assert.strictEqual(reply.json["logged"], reply.headers["x-request-id"])
            return reply.headers["x-request-id"]
          })
        assert.strictEqual(yield* id("good-id-1234"), "good-id-1234")
        for (const bad of ["short", "a b c d e f g h", "x".repeat(300), "<script>alert(1)</script>"]) {
          assert.notStrictEqual(yield* id(bad), bad)
        }
      })
    )
  )

  it.live("gives a typed error its status, its own code and its fields", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.post(`${app.url}/api/items`, { name: "plan", size: 1 })
        isProblem(reply, 402, "plan-limit", "/api/items")
        assert.strictEqual(reply.json["detail"], "The free plan is used up")
        assert.strictEqual(reply.json["title"], "Payment Required")
        assert.deepStrictEqual(reply.json["plans"], ["starter"])
      })
    )
  )

  it.live("answers 404 for an unknown thing and for an unknown route, without the query", () =>
    withApp((app) =>
      Effect.gen(function* () {
        isProblem(yield* Wire.send(`${app.url}/api/items/none`), 404, "not-found", "/api/items/none")
        const unknown = yield* Wire.send(`${app.url}/api/nothing?token=secret`)
        isProblem(unknown, 404, "not-found", "/api/nothing")
        assert.notInclude(unknown.body, "secret")
        isProblem(yield* Wire.send(`${app.url}/api/items/%zz`), 404, "not-found", "/api/items/%zz")
        isProblem(
          yield* Wire.send(`${app.url}/nowhere`, {
            method: "POST",
            headers: { "content-type": "text/plain" },
            body: "x"
          }),
          404,
          "not-found",
          "/nowhere"
        )
      })
    )
  )

  it.live("answers 405 with Allow for a known path, and 204 for OPTIONS", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const wrong = yield* Wire.send(`${app.url}/api/items/a`, { method: "DELETE" })
        isProblem(wrong, 405, "method-not-allowed", "/api/items/a")
        assert.strictEqual(wrong.headers.allow, "GET, HEAD, OPTIONS")
        const posts = yield* Wire.send(`${app.url}/api/items`)
        assert.strictEqual(posts.headers.allow, "POST, OPTIONS")
        const options = yield* Wire.send(`${app.url}/api/items/a`, { method: "OPTIONS" })
        assert.strictEqual(options.status, 204)
        assert.strictEqual(options.headers.allow, "GET, HEAD, OPTIONS")
        assert.strictEqual((yield* Wire.send(`${app.url}/nowhere`, { method: "OPTIONS" })).status, 404)
      })
    )
  )

  it.live("answers HEAD like GET without a body, also where it fails", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const head = yield* Wire.send(`${app.url}/api/items/a`, { method: "HEAD" })
        assert.strictEqual(head.status, 200)
        assert.strictEqual(head.body, "")
        assert.strictEqual(head.headers["content-length"], String('{"id":"a","size":1}'.length))
        const missing = yield* Wire.send(`${app.url}/api/items/none`, { method: "HEAD" })
        assert.strictEqual(missing.status, 404)
        assert.strictEqual(missing.body, "")
        assert.strictEqual((yield* Wire.send(`${app.url}/livez`, { method: "HEAD" })).status, 200)
      })
    )
  )

  it.live("answers 400 with issues for a body, a query and a missing body that do not fit", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const body = yield* Wire.post(`${app.url}/api/items`, { name: "a", size: "big" })
        isProblem(body, 400, "invalid-request", "/api/items")
        const [issue] = body.json["issues"] as ReadonlyArray<{ path: ReadonlyArray<string>; message: string }>
        assert.deepStrictEqual(issue?.path, ["size"])
        assert.include(issue?.message, "Expected number")
        isProblem(yield* Wire.send(`${app.url}/api/search?limit=x`), 400, "invalid-request", "/api/search")
        isProblem(yield* Wire.send(`${app.url}/api/items`, { method: "POST" }), 400, "invalid-request", "/api/items")
      })
    )
  )

  it.live("keeps a 400 a 400 when the caller's text looks like a failed answer", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const hostile = yield* Wire.post(`${app.url}/api/items`, { name: "a", size: "(<declaration schema> <-> boom" })
        isProblem(hostile, 400, "invalid-request", "/api/items")
      })
    )
  )

  it.live("does not echo a large value back", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.post(`${app.url}/api/items`, { name: "a", size: "x".repeat(500_000) })
        isProblem(reply, 400, "invalid-request", "/api/items")
        assert.isBelow(reply.body.length, 2_000)
      })
    )
  )

  it.live("answers 400 for broken JSON", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.send(`${app.url}/api/items`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: '{"name":'
        })
        isProblem(reply, 400, "malformed-body", "/api/items")
        assert.strictEqual(reply.json["detail"], "The body is not valid JSON")
      })
    )
  )

  it.live("answers 415 for a media type or an encoding that the route does not take", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const typed = (headers: Record<string, string>) =>
          Wire.send(`${app.url}/api/items`, { method: "POST", headers, body: '{"name":"a","size":1}' })
        const text = yield* typed({ "content-type": "text/plain" })
        isProblem(text, 415, "unsupported-media-type", "/api/items")
        assert.deepStrictEqual(text.json["accepts"], ["application/json"])
        assert.strictEqual(text.headers["x-ratelimit-limit"], "1000")
        assert.strictEqual(
          (yield* typed({ "content-type": "application/json", "content-encoding": "gzip" })).status,
          415
        )
        assert.strictEqual((yield* typed({ "content-type": "Application/JSON; charset=utf-8" })).status, 201)
        assert.strictEqual((yield* typed({})).status, 201)
      })
    )
  )

  it.live("answers 500 for its own answer that breaks its schema, without a word of it", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.send(`${app.url}/api/nonsense`)
        isProblem(reply, 500, "internal-error", "/api/nonsense")
        assert.notInclude(reply.body, "secret")
        assert.notInclude(reply.body, "schema")
      })
    )
  )

  it.live("answers 500 for an error that breaks its own schema", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.post(`${app.url}/api/items`, { name: "broken", size: 1 })
        isProblem(reply, 500, "internal-error", "/api/items")
        // The request's id is random and may hold anything.
        assert.notInclude(JSON.stringify({ ...reply.json, requestId: "" }), "-1")
      })
    )
  )

  it.live("answers 500 for a thrown error, tells the error log, and leaks nothing in production", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.send(`${app.url}/api/crash`)
        isProblem(reply, 500, "internal-error", "/api/crash")
        assert.notInclude(reply.body, "hunter2")
        assert.notProperty(reply.json, "stack")
        const [entry] = yield* Context.get(app.context, ErrorLog).getRecentErrors(1)
        assert.strictEqual(entry?.service, "http")
        assert.strictEqual(entry?.operation, "GET /api/crash")
        assert.strictEqual(entry?.requestId, reply.headers["x-request-id"])
      })
    )
  )

  it.live("shows the stack in development", () =>
    withApp(
      (app) =>
        Effect.map(Wire.send(`${app.url}/api/crash`), (reply) => {
          assert.include(String(reply.json["stack"]), "hunter2")
        }),
      { envelope: { showStack: true } }
    )
  )

  it.live("answers 503 for a dependency, saying which and when to try again", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.send(`${app.url}/api/needy`)
        isProblem(reply, 503, "dependency-unavailable", "/api/needy")
        assert.strictEqual(reply.json["service"], "database")
        assert.strictEqual(reply.json["retryAfterSeconds"], 1)
        assert.strictEqual(reply.headers["retry-after"], "1")
        assert.include(String(reply.json["detail"]), "try again in 1 second")
      })
    )
  )

  it.live("answers 504 at the deadline, having interrupted the handler", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const reply = yield* Wire.send(`${app.url}/api/slow`)
          isProblem(reply, 504, "deadline-exceeded", "/api/slow")
          assert.strictEqual(reply.headers["retry-after"], "1")
          assert.deepStrictEqual(app.probe.events, ["slow Failure"])
          const left = Duration.toMillis(
            app.probe.timeLeft ?? assert.fail("the handler was not told how long there is")
          )
          assert.isTrue(left > 0 && left <= 100, `${left} of 100 ms are left at the beginning`)
        }),
      { envelope: { deadline: "100 millis" } }
    )
  )

  for (const deadline of [Duration.infinity, Duration.days(30)]) {
    it.live(`leaves a request its time where the deadline is ${Duration.format(deadline)}, longer than any timer`, () =>
      withApp(
        (app) =>
          Effect.gen(function* () {
            app.probe.slowFor = "50 millis"
            const reply = yield* Wire.send(`${app.url}/api/write`, { method: "POST" })
            assert.isBelow(reply.status, 300)
          }),
        { envelope: { deadline } }
      )
    )
  }

  it.live("answers 504 to a body that does not arrive, on a connection that is still good", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const raw = yield* Wire.connect(app.port)
          raw.write(
            "POST /api/items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
          )
          assert.include(yield* raw.until("deadline-exceeded"), "HTTP/1.1 504")
          raw.write('"name":""')
          raw.write("GET /api/items/a HTTP/1.1\r\nHost: x\r\n\r\n")
          assert.include(yield* raw.until('"size":1'), "HTTP/1.1 200")
        }),
      { envelope: { deadline: "100 millis" } }
    )
  )

  it.live("lets a write end before its late answer goes out", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          app.probe.slowFor = "200 millis"
          const reply = yield* Wire.send(`${app.url}/api/write`, { method: "POST" })
          assert.strictEqual(reply.status, 504)
          assert.deepStrictEqual(app.probe.events, ["written"])
        }),
      { envelope: { deadline: "50 millis" } }
    )
  )

  it.live("interrupts the handler when the client hangs up, but not a write", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reader = yield* Wire.connect(app.port)
        reader.write("GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n")
        yield* Effect.sleep("50 millis")
        reader.socket.destroy()
        yield* Wire.eventually(() => app.probe.events.includes("slow Failure"))

        app.probe.slowFor = "100 millis"
        const writer = yield* Wire.connect(app.port)
        writer.write("POST /api/write HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        yield* Effect.sleep("30 millis")
        writer.socket.destroy()
        yield* Wire.eventually(() => app.probe.events.includes("written"))
      })
    )
  )

  it.live("treats a wish to upgrade the connection as an ordinary request, body included", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const reply = yield* Wire.post(
          `${app.url}/api/items`,
          { name: "a", size: 1 },
          { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQCAAAAAAIAAAAA" }
        )
        assert.strictEqual(reply.status, 201)
      })
    )
  )

  it.live("refuses an HTTP/1.1 request without a host", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const raw = yield* Wire.connect(app.port)
        raw.write("GET /api/items/a HTTP/1.1\r\n\r\n")
        const reply = yield* raw.until("}")
        assert.include(reply, "HTTP/1.1 400")
        assert.include(reply, '"code":"malformed-request"')
      })
    )
  )

  it.live("tells observers the pattern of the route, never the path", () => {
    const seen: Array<HttpSample> = []
    return withApp(
      (app) =>
        Effect.gen(function* () {
          yield* Wire.send(`${app.url}/api/items/a`)
          yield* Wire.send(`${app.url}/nowhere`)
          yield* Wire.send(`${app.url}/livez`)
          assert.deepStrictEqual(
            seen.map(({ method, route, status }) => [method, route, status]),
            [
              ["GET", "/api/items/:id", 200],
              ["GET", undefined, 404]
            ]
          )
        }),
      { envelope: { observe: (sample) => seen.push(sample) } }
    )
  })

  it.live("answers probes past everything", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const live = yield* Wire.send(`${app.url}/livez`)
        assert.strictEqual(live.status, 200)
        assert.deepStrictEqual(live.json, { status: "live" })
        assert.notProperty(live.headers, "x-request-id")
        const ready = yield* Wire.send(`${app.url}/readyz`)
        assert.strictEqual(ready.status, 503)
        assert.deepStrictEqual(ready.json, { status: "starting" })
        const wrong = yield* Wire.send(`${app.url}/livez`, { method: "POST" })
        isProblem(wrong, 405, "method-not-allowed", "/livez")
      })
    )
  )
})
