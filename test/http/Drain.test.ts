import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import { Lifecycle } from "../../src/http/Lifecycle.js"
import * as TestApp from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

/** An application that is stopped by hand, once: `stop` answers how long that took. */
const stoppable = (options: TestApp.Options = {}) =>
  Effect.gen(function* () {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const app = yield* Scope.extend(TestApp.start(options), scope)
    yield* Context.get(app.context, Lifecycle).started
    const stop = Effect.map(Effect.timed(Scope.close(scope, Exit.void)), ([took]) => Duration.toMillis(took))
    return { app, stop }
  })

const quietly = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.scoped(effect).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))

describe("Drain", () => {
  it.live("ends at once when nothing is running, whatever connections are open", () =>
    Effect.gen(function* () {
      const { app, stop } = yield* stoppable()
      const agent = new Http.Agent({ keepAlive: true })
      yield* Wire.send(`${app.url}/api/items/a`, { agent })
      const reserve = yield* Wire.connect(app.port)
      const took = yield* stop
      agent.destroy()
      yield* reserve.closed
      assert.isBelow(took, 500)
    }).pipe(quietly)
  )

  it.live("lets a request finish, with its connection closed afterwards and everything it uses still there", () =>
    Effect.gen(function* () {
      const { app, stop } = yield* stoppable()
      app.probe.slowFor = "400 millis"
      const agent = new Http.Agent({ keepAlive: true })
      const running = yield* Effect.fork(Wire.send(`${app.url}/api/slow`, { agent }))
      yield* Effect.sleep("100 millis")
      const took = yield* stop
      const reply = yield* Fiber.join(running)
      agent.destroy()
      assert.strictEqual(reply.status, 204)
      assert.strictEqual(reply.headers.connection, "close")
      assert.deepStrictEqual(app.probe.events, ["slow Success"])
      assert.isAbove(took, 250)
      assert.isBelow(took, 2_000)
    }).pipe(quietly)
  )

  it.live("keeps what is outside of the server until the last request has ended", () =>
    Effect.gen(function* () {
      let probe: TestApp.Probe | undefined
      let seenByDatabase: ReadonlyArray<string> = []
      const database = Layer.scopedDiscard(
        Effect.addFinalizer(() =>
          Effect.sync(() => {
            seenByDatabase = [...(probe?.events ?? [])]
          })
        )
      )
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const context = yield* Layer.buildWithScope(TestApp.layer().pipe(Layer.provideMerge(database)), scope)
      probe = Context.get(context, TestApp.TestProbe)
      probe.slowFor = "200 millis"
      const running = yield* Effect.fork(Wire.send(`http://127.0.0.1:${TestApp.portOf(context)}/api/slow`))
      yield* Effect.sleep("50 millis")
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(running)
      assert.deepStrictEqual(seenByDatabase, ["slow Success"])
    }).pipe(quietly)
  )

  it.live("waits for a write whose client has gone", () =>
    Effect.gen(function* () {
      const { app, stop } = yield* stoppable()
      app.probe.slowFor = "300 millis"
      const raw = yield* Wire.connect(app.port)
      raw.write("POST /api/write HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
      yield* Effect.sleep("50 millis")
      raw.socket.destroy()
      yield* Effect.sleep("50 millis")
      yield* stop
      assert.deepStrictEqual(app.probe.events, ["written"])
    }).pipe(quietly)
  )

  it.live("says goodbye on streams", () =>
    Effect.gen(function* () {
      const { app, stop } = yield* stoppable()
      const running = yield* Effect.fork(Wire.send(`${app.url}/events`))
      yield* Effect.sleep("150 millis")
      const took = yield* stop
      const reply = yield* Fiber.join(running)
      assert.include(reply.body, ": beat")
      assert.include(reply.body, "event: bye")
      assert.deepStrictEqual(app.probe.events, ["stream ended"])
      assert.isBelow(took, 1_000)
    }).pipe(quietly)
  )

  it.live("cuts what does not end within the grace, and interrupts it", () =>
    Effect.gen(function* () {
      const { app, stop } = yield* stoppable({ drain: { grace: "300 millis" } })
      const endless = yield* Wire.connect(app.port)
      endless.write("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
      const slow = yield* Wire.connect(app.port)
      slow.write("GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n")
      const sender = yield* Wire.connect(app.port)
      sender.write("GET /api/items/a HTT")
      yield* endless.until("beat")
      const took = yield* stop
      yield* endless.closed
      yield* slow.closed
      yield* sender.closed
      assert.isAbove(took, 250)
      assert.isBelow(took, 1_500)
      yield* Wire.eventually(() => app.probe.events.length === 2)
      assert.deepStrictEqual([...app.probe.events].sort(), ["slow Failure", "stream ended"])
    }).pipe(quietly)
  )

  it.live("fails readiness first, while it still accepts", () =>
    Effect.gen(function* () {
      const { app, stop } = yield* stoppable({ drain: { delay: "300 millis" } })
      const ready = () => Effect.map(Wire.send(`${app.url}/readyz`), ({ json, status }) => [status, json["status"]])
      assert.deepStrictEqual(yield* ready(), [200, "ready"])
      const stopping = yield* Effect.fork(stop)
      yield* Effect.sleep("100 millis")
      assert.deepStrictEqual(yield* ready(), [503, "draining"])
      assert.strictEqual((yield* Wire.send(`${app.url}/livez`)).status, 200)
      assert.strictEqual((yield* Wire.send(`${app.url}/api/items/a`)).status, 200)
      yield* Fiber.join(stopping)
    }).pipe(quietly)
  )

  it.live("gives a half-sent request the time to arrive", () =>
    Effect.gen(function* () {
      const { app, stop } = yield* stoppable()
      const raw = yield* Wire.connect(app.port)
      raw.write("GET /api/items/a HTTP/1.1\r\n")
      yield* Effect.sleep("50 millis")
      const stopping = yield* Effect.fork(stop)
      yield* Effect.sleep("100 millis")
      raw.write("Host: x\r\n\r\n")
      const reply = yield* raw.closed
      assert.include(reply, "HTTP/1.1 200")
      assert.include(reply.toLowerCase(), "connection: close")
      yield* Fiber.join(stopping)
    }).pipe(quietly)
  )

  it.live("starts and stops ten times without a trace", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 10; i++) {
        const { app, stop } = yield* stoppable()
        assert.strictEqual((yield* Wire.send(`${app.url}/api/items/a`)).status, 200)
        yield* stop
      }
      yield* Wire.eventually(() => !process.getActiveResourcesInfo().includes("TCPServerWrap"))
    }).pipe(quietly)
  )
})
