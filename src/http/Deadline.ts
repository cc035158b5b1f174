/**
 * The time a request may take. When it is over, the handler's fibre is interrupted as if by a fibre with an id of its own,
 * the way the platform marks a client that hung up, and whoever sees the cause can tell the two apart.
 *
 * A timer, not `Effect.timeoutFail`: that forks a fibre for every request and costs two fifths of the throughput. The
 * timer is real time; what a handler must not leave half done it makes uninterruptible, and the answer then comes late.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as HashSet from "effect/HashSet"

/**
 * Who interrupts: no fibre has this id.
 *
 * @since 0.1.0
 * @category constants
 */
export const fiberId: FiberId.FiberId = FiberId.runtime(-504, 0)

/**
 * Interrupts the fibre after so many milliseconds, unless the returned function is called before.
 *
 * @since 0.1.0
 * @category constructors
 */
export const start = (fiber: Fiber.RuntimeFiber<unknown, unknown>, millis: number): (() => void) => {
  const timer = setTimeout(() => {
    fiber.unsafeInterruptAsFork(fiberId)
  }, millis)
  return () => {
    clearTimeout(timer)
  }
}

/**
 * Whether the deadline was among the reasons of a failure.
 *
 * @since 0.1.0
 * @category guards
 */
export const hasPassed = (cause: Cause.Cause<unknown>): boolean => HashSet.has(Cause.interruptors(cause), fiberId)
