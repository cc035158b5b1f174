/**
 * How a circuit breaker tells what happened to it: every transition in order, to whoever listens, at no risk to calls. A
 * subscriber that is slow loses the oldest transitions, sees so by the gap in `seq`, and holds up nobody.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Reason } from "./kernel/CircuitBreaker.js"

/**
 * What a caller meets.
 *
 * @since 0.1.0
 * @category models
 */
export type CircuitState = "closed" | "open" | "half-open"

/**
 * The circuit went from one state to another. Changes that only time makes are told when the next call meets them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transition {
  /** Counts the transitions of this breaker from 1; a gap means that a slow subscriber missed some. */
  readonly seq: number
  readonly name: string
  readonly from: CircuitState
  readonly to: CircuitState
  /** Wall time. */
  readonly at: Date
  readonly reason: Reason
}

/**
 * @since 0.1.0
 * @category models
 */
export interface CircuitTransitions {
  /** Tells a transition: one synchronous step that cannot fail, to be taken together with the change it tells of. */
  readonly unsafeTell: (transition: Transition) => void
  /** Every transition from here on; to be read at once, as nothing bounds what waits in it. */
  readonly listen: Effect.Effect<Queue.Dequeue<Transition>, never, Scope.Scope>
  /** Transitions from here on, of which the last 64 are kept for a slow reader; ends with the scope. */
  readonly subscribe: Effect.Effect<Stream.Stream<Transition>, never, Scope.Scope>
}

/** A subscriber that is further behind than this loses the oldest transitions. */
const remembered = 64

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<CircuitTransitions> = Effect.map(
  // A sliding hub would drop the newest in a synchronous step, so what slides is each subscriber's own queue.
  PubSub.unbounded<Transition>(),
  (hub) => ({
    unsafeTell: (transition) => {
      hub.unsafeOffer(transition)
    },
    listen: PubSub.subscribe(hub),
    subscribe: Effect.gen(function* () {
      const told = yield* PubSub.subscribe(hub)
      const recent = yield* Effect.acquireRelease(Queue.sliding<Transition>(remembered), Queue.shutdown)
      // Moves them also while nobody reads: the hub keeps what a subscriber has not taken.
      yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(told), (one) => Queue.offer(recent, one))))
      return Stream.fromQueue(recent)
    })
  })
)
