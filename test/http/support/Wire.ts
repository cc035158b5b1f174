/**
 * Talks to a server as bytes: for everything that a well-behaved client would not send.
 */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as Net from "node:net"

export interface Reply {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
  readonly json: Record<string, unknown>
}

const replyOf = (status: number, headers: Http.IncomingHttpHeaders, body: string): Reply => ({
  status,
  headers,
  body,
  // Only read by tests that expect an object.
  json: body.startsWith("{") ? (JSON.parse(body) as Record<string, unknown>) : {}
})

export interface Request {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly agent?: Http.Agent
}

/** One request on a connection of its own. */
export const send = (url: string, request: Request = {}): Effect.Effect<Reply> =>
  Effect.async((resume) => {
    const { agent = false, body, headers = {}, method = "GET" } = request
    const sent = Http.request(url, { method, headers, agent }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () => {
        resume(Effect.succeed(replyOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString())))
      })
      response.on("error", (error) => {
        resume(Effect.die(error))
      })
    })
    sent.on("error", (error) => {
      resume(Effect.die(error))
    })
    sent.end(body)
    return Effect.sync(() => {
      sent.destroy()
    })
  })

export const post = (url: string, body: unknown, headers: Record<string, string> = {}): Effect.Effect<Reply> =>
  send(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) })

export interface RawConnection {
  readonly socket: Net.Socket
  readonly write: (text: string | Buffer) => void
  /** Everything received so far. */
  readonly received: () => string
  /** Waits until the server has closed the connection. */
  readonly closed: Effect.Effect<string>
  readonly until: (text: string) => Effect.Effect<string>
}

/** A bare connection, closed with the scope. */
export const connect = (port: number) =>
  Effect.acquireRelease(
    Effect.async<RawConnection>((resume) => {
      const socket = Net.connect(port, "127.0.0.1", () => {
        resume(Effect.succeed(connection))
      })
      let received = ""
      let ended = false
      socket.on("data", (chunk: Buffer) => {
        received += chunk.toString()
      })
      socket.on("error", () => {})
      socket.on("close", () => {
        ended = true
      })
      const when = (done: () => boolean) =>
        Effect.map(Effect.repeat(Effect.delay(Effect.sync(done), "5 millis"), { until: (is) => is }), () => received)
      const connection: RawConnection = {
        socket,
        write: (text) => {
          socket.write(text)
        },
        received: () => received,
        closed: when(() => ended),
        until: (text) => when(() => ended || received.includes(text))
      }
    }),
    ({ socket }) =>
      Effect.sync(() => {
        socket.destroy()
      })
  )

/** Waits for something that happens soon. */
export const eventually = (is: () => boolean): Effect.Effect<void> =>
  Effect.repeat(Effect.delay(Effect.sync(is), "5 millis"), { until: (done) => done }).pipe(
    Effect.timeoutFail({ duration: "5 seconds", onTimeout: () => new Error("It did not happen within 5 seconds") }),
    Effect.orDie,
    Effect.asVoid
  )
