/**
 * What a policy tells about each call: attempts as they end, retries as they are scheduled, and the end of the call.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Outcome } from "./kernel/Outcome.js"
import * as MonotonicClock from "./MonotonicClock.js"
import { isRejection, type Rejection } from "./Rejection.js"
import type { Scheduled } from "./Retry.js"

/**
 * An attempt that had passed the gates ended; `attempt` counts from 1.
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
 * The call ended. `attempts` is how many passed the gates; `rejection` is there when one of a policy ended it.
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
 * @since 0.1.0
 * @category events
 */
export type Event = AttemptEnded | RetryScheduled | CallEnded

/**
 * Watches one call, however it ends.
 *
 * @since 0.1.0
 * @category models
 */
export interface Observer {
  readonly attempt: <A, E, R>(self: Effect.Effect<A, E, R>, number: number) => Effect.Effect<A, E, R>
  readonly retry: (retry: Scheduled<unknown>) => Effect.Effect<void>
  readonly call: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/**
 * Sees nothing and costs nothing.
 *
 * @since 0.1.0
 * @category observers
 */
export const silent: Observer = {
  attempt: (self) => self,
  retry: () => Effect.void,
  call: (self) => self
}

/**
 * An observer for one call that began at `start` (monotonic).
 *
 * @since 0.1.0
 * @category observers
 */
export const observer = (options: {
  readonly policy: string
  readonly start: number
  readonly outcomeOf: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<Outcome>
  readonly onEvent: (event: Event) => Effect.Effect<void>
}): Observer => {
  let attempts = 0

  // A listener is not a part of the call: what it breaks is logged and stays there.
  const tell = (event: Event): Effect.Effect<void> =>
    Effect.catchAllCause(
      Effect.suspend(() => options.onEvent(event)),
      (cause) => Effect.logWarning(`The event listener of policy "${options.policy}" failed`, cause)
    )

  const ended = (
    exit: Exit.Exit<unknown, unknown>,
    since: number,
    event: (outcome: Outcome, elapsedMillis: number) => Event
  ): Effect.Effect<void> =>
    Effect.flatMap(Effect.zip(options.outcomeOf(exit), MonotonicClock.now), ([outcome, now]) =>
      tell(event(outcome, now - since))
    )

  return {
    attempt: (self, number) =>
      Effect.flatMap(MonotonicClock.now, (since) => {
        attempts = number
        return Effect.onExit(self, (exit) =>
          ended(exit, since, (outcome, elapsedMillis) => ({
            _tag: "AttemptEnded",
            attempt: number,
            outcome,
            elapsedMillis
          }))
        )
      }),

    retry: ({ attempt, cause, delay }) =>
      tell({
        _tag: "RetryScheduled",
        attempt,
        delayMillis: Duration.toMillis(delay),
        error: Option.getOrUndefined(Cause.failureOption(cause))
      }),

    call: (self) =>
      Effect.onExit(self, (exit) =>
        ended(exit, options.start, (outcome, elapsedMillis) => {
          const rejection = rejectionIn(exit)
          return {
            _tag: "CallEnded",
            outcome,
            elapsedMillis,
            attempts,
            ...(rejection === undefined ? {} : { rejection })
          }
        })
      )
  }
}

const rejectionIn = (exit: Exit.Exit<unknown, unknown>): Rejection | undefined =>
  Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Option.filter(Cause.failureOption(exit.cause), isRejection))
