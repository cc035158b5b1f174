import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import { isProblem } from "./support/isProblem.js"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

const megabyte = 1024 * 1024

/** Sends `size` bytes in chunks, without saying how many they will be, and reads the answer only afterwards. */
const sendChunked = (url: string, size: number) =>
  Effect.async<{ readonly status: number; readonly body: string }>((resume) => {
    const request = Http.request(url, { method: "POST", headers: { "content-type": "application/json" }, agent: false })
    const chunk = Buffer.alloc(64 * 1024, 0x20)
    let left = size
    const write = (): void => {
      while (left > 0) {
        left -= chunk.length
        if (!request.write(chunk)) return void request.once("drain", write)
      }
      request.end()
    }
    request.on("response", (response) => {
      let body = ""
      response.on("data", (data: Buffer) => (body += data.toString()))
      response.on("end", () => {
        resume(Effect.succeed({ status: response.statusCode ?? 0, body }))
      })
    })
    request.on("error", (error) => {
      resume(Effect.die(error))
    })
    write()
  })

describe("BodyLimit", () => {
  it.live("takes a body of the limit, and not one byte more", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const raw = (size: number) => Wire.send(`${app.url}/api/raw`, { method: "POST", body: Buffer.alloc(size) })
        const exactly = yield* raw(megabyte)
        assert.strictEqual(exactly.body, String(megabyte))
        const over = yield* raw(megabyte + 1)
        isProblem(over, 413, "content-too-large", "/api/raw")
        assert.strictEqual(over.json["limitBytes"], megabyte)
        assert.strictEqual(over.headers.connection, "close")
        assert.strictEqual(over.headers["x-ratelimit-limit"], "1000")
      })
    )
  )

  it.live("answers 413 to a chunked body that goes over the limit, however large it gets", () =>
    withApp((app) =>
      Effect.gen(function* () {
        for (const [path, size] of [
          ["items", 2 * megabyte],
          ["items", 40 * megabyte],
          ["raw", 20 * megabyte]
        ] as const) {
          const reply = yield* sendChunked(`${app.url}/api/${path}`, size)
          assert.strictEqual(reply.status, 413)
          assert.include(reply.body, '"code":"content-too-large"')
        }
      })
    )
  )

  it.live("lets a sender who reads only after sending everything read its 413", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const raw = yield* Wire.connect(app.port)
        raw.socket.pause()
        const size = 10 * megabyte
        raw.write(
          `POST /api/items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`
        )
        yield* Effect.async<void>((resume) => {
          raw.socket.write(Buffer.alloc(size), () => {
            resume(Effect.void)
          })
        })
        raw.socket.resume()
        assert.include(yield* raw.closed, "HTTP/1.1 413")
        assert.include(raw.received(), '"code":"content-too-large"')
      })
    )
  )

  it.live("closes on a sender who never finishes, within seconds", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const raw = yield* Wire.connect(app.port)
        raw.write(
          "POST /api/items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n{"
        )
        const reply = yield* Effect.timeout(raw.closed, "4 seconds").pipe(Effect.orDie)
        assert.include(reply, "HTTP/1.1 413")
      })
    )
  )

  it.live("survives a large body on a route that does not read it", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const body = Buffer.alloc(5 * megabyte)
        const unknown = yield* Wire.send(`${app.url}/nowhere`, { method: "POST", body })
        assert.strictEqual(unknown.status, 404)
        assert.strictEqual((yield* Wire.send(`${app.url}/api/items/a`)).status, 200)
      })
    )
  )

  it.live("reads a body of many tiny chunks in linear time", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const raw = yield* Wire.connect(app.port)
        raw.write("POST /api/raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        raw.write("1\r\nx\r\n".repeat(200_000))
        raw.write("0\r\n\r\n")
        assert.include(yield* raw.until("200000"), "HTTP/1.1 200")
      })
    )
  )
})
