import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { Readable } from "node:stream"
import * as ResilientClient from "../../src/http/ResilientClient.js"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Hedge from "../../src/resilience/Hedge.js"
import * as Policy from "../../src/resilience/Policy.js"
import { eventually } from "../sql/support.js"

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, number: number) => void

/** A server of its own, which counts requests and the sockets that are open. */
const serve = (answer: Answer) =>
  Effect.acquireRelease(
    Effect.async<{
      readonly url: string
      readonly seen: Array<string>
      readonly close: () => void
      readonly open: () => number
    }>((resume) => {
      const seen: Array<string> = []
      let open = 0
      const server = http.createServer((request, response) => {
        seen.push(`${request.method} ${request.url}`)
        answer(request, response, seen.length)
      })
      server.on("connection", (socket) => {
        open += 1
        socket.once("close", () => (open -= 1))
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, seen, close, open: () => open }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const answering =
  (statuses: ReadonlyArray<number>, headers: Record<string, string> = {}): Answer =>
  (_, response, number) => {
    response.writeHead(statuses[Math.min(number, statuses.length) - 1]!, headers).end(`answer ${number}`)
  }

const guarded = (options: Omit<Policy.Options, "name"> = {}, client?: ResilientClient.Options) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(NodeHttpClient.layerUndici)
    const policy = yield* Policy.make({ name: "weather", retry: { initialDelay: 5, maxDelay: 1_500 }, ...options })
    return ResilientClient.withPolicy(Context.get(context, HttpClient.HttpClient), policy, client)
  })

describe("ResilientClient", () => {
  it.scopedLive("sends again what may be sent again, and hands the answer over with its body", () =>
    Effect.gen(function* () {
      const server = yield* serve(answering([503, 429, 200], { "x-name": "weather", "set-cookie": "a=1; Path=/" }))
      const response = yield* (yield* guarded()).get(`${server.url}/today`)
      assert.deepStrictEqual([response.status, yield* response.text], [200, "answer 3"])
      assert.strictEqual(response.headers["x-name"], "weather")
      assert.isTrue("a" in response.cookies.cookies)
      assert.lengthOf(server.seen, 3)
    })
  )

  it.scopedLive("sends a POST once, and again only with a key that lets the server tell", () =>
    Effect.gen(function* () {
      const server = yield* serve(answering([503, 200]))
      const client = yield* guarded()
      assert.strictEqual((yield* client.post(`${server.url}/orders`)).status, 503)
      assert.lengthOf(server.seen, 1)
      const again = yield* serve(answering([503, 200]))
      const keyed = yield* client.post(`${again.url}/orders`, { headers: { "idempotency-key": "order-1" } })
      assert.strictEqual(keyed.status, 200)
      assert.lengthOf(again.seen, 2)
    })
  )

  it.scopedLive("hands over the last answer when nothing follows it, and counts every one in the breaker", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "weather", failureThreshold: 3 })
      const server = yield* serve(answering([503]))
      const client = yield* guarded({ breaker })
      const response = yield* client.get(server.url)
      assert.deepStrictEqual([response.status, yield* response.text], [503, "answer 3"])
      assert.strictEqual((yield* breaker.status).state, "open")
      assert.strictEqual((yield* Effect.flip(client.get(server.url)))._tag, "CircuitOpen")
      assert.lengthOf(server.seen, 3)
    })
  )

  it.scopedLive("takes a 404 and a 501 for what they are", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "weather" })
      const server = yield* serve(answering([404, 501]))
      const client = yield* guarded({ breaker })
      assert.strictEqual((yield* client.get(server.url)).status, 404)
      assert.strictEqual((yield* breaker.status).failures, 0)
      assert.strictEqual((yield* client.get(server.url)).status, 501)
      assert.strictEqual((yield* breaker.status).failures, 1)
      assert.lengthOf(server.seen, 2)
    })
  )

  it.scopedLive(
    "waits as long as Retry-After asks for, in seconds or as a date, and not at all when it asks for too long",
    () =>
      Effect.gen(function* () {
        const date = new Date("2026-11-26T12:00:00Z")
        const asks: ReadonlyArray<Record<string, string>> = [
          { "retry-after": "1" },
          { "retry-after": new Date(date.getTime() + 1_000).toUTCString(), date: date.toUTCString() }
        ]
        for (const headers of asks) {
          const server = yield* serve(answering([503, 200], headers))
          const start = performance.now()
          assert.strictEqual((yield* (yield* guarded()).get(server.url)).status, 200)
          assert.isAtLeast(performance.now() - start, 990)
        }
        const server = yield* serve(answering([503, 200], { "retry-after": "2" }))
        assert.strictEqual((yield* (yield* guarded()).get(server.url)).status, 503)
        assert.lengthOf(server.seen, 1)
      })
  )

  it.scopedLive("an attempt covers the body, and closes its socket when it is given up", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response, number) => {
        response.writeHead(200)
        response.write("the begin")
        if (number > 1) response.end("ning")
      })
      const client = yield* guarded({ attemptTimeout: 200 })
      const response = yield* client.get(server.url)
      assert.strictEqual(yield* response.text, "the beginning")
      yield* eventually(
        "the first socket is closed",
        Effect.sync(() => server.open() <= 1)
      )
    })
  )

  it.scopedLive("the loser of a hedge closes its own socket, and not the winner's", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response, number) => {
        if (number > 1) response.writeHead(200).end("quick")
      })
      const hedge = yield* Hedge.make({ name: "weather", delay: 30 })
      const response = yield* (yield* guarded({ hedge })).get(server.url)
      assert.strictEqual(yield* response.text, "quick")
      yield* eventually(
        "the loser's socket is closed",
        Effect.sync(() => server.open() <= 1)
      )
    })
  )

  it.scopedLive("refuses an answer that is too large, and reads one that is empty", () =>
    Effect.gen(function* () {
      const server = yield* serve((request, response) => {
        if (request.url === "/empty") response.writeHead(204).end()
        else response.writeHead(200).end("x".repeat(2_000))
      })
      const client = yield* guarded({ retry: undefined }, { maxAnswerBytes: 1_000 })
      const error = yield* Effect.flip(client.get(server.url))
      assert.include(error.message, "larger than 1000 bytes")
      const empty = yield* client.get(`${server.url}/empty`)
      assert.deepStrictEqual([empty.status, yield* empty.text], [204, ""])
      const fetched = ResilientClient.withPolicy(
        Context.get(yield* Layer.build(FetchHttpClient.layer), HttpClient.HttpClient),
        yield* Policy.make({ name: "weather" })
      )
      assert.strictEqual((yield* fetched.get(`${server.url}/empty`)).status, 204)
      assert.strictEqual((yield* fetched.head(`${server.url}/empty`)).status, 204)
    })
  )

  it.scopedLive("its caller decides what is a failure and what may be sent again", () =>
    Effect.gen(function* () {
      const server = yield* serve(answering([202, 200]))
      const client = yield* guarded(
        {},
        { isFailure: ({ status }) => status === 202, isIdempotent: ({ url }) => url.endsWith("/search") }
      )
      assert.strictEqual((yield* client.post(`${server.url}/search`)).status, 200)
      assert.lengthOf(server.seen, 2)
    })
  )

  it.scopedLive("does not send a body again that may be used up, unless its caller says that it is not", () =>
    Effect.gen(function* () {
      /** Says what it was sent, with the status of the script. */
      const echo = () => {
        const bodies: Array<string> = []
        const server = serve((request, response) => {
          let body = ""
          request.on("data", (chunk) => (body += String(chunk)))
          request.on("end", () => {
            bodies.push(body)
            response.writeHead(bodies.length === 1 ? 503 : 200).end()
          })
        })
        return Effect.map(server, ({ url }) => ({ url, bodies }))
      }
      const once = () => ["the ", "letter"].map((text) => Buffer.from(text)).values()
      const spent = [
        () => HttpBody.stream(Stream.fromIterable(once())),
        () => HttpBody.raw(Readable.from(once())),
        () => HttpBody.raw(new Blob(["the letter"]).stream())
      ]
      for (const [index, body] of spent.entries()) {
        const server = yield* echo()
        const put = (yield* guarded()).put(server.url, { body: body(), headers: { "idempotency-key": "letter-1" } })
        assert.strictEqual((yield* put).status, 503, `body ${index}`)
        assert.deepStrictEqual(server.bodies, ["the letter"])
      }
      const bodies = [HttpBody.text("the letter"), HttpBody.raw("the letter"), HttpBody.raw(Buffer.from("the letter"))]
      for (const body of bodies) {
        const server = yield* echo()
        assert.strictEqual((yield* (yield* guarded()).put(server.url, { body })).status, 200)
        assert.deepStrictEqual(server.bodies, ["the letter", "the letter"])
      }
      const server = yield* echo()
      const client = yield* guarded({}, { isIdempotent: () => true })
      const body = HttpBody.stream(Stream.suspend(() => Stream.fromIterable(once())))
      assert.strictEqual((yield* client.put(server.url, { body })).status, 200)
      assert.deepStrictEqual(server.bodies, ["the letter", "the letter"])
    })
  )

  it.scopedLive("holds nothing against the server that is wrong with the request", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "weather", failureThreshold: 1 })
      const server = yield* serve(answering([404, 200]))
      const context = yield* Layer.build(NodeHttpClient.layerUndici)
      const policy = yield* Policy.make({ name: "weather", retry: { initialDelay: 5 }, breaker })
      const strict = HttpClient.filterStatusOk(Context.get(context, HttpClient.HttpClient))
      const client = ResilientClient.withPolicy(strict, policy)
      const refused = yield* Effect.flip(client.get(server.url))
      assert.deepInclude(refused, { _tag: "ResponseError", reason: "StatusCode" })
      const unsent = yield* Effect.flip(client.get("no address"))
      assert.deepInclude(unsent, { _tag: "RequestError", reason: "InvalidUrl" })
      assert.deepInclude(yield* breaker.status, { state: "closed", failures: 0 })
      assert.lengthOf(server.seen, 1)
      server.close()
      assert.propertyVal(yield* Effect.flip(client.post(server.url)), "reason", "Transport")
      assert.deepInclude(yield* breaker.status, { state: "open" })
    })
  )

  it.scopedLive("hands over an answer in every form in which it can be read", () =>
    Effect.gen(function* () {
      const form = new FormData()
      form.set("city", "Graz")
      const sent = new Response(form)
      const body = Buffer.from(yield* Effect.promise(() => sent.arrayBuffer()))
      const server = yield* serve((request, response) => {
        if (request.url === "/form") {
          response.writeHead(200, { "content-type": sent.headers.get("content-type")! }).end(body)
        } else response.writeHead(200, { "content-type": "application/json" }).end('{"city":"Graz"}')
      })
      const client = yield* guarded()
      const read = yield* (yield* client.get(`${server.url}/form`)).formData
      assert.strictEqual(read.get("city"), "Graz")
      const answer = yield* client.get(`${server.url}/json`)
      assert.deepStrictEqual(yield* answer.json, { city: "Graz" })
      assert.strictEqual(yield* answer.text, '{"city":"Graz"}', "and again")
      assert.strictEqual((yield* (yield* client.get(`${server.url}/json`)).arrayBuffer).byteLength, 15)
    })
  )

  it.scopedLive(
    "closes its socket when its caller leaves, before the answer or in the middle of it, and sends nothing more",
    () =>
      Effect.gen(function* () {
        for (const answer of [
          () => undefined,
          (response: http.ServerResponse) => response.writeHead(200).write("the begin")
        ]) {
          const server = yield* serve((_, response) => void answer(response))
          const fiber = yield* Effect.fork((yield* guarded()).get(server.url))
          yield* eventually(
            "the request has come",
            Effect.sync(() => server.seen.length === 1)
          )
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
          yield* eventually(
            "the socket is closed",
            Effect.sync(() => server.open() === 0)
          )
          assert.lengthOf(server.seen, 1)
        }
      })
  )

  it.scopedLive("sends the same headers with each attempt, each a span of its own in its caller's trace", () =>
    Effect.gen(function* () {
      const sent: Array<http.IncomingHttpHeaders> = []
      const server = yield* serve((request, response, number) => {
        sent.push(request.headers)
        response.writeHead(number === 1 ? 503 : 200).end()
      })
      const headers = { authorization: "Bearer secret", "x-city": "Graz" }
      const trace = yield* Effect.withSpan(
        Effect.zipRight(
          (yield* guarded()).get(server.url, { headers }),
          Effect.map(Effect.currentSpan, ({ traceId }) => traceId)
        ),
        "caller"
      )
      for (const each of sent) assert.deepInclude(each, headers)
      const parents = sent.map(({ traceparent }) => String(traceparent).split("-"))
      assert.deepStrictEqual(
        parents.map(([, traceId]) => traceId),
        [trace, trace]
      )
      assert.notStrictEqual(parents[0]?.[2], parents[1]?.[2])
    })
  )
})
