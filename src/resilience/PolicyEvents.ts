/**
 * What a policy tells about each call: attempts as they end, retries as they are scheduled, and the end of the call.
 *
 * A listener is not a part of the call. Each event is handed to it in a fibre of its own, which begins at once: what the
 * listener does without waiting is done before the call goes on, as for metrics; what it waits for, it waits for beside
 * the call, and for ever if it must. A policy lets 64 of those wait; while there are so many, further events are lost, and
 * a warning says so.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Outcome } from "./kernel/Outcome.js"
import * as MonotonicClock from "./MonotonicClock.js"
import { isRejection, type Rejection } from "./Rejection.js"
import type { Scheduled } from "./Retry.js"

/**
 * An attempt that had passed the gates ended; `attempt` counts from 1. Hedges belong to the attempt that they help.
 *
 * @since 0.1.0
 * @category events
 */
export interface AttemptEnded {
  readonly _tag: "AttemptEnded"
  readonly attempt: number
  readonly outcome: Outcome
  readonly elapsedMillis: number
}

/**
 * Another attempt follows after the delay; `attempt` is the one that failed, with `error`.
 *
 * @since 0.1.0
 * @category events
 */
export interface RetryScheduled {
  readonly _tag: "RetryScheduled"
  readonly attempt: number
  readonly delayMillis: number
  readonly error: unknown
}

/**
 * The call ended. `attempts` is how many passed the gates; `rejection` is there when one of a policy ended it: such a call
 * was what its last attempt was, as far as it had one. A success is `slow` when its last attempt was; `elapsedMillis` is of
 * the call as a whole.
 *
 * @since 0.1.0
 * @category events
 */
export interface CallEnded {
  readonly _tag: "CallEnded"
  readonly outcome: Outcome
  readonly elapsedMillis: number
  readonly attempts: number
  readonly rejection?: Rejection
}

/**
 * Everything that a listener is told.
 *
 * @since 0.1.0
 * @category events
 */
export type Event = AttemptEnded | RetryScheduled | CallEnded

/**
 * What is told about events. Its errors are its own business: the type has none, and its defects are logged.
 *
 * @since 0.1.0
 * @category models
 */
export type Listener = (event: Event) => Effect.Effect<void>

/**
 * Watches one call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Observer {
  /** Put around what remains when the gates are passed, masked: whatever is counted as begun is told to have ended. */
  readonly attempt: <A, E, R>(self: Effect.Effect<A, E, R>, number: number) => Effect.Effect<A, E, R>
  readonly retry: (retry: Scheduled<unknown>) => Effect.Effect<void>
  readonly ended: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

/** How many events of one policy may be waited for at a time by its listener. */
const mostWaiting = 64

/**
 * Makes the observers of a policy's calls, each for a call that begins at `start` (monotonic). The listener runs with
 * the services and loggers of the place where the policy was made.
 *
 * @since 0.1.0
 * @category constructors
 */
export const observers = (options: {
  readonly policy: string
  readonly outcomeOf: (exit: Exit.Exit<unknown, unknown>, elapsedMillis: number) => Effect.Effect<Outcome>
  readonly onEvent: Listener
}): Effect.Effect<(start: number) => Observer> =>
  Effect.map(Effect.runtime(), (runtime) => {
    const tell = teller(options.policy, options.onEvent, Runtime.runFork(runtime))

    return (start) => {
      let attempts = 0
      /** What the last attempt took: waits in queues and between attempts do not make a dependency slow. */
      let attemptMillis = 0
      let attemptOutcome: Outcome | undefined
      return {
        attempt: (self, attempt) =>
          Effect.flatMap(MonotonicClock.now, (since) => {
            attempts = attempt
            return Effect.onExit(self, (exit) =>
              MonotonicClock.nowWith((now) => {
                const elapsedMillis = now - since
                attemptMillis = elapsedMillis
                return Effect.map(options.outcomeOf(exit, elapsedMillis), (outcome) => {
                  attemptOutcome = outcome
                  tell({ _tag: "AttemptEnded", attempt, outcome, elapsedMillis })
                })
              })
            )
          }),

        retry: ({ attempt, cause, delay }) =>
          Effect.sync(() =>
            tell({
              _tag: "RetryScheduled",
              attempt,
              delayMillis: Duration.toMillis(delay),
              error: Option.getOrUndefined(Cause.failureOption(cause))
            })
          ),

        ended: (exit) =>
          MonotonicClock.nowWith((now) => {
            const rejection = rejectionIn(exit)
            const known = rejection === undefined ? undefined : attemptOutcome
            const outcome = known === undefined ? options.outcomeOf(exit, attemptMillis) : Effect.succeed(known)
            return Effect.map(outcome, (outcome) => {
              const event = { _tag: "CallEnded", outcome, elapsedMillis: now - start, attempts } as const
              tell(rejection === undefined ? event : { ...event, rejection })
            })
          })
      }
    }
  })

const teller = (policy: string, onEvent: Listener, run: ReturnType<typeof Runtime.runFork<never>>) => {
  let waiting = 0
  let losing = false
  return (event: Event): void => {
    if (waiting >= mostWaiting) {
      if (!losing) run(Effect.logWarning(`The event listener of policy "${policy}" hangs; events are lost`))
      losing = true
      return
    }
    losing = false
    const fiber = run(
      Effect.catchAllCause(
        Effect.suspend(() => onEvent(event)),
        (cause) => Effect.logWarning(`The event listener of policy "${policy}" failed`, cause)
      )
    )
    if (fiber.unsafePoll() !== null) return
    waiting += 1
    fiber.addObserver(() => {
      waiting -= 1
    })
  }
}

const rejectionIn = (exit: Exit.Exit<unknown, unknown>): Rejection | undefined =>
  Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Option.filter(Cause.failureOption(exit.cause), isRejection))
