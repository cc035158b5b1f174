/**
 * Where the server stands between its start and its end, and how many requests it is working on: what decides whether it
 * wants traffic, when streams say goodbye, and when it is safe to pull the database away.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"

/**
 * `starting` until the first try to reach what the server needs has ended, `draining` from the moment it was told to stop.
 *
 * @since 0.1.0
 * @category models
 */
export type State = "starting" | "ready" | "draining"

/**
 * @since 0.1.0
 * @category models
 */
export interface LifecycleShape {
  readonly state: Effect.Effect<State>
  /** The first try is over, whatever came of it. Does not undo draining. */
  readonly started: Effect.Effect<void>
  readonly drain: Effect.Effect<void>
  /** Waits until draining begins. */
  readonly draining: Effect.Effect<void>
  /** A handler begins; the returned function says, once, that it has ended. Its client may be long gone by then. */
  readonly enter: () => () => void
  /** How many handlers are running. */
  readonly inFlight: () => number
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Lifecycle extends Context.Tag("@dialdrill/selfheal/Lifecycle")<Lifecycle, LifecycleShape>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<LifecycleShape> = Effect.gen(function* () {
  const state = yield* Ref.make<State>("starting")
  const draining = yield* Deferred.make<void>()
  let inFlight = 0
  return {
    state: Ref.get(state),
    started: Ref.update(state, (now) => (now === "starting" ? "ready" : now)),
    drain: Effect.zipRight(Ref.set(state, "draining"), Effect.asVoid(Deferred.succeed(draining, undefined))),
    draining: Deferred.await(draining),
    enter: () => {
      inFlight += 1
      let entered = true
      return () => {
        if (entered) inFlight -= 1
        entered = false
      }
    },
    inFlight: () => inFlight
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Lifecycle> = Layer.effect(Lifecycle, make)

/**
 * Ends a stream when draining begins, so that an endless answer (server-sent events) does not hold up the end.
 *
 * @since 0.1.0
 * @category combinators
 */
export const endOnDrain = <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R | Lifecycle> =>
  Stream.unwrap(Effect.map(Lifecycle, (lifecycle) => Stream.interruptWhen(self, lifecycle.draining)))
