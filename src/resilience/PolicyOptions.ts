/**
 * The options of a policy: what they mean, how they are read, which of them contradict each other, and how what was built
 * is put into words.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { CircuitBreaker } from "./CircuitBreaker.js"
import type { Gate } from "./Gate.js"
import type { Hedge } from "./Hedge.js"
import * as OptionsReader from "./OptionsReader.js"
import type { Listener } from "./PolicyEvents.js"
import * as Retry from "./Retry.js"
import type { RetryBudget } from "./RetryBudget.js"

/**
 * What a policy is made of. Every part is optional, and one that is left out costs nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The dependency's name. */
  readonly name: string
  /**
   * The longest time for the call as a whole, waits and retries included. Default: none. A deadline further out
   * (`Deadline`) holds as well, and the earlier of the two ends the call. For everyone whose caller waits.
   */
  readonly deadline?: Duration.DurationInput | undefined
  /** The longest time for one attempt. Default: none. For everyone who calls over a network. */
  readonly attemptTimeout?: Duration.DurationInput | undefined
  /** How calls that are declared idempotent are retried. Default: not at all. For failures that pass by themselves. */
  readonly retry?: Retry.Options | undefined
  /**
   * Bounds the retries of everyone who shares it, and the hedges of a hedge that was made with it. Default: none. For
   * whoever calls a dependency so often that retries alone could keep it down.
   */
  readonly retryBudget?: RetryBudget | undefined
  /** Shared with everyone who calls the same dependency: see `CircuitBreakers`. */
  readonly breaker?: CircuitBreaker | undefined
  /** For a dependency that grants so many calls in a time. */
  readonly rateLimiter?: Gate | undefined
  /** For a dependency that must not take all of the process's connections or memory when it becomes slow. */
  readonly bulkhead?: Gate | undefined
  /**
   * A second attempt beside one that is slower than most, for calls that are declared idempotent, and only while the
   * circuit is closed. Default: none. For reads whose slowest per cent is what users feel.
   */
  readonly hedge?: Hedge | undefined
  /**
   * Told about everything that happens to a call; it cannot hold the call up, and its defects are only logged: see
   * `PolicyEvents`. For metrics and logs.
   */
  readonly onEvent?: Listener | undefined
}

/**
 * What a caller says about one call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  /** Whether the operation may run more than once. Default false: then it is neither retried nor hedged. */
  readonly idempotent?: boolean | undefined
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
 * The options as the engine wants them: milliseconds, `Infinity` for no limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings extends Omit<Options, "deadline" | "attemptTimeout" | "retry"> {
  readonly deadline: number
  readonly attemptTimeout: number
  readonly retry: Retry.Settings | undefined
}

/**
 * Reads the options, or says everything that is wrong with them and what to change, after what was found wrong before.
 *
 * @since 0.1.0
 * @category options
 */
export const settingsOf = (
  options: Options,
  before: ReadonlyArray<string> = []
): Effect.Effect<Settings, PolicyConfigurationError> =>
  Effect.flatMap(options.hedge?.status ?? Effect.succeed(undefined), (hedge) => {
    const read = OptionsReader.make()
    before.forEach(read.refuse)
    const limit = (option: "deadline" | "attemptTimeout"): number => {
      const input = options[option]
      const known = read.problems.length
      const millis = input === undefined ? Infinity : read.duration(option, input, 1)
      // One that was refused contradicts no other.
      return read.problems.length === known ? millis : Infinity
    }
    const retry = options.retry === undefined ? undefined : Retry.settingsOf(options.retry)
    if (retry !== undefined && Either.isLeft(retry)) {
      for (const problem of retry.left.problems) read.refuse(`retry: ${problem}`)
    }
    const settings: Settings = {
      ...options,
      name: read.name(options.name),
      deadline: limit("deadline"),
      attemptTimeout: limit("attemptTimeout"),
      retry: retry === undefined ? undefined : Either.getOrUndefined(retry)
    }
    for (const problem of crossed(settings, hedge?.delayMillis)) read.refuse(problem)
    return read.problems.length === 0
      ? Effect.succeed(settings)
      : Effect.fail(new PolicyConfigurationError({ policy: settings.name, problems: read.problems }))
  })

/** What is wrong with options that are right alone. */
function* crossed(settings: Settings, hedgeDelay: number | undefined): Generator<string> {
  const { attemptTimeout, breaker, bulkhead, deadline, hedge, rateLimiter, retry, retryBudget } = settings
  if (attemptTimeout < Infinity && attemptTimeout > deadline) {
    yield (
      `attemptTimeout (${show(attemptTimeout)}) is longer than the deadline (${show(deadline)}), so no attempt could ` +
      "use it; lower attemptTimeout, or raise the deadline"
    )
  }
  const gates: ReadonlyArray<Gate | undefined> = [rateLimiter, bulkhead, breaker]
  for (const [index, gate] of gates.entries()) {
    if (gate !== undefined && gates.indexOf(gate) !== index) {
      yield `the gate "${gate.name}" stands in two places; give each place a gate of its own`
    }
  }
  if (retry !== undefined && retry.maxAttempts > 1 && retry.backoff.initialDelay >= deadline) {
    yield (
      `the first retry would come after ${show(retry.backoff.initialDelay)}, when the deadline (${show(deadline)}) ` +
      "is over; lower retry.initialDelay, raise the deadline, or leave retry out"
    )
  }
  if (hedge !== undefined && hedgeDelay !== undefined) {
    const [limit, name] = attemptTimeout <= deadline ? [attemptTimeout, "attemptTimeout"] : [deadline, "the deadline"]
    if (hedgeDelay >= limit) {
      yield (
        `the hedge begins after ${show(hedgeDelay)}, when ${name} (${show(limit)}) has ended the attempt that it is ` +
        `to help; lower the hedge's delay, or raise ${name}`
      )
    }
    if (retryBudget !== undefined && hedge.budget !== retryBudget) {
      yield hedge.budget === undefined
        ? `the hedge has no budget, but the policy has "${retryBudget.name}"; make the hedge with the same budget`
        : "the hedge has another budget than the policy; one budget is for all that is done more than once"
    }
  }
  if (retryBudget !== undefined && hedge === undefined && (retry === undefined || retry.maxAttempts === 1)) {
    yield `retryBudget "${retryBudget.name}" has nothing to bound; give retry or hedge as well, or leave it out`
  }
  if (retryBudget !== undefined && retry !== undefined && retry.backoff.maxDelay > retryBudget.windowMillis) {
    yield (
      `a retry may wait for ${show(retry.backoff.maxDelay)}, longer than the window of the retry budget ` +
      `(${show(retryBudget.windowMillis)}) remembers it; lower retry.maxDelay, or raise the budget's window`
    )
  }
}

/**
 * What was built, outside in, in words.
 *
 * @since 0.1.0
 * @category accessors
 */
export const describe = (settings: Settings): string => {
  const { attemptTimeout, breaker, bulkhead, deadline, hedge, rateLimiter, retry, retryBudget } = settings
  return [
    deadline < Infinity && `deadline ${show(deadline)}`,
    retry && retry.maxAttempts > 1 && describeRetry(retry, retryBudget),
    breaker && (rateLimiter ?? bulkhead) && `look at circuit "${breaker.name}"`,
    rateLimiter && `rate limit "${rateLimiter.name}"`,
    bulkhead && `bulkhead "${bulkhead.name}"`,
    breaker && `circuit breaker "${breaker.name}"`,
    hedge && `${hedge.describe}, idempotent calls only`,
    attemptTimeout < Infinity && `attempt timeout ${show(attemptTimeout)}`,
    `call of "${settings.name}"`
  ]
    .filter(Boolean)
    .join(" > ")
}

const describeRetry = ({ backoff, maxAttempts }: Retry.Settings, budget: RetryBudget | undefined): string =>
  `retry up to ${maxAttempts} attempts (first after ${show(backoff.initialDelay)}, growing ${backoff.multiplier} times ` +
  `up to ${show(backoff.maxDelay)}, jitter ${backoff.jitter}` +
  `${budget === undefined ? "" : `, budget "${budget.name}"`}), idempotent calls only`

const show = (millis: number): string => Duration.format(Duration.millis(millis))
