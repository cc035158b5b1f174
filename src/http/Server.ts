/**
 * The Node server under the router: what it listens on, how long it waits for slow senders, and what it says when it
 * cannot listen.
 *
 * Everything that handlers use has to be provided outside of {@link layer}, as in
 * `serve(routes).pipe(Layer.provide(Server.layer(...)), Layer.provide(Database.layer))`: layers end in the reverse order, and
 * the last requests still need their database.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as Etag from "@effect/platform/Etag"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import type * as HttpPlatform from "@effect/platform/HttpPlatform"
import * as HttpServer from "@effect/platform/HttpServer"
import type * as NodeContext from "@effect/platform-node/NodeContext"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Http from "node:http"
import * as BodyLimit from "./BodyLimit.js"
import * as Connections from "./Connections.js"
import * as Drain from "./Drain.js"
import { NodeServer } from "./NodeServer.js"
import * as ProtocolErrors from "./ProtocolErrors.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly host: string
  /** 0 picks a free one; {@link address} tells which. */
  readonly port: number
  /** How long the head of a request may take. Default 10 seconds. */
  readonly headersTimeout?: Duration.DurationInput | undefined
  /** How long a request with its body may take to arrive. Default 30 seconds. */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /** How long an unused connection is kept. Default 5 seconds. */
  readonly keepAliveTimeout?: Duration.DurationInput | undefined
  /** How long a connection may be without a byte in either direction, which ends readers that do not read. Default 2 minutes. */
  readonly idleTimeout?: Duration.DurationInput | undefined
  /** Default 1 MB. */
  readonly maxBodyBytes?: number | undefined
}

/**
 * The server cannot listen. `message` is one line that says why and what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class ListenError extends Data.TaggedError("ListenError")<{
  readonly reason: "port-in-use" | "not-permitted" | "no-such-address" | "other"
  readonly message: string
}> {}

/**
 * The listening server. Fails when it cannot listen.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<
  NodeServer | HttpServer.HttpServer | HttpPlatform.HttpPlatform | Etag.Generator | NodeContext.NodeContext,
  ListenError
> => {
  const listening = Layer.unwrapEffect(
    Effect.map(NodeServer, ({ node }) =>
      NodeHttpServer.layerServer(() => node, { host: options.host, port: options.port })
    )
  )
  return listening.pipe(
    Layer.mapError(({ cause }) => listenError(cause, options)),
    Layer.provideMerge(layerNode(options)),
    Layer.merge(NodeHttpServer.layerContext)
  )
}

/**
 * Serves the routes, without a span or a log line per request, and drains when the scope closes.
 *
 * Requests to upgrade a connection are answered as if they had not asked, which HTTP allows: the platform would take them
 * for requests without a body, and `curl --http2` asks with every one.
 *
 * @since 0.1.0
 * @category layers
 */
export const serve = <A, E, R>(routes: Layer.Layer<A, E, R>, options: Drain.Options = {}) =>
  Layer.merge(Drain.layer(options), layerNoUpgrade).pipe(
    Layer.provideMerge(
      HttpMiddleware.withTracerDisabledWhen(
        HttpLayerRouter.serve(routes, { disableLogger: true, disableListenLog: true }),
        () => true
      )
    )
  )

/**
 * What the server really listens on, as a URL.
 *
 * @since 0.1.0
 * @category accessors
 */
export const address: Effect.Effect<string, never, HttpServer.HttpServer> = Effect.map(
  HttpServer.HttpServer,
  ({ address }) =>
    address._tag === "UnixAddress"
      ? address.path
      : `http://${address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname}:${address.port}`
)

const layerNode = (options: Options): Layer.Layer<NodeServer> =>
  Layer.effect(
    NodeServer,
    Effect.gen(function* () {
      const runFork = Runtime.runFork(yield* Effect.runtime())
      const millis = (given: Duration.DurationInput | undefined, otherwise: Duration.DurationInput) =>
        Duration.toMillis(given ?? otherwise)
      const node = Http.createServer({
        IncomingMessage: BodyLimit.LimitedMessage.withLimit(options.maxBodyBytes ?? BodyLimit.defaultLimitBytes),
        headersTimeout: millis(options.headersTimeout, "10 seconds"),
        requestTimeout: millis(options.requestTimeout, "30 seconds"),
        keepAliveTimeout: millis(options.keepAliveTimeout, "5 seconds"),
        // How often the two above are looked at; Node's default of 30 seconds would be the real timeout.
        connectionsCheckingInterval: 500,
        // The envelope refuses a request without a Host, in the form that every refusal has.
        requireHostHeader: false
      })
      node.setTimeout(millis(options.idleTimeout, "2 minutes"))
      const connections = Connections.watch(node)
      ProtocolErrors.answer(node, connections)
      holdUntilServed(node)
      // While it tries to listen the platform hears of errors; later ones, as when file handles run out, must not end the
      // process.
      node.on("error", (error) => {
        if (node.listening) runFork(Effect.logError("The server could not accept a connection", error))
      })
      return { node, connections }
    })
  )

/** The platform listens first and makes the routes then: who asks in between would be heard by nobody, and hang. */
const holdUntilServed = (node: Http.Server): void => {
  const held: Array<Parameters<Http.RequestListener>> = []
  const hold: Http.RequestListener = (request, response) => void held.push([request, response])
  const handOver = (event: string | symbol, serve: (...args: Parameters<Http.RequestListener>) => void): void => {
    if (event !== "request") return
    node.off("newListener", handOver).off("request", hold)
    for (const early of held) serve(...early)
  }
  node.on("request", hold)
  node.on("newListener", handOver)
}

const layerNoUpgrade: Layer.Layer<never, never, NodeServer> = Layer.effectDiscard(
  Effect.map(NodeServer, ({ node }) => {
    node.removeAllListeners("upgrade")
  })
)

const listenError = (cause: unknown, { host, port }: Options): ListenError => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  switch (code) {
    case "EADDRINUSE":
      return new ListenError({
        reason: "port-in-use",
        message: `PORT: ${port} on ${host} is in use; stop the program that uses it, or set PORT to another one, such as PORT=${port === 65535 ? 3000 : port + 1} (PORT=0 picks a free one)`
      })
    case "EACCES":
      return new ListenError({
        reason: "not-permitted",
        message: `PORT: ${port} may not be opened by this user; set PORT to one above 1023, such as PORT=3000`
      })
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ListenError({
        reason: "no-such-address",
        message: `HOST: ${host} is not an address of this machine; set HOST to one, such as HOST=127.0.0.1`
      })
    default:
      return new ListenError({
        reason: "other",
        message: `PORT: cannot listen on ${host}:${port} (${cause instanceof Error ? cause.message : String(cause)}); set HOST and PORT to an address of this machine, such as HOST=127.0.0.1 PORT=3000`
      })
  }
}
