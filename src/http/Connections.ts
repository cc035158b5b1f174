/**
 * The open connections of a Node server and what each is busy with, which Node itself does not tell: needed to let go of
 * them in good order.
 *
 * @since 0.1.0
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"

/**
 * @since 0.1.0
 * @category models
 */
export interface Connections {
  readonly size: () => number
  /** From now on every answer that has not begun says `Connection: close`. */
  readonly closeAfterAnswers: () => void
  /**
   * Closes connections that wait for nothing. Node counts a connection that has not sent a byte yet as busy, and browsers
   * keep some of those in reserve. With `patient` one that is in the middle of sending a request is left alone.
   */
  readonly closeUnused: (patient: boolean) => void
  readonly closeAll: () => void
  /** Whether an answer has begun on this connection, so that no other can be given. */
  readonly hasBegunAnswer: (socket: Duplex) => boolean
}

/**
 * Watches a server. Must be called before other listeners are added, so that it hears of a request first.
 *
 * @since 0.1.0
 * @category constructors
 */
export const watch = (server: Server): Connections => {
  const answers = new Map<Duplex, Set<ServerResponse>>()
  let closing = false

  server.on("connection", (socket: Socket) => {
    answers.set(socket, new Set())
    socket.once("close", () => {
      answers.delete(socket)
    })
  })
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const open = answers.get(request.socket)
    open?.add(response)
    response.once("close", () => {
      open?.delete(response)
    })
    if (closing) response.setHeader("connection", "close")
  })

  return {
    size: () => answers.size,
    closeAfterAnswers: () => {
      closing = true
      for (const open of answers.values()) {
        for (const response of open) {
          if (!response.headersSent) response.setHeader("connection", "close")
        }
      }
    },
    closeUnused: (patient) => {
      server.closeIdleConnections()
      for (const [socket, open] of answers) {
        if (open.size > 0) continue
        if (!patient || (socket as Socket).bytesRead === 0) socket.destroy()
      }
    },
    closeAll: () => {
      for (const socket of answers.keys()) socket.destroy()
    },
    hasBegunAnswer: (socket) => {
      for (const response of answers.get(socket) ?? []) {
        if (response.headersSent) return true
      }
      return false
    }
  }
}
