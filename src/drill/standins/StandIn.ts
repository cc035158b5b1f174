/**
 * An upstream in this process: a real HTTP server on a free loopback port that answers in another company's wire
 * format, misbehaves on demand, keeps a journal of what it was asked, and counts the sockets that are open to it.
 *
 * What is said here is the same for every upstream; a `Protocol` says what one upstream answers. The state is in plain
 * variables of the one server that `make` starts, because it is Node's callbacks that write it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { Fault } from "./Fault.js"

/**
 * What was asked, and what became of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case. A header that was not sent is absent. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Wall-clock milliseconds of its arrival. */
  readonly at: number
  /** The fault that was played on it. */
  readonly fault: Fault["_tag"] | undefined
  /** `cut`: the stand-in ended the connection. `abandoned`: the client did, before it had the whole answer. */
  readonly end: "pending" | "answered" | "cut" | "abandoned"
  /** The status that was sent, if it came to that. */
  readonly status: number | undefined
}

/**
 * A whole answer, before a fault spoils it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/**
 * How one upstream speaks.
 *
 * @since 0.1.0
 * @category models
 */
export interface Protocol {
  readonly name: string
  /** Answers a request; called once for each, unless a fault keeps the request from being handled. */
  readonly answer: (exchange: Exchange) => Answer
  /** The error body and headers of this upstream for a status. */
  readonly error: (status: number, code: string | undefined) => Answer
}

/**
 * A running stand-in.
 *
 * @since 0.1.0
 * @category models
 */
export interface StandIn {
  /** `http://127.0.0.1:<port>`; stays the same over `Refuse` and `heal`. */
  readonly url: string
  /**
   * Fails from now on. Several faults queue up: the first that fits a request and has `times` left is played on it.
   * `times` defaults to "until `heal`"; `path` limits the fault to paths that start with it. `Refuse` knows neither.
   */
  readonly inject: (fault: Fault, options?: { readonly times?: number; readonly path?: string }) => Effect.Effect<void>
  /** Ends every fault. Requests that hang stay so, as they would. */
  readonly heal: Effect.Effect<void>
  /** Everything asked since the start or the last `forget`, oldest first. */
  readonly requests: Effect.Effect<ReadonlyArray<Exchange>>
  readonly forget: Effect.Effect<void>
  readonly openSockets: Effect.Effect<number>
}

interface Rule {
  readonly fault: Fault
  readonly path: string
  left: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Starts a stand-in; it ends with its scope, and every socket with it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (protocol: Protocol): Effect.Effect<StandIn, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    let journal: Array<Writable<Exchange>> = []
    let rules: Array<Rule> = []

    const faultFor = (path: string): Fault | undefined => {
      const rule = rules.find((rule) => rule.left > 0 && path.startsWith(rule.path))
      if (rule === undefined) return undefined
      rule.left -= 1
      return rule.fault
    }

    const server = Http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const url = new URL(request.url ?? "/", "http://stand-in")
        const fault = faultFor(url.pathname)
        const exchange: Writable<Exchange> = {
          method: request.method ?? "GET",
          path: url.pathname,
          query: url.searchParams,
          headers: flatten(request.headers),
          body: Buffer.concat(chunks).toString("utf8"),
          at: Date.now(),
          fault: fault?._tag,
          end: "pending",
          status: undefined
        }
        journal.push(exchange)
        response.on("close", () => {
          if (exchange.end === "pending") exchange.end = response.writableFinished ? "answered" : "abandoned"
        })
        play(protocol, exchange, fault, response)
      })
    })
    // Node would close an idle connection after 5 s; the tests ask who closed it, so it must not be us.
    server.keepAliveTimeout = 0
    server.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
    })

    const listen = (port: number): Effect.Effect<void> =>
      Effect.async<void>((resume) => {
        server.once("error", (error) => resume(Effect.die(error)))
        server.listen(port, "127.0.0.1", () => {
          server.removeAllListeners("error")
          resume(Effect.void)
        })
      })
    const close: Effect.Effect<void> = Effect.async<void>((resume) => {
      const closed = [...sockets].map((socket) => new Promise<void>((done) => socket.once("close", () => done())))
      for (const socket of sockets) socket.destroy()
      if (server.listening) closed.push(new Promise<void>((done) => server.close(() => done())))
      void Promise.all(closed).then(() => resume(Effect.void))
    })

    yield* Effect.acquireRelease(listen(0), () => close)
    // Cast: a server that listens on a TCP port has an address with a port.
    const port = (server.address() as AddressInfo).port

    return {
      url: `http://127.0.0.1:${port}`,
      inject: (fault, options) =>
        Fault.$is("Refuse")(fault)
          ? close
          : Effect.sync(() => {
              rules.push({ fault, path: options?.path ?? "", left: options?.times ?? Infinity })
            }),
      heal: Effect.suspend(() => {
        rules = []
        return server.listening ? Effect.void : listen(port)
      }),
      requests: Effect.sync(() => journal.map((exchange) => ({ ...exchange }))),
      forget: Effect.sync(() => {
        journal = []
      }),
      openSockets: Effect.sync(() => sockets.size)
    }
  })

const flatten = (headers: Http.IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")])
  )

const json = { "content-type": "application/json" }

const play = (
  protocol: Protocol,
  exchange: Writable<Exchange>,
  fault: Fault | undefined,
  response: Http.ServerResponse
): void => {
  const start = (status: number, headers: Record<string, string | number>) => {
    exchange.status = status
    response.writeHead(status, headers)
  }
  const send = (answer: Answer, extra?: Readonly<Record<string, string>>) => {
    const body = JSON.stringify(answer.body)
    start(answer.status, { ...json, "content-length": Buffer.byteLength(body), ...answer.headers, ...extra })
    response.end(body)
  }
  const sendHalf = (then: () => void) => {
    const answer = protocol.answer(exchange)
    const body = JSON.stringify(answer.body)
    start(answer.status, { ...json, "content-length": Buffer.byteLength(body), ...answer.headers })
    response.write(body.slice(0, Math.ceil(body.length / 2)), then)
  }
  const cut = (end: () => void) => {
    exchange.end = "cut"
    end()
  }

  if (fault === undefined) return send(protocol.answer(exchange))
  Fault.$match(fault, {
    Refuse: () => cut(() => response.destroy()),
    Reset: () => cut(() => response.socket?.resetAndDestroy()),
    HangBeforeHeaders: () => {},
    HangInsideBody: () => sendHalf(() => {}),
    ErrorStatus: ({ status, code, retryAfter, headers }) =>
      send(protocol.error(status, code), {
        ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
        ...headers
      }),
    HtmlError: ({ status }) => {
      start(status, { "content-type": "text/html" })
      response.end(`<!doctype html><title>${status}</title><h1>${status}</h1><p>The proxy is unwell.</p>`)
    },
    Garbage: () => {
      start(200, json)
      response.end(`{"id": "abc", "obj`)
    },
    WrongShape: () => send({ status: 200, body: { hello: "world" } }),
    Truncated: () => sendHalf(() => cut(() => response.socket?.end())),
    Slow: ({ millis }) => {
      const answer = protocol.answer(exchange)
      const timer = setTimeout(() => send(answer), millis)
      response.on("close", () => clearTimeout(timer))
    },
    Oversize: ({ bytes }) => {
      start(200, json)
      flood(response, bytes)
    }
  })
}

/** Writes a JSON string of that many bytes, no faster than the client reads it. */
const flood = (response: Http.ServerResponse, bytes: number): void => {
  const chunk = "x".repeat(64 * 1024)
  let left = bytes
  const write = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length
      if (!response.write(chunk)) return void response.once("drain", write)
    }
    response.end(`"`)
  }
  response.write(`"`)
  write()
}
