import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { createHmac } from "node:crypto"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as Alerts from "../../src/health/Alerts.js"
import type { CheckOutcome } from "../../src/health/Check.js"
import * as ErrorLog from "../../src/health/ErrorLog.js"
import * as HealthMonitor from "../../src/health/HealthMonitor.js"

interface Received {
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
  readonly message: Alerts.Message
}

/** A real webhook on a real port; `answer` decides about each request, and may leave it without an answer. */
const webhook = (answer: (n: number, response: http.ServerResponse) => void) =>
  Effect.gen(function* () {
    const received = yield* Queue.unbounded<Received>()
    let requests = 0
    const server = http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString()
        Queue.unsafeOffer(received, { headers: request.headers, body, message: JSON.parse(body) as Alerts.Message })
        answer(requests++, response)
      })
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.async<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        })
    )
    // A listening TCP server has an address of this shape.
    const { port } = server.address() as AddressInfo
    return { received, url: Redacted.make(`http://127.0.0.1:${port}/hook?token=s3cret`) }
  })

const ok = (_: number, response: http.ServerResponse) => void response.writeHead(200).end("ok")

const monitoring = HealthMonitor.layerWith({ memory: false }).pipe(Layer.provideMerge(ErrorLog.layerWith({})))

const withAlerts = <A, E>(
  options: Alerts.AlertsOptions,
  use: (alerts: Alerts.AlertsShape, monitor: HealthMonitor.HealthMonitorShape) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    return yield* use(yield* Alerts.Alerts, yield* HealthMonitor.HealthMonitor)
  }).pipe(
    Effect.provide(
      Alerts.layerWith(options).pipe(Layer.provideMerge(Layer.merge(monitoring, NodeHttpClient.layerUndici)))
    )
  )

const opening: Alerts.CircuitTransition = { name: "openai", from: "closed", to: "open", reason: "threshold" }

describe("Alerts", () => {
  it.scopedLive("posts a signed message when the status of the whole changes", () =>
    Effect.gen(function* () {
      const secret = "whsec_test"
      const { received, url } = yield* webhook(ok)
      yield* withAlerts({ url, secret: Redacted.make(secret), minInterval: 1 }, (_, monitor) =>
        Effect.scoped(
          Effect.gen(function* () {
            const database = yield* Ref.make<CheckOutcome>({ status: "up" })
            yield* monitor.register({ name: "database", critical: true, check: Ref.get(database) })
            yield* monitor.probeNow("database")
            yield* Ref.set(database, { status: "down", message: "connection refused" })
            yield* monitor.probeNow("database")
            const { body, headers, message } = yield* Queue.take(received)
            assert.include(message, {
              type: "health",
              severity: "critical",
              from: "healthy",
              to: "unhealthy",
              message: "Health is unhealthy: database is down (connection refused)"
            })
            assert.strictEqual(message.text, message.message)
            assert.strictEqual(headers["content-type"], "application/json")
            assert.notProperty(headers, "traceparent")
            assert.notProperty(headers, "b3")
            const [, seconds, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["x-dialdrill-signature"]))!
            assert.strictEqual(digest, createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex"))
            assert.approximately(Number(seconds), (yield* Clock.currentTimeMillis) / 1000, 5)
            yield* Ref.set(database, { status: "up" })
            yield* monitor.probeNow("database")
            const resolved = yield* Queue.take(received)
            assert.include(resolved.message, { severity: "resolved", from: "unhealthy", to: "healthy" })
            assert.notStrictEqual(resolved.message.id, message.id)
          })
        )
      )
    })
  )

  it.scopedLive("posts when a watched circuit opens and closes, unsigned without a secret", () =>
    Effect.gen(function* () {
      const { received, url } = yield* webhook(ok)
      const hub = yield* PubSub.unbounded<Alerts.CircuitTransition>()
      yield* withAlerts({ url, minInterval: 1 }, (alerts) =>
        Effect.scoped(
          Effect.gen(function* () {
            const subscribed = yield* Deferred.make<void>()
            yield* alerts.watch(
              Stream.unwrapScoped(
                Effect.zipLeft(
                  Effect.map(PubSub.subscribe(hub), (queue) => Stream.fromQueue(queue)),
                  Deferred.succeed(subscribed, undefined)
                )
              )
            )
            yield* Deferred.await(subscribed)
            yield* PubSub.publish(hub, opening)
            const first = yield* Queue.take(received)
            assert.include(first.message, { subject: "circuit:openai", severity: "warning", to: "open" })
            assert.notProperty(first.headers, "x-dialdrill-signature")
            yield* PubSub.publish(hub, { name: "openai", from: "open", to: "half-open" })
            yield* PubSub.publish(hub, { name: "openai", from: "half-open", to: "closed" })
            assert.include((yield* Queue.take(received)).message, { severity: "resolved", from: "open", to: "closed" })
          })
        )
      )
    })
  )

  it.scopedLive("tells a circuit that flaps once, until the interval is over", () =>
    Effect.gen(function* () {
      const { received, url } = yield* webhook(ok)
      const flaps = Array.from({ length: 51 }, (_, i) =>
        i % 2 === 0 ? opening : { ...opening, from: "half-open" as const, to: "closed" as const }
      )
      yield* withAlerts({ url, minInterval: "1 hour" }, (alerts) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* alerts.watch(Stream.fromIterable(flaps))
            yield* Queue.take(received)
            yield* Effect.sleep("100 millis")
            assert.strictEqual(yield* Queue.size(received), 0)
          })
        )
      )
    })
  )

  it.scopedLive("tries again with the same id when the webhook fails or does not answer, and holds up nobody", () =>
    Effect.gen(function* () {
      const hung = yield* Deferred.make<void>()
      const { received, url } = yield* webhook((n, response) => {
        if (n === 0) Deferred.unsafeDone(hung, Effect.void)
        else ok(n, response)
      })
      yield* withAlerts({ url, minInterval: 1, timeout: "100 millis" }, (alerts, monitor) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* alerts.watch(Stream.make(opening))
            yield* Deferred.await(hung)
            const before = performance.now()
            yield* monitor.getHealthStatus
            assert.isBelow(performance.now() - before, 50)
            const first = yield* Queue.take(received)
            const second = yield* Queue.take(received)
            assert.strictEqual(second.message.id, first.message.id)
          })
        )
      )
    })
  )

  it.scopedLive("survives a webhook that is not there, without writing its address to the log", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const gaveUp = yield* Deferred.make<void>()
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => {
          lines.push(String(message))
          if (String(message).includes("not delivered")) Deferred.unsafeDone(gaveUp, Effect.void)
        })
      )
      const address = "http://127.0.0.1:1/services/T0/B0/pathsecret"
      yield* withAlerts({ url: Redacted.make(address), minInterval: 1 }, (alerts) =>
        Effect.scoped(Effect.zipRight(alerts.watch(Stream.make(opening)), Deferred.await(gaveUp)))
      ).pipe(Effect.provide(logger))
      assert.include(lines.join("\n"), "circuit:openai was not delivered")
      assert.notInclude(lines.join("\n"), "pathsecret")
    })
  )

  it.effect("is off without ALERT_WEBHOOK_URL, and refuses one that is no web address without repeating it", () =>
    Effect.gen(function* () {
      const built = (environment: ReadonlyArray<readonly [string, string]>) =>
        Effect.exit(Effect.scoped(Layer.build(Alerts.layer))).pipe(
          Effect.provide(Layer.merge(monitoring, NodeHttpClient.layerUndici)),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(environment)))
        )
      assert.isTrue(Exit.isSuccess(yield* built([])))
      assert.isTrue(Exit.isSuccess(yield* built([["ALERT_WEBHOOK_URL", "https://hooks.example.com/x"]])))
      const refused = String(yield* built([["ALERT_WEBHOOK_URL", "ftp://pathsecret"]]))
      assert.include(refused, "ALERT_WEBHOOK_URL must be a web address")
      assert.notInclude(refused, "pathsecret")
    })
  )
})
