/**
 * Turns the exit of a call into the outcome that a circuit breaker counts: every way in which an effect can end is
 * classified on purpose, defects and interruptions included.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Verdict } from "./kernel/Outcome.js"
import { isRejection, speaksOfDependency } from "./Rejection.js"

/**
 * What an error, a defect or a result says about the dependency: that it is unwell, that it is well (it answered, and
 * the answer was no), or nothing at all.
 *
 * @since 0.1.0
 * @category models
 */
export type Class = "failure" | "success" | "ignored"

/**
 * Who is asked about which end of a call. One that throws has said `failure`: the permit is given back whatever user code
 * does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Classifiers {
  /** Asked about foreign errors only, never about the rejections of this library. */
  readonly error: (error: unknown) => Class
  readonly defect: (defect: unknown) => Class
  /** `undefined` where every result is a success: then nobody is asked. */
  readonly result: ((result: unknown) => Class) | undefined
}

/**
 * The default: every typed error and every defect says that the dependency is unwell, every result that it is well.
 *
 * @since 0.1.0
 * @category classifiers
 */
export const everyError: Classifiers = {
  error: () => "failure",
  defect: () => "failure",
  result: undefined
}

/**
 * How an exit counts. An interruption (and nothing else) says nothing. Of our own rejections, met by a call from inside,
 * only a timed-out attempt says something about the dependency: it is a failure, whatever the classifier says about the
 * dependency's errors.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofExit = (exit: Exit.Exit<unknown, unknown>, classifiers: Classifiers): Verdict =>
  Exit.isSuccess(exit) ? ofResult(exit.value, classifiers) : ofCause(exit.cause, classifiers)

/**
 * Like `ofExit`, for a call that is known to have succeeded.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofResult = (result: unknown, classifiers: Classifiers): Verdict =>
  classifiers.result === undefined ? "success" : ask(classifiers.result, result)

/**
 * Like `ofExit`, for a call that is known not to have succeeded.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofCause = (cause: Cause.Cause<unknown>, classifiers: Classifiers): Verdict => {
  const defect = Cause.isDie(cause) ? ofDefects(cause, classifiers) : undefined
  // A defect counts also where it comes with an error that would not, as when a finalizer breaks.
  if (defect === "failure") return "failure"
  const error = Cause.failureOption(cause)
  if (Option.isNone(error)) return defect ?? "interrupted"
  if (isRejection(error.value)) return speaksOfDependency(error.value) ? "failure" : "ignored"
  return ask(classifiers.error, error.value)
}

/** The worst of them speaks. */
const ofDefects = (cause: Cause.Cause<unknown>, { defect }: Classifiers): Class => {
  const classes = Array.from(Cause.defects(cause), (one) => ask(defect, one))
  return classes.includes("failure") ? "failure" : classes.includes("ignored") ? "ignored" : "success"
}

const ask = (classify: (subject: unknown) => Class, subject: unknown): Class => {
  try {
    return classify(subject)
  } catch {
    return "failure"
  }
}
