/**
 * One wrapper around every call of a dependency. It walks, from outside in: deadline, retry, a look at the circuit,
 * rate limit, bulkhead, circuit breaker, attempt timeout, call.
 *
 * - The look comes first, so that a call which would be rejected costs neither a token nor a place; when the circuit
 *   opens, those who queue are rejected at once.
 * - The deadline is handed down as time left: it bounds the waiting in queues, the waits between attempts and each
 *   attempt. An attempt that its own limit ends is a failure of the dependency (`AttemptTimeout`); one that the deadline
 *   ends says nothing about it (`DeadlineExceeded`).
 * - A retry that could not start before the deadline is not waited for: the call fails at once with the last error.
 * - Errors of the call pass through as they are; the policy only adds its rejections.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "@dialdrill/selfheal"
 * import { Policy } from "@dialdrill/selfheal"
 * import * as Effect from "effect/Effect"
 *
 * declare const askTheModel: Effect.Effect<string, Error>
 *
 * const program = Effect.gen(function* () {
 *   const breaker = yield* CircuitBreaker.make({ name: "openai" })
 *   const policy = yield* Policy.make({ name: "openai", deadline: "20 seconds", attemptTimeout: "12 seconds", retry: {}, breaker })
 *   return yield* policy.protect(askTheModel, { idempotent: true }) // Effect<string, Error | Rejection>
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type { CircuitBreaker } from "./CircuitBreaker.js"
import * as Gate from "./Gate.js"
import type { Outcome } from "./kernel/Outcome.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as OptionsReader from "./OptionsReader.js"
import * as Outcomes from "./Outcomes.js"
import * as PolicyEvents from "./PolicyEvents.js"
import { BulkheadFull, DeadlineExceeded, RateLimited, stackless, type Rejection } from "./Rejection.js"
import * as Retry from "./Retry.js"
import * as Timeout from "./Timeout.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The dependency's name. */
  readonly name: string
  /** The longest time for the call as a whole, waits and retries included. Default: none. */
  readonly deadline?: Duration.DurationInput | undefined
  /** The longest time for one attempt. Default: none. */
  readonly attemptTimeout?: Duration.DurationInput | undefined
  /** How calls that are declared idempotent are retried. Default: not at all. */
  readonly retry?: Retry.Options | undefined
  /** Shared with everyone who calls the same dependency: see `CircuitBreakers`. */
  readonly breaker?: CircuitBreaker | undefined
  readonly rateLimiter?: Gate.Gate | undefined
  readonly bulkhead?: Gate.Gate | undefined
  /** Told about everything that happens to a call, while the call waits: keep it short. Its defects are only logged. */
  readonly onEvent?: ((event: Event) => Effect.Effect<void>) | undefined
}

/**
 * What a caller says about one call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  /** Whether the operation may run more than once. Default false: then it is not retried. */
  readonly idempotent?: boolean | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type Event = PolicyEvents.Event

/**
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  readonly name: string
  readonly protect: <A, E, R>(self: Effect.Effect<A, E, R>, call?: Call) => Effect.Effect<A, E | Rejection, R>
  /** What was built, outside in, for logs, docs and tests. */
  readonly describe: string
}

/**
 * The options make no sense, alone or together.
 *
 * @since 0.1.0
 * @category errors
 */
export class PolicyConfigurationError extends Data.TaggedError("PolicyConfigurationError")<{
  readonly policy: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Policy "${this.policy}": ${this.problems.join("; ")}`
  }
}

/**
 * Builds a policy. Fails with `PolicyConfigurationError`, which names every wrong or crossed option and what to change.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Policy, PolicyConfigurationError> =>
  Effect.map(settingsOf(options), (settings): Policy => {
    const { deadline, name, onEvent, retry } = settings
    const attempt = attemptThrough(settings)
    const schedule = retry === undefined || retry.maxAttempts === 1 ? undefined : Retry.scheduleOf(retry)
    const outcomeOf = outcomesOf(settings)

    const protect = <A, E, R>(self: Effect.Effect<A, E, R>, call?: Call): Effect.Effect<A, E | Rejection, R> => {
      const retries = call?.idempotent === true ? schedule : undefined
      if (retries === undefined && deadline === Infinity && onEvent === undefined) {
        return attempt(self, PolicyEvents.silent, 1, 0, Infinity)
      }
      return Effect.flatMap(MonotonicClock.now, (start) => {
        const endsAt = start + deadline
        const observer =
          onEvent === undefined
            ? PolicyEvents.silent
            : PolicyEvents.observer({ policy: name, start, outcomeOf, onEvent })
        const first = attempt(self, observer, 1, start, endsAt)
        if (retries === undefined) return observer.call(first)

        const again = (number: number) =>
          Effect.flatMap(MonotonicClock.now, (now) => attempt(self, observer, number, now, endsAt))
        const inTime = ({ delay }: Retry.Scheduled<E | Rejection>) =>
          Effect.map(MonotonicClock.now, (now) => now + Duration.toMillis(delay) < endsAt)
        return observer.call(
          Retry.drive((number) => (number === 1 ? first : again(number)), {
            schedule: retries,
            inTime,
            before: observer.retry
          })
        )
      })
    }
    return { name, protect, describe: describe(settings) }
  })

/**
 * Passes an effect through a policy.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPolicy: {
  (policy: Policy, call?: Call): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Rejection, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, policy: Policy, call?: Call): Effect.Effect<A, E | Rejection, R>
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: Effect.Effect<A, E, R>, policy: Policy, call?: Call): Effect.Effect<A, E | Rejection, R> =>
    policy.protect(self, call)
)

/** The options as the interpreter wants them: milliseconds, `Infinity` for no limit. */
interface Settings extends Pick<Options, "name" | "breaker" | "rateLimiter" | "bulkhead" | "onEvent"> {
  readonly deadline: number
  readonly attemptTimeout: number
  readonly retry: Retry.Settings | undefined
}

/** One attempt: through the gates, and bounded by its own limit or the time left, whichever is shorter. */
const attemptThrough = (settings: Settings) => {
  const { attemptTimeout, breaker, bulkhead, deadline, name, rateLimiter } = settings
  const queues = rateLimiter !== undefined || bulkhead !== undefined
  const gates = [rateLimiter, bulkhead, breaker].filter((gate) => gate !== undefined)
  const pointless = breaker?.opened ?? Effect.never
  const look = breaker?.look ?? Effect.void

  const outOfTime = (retryAfter: Duration.Duration | undefined) =>
    Effect.fail(
      stackless(
        () => new DeadlineExceeded({ policy: name, reason: "deadline", limit: Duration.millis(deadline), retryAfter })
      )
    )

  const bounded = <A, E, R>(self: Effect.Effect<A, E, R>, left: number): Effect.Effect<A, E | Rejection, R> => {
    if (left <= 0) return Effect.suspend(() => outOfTime(undefined))
    // On a tie the attempt's own limit wins: the dependency was given all the time that it is meant to have.
    if (attemptTimeout <= left) {
      return attemptTimeout === Infinity ? self : Timeout.withTimeout(self, { name, limit: attemptTimeout })
    }
    return Effect.flatten(
      Effect.timeoutTo(self, {
        duration: left,
        onSuccess: Effect.succeed,
        onTimeout: () => outOfTime(undefined)
      })
    )
  }

  const admitted = <A, E, R>(
    self: Effect.Effect<A, E, R>,
    left: number,
    endsAt: number
  ): Effect.Effect<A, E | Rejection, R> => {
    const limit = Math.min(attemptTimeout, left)
    const callLimit = limit === Infinity ? undefined : limit
    if (!queues) return breaker === undefined ? self : breaker.execute(self, { callLimit })
    const queued = Gate.through(gates, { patience: left, callLimit, pointless })(self)
    return Effect.zipRight(
      look,
      endsAt === Infinity
        ? queued
        : // A gate says that the place did not come in time; here it is known whose time that was.
          Effect.catchIf(queued, isQueueRejection, (rejection) =>
            Effect.flatMap(MonotonicClock.now, (now): Effect.Effect<never, Rejection> =>
              millisLeft(endsAt, now) <= 0 ? outOfTime(rejection.retryAfter) : Effect.fail(rejection)
            )
          )
    )
  }

  return <A, E, R>(
    self: Effect.Effect<A, E, R>,
    observer: PolicyEvents.Observer,
    number: number,
    now: number,
    endsAt: number
  ): Effect.Effect<A, E | Rejection, R> => {
    const left = millisLeft(endsAt, now)
    const call =
      queues && endsAt < Infinity
        ? Effect.flatMap(MonotonicClock.now, (later) => bounded(self, millisLeft(endsAt, later)))
        : bounded(self, left)
    return admitted(observer.attempt(call, number), left, endsAt)
  }
}

/** In whole milliseconds, as timers count them: microseconds on the way here must not cost an attempt its full limit. */
const millisLeft = (endsAt: number, now: number): number => Math.ceil(endsAt - now)

const isQueueRejection = (error: unknown): error is RateLimited | BulkheadFull =>
  error instanceof RateLimited || error instanceof BulkheadFull

/** How the outcome of an attempt is told: as the breaker counts it, where there is one. */
const outcomesOf = ({ breaker }: Settings): ((exit: Exit.Exit<unknown, unknown>) => Effect.Effect<Outcome>) =>
  breaker?.outcomeOf ?? ((exit) => Effect.sync(() => Outcomes.ofExit(exit, Outcomes.everyError)))

const settingsOf = (options: Options): Effect.Effect<Settings, PolicyConfigurationError> =>
  Effect.suspend(() => {
    const read = OptionsReader.make()
    const limit = (option: "deadline" | "attemptTimeout"): number => {
      const input = options[option]
      return input === undefined ? Infinity : read.duration(option, input, 1)
    }
    const name = read.name(options.name)
    const deadline = limit("deadline")
    const attemptTimeout = limit("attemptTimeout")
    if (options.attemptTimeout !== undefined && attemptTimeout > deadline) {
      read.refuse(
        `attemptTimeout (${show(attemptTimeout)}) is longer than the deadline (${show(deadline)}), so no attempt could ` +
          "use it; lower attemptTimeout, or raise the deadline"
      )
    }
    const { breaker, bulkhead, rateLimiter } = options
    const gates: ReadonlyArray<Gate.Gate | undefined> = [rateLimiter, bulkhead, breaker]
    gates.forEach((gate, index) => {
      if (gate !== undefined && gates.indexOf(gate) !== index) {
        read.refuse(`the gate "${gate.name}" stands in two places; give each place a gate of its own`)
      }
    })
    const retry = options.retry === undefined ? undefined : Retry.settingsOf(options.retry)
    if (retry !== undefined && Either.isLeft(retry)) {
      for (const problem of retry.left.problems) read.refuse(`retry: ${problem}`)
    }
    const retries = retry === undefined ? undefined : Either.getOrUndefined(retry)
    if (retries !== undefined && retries.maxAttempts > 1 && retries.backoff.initialDelay >= deadline) {
      read.refuse(
        `the first retry would come after ${show(retries.backoff.initialDelay)}, when the deadline (${show(deadline)}) ` +
          "is over; lower retry.initialDelay, raise the deadline, or leave retry out"
      )
    }
    return read.problems.length === 0
      ? Effect.succeed({ ...options, name, deadline, attemptTimeout, retry: retries })
      : Effect.fail(new PolicyConfigurationError({ policy: name, problems: read.problems }))
  })

const describe = (settings: Settings): string => {
  const { attemptTimeout, breaker, bulkhead, deadline, rateLimiter, retry } = settings
  return [
    deadline < Infinity && `deadline ${show(deadline)}`,
    retry && describeRetry(retry),
    breaker && (rateLimiter ?? bulkhead) && `look at circuit "${breaker.name}"`,
    rateLimiter && `rate limit "${rateLimiter.name}"`,
    bulkhead && `bulkhead "${bulkhead.name}"`,
    breaker && `circuit breaker "${breaker.name}"`,
    attemptTimeout < Infinity && `attempt timeout ${show(attemptTimeout)}`,
    `call of "${settings.name}"`
  ]
    .filter(Boolean)
    .join(" > ")
}

const describeRetry = ({ backoff, maxAttempts }: Retry.Settings): string =>
  `retry up to ${maxAttempts} attempts (first after ${show(backoff.initialDelay)}, growing ${backoff.multiplier} times ` +
  `up to ${show(backoff.maxDelay)}, jitter ${backoff.jitter}), idempotent calls only`

const show = (millis: number): string => Duration.format(Duration.millis(millis))
