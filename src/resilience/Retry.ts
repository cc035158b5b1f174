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
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Decision from "effect/ScheduleDecision"
import * as Interval from "effect/ScheduleInterval"
import type * as CircuitBreaker from "./CircuitBreaker.js"
import * as CircuitBreakers from "./CircuitBreakers.js"
import * as Backoff from "./kernel/Backoff.js"
import * as OptionsReader from "./OptionsReader.js"
import { type CircuitOpen, isRejection, speaksOfDependency } from "./Rejection.js"

/**
 * An error matches when every field that is given matches: `status` and `code` are equal to the error's own (or its
 * cause's), `message` is part of its message, in any case.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryableError {
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How often to try, the first attempt included. Default 3. */
  readonly maxAttempts?: number | undefined
  /** The delay before the second attempt. Default 1 second. */
  readonly initialDelay?: Duration.DurationInput | undefined
  /**
   * The longest delay between two attempts. Default 10 seconds. An error that asks for a longer one (`retryAfter`) is
   * not retried.
   */
  readonly maxDelay?: Duration.DurationInput | undefined
  /** By how much the delay grows with each attempt. Default 2. */
  readonly backoffMultiplier?: number | undefined
  /** How delays are spread at random, so that callers do not come back all at once. Default `none`. */
  readonly jitter?: Backoff.Jitter | undefined
  /** Which errors may pass, for errors that do not say so themselves. Default: all of them. */
  readonly retryableErrors?: ReadonlyArray<RetryableError> | undefined
  /**
   * Which errors may pass. Default: an error's own `isRetryable` when it is a boolean, else `retryableErrors`. Rejections
   * of this library are never retried, whatever this says; `AttemptTimeout` may be.
   */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined
  /** How long the dependency asked to wait. Default: the error's own `retryAfter` when it is a `Duration`. */
  readonly retryAfter?: ((error: unknown) => Duration.Duration | undefined) | undefined
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
  readonly retryAfter: (error: unknown) => Duration.Duration | undefined
}

/**
 * Reads the options, or says everything that is wrong with them.
 *
 * @since 0.1.0
 * @category options
 */
export const settingsOf = (options: Options = {}): Either.Either<Settings, RetryConfigurationError> => {
  const read = OptionsReader.make()
  const initialDelay = read.duration("initialDelay", options.initialDelay ?? "1 second", 0)
  const maxDelay = read.duration("maxDelay", options.maxDelay ?? Math.max(10_000, initialDelay), 0)
  if (maxDelay < initialDelay) read.refuse("maxDelay is shorter than initialDelay; raise it, or lower initialDelay")
  if (options.retryableErrors?.some((pattern) => Object.values(pattern).every((value) => value === undefined))) {
    read.refuse("retryableErrors has an entry that matches everything; give it a status, a code or a message")
  }
  const settings: Settings = {
    maxAttempts: read.count("maxAttempts", options.maxAttempts ?? 3, 1),
    backoff: {
      initialDelay,
      maxDelay,
      multiplier: read.factor("backoffMultiplier", options.backoffMultiplier ?? 2, 1),
      jitter: options.jitter ?? "none"
    },
    // What user code throws about an error must not take the error's place: such an error is not retried.
    isRetryable: (error) => orElse(() => mayPass(options, error), false),
    retryAfter: (error) => orElse(() => (options.retryAfter ?? hintOf)(error), undefined)
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
      const hint = attempt < maxAttempts && isRetryable(error) ? (retryAfter(error) ?? Duration.zero) : undefined
      // A wait that is not worth waiting for: better to fail now and let the caller see the hint.
      if (hint === undefined || Duration.toMillis(hint) > backoff.maxDelay) return Effect.succeed(stop)
      return Effect.map(backoff.jitter === "none" ? Effect.succeed(0) : Random.next, (random) => {
        const own = Backoff.delayAfter(backoff, attempt, previous, random)
        const delay = Math.max(own, Math.ceil(Duration.toMillis(hint)))
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
 * A retry that is about to be waited for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Scheduled<out E> {
  /** The number of the attempt that failed; the first is 1. */
  readonly attempt: number
  readonly delay: Duration.Duration
  readonly cause: Cause.Cause<E>
}

/**
 * Makes attempts as long as the schedule says so; `attempt` is given the number of the attempt, from 1. `before` runs
 * ahead of each wait and can forbid it by failing.
 *
 * @since 0.1.0
 * @category combinators
 */
export const drive = <A, E, R, E2 = never, R2 = never>(
  attempt: (number: number) => Effect.Effect<A, E, R>,
  retries: Schedule.Schedule<Duration.Duration, E>,
  before: (retry: Scheduled<E>) => Effect.Effect<void, E2, R2> = () => Effect.void
): Effect.Effect<A, E | E2, R | R2> => {
  const go = (number: number, state: unknown): Effect.Effect<A, E | E2, R | R2> =>
    Effect.catchAllCause(attempt(number), (cause) =>
      Option.match(Cause.failureOption(cause), {
        onNone: () => Effect.failCause(cause),
        onSome: (error) =>
          // Stepped from zero, the start of the next interval is the delay itself, and no clock is involved.
          Effect.flatMap(retries.step(0, error, state), ([next, delay, decision]) =>
            Decision.isDone(decision)
              ? Effect.failCause(cause)
              : before({ attempt: number, delay, cause }).pipe(
                  Effect.zipRight(Effect.sleep(delay)),
                  Effect.zipRight(go(number + 1, next))
                )
          )
      })
    )
  return Effect.suspend(() => go(1, retries.initial))
}

/**
 * Retries an effect by the options. Its errors pass through as they are; the last one wins.
 *
 * Asking for a retry says that the effect may run more than once. Options that make no sense die with
 * `RetryConfigurationError`: they are a bug at the place of the call.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withRetry: {
  (options?: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R>
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R> =>
    Effect.suspend(() => drive(() => self, schedule(options)))
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

const orElse = <A>(ask: () => A, otherwise: A): A => {
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

const mayPass = (options: Options, error: unknown): boolean => {
  if (isRejection(error)) return speaksOfDependency(error) && (options.isRetryable?.(error) ?? true)
  if (options.isRetryable !== undefined) return options.isRetryable(error)
  const own = read(error, "isRetryable")
  if (typeof own === "boolean") return own
  return options.retryableErrors?.some((pattern) => matches(pattern, error)) ?? true
}

const matches = ({ code, message, status }: RetryableError, error: unknown): boolean =>
  (status === undefined || has(error, "status", status) || has(error, "statusCode", status)) &&
  (code === undefined || has(error, "code", code)) &&
  (message === undefined || messageOf(error).toLowerCase().includes(message.toLowerCase()))

const has = (error: unknown, field: string, value: unknown): boolean =>
  read(error, field) === value || read(read(error, "cause"), field) === value

const messageOf = (error: unknown): string => String(typeof error === "string" ? error : (read(error, "message") ?? ""))

const hintOf = (error: unknown): Duration.Duration | undefined => {
  const hint = read(error, "retryAfter")
  return Duration.isDuration(hint) ? hint : undefined
}

const read = (value: unknown, field: string): unknown =>
  Predicate.hasProperty(value, field) ? value[field] : undefined
