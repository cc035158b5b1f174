/**
 * What Node refuses before there is a request that a router could see: broken HTTP, headers without end, senders that take
 * too long. It answers them with an empty body; here they get the form that every other error has.
 *
 * @since 0.1.0
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import type { Connections } from "./Connections.js"
import * as Problem from "./Problem.js"
import * as RequestId from "./RequestId.js"
import * as SecurityHeaders from "./SecurityHeaders.js"

/**
 * Answers a server's protocol errors.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = (server: Server, connections: Connections): void => {
  server.on("clientError", (error: Error & { readonly code?: string }, socket: Duplex) => {
    if (error.code === "ECONNRESET" || !socket.writable || connections.hasBegunAnswer(socket)) {
      socket.destroy(error)
      return
    }
    const { body, headers, status } = reply(refusal(error.code), undefined)
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join("")}\r\n${body}`, () => {
      socket.destroy()
    })
  })
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    const { body, headers, status } = reply(
      { status: 417, code: "expectation-failed", detail: "The only expectation that is met is 100-continue" },
      request.url
    )
    response.writeHead(status, headers).end(body)
  })
}

interface Refusal {
  readonly status: number
  readonly code: string
  readonly detail: string
}

const refusal = (code: string | undefined): Refusal => {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, code: "request-timeout", detail: "The request did not arrive in time" }
    case "HPE_HEADER_OVERFLOW":
      return { status: 431, code: "headers-too-large", detail: "The headers of the request are too large" }
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { status: 413, code: "content-too-large", detail: "The chunk extensions of the request are too large" }
    default:
      return { status: 400, code: "malformed-request", detail: "This is not a valid HTTP/1.1 request" }
  }
}

const reply = (refusal: Refusal, url: string | undefined) => {
  const id = RequestId.accept(undefined)
  const body = JSON.stringify(Problem.of(refusal, { id, url: url ?? "" }))
  return {
    status: refusal.status,
    body,
    headers: {
      ...SecurityHeaders.defaults,
      [RequestId.header]: id,
      "content-type": Problem.mediaType,
      "content-length": String(Buffer.byteLength(body)),
      connection: "close"
    }
  }
}
