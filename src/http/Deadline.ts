/**
 * The time a request may take, which is also told to every policy that is used for its answer. When it is over, the
 * handler's fibre is interrupted as if by a fibre with an id of its own, the way the platform marks a client that hung up,
 * and whoever sees the cause can tell the two apart.
 *
 * A timer, not `Effect.timeoutFail`: that forks a fibre for every request and costs two fifths of the throughput. The
 * timer is real time; what a handler must not leave half done it makes uninterruptible, and the answer then comes late.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as HashSet from "effect/HashSet"
import * as MonotonicClock from "../resilience/MonotonicClock.js"
import * as Deadline from "../resilience/Deadline.js"
import { longestDelay } from "../resilience/OptionsReader.js"

/**
 * Who interrupts: no fibre has this id.
 *
 * @since 0.1.0
 * @category constants
 */
export const fiberId: FiberId.FiberId = FiberId.runtime(-504, 0)

/**
 * A request's time, running.
 *
 * @since 0.1.0
 * @category models
 */
export interface Running {
  /** To be run first: tells the policies inside of the request how long there is (`resilience/Deadline`). */
  readonly enter: Effect.Effect<void>
  /** The request was answered. */
  readonly stop: () => void
}

/**
 * Interrupts the fibre after so many milliseconds, unless it is stopped before.
 *
 * @since 0.1.0
 * @category constructors
 */
export const start = (fiber: Fiber.RuntimeFiber<unknown, unknown>, millis: number): Running => {
  const ring = () => {
    fiber.unsafeInterruptAsFork(fiberId)
  }
  // A timer that is set for longer rings at once.
  const timer = millis <= longestDelay ? setTimeout(ring, millis) : undefined
  const deadline = Deadline.earliest("request", millis, MonotonicClock.of(fiber), undefined)
  return {
    enter: deadline === undefined ? Effect.void : Deadline.enter(deadline),
    stop: () => {
      clearTimeout(timer)
      if (deadline !== undefined) Deadline.leave(deadline)
    }
  }
}

/**
 * Whether the deadline was among the reasons of a failure.
 *
 * @since 0.1.0
 * @category guards
 */
export const hasPassed = (cause: Cause.Cause<unknown>): boolean => HashSet.has(Cause.interruptors(cause), fiberId)
