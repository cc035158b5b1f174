/**
 * Connections to one service, each in the hands of one exchange at a time. One whose answer was read to its end is used
 * again; every other one is closed before the exchange is over, so that an attempt that timed out, was interrupted or
 * broke leaves nothing open.
 *
 * undici's own pool does not give that: when an exchange is aborted it opens a new connection to a service that is
 * perhaps struggling, finds nothing to send, and keeps it idle for four seconds (seen with 7.30). So every connection is a
 * client of its own here, and closing it is final. How many there are is bounded by who asks: the bulkhead, and the probe.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Client } from "@effect/platform-node/Undici"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"

/**
 * @since 0.1.0
 * @category models
 */
export interface Connections {
  /**
   * Makes one exchange over a connection. `finished` says that the answer was read to its end; without it the connection
   * is closed when the exchange is over.
   */
  readonly use: <A, E, R>(
    exchange: (client: HttpClient.HttpClient, finished: Effect.Effect<void>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}

interface Connection {
  readonly client: HttpClient.HttpClient
  readonly close: Effect.Effect<void>
}

/** `undefined` once the scope has closed: what comes back then is closed, too. */
type Idle = ReadonlyArray<Connection> | undefined

/**
 * @param origin scheme, host and port of the service
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  origin: string,
  options: { readonly connectTimeout: Duration.DurationInput }
): Effect.Effect<Connections, never, Scope.Scope> =>
  Effect.gen(function* () {
    const idle = yield* Effect.acquireRelease(Ref.make<Idle>([]), (idle) =>
      Effect.flatMap(Ref.getAndSet(idle, undefined), (connections) =>
        Effect.forEach(connections ?? [], ({ close }) => close, { discard: true })
      )
    )

    const open = Effect.suspend(() => {
      const socket = new Client(origin, { connect: { timeout: Duration.toMillis(options.connectTimeout) } })
      return Layer.build(
        Layer.provide(NodeHttpClient.layerUndiciWithoutDispatcher, Layer.succeed(NodeHttpClient.Dispatcher, socket))
      ).pipe(
        Effect.scoped,
        Effect.map((context): Connection => ({
          client: Context.get(context, HttpClient.HttpClient),
          close: Effect.promise(() => socket.destroy())
        }))
      )
    })

    // The one used last is taken first, so that the others can grow old and let go of their sockets.
    const take = Effect.flatten(
      Ref.modify(idle, (connections): [Effect.Effect<Connection>, Idle] => {
        const last = connections?.at(-1)
        return last === undefined ? [open, connections] : [Effect.succeed(last), connections?.slice(0, -1)]
      })
    )

    const giveBack = (connection: Connection): Effect.Effect<void> =>
      Effect.flatten(
        Ref.modify(idle, (connections) =>
          connections === undefined ? [connection.close, undefined] : [Effect.void, [...connections, connection]]
        )
      )

    return {
      use: (exchange) =>
        Effect.flatMap(Ref.make(false), (isFinished) =>
          Effect.acquireUseRelease(
            take,
            ({ client }) => exchange(client, Ref.set(isFinished, true)),
            (connection) =>
              Effect.flatMap(Ref.get(isFinished), (finished) => (finished ? giveBack(connection) : connection.close))
          )
        )
    }
  })
