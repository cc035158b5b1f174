/**
 * How a circuit breaker tells what happened to it: every transition in order, to whoever listens, at no risk to calls. A
 * subscriber that is slow loses the oldest transitions, sees so by the gap in `seq`, and holds up nobody.
 *
 * The last transitions are a part of the breaker's state, and a subscriber is a place in that history: there is no queue
 * that could fill up, and a breaker that nobody listens to keeps nothing.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
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
  /** Wall time: when it happened, also where it is told later. */
  readonly at: Date
  readonly reason: Reason
}

/**
 * What a breaker has told.
 *
 * @since 0.1.0
 * @category models
 */
export interface History {
  /** That of the last transition. */
  readonly seq: number
  readonly subscribers: number
  /** The last transitions, oldest first, since somebody subscribed. */
  readonly recent: ReadonlyArray<Transition>
  /** Done at the next transition; there only when somebody waits for it. */
  readonly news: Deferred.Deferred<void> | undefined
}

/**
 * Reads and changes the history where the breaker keeps it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Access {
  <A>(step: (history: History) => readonly [A, History]): Effect.Effect<A>
}

/** A subscriber that is further behind than this loses the oldest transitions. */
const remembered = 64

/**
 * The history of a new breaker.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: History = { seq: 0, subscribers: 0, recent: [], news: undefined }

/**
 * Tells a transition, in the step that makes it: nothing waits, nothing fails.
 *
 * @since 0.1.0
 * @category operations
 */
export const unsafeTell = (history: History, transition: Omit<Transition, "seq">): History => {
  const seq = history.seq + 1
  wake(history)
  return {
    seq,
    subscribers: history.subscribers,
    recent: history.subscribers === 0 ? [] : [...history.recent.slice(1 - remembered), { seq, ...transition }],
    news: undefined
  }
}

/**
 * Waits for the next transition, counted from when the outer effect ran.
 *
 * @since 0.1.0
 * @category operations
 */
export const next = (access: Access): Effect.Effect<Effect.Effect<void>> =>
  access((history) => {
    const news = history.news ?? Deferred.unsafeMake<void>(FiberId.none)
    return [Deferred.await(news), { ...history, news }]
  })

/**
 * Transitions from here on, in order; ends with the scope.
 *
 * @since 0.1.0
 * @category operations
 */
export const subscribe = (access: Access): Effect.Effect<Stream.Stream<Transition>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const over = yield* Ref.make(false)
    const start = yield* Effect.acquireRelease(
      access((history) => [history.seq, { ...history, subscribers: history.subscribers + 1 }]),
      () =>
        Effect.zipRight(
          Ref.set(over, true),
          access((history) => {
            wake(history)
            const subscribers = history.subscribers - 1
            return [
              undefined,
              { ...history, subscribers, recent: subscribers === 0 ? [] : history.recent, news: undefined }
            ]
          })
        )
    )

    const after = (seq: number): Effect.Effect<Option.Option<readonly [Chunk.Chunk<Transition>, number]>> =>
      Effect.gen(function* () {
        for (;;) {
          const wait = yield* next(access)
          // Asked first: where others go on listening, the history goes on, too.
          if (yield* Ref.get(over)) return Option.none()
          const history = yield* access((history) => [history, history])
          const unseen = history.recent.filter((transition) => transition.seq > seq)
          if (unseen.length > 0) return Option.some([Chunk.unsafeFromArray(unseen), history.seq] as const)
          yield* wait
        }
      })
    return Stream.unfoldChunkEffect(start, after)
  })

const wake = ({ news }: History): void => {
  if (news !== undefined) Deferred.unsafeDone(news, Effect.void)
}
