/**
 * Tries again after a failure that may pass, waiting longer each time.
 *
 * There is one delay formula (`kernel/Backoff.ts`) and one way to use it, `schedule`: it decides whether a failure is
 * worth another attempt and after how long, and is what `withRetry` and `Policy` step. It is an ordinary Effect
 * `Schedule`, so `Effect.retry(effect, Retry.schedule(options))` does the same.
 *
 * Only typed failures are retried; a defect is a bug and an interruption is a wish.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Decision from "effect/ScheduleDecision"
import * as Interval from "effect/ScheduleInterval"
import type * as CircuitBreaker from "./CircuitBreaker.js"
import * as CircuitBreakers from "./CircuitBreakers.js"
import * as Backoff from "./kernel/Backoff.js"
import * as OptionsReader from "./OptionsReader.js"
import type { CircuitOpen, RetryBudgetExhausted } from "./Rejection.js"
import * as Retryable from "./Retryable.js"
import type { RetryBudget } from "./RetryBudget.js"
import { attemptErrors, drive, type Driver, type Scheduled } from "./RetryDriver.js"

export { attemptErrors, drive, type Driver, type Scheduled }
export type { Backoff, Jitter } from "./kernel/Backoff.js"
export type { Pushback, RetryableError } from "./Retryable.js"

/**
 * How often to try, how long to wait in between, and which errors are worth another attempt. All have defaults. Options
 * that make no sense are named by `RetryConfigurationError`: `settingsOf` gives it back, `withRetry` dies with it, and
 * `schedule` throws it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Retryable.Options {
  /** How often to try, the first attempt included. Default 3. */
  readonly maxAttempts?: number | undefined
  /** The delay before the second attempt. Default 1 second, or `maxDelay` where that is shorter. */
  readonly initialDelay?: Duration.DurationInput | undefined
  /**
   * The longest delay between two attempts. Default 10 seconds, or `initialDelay` where that is longer. An error that asks
   * for a longer one (`retryAfter`) is not retried.
   */
  readonly maxDelay?: Duration.DurationInput | undefined
  /** By how much the delay grows with each attempt. Default 2. */
  readonly backoffMultiplier?: number | undefined
  /** How delays are spread at random, so that callers do not come back all at once. Default `none`. */
  readonly jitter?: Backoff.Jitter | undefined
}

/**
 * The options of a retry make no sense.
 *
 * @since 0.1.0
 * @category errors
 */
export class RetryConfigurationError extends Data.TaggedError("RetryConfigurationError")<{
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Retry: ${this.problems.join("; ")}`
  }
}

/**
 * The options with defaults filled in and durations in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly maxAttempts: number
  readonly backoff: Backoff.Backoff
  readonly isRetryable: (error: unknown) => boolean
  readonly retryAfter: (error: unknown) => Retryable.Pushback | undefined
}

/**
 * Reads the options, or says everything that is wrong with them, alone or together with the budget of the retries.
 *
 * @since 0.1.0
 * @category options
 */
export const settingsOf = (
  options: Options = {},
  budget?: RetryBudget
): Either.Either<Settings, RetryConfigurationError> => {
  const read = OptionsReader.make()
  const longest = options.maxDelay === undefined ? undefined : read.duration("maxDelay", options.maxDelay, 0)
  const initialDelay = read.duration("initialDelay", options.initialDelay ?? Math.min(1_000, longest ?? Infinity), 0)
  const maxDelay = longest ?? Math.max(10_000, initialDelay)
  if (maxDelay < initialDelay) read.refuse("maxDelay is shorter than initialDelay; raise it, or lower initialDelay")
  if (budget !== undefined && maxDelay > budget.windowMillis) {
    read.refuse(
      `maxDelay is longer than the window of the budget "${budget.name}" (${budget.windowMillis} ms), which would forget ` +
        "retries that still wait; lower maxDelay, or raise the window"
    )
  }
  if (options.retryableErrors?.some(Retryable.matchesEverything)) {
    read.refuse("retryableErrors has an entry that matches everything; give it a status, a code or a message")
  }
  if (options.retryableErrors !== undefined && options.isRetryable !== undefined) {
    read.refuse("retryableErrors is not looked at where isRetryable is given; leave one of them out")
  }
  const settings: Settings = {
    maxAttempts: read.count("maxAttempts", options.maxAttempts ?? 3, 1),
    backoff: {
      initialDelay,
      maxDelay,
      multiplier: read.factor("backoffMultiplier", options.backoffMultiplier ?? 2, 1),
      jitter: read.choice("jitter", options.jitter ?? "none", ["none", "full", "equal", "decorrelated"])
    },
    // What user code throws about an error must not take the error's place: such an error is not retried.
    isRetryable: (error) => orElse(() => Retryable.mayPass(options, error), false),
    retryAfter: (error) => orElse(() => (options.retryAfter ?? Retryable.pushbackOf)(error), "never")
  }
  return read.problems.length === 0
    ? Either.right(settings)
    : Either.left(new RetryConfigurationError({ problems: read.problems }))
}

/**
 * The schedule of the retries: takes the error of an attempt, and goes on after the delay that it outputs, or is done
 * when the error is not worth another attempt. It draws its jitter from Effect's `Random`.
 *
 * Options that make no sense are a bug at the place of the call: throws `RetryConfigurationError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const schedule = (options?: Options): Schedule.Schedule<Duration.Duration, unknown> =>
  scheduleOf(Either.getOrThrowWith(settingsOf(options), (error) => error))

/**
 * The same from options that were read before.
 *
 * @since 0.1.0
 * @category constructors
 */
export const scheduleOf = (settings: Settings): Schedule.Schedule<Duration.Duration, unknown> => {
  const { backoff, isRetryable, maxAttempts, retryAfter } = settings
  return Schedule.makeWithState<Progress, unknown, Duration.Duration>(
    { attempt: 1, delay: backoff.initialDelay },
    (now, error, { attempt, delay: previous }) => {
      const stop = [{ attempt, delay: previous }, Duration.zero, Decision.done] as const
      if (attempt >= maxAttempts || !isRetryable(error)) return Effect.succeed(stop)
      const pushback = retryAfter(error) ?? Duration.zero
      // A wait that is not worth waiting for: better to fail now and let the caller see the hint.
      if (pushback === "never" || Duration.toMillis(pushback) > backoff.maxDelay) return Effect.succeed(stop)
      return Effect.map(backoff.jitter === "none" ? Effect.succeed(0) : Random.next, (random) => {
        const own = Backoff.delayAfter(backoff, attempt, previous, random)
        const delay = Math.max(own, Math.ceil(Duration.toMillis(pushback)))
        return [
          { attempt: attempt + 1, delay: own },
          Duration.millis(delay),
          Decision.continueWith(Interval.after(now + delay))
        ] as const
      })
    }
  )
}

/**
 * Retries an effect by the options. Its errors pass through as they are; the last one wins, and the cause keeps those of
 * the attempts before it (`attemptErrors`).
 *
 * With a budget, each call pays into it and each retry is charged to it; when it grants none, the call fails with
 * `RetryBudgetExhausted`, which carries the error. Without one, nothing is added.
 *
 * Asking for a retry says that the effect may run more than once. Options that make no sense die with
 * `RetryConfigurationError`: they are a bug at the place of the call.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withRetry: {
  (
    options: Options | undefined,
    budget: RetryBudget
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | RetryBudgetExhausted, R>
  (options?: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options: Options | undefined,
    budget: RetryBudget
  ): Effect.Effect<A, E | RetryBudgetExhausted, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R>
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: Options,
    budget?: RetryBudget
  ): Effect.Effect<A, E | RetryBudgetExhausted, R> =>
    Either.match(settingsOf(options, budget), {
      onLeft: (error) => Effect.die(error),
      onRight: (settings) => drive(() => self, { schedule: scheduleOf(settings), budget })
    })
)

/**
 * The owner's name of `withRetry`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const retryWithBackoff = withRetry

/**
 * Retries an effect whose every attempt passes through the circuit breaker of that name. An open circuit is not retried.
 *
 * @since 0.1.0
 * @category combinators
 */
export const retryWithCircuitBreaker = <A, E, R>(
  name: string,
  self: Effect.Effect<A, E, R>,
  retry?: Options,
  breaker?: Omit<CircuitBreaker.Options, "name">
): Effect.Effect<
  A,
  E | CircuitOpen | CircuitBreaker.CircuitBreakerConfigurationError,
  R | CircuitBreakers.CircuitBreakers
> => Effect.flatMap(CircuitBreakers.getCircuitBreaker(name, breaker), ({ execute }) => withRetry(execute(self), retry))

const orElse = <A, B>(ask: () => A, otherwise: B): A | B => {
  try {
    return ask()
  } catch {
    return otherwise
  }
}

interface Progress {
  readonly attempt: number
  readonly delay: number
}
