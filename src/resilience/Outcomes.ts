/**
 * Turns the exit of a call into the outcome that a circuit breaker counts: every way in which an effect can end is
 * classified on purpose, defects and interruptions included.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Outcome } from "./kernel/Outcome.js"
import { AttemptTimeout, isRejection } from "./Rejection.js"

/**
 * The default answer to "does this typed error say that the dependency is unwell?": everything does, except our own
 * rejections; of those only a timed-out attempt does.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isFailure = (error: unknown): boolean => !isRejection(error) || error instanceof AttemptTimeout

/**
 * Success; a typed failure by `counts`; a defect is a failure; an interruption (and nothing else) says nothing.
 * A predicate that throws counts the call as failed: the permit is given back whatever user code does.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofExit = (exit: Exit.Exit<unknown, unknown>, counts: (error: unknown) => boolean = isFailure): Outcome =>
  Exit.isSuccess(exit) ? "success" : ofCause(exit.cause, counts)

/**
 * Like `ofExit`, for a call that is known not to have succeeded.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofCause = (cause: Cause.Cause<unknown>, counts: (error: unknown) => boolean = isFailure): Outcome => {
  const error = Cause.failureOption(cause)
  if (Option.isSome(error)) return holds(counts, error.value) ? "failure" : "ignored"
  return Cause.isInterruptedOnly(cause) ? "interrupted" : "failure"
}

const holds = (predicate: (error: unknown) => boolean, error: unknown): boolean => {
  try {
    return predicate(error)
  } catch {
    return true
  }
}
