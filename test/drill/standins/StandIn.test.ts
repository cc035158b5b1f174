import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import { Fault } from "../../../src/drill/standins/Fault.js"
import * as StandIn from "../../../src/drill/standins/StandIn.js"
import { eventually } from "../../support/eventually.js"

const echo: StandIn.Protocol = {
  name: "echo",
  answer: (exchange) => ({ status: 200, body: { path: exchange.path, sent: exchange.body } }),
  error: (status, code) => ({ status, body: { error: code ?? "usual" } })
}

interface Seen {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

/** A client with no opinions: one connection a request, and Node's own error codes. */
const get = (url: string, path = "/a", millis = 300): Effect.Effect<Seen, string> =>
  Effect.async<Seen, string>((resume) => {
    let where = ""
    const request = Http.get(`${url}${path}`, { agent: false }, (response) => {
      let body = ""
      where = "body "
      response.on("data", (chunk: Buffer) => (body += chunk.toString()))
      response.on("error", (error: NodeJS.ErrnoException) =>
        resume(Effect.fail(`${where}${error.code ?? error.message}`))
      )
      response.on("end", () =>
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body }))
      )
    })
    request.setTimeout(millis, () => request.destroy(Object.assign(new Error("timeout"), { code: "TIMEOUT" })))
    request.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(`${where}${error.code ?? error.message}`)))
  })

const failing: ReadonlyArray<readonly [Fault, string]> = [
  [Fault.Refuse(), "ECONNREFUSED"],
  [Fault.Reset(), "ECONNRESET"],
  [Fault.HangBeforeHeaders(), "TIMEOUT"],
  [Fault.HangInsideBody(), "body TIMEOUT"],
  [Fault.Truncated(), "body ECONNRESET"]
]

const answering: ReadonlyArray<readonly [Fault, number, (body: string) => boolean]> = [
  [Fault.ErrorStatus({ status: 503, retryAfter: "3" }), 503, (body) => body === `{"error":"usual"}`],
  [Fault.ErrorStatus({ status: 401, code: "own" }), 401, (body) => body === `{"error":"own"}`],
  [Fault.HtmlError({ status: 500 }), 500, (body) => body.includes("<h1>500</h1>")],
  [Fault.Garbage(), 200, (body) => body === `{"id": "abc", "obj`],
  [Fault.WrongShape(), 200, (body) => body === `{"hello":"world"}`],
  [Fault.Slow({ millis: 20 }), 200, (body) => body === `{"path":"/a","sent":""}`],
  [Fault.Oversize({ bytes: 1_000_000 }), 200, (body) => body.length >= 1_000_000]
]

describe("StandIn", () => {
  for (const [fault, code] of failing) {
    it.scopedLive(`${fault._tag} is what a plain client sees as ${code}, until it heals`, () =>
      Effect.gen(function* () {
        const standIn = yield* StandIn.make(echo)
        yield* standIn.inject(fault)
        assert.strictEqual(yield* Effect.flip(get(standIn.url)), code)
        yield* standIn.heal
        assert.strictEqual((yield* get(standIn.url)).status, 200)
      })
    )
  }

  for (const [fault, status, holds] of answering) {
    it.scopedLive(`${fault._tag} (${status}) answers as told`, () =>
      Effect.gen(function* () {
        const standIn = yield* StandIn.make(echo)
        yield* standIn.inject(fault)
        const seen = yield* get(standIn.url)
        assert.strictEqual(seen.status, status)
        assert.isTrue(holds(seen.body), seen.body.slice(0, 80))
        if (fault._tag === "ErrorStatus" && fault.retryAfter !== undefined) {
          assert.strictEqual(seen.headers["retry-after"], fault.retryAfter)
        }
      })
    )
  }

  it.scopedLive("faults are played in their order, as often as told, and only on their path", () =>
    Effect.gen(function* () {
      const standIn = yield* StandIn.make(echo)
      yield* standIn.inject(Fault.ErrorStatus({ status: 500 }), { times: 2, path: "/a" })
      yield* standIn.inject(Fault.ErrorStatus({ status: 429 }), { times: 1 })
      const statuses: Array<number> = []
      for (const path of ["/a", "/b", "/a", "/a"]) statuses.push((yield* get(standIn.url, path)).status)
      assert.deepStrictEqual(statuses, [500, 429, 500, 200])
    })
  )

  it.scopedLive("the journal tells what was asked and how it ended", () =>
    Effect.gen(function* () {
      const standIn = yield* StandIn.make(echo)
      yield* get(standIn.url, "/a?x=1")
      yield* standIn.inject(Fault.Reset(), { times: 1 })
      yield* Effect.flip(get(standIn.url))
      yield* standIn.inject(Fault.HangBeforeHeaders(), { times: 1 })
      yield* Effect.flip(get(standIn.url, "/c", 50))
      yield* eventually(standIn.openSockets, (open) => open === 0)
      const journal = yield* standIn.requests
      assert.deepStrictEqual(
        journal.map(({ path, fault, end, status }) => ({ path, fault, end, status })),
        [
          { path: "/a", fault: undefined, end: "answered", status: 200 },
          { path: "/a", fault: "Reset", end: "cut", status: undefined },
          { path: "/c", fault: "HangBeforeHeaders", end: "abandoned", status: undefined }
        ]
      )
      assert.strictEqual(journal[0]?.query.get("x"), "1")
      yield* standIn.forget
      assert.lengthOf(yield* standIn.requests, 0)
    })
  )

  it.live("ends with its scope, and its sockets with it, even those that hang", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const standIn = yield* Scope.extend(StandIn.make(echo), scope)
      yield* standIn.inject(Fault.HangBeforeHeaders())
      const hanging = yield* Effect.fork(Effect.flip(get(standIn.url, "/a", 10_000)))
      yield* eventually(standIn.requests, (requests) => requests.length === 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* hanging, "ECONNRESET")
      assert.strictEqual(yield* standIn.openSockets, 0)
    })
  )
})
