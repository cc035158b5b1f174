import { assert, describe, it } from "@effect/vitest"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as Lifecycle from "../../src/http/Lifecycle.js"
import * as Server from "../../src/http/Server.js"
import { withApp } from "./support/TestApp.js"
import type { Reply } from "./support/Wire.js"
import * as Wire from "./support/Wire.js"

const takenPort = Effect.acquireRelease(
  Effect.async<number>((resume) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      resume(Effect.succeed((server.address() as AddressInfo).port))
    })
    close = Effect.async((done) => {
      server.close(() => {
        done(Effect.void)
      })
    })
  }),
  () => close
)
let close: Effect.Effect<void> = Effect.void

const listen = (options: Server.Options) => Effect.flip(Effect.scoped(Layer.build(Server.layer(options))))

/** The raw answer that a protocol error gets, as head and problem. */
const problemOf = (raw: string) => {
  const [head = "", body = ""] = raw.split("\r\n\r\n")
  assert.include(head.toLowerCase(), "content-type: application/problem+json")
  assert.include(head.toLowerCase(), "connection: close")
  return { head, problem: JSON.parse(body) as Record<string, unknown> }
}

describe("Server", () => {
  it.live("says in one line that the port is in use, and what to do", () =>
    Effect.gen(function* () {
      const port = yield* takenPort
      const error = yield* listen({ host: "127.0.0.1", port })
      assert.strictEqual(error.reason, "port-in-use")
      assert.match(error.message, new RegExp(`^PORT: ${port} on 127.0.0.1 is in use; .*PORT=${port + 1}.*PORT=0`))
      assert.notInclude(error.message, "\n")
    }).pipe(Effect.scoped)
  )

  it.live("says in one line that the address is not of this machine", () =>
    Effect.gen(function* () {
      const error = yield* listen({ host: "192.0.2.1", port: 0 })
      assert.strictEqual(error.reason, "no-such-address")
      assert.match(error.message, /^HOST: 192\.0\.2\.1 .*HOST=127\.0\.0\.1/)
    })
  )

  it.live("tells the port that it picked", () =>
    withApp((app) =>
      Effect.sync(() => {
        assert.match(app.url, /^http:\/\/127\.0\.0\.1:[1-9]\d+$/)
      })
    )
  )

  it.live("answers who asks while the routes are still being made", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(takenPort)
      const asked = yield* Deferred.make<Reply>()
      const slow = Layer.effectDiscard(
        Effect.gen(function* () {
          yield* Effect.forkDaemon(Effect.intoDeferred(Wire.send(`http://127.0.0.1:${port}/early`), asked))
          yield* Effect.sleep("300 millis")
          const router = yield* HttpLayerRouter.HttpRouter
          yield* router.add("GET", "/early", Effect.succeed(HttpServerResponse.text("in time")))
        })
      )
      yield* Layer.build(
        Server.serve(slow).pipe(
          Layer.provide(Server.layer({ host: "127.0.0.1", port })),
          Layer.provide(Lifecycle.layer)
        )
      )
      const reply = yield* Effect.timeoutOption(Deferred.await(asked), "5 seconds")
      assert.strictEqual(Option.getOrUndefined(reply)?.body, "in time")
    }).pipe(Effect.scoped)
  )

  it.live("closes on a sender whose headers do not end, with a 408", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const raw = yield* Wire.connect(app.port)
          raw.write("GET /api/items/a HTTP/1.1\r\nHost: x\r\nX-Slow: ")
          const trickle = Effect.forever(
            Effect.delay(
              Effect.sync(() => raw.write("a")),
              "50 millis"
            )
          )
          const received = yield* Effect.raceFirst(raw.closed, trickle).pipe(Effect.timeout("5 seconds"), Effect.orDie)
          const { head, problem } = problemOf(received)
          assert.include(head, "HTTP/1.1 408 Request Timeout")
          assert.strictEqual(problem["code"], "request-timeout")
        }),
      { server: { headersTimeout: "300 millis" } }
    )
  )

  it.live("closes on a sender whose body does not end, and interrupts its handler", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const raw = yield* Wire.connect(app.port)
          raw.write("POST /api/raw HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
          const trickle = Effect.forever(
            Effect.delay(
              Effect.sync(() => raw.write("a")),
              "50 millis"
            )
          )
          const received = yield* Effect.raceFirst(raw.closed, trickle).pipe(Effect.timeout("5 seconds"), Effect.orDie)
          assert.include(received, "HTTP/1.1 408 Request Timeout")
        }),
      { server: { headersTimeout: "200 millis", requestTimeout: "400 millis" } }
    )
  )

  it.live("closes connections that say nothing, and readers that do not read", () =>
    withApp(
      (app) =>
        Effect.gen(function* () {
          const silent = yield* Wire.connect(app.port)
          yield* Effect.timeout(silent.closed, "5 seconds").pipe(Effect.orDie)
        }),
      { server: { idleTimeout: "300 millis" } }
    )
  )

  it.live("answers what is no HTTP, headers that are too large, and expectations, in the form of every error", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const ask = (bytes: string) =>
          Effect.gen(function* () {
            const raw = yield* Wire.connect(app.port)
            raw.write(bytes)
            return problemOf(yield* raw.closed)
          })
        const nonsense = yield* ask("HELLO WORLD\r\n\r\n")
        assert.include(nonsense.head, "HTTP/1.1 400 Bad Request")
        assert.strictEqual(nonsense.problem["code"], "malformed-request")

        const large = yield* ask(`GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`)
        assert.include(large.head, "HTTP/1.1 431")
        assert.strictEqual(large.problem["code"], "headers-too-large")

        const expecting = yield* ask("GET /api/items/a HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n")
        assert.include(expecting.head, "HTTP/1.1 417")
        assert.strictEqual(expecting.problem["code"], "expectation-failed")
        assert.strictEqual(expecting.problem["instance"], "/api/items/a")
      })
    )
  )

  it.live("answers a body that turns out to be no valid chunk while its handler reads it", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const raw = yield* Wire.connect(app.port)
        raw.write("POST /api/raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        yield* Effect.sleep("50 millis")
        raw.write("not a chunk\r\n")
        assert.include(yield* raw.closed, "HTTP/1.1 400 Bad Request")
        assert.strictEqual((yield* Wire.send(`${app.url}/api/items/a`)).status, 200)
      })
    )
  )
})
