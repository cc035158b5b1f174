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
import { isRejection, speaksOfDependency } from "./Rejection.js"

/**
 * Success; a typed failure by `isFailure`, which is asked about foreign errors only; a defect is a failure; an
 * interruption (and nothing else) says nothing. Of our own rejections, met by a call from inside, only a timed-out
 * attempt says something about the dependency: it is a failure, whatever the predicate says about its own errors.
 *
 * A predicate that throws counts the call as failed: the permit is given back whatever user code does.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofExit = (exit: Exit.Exit<unknown, unknown>, isFailure: (error: unknown) => boolean): Outcome =>
  Exit.isSuccess(exit) ? "success" : ofCause(exit.cause, isFailure)

/**
 * Like `ofExit`, for a call that is known not to have succeeded.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofCause = (cause: Cause.Cause<unknown>, isFailure: (error: unknown) => boolean): Outcome => {
  // A defect counts also where it comes with an error that would not, as when a finalizer breaks.
  if (Cause.isDie(cause)) return "failure"
  const error = Cause.failureOption(cause)
  if (Option.isNone(error)) return Cause.isInterruptedOnly(cause) ? "interrupted" : "failure"
  const counts = isRejection(error.value) ? speaksOfDependency(error.value) : holds(isFailure, error.value)
  return counts ? "failure" : "ignored"
}

/**
 * The default predicate: every typed error says that the dependency is unwell.
 *
 * @since 0.1.0
 * @category predicates
 */
export const everyError = (_error: unknown): boolean => true

const holds = (predicate: (error: unknown) => boolean, error: unknown): boolean => {
  try {
    return predicate(error)
  } catch {
    return true
  }
}
