/**
 * Makes the attempts of one call: steps the schedule, asks the budget, waits, and remembers what each attempt failed with.
 * `Retry` and `Policy` are both this driver with their own schedule; neither has a loop of its own.
 *
 * The first attempt pays for one catch (and, with a budget, its deposit); everything else begins with the first failure.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import * as Decision from "effect/ScheduleDecision"
import { RetryBudgetExhausted, stackless } from "./Rejection.js"
import type { RetryBudget } from "./RetryBudget.js"

/**
 * A retry that the schedule asks for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Scheduled<out E> {
  /** The number of the attempt that failed; the first is 1. */
  readonly attempt: number
  readonly delay: Duration.Duration
  /** What the call fails with if the retry is not made. */
  readonly cause: Cause.Cause<E>
}

/**
 * What decides about the retries of a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Driver<in E> {
  readonly schedule: Schedule.Schedule<Duration.Duration, E>
  /** Receives a deposit for the call, and is charged for each retry. */
  readonly budget?: RetryBudget | undefined
  /** Whether the retry can begin in time. One that cannot is not waited for: the call fails at once. Default: always. */
  readonly inTime?: ((retry: Scheduled<E>) => Effect.Effect<boolean>) | undefined
  /** Told of every retry that is going to be waited for. */
  readonly before?: ((retry: Scheduled<E>) => Effect.Effect<void>) | undefined
}

/**
 * A driver without a budget, which adds no error.
 *
 * @since 0.1.0
 * @category models
 */
export interface UnboundedDriver<in E> extends Driver<E> {
  readonly budget?: undefined
}

/** Of a call with more attempts than this, the errors of the first ones are forgotten. */
const rememberedAttempts = 16

/**
 * Makes attempts as long as the driver says so; `attempt` is given the number of the attempt, from 1.
 *
 * A call that was attempted more than once and failed carries the errors of all its attempts in its cause, the last one
 * first: see `attemptErrors`. A defect, also one beside an error, and an interruption end the call as they are.
 *
 * A retry is charged to the budget before it is waited for, and given back when its attempt does not begin. When the
 * budget grants none, the call fails with `RetryBudgetExhausted`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const drive: {
  <A, E, R>(attempt: (number: number) => Effect.Effect<A, E, R>, driver: UnboundedDriver<E>): Effect.Effect<A, E, R>
  <A, E, R>(
    attempt: (number: number) => Effect.Effect<A, E, R>,
    driver: Driver<E>
  ): Effect.Effect<A, E | RetryBudgetExhausted, R>
} = <A, E, R>(
  attempt: (number: number) => Effect.Effect<A, E, R>,
  driver: Driver<E>
): Effect.Effect<A, E | RetryBudgetExhausted, R> =>
  Effect.suspend(() => {
    const first = Effect.catchAllCause(attempt(1), (cause) => retried(attempt, driver, cause))
    return driver.budget === undefined ? first : Effect.zipRight(driver.budget.deposit, first)
  })

/**
 * The errors of a failed call's attempts, in the order in which they were made: at most the last sixteen. For a call
 * that was attempted once it is that one error, and nothing for a call that ended in a defect or an interruption.
 *
 * @since 0.1.0
 * @category accessors
 */
export const attemptErrors = <E>(cause: Cause.Cause<E>): ReadonlyArray<Exclude<E, RetryBudgetExhausted>> => {
  const errors: Array<E> = []
  let rest: Cause.Cause<E> | undefined = cause
  while (rest !== undefined) {
    const [attempt, earlier]: readonly [Cause.Cause<E>, Cause.Cause<E> | undefined] =
      rest._tag === "Sequential" ? [rest.left, rest.right] : [rest, undefined]
    errors.unshift(...Option.toArray(Cause.failureOption(attempt)))
    rest = earlier
  }
  // A spent budget ended the call and is no attempt.
  return errors.filter((error): error is Exclude<E, RetryBudgetExhausted> => !(error instanceof RetryBudgetExhausted))
}

/**
 * What follows when the first attempt has failed, for those who make that one themselves (and their deposit, too). Outside
 * of attempts, waits and hooks it cannot be interrupted.
 *
 * @since 0.1.0
 * @category combinators
 */
export const retried = <A, E, R>(
  attempt: (number: number) => Effect.Effect<A, E, R>,
  driver: Driver<E>,
  first: Cause.Cause<E>
): Effect.Effect<A, E | RetryBudgetExhausted, R> =>
  Effect.uninterruptibleMask((restore) => {
    const { before = nothing, budget, inTime = always, schedule } = driver

    /** The attempt of that number failed, after others with these errors, most recent first. */
    const failed = (
      number: number,
      cause: Cause.Cause<E>,
      state: unknown,
      earlier: ReadonlyArray<E>
    ): Effect.Effect<A, E | RetryBudgetExhausted, R> => {
      const failure = Cause.failureOption(cause)
      // With the errors of other attempts in it, a defect or an interruption would be taken for one of them.
      if (Option.isNone(failure)) return Effect.failCause(cause)
      const whole = withHistory(cause, earlier.slice(0, rememberedAttempts - 1))
      // A bug beside the error, as when a finalizer breaks, would not be seen any more if the next attempt succeeded.
      if (Cause.isDie(cause)) return Effect.failCause(whole)
      const errors = [failure.value, ...earlier].slice(0, rememberedAttempts)

      // Stepped from zero, the start of the next interval is the delay itself, and no clock is involved.
      return Effect.flatMap(restore(schedule.step(0, failure.value, state)), ([next, delay, decision]) => {
        if (Decision.isDone(decision)) return Effect.failCause(whole)
        const retry: Scheduled<E> = { attempt: number, delay, cause: whole }
        const another = waitAndTry(retry, (cause) => failed(number + 1, cause, next, errors))
        return Effect.flatMap(restore(inTime(retry)), (fits) => {
          if (!fits) return Effect.failCause(whole)
          if (budget === undefined) return another
          return Effect.flatMap(budget.withdraw, (granted) =>
            granted
              ? another
              : Effect.failCause(withHistory(Cause.fail(exhausted(budget, delay, failure.value)), errors))
          )
        })
      })
    }

    /** What was charged is given back when the caller leaves, or a hook breaks, before the attempt has begun. */
    const waitAndTry = (
      retry: Scheduled<E>,
      onFailure: (cause: Cause.Cause<E>) => Effect.Effect<A, E | RetryBudgetExhausted, R>
    ): Effect.Effect<A, E | RetryBudgetExhausted, R> => {
      let begun = false
      const waited = Effect.suspend(() => Effect.zipRight(before(retry), Effect.sleep(retry.delay)))
      const tried = Effect.flatMap(waited, () => {
        begun = true
        return attempt(retry.attempt + 1)
      })
      return Effect.catchAllCause(restore(tried), (cause) =>
        begun ? onFailure(cause) : Effect.zipRight(budget?.refund ?? Effect.void, Effect.failCause(cause))
      )
    }

    return failed(1, first, schedule.initial, [])
  })

const nothing = () => Effect.void
const always = () => Effect.succeed(true)

const withHistory = <E, E2>(cause: Cause.Cause<E>, earlier: ReadonlyArray<E2>): Cause.Cause<E | E2> => {
  const [first, ...others] = earlier.map((error): Cause.Cause<E2> => Cause.fail(error)).reverse()
  if (first === undefined) return cause
  return Cause.sequential(
    cause,
    others.reduce((history, error) => Cause.sequential(error, history), first)
  )
}

const exhausted = ({ name }: RetryBudget, retryAfter: Duration.Duration, error: unknown): RetryBudgetExhausted =>
  stackless(() => new RetryBudgetExhausted({ policy: name, reason: "budget", retryAfter, error }))
