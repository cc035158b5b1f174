/**
 * How much of a request we are willing to read, and how to say no so that the sender hears it.
 *
 * The platform's own limit destroys the socket, and no answer can follow. Here the limit is in the message that Node
 * hands out: it counts what arrives without touching the flow, fails the reader at the limit, and lets the rest of the body
 * run into the void while the answer goes out.
 *
 * @since 0.1.0
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { IncomingMessage } from "node:http"
import { ContentTooLarge, MalformedBody } from "./HttpErrors.js"

/**
 * 1 MB.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultLimitBytes = 1024 * 1024

/**
 * What a reader of a body over the limit fails with. Callers see {@link ContentTooLarge}.
 *
 * @since 0.1.0
 * @category errors
 */
export class BodyLimitReached extends Error {
  override readonly name = "BodyLimitReached"
  constructor(readonly limitBytes: number) {
    super(`The body is larger than ${limitBytes} bytes`)
  }
}

/**
 * A message whose body ends, for its reader, at a limit. Given to `http.createServer` as its `IncomingMessage`.
 *
 * @since 0.1.0
 * @category models
 */
export class LimitedMessage extends IncomingMessage {
  readonly limitBytes: number = defaultLimitBytes
  /** Whether more than the limit has arrived, or was announced and refused. */
  tooLarge = false
  private received = 0
  private discarding = false

  /** The class for a server with this limit. */
  static withLimit(limitBytes: number): typeof LimitedMessage {
    return class extends LimitedMessage {
      override readonly limitBytes = limitBytes
    }
  }

  /** From here on the body is read and thrown away, which keeps the connection usable. */
  discard(): void {
    this.discarding = true
    this.resume()
  }

  // Node's parser pushes the body here, always as buffers, and null at its end.
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk === null) return super.push(null)
    if (this.discarding) return true
    this.received += chunk.length
    if (this.received <= this.limitBytes) return super.push(chunk, encoding)
    this.tooLarge = true
    this.discard()
    // Without a reader there is nobody to tell, and an unheard "error" event would end the process.
    if (this.listenerCount("error") > 0) this.emit("error", new BodyLimitReached(this.limitBytes))
    return true
  }

  // The platform destroys a message whose reader failed or was interrupted, and with an unfinished message goes its
  // socket, and with the socket our answer. What destroys for a reason gives one: then it is let through.
  override destroy(error?: Error): this {
    if (error !== undefined || this.complete || this.socket.destroyed) return super.destroy(error)
    this.discard()
    return this
  }
}

/**
 * The limited message behind a request; `undefined` on a server that was not made with one.
 *
 * @since 0.1.0
 * @category accessors
 */
export const messageOf = (request: HttpServerRequest.HttpServerRequest): LimitedMessage | undefined => {
  const message = NodeHttpServerRequest.toIncomingMessage(request)
  return message instanceof LimitedMessage ? message : undefined
}

/**
 * Refuses, before a byte is read, a body that is announced to be over the limit.
 *
 * @since 0.1.0
 * @category guards
 */
export const announced = (request: HttpServerRequest.HttpServerRequest): ContentTooLarge | undefined => {
  const length = request.headers["content-length"]
  if (length === undefined) return undefined
  const message = messageOf(request)
  if (message === undefined || Number(length) <= message.limitBytes) return undefined
  message.tooLarge = true
  return tooLarge(message.limitBytes)
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const tooLarge = (limitBytes: number): ContentTooLarge =>
  new ContentTooLarge({ detail: `The body is larger than ${limitBytes} bytes`, limitBytes })

/**
 * An answer that a sender still busy sending can read: it goes out at once, and the connection is closed when the sender
 * has finished or after two seconds. Closing with unread input makes TCP reset the connection, and the reset overtakes
 * the answer.
 *
 * @since 0.1.0
 * @category combinators
 */
export const lingering = (
  message: LimitedMessage,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => {
  const body = response.body
  if (body._tag !== "Uint8Array") return response
  return HttpServerResponse.stream(
    Stream.concat(Stream.make(body.body), Stream.drain(Stream.fromEffect(finished(message)))),
    {
      status: response.status,
      headers: { ...response.headers, connection: "close" },
      contentType: body.contentType,
      contentLength: body.body.length
    }
  )
}

const finished = (message: LimitedMessage): Effect.Effect<void> =>
  Effect.async((resume) => {
    message.discard()
    const done = () => {
      clearTimeout(timer)
      message.off("end", done).off("close", done)
      resume(Effect.void)
    }
    const timer = setTimeout(done, 2_000)
    if (message.complete) return done()
    message.once("end", done).once("close", done)
    return Effect.sync(done)
  })

/**
 * The body as bytes, exactly as sent: what a signature was made over. Within the limit, in linear time (the platform's
 * `arrayBuffer` copies everything again for each chunk).
 *
 * @since 0.1.0
 * @category accessors
 */
export const bytes = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<Buffer, MalformedBody> =>
  Effect.async((resume) => {
    const message = NodeHttpServerRequest.toIncomingMessage(request)
    const chunks: Array<Buffer> = []
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
    }
    const stop = () => {
      message.off("data", onData).off("end", onEnd).off("error", onError).off("close", onError)
    }
    const onEnd = () => {
      stop()
      resume(Effect.succeed(Buffer.concat(chunks)))
    }
    const onError = () => {
      stop()
      resume(Effect.fail(new MalformedBody({ detail: "The body ended too early" })))
    }
    message.on("data", onData).once("end", onEnd).once("error", onError).once("close", onError)
    return Effect.sync(() => {
      stop()
      message.destroy()
    })
  })
