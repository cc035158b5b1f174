/**
 * The end of a server, in the order that loses nothing: say that no traffic is wanted, stop listening, let what is running
 * finish, end what would never finish, and after a bounded time go.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as MonotonicClock from "../resilience/MonotonicClock.js"
import { Lifecycle } from "./Lifecycle.js"
import { NodeServer } from "./NodeServer.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long running requests may take to finish before they are cut. Default 10 seconds. */
  readonly grace?: Duration.DurationInput | undefined
  /** How long the server goes on accepting after it said that it is not ready, for a load balancer to notice. Default 0. */
  readonly delay?: Duration.DurationInput | undefined
}

const checkEvery = Duration.millis(20)

/** A request whose first bytes have arrived gets this long to arrive as a whole. */
const patienceMillis = 500

/** What was cut is interrupted and still has to clean up. */
const cleanUp = Duration.seconds(1)

/**
 * Drains when its scope closes. Built on top of the serving layer, so that its finalizer runs first, while the handlers are
 * still attached: the platform would take them off and leave requests on kept connections without an answer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<never, never, NodeServer | Lifecycle> =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { connections, node } = yield* NodeServer
      const lifecycle = yield* Lifecycle

      const until = (done: () => boolean, each: Effect.Effect<void>, limit: Duration.DurationInput) =>
        Effect.whileLoop({
          while: () => !done(),
          body: () => Effect.zipRight(each, Effect.sleep(checkEvery)),
          step: () => {}
        }).pipe(
          // A finalizer is uninterruptible, and a timeout there waits for ever.
          Effect.interruptible,
          Effect.timeoutOption(limit)
        )

      yield* Effect.addFinalizer(() =>
        Effect.gen(function* () {
          yield* lifecycle.drain
          if (options.delay !== undefined) yield* Effect.sleep(options.delay)
          node.close()
          connections.closeAfterAnswers()
          const begun = yield* MonotonicClock.now
          const letGo = Effect.map(MonotonicClock.now, (now) => {
            connections.closeUnused(now - begun < patienceMillis)
          })
          const idle = () => connections.size() === 0 && lifecycle.inFlight() === 0
          const finished = yield* until(idle, letGo, options.grace ?? "10 seconds")
          if (Option.isSome(finished)) return
          yield* Effect.logWarning(
            `Stopped with ${lifecycle.inFlight()} requests running on ${connections.size()} connections`
          )
          connections.closeAll()
          yield* until(() => lifecycle.inFlight() === 0, Effect.void, cleanUp)
        })
      )
    })
  )
