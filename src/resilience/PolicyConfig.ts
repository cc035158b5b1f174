/**
 * The parameters of a policy as an operator sets them, in variables that begin with the dependency's name: how often to
 * retry, when the circuit opens, how long an attempt may take. A value that makes no sense is a mistake that names the
 * variable, the value and an example; all mistakes are found at once.
 *
 * `config` is for whoever reads his configuration with Effect's `Config`:
 *
 * ```ts
 * const { circuit, maxConcurrent, rateLimit, ...limits } = yield* Policy.config("OPENAI", { deadline: "20 seconds" })
 * const breaker = yield* CircuitBreakers.getCircuitBreaker("openai", circuit)
 * const policy = yield* Policy.make(Policy.http({ name: "openai", ...limits, breaker }))
 * ```
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Variables from "./Variables.js"

/**
 * What the variables of one dependency say, defaults filled in.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicyValues {
  /** `_RETRY_MAX_ATTEMPTS`, `_RETRY_INITIAL_DELAY`, `_RETRY_MAX_DELAY`, `_RETRY_BACKOFF_MULTIPLIER`. */
  readonly retry: {
    readonly maxAttempts: number
    readonly initialDelay: Duration.Duration
    readonly maxDelay: Duration.Duration
    readonly backoffMultiplier: number
  }
  /** `_CIRCUIT_FAILURE_THRESHOLD`, `_CIRCUIT_RESET_TIMEOUT`, `_CIRCUIT_HALF_OPEN_MAX_CALLS`. */
  readonly circuit: {
    readonly failureThreshold: number
    readonly resetTimeout: Duration.Duration
    readonly halfOpenMaxCalls: number
  }
  /** `_ATTEMPT_TIMEOUT`. */
  readonly attemptTimeout: Duration.Duration
  /** `_DEADLINE`. */
  readonly deadline: Duration.Duration
  /** `_MAX_CONCURRENT`; `undefined`: no bulkhead. */
  readonly maxConcurrent: number | undefined
  /** `_RATE_LIMIT`, as `60/1m`; `undefined`: no outbound rate limit. */
  readonly rateLimit: Variables.Rate | undefined
}

/**
 * What holds for variables that are not set, as one would write it into them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Defaults {
  /** Default 3. */
  readonly maxAttempts?: number | undefined
  /** Default 1 second. */
  readonly initialDelay?: Duration.DurationInput | undefined
  /** Default 5. */
  readonly failureThreshold?: number | undefined
  /** Default 30 seconds. */
  readonly resetTimeout?: Duration.DurationInput | undefined
  /** Default 3. */
  readonly halfOpenMaxCalls?: number | undefined
  /** Default 8 seconds. */
  readonly attemptTimeout?: Duration.DurationInput | undefined
  /** Default 15 seconds. */
  readonly deadline?: Duration.DurationInput | undefined
  /** Default: no bulkhead. */
  readonly maxConcurrent?: number | undefined
}

/**
 * What the names of the variables end with.
 *
 * @since 0.1.0
 * @category constants
 */
export const suffixes = [
  "RETRY_MAX_ATTEMPTS",
  "RETRY_INITIAL_DELAY",
  "RETRY_MAX_DELAY",
  "RETRY_BACKOFF_MULTIPLIER",
  "CIRCUIT_FAILURE_THRESHOLD",
  "CIRCUIT_RESET_TIMEOUT",
  "CIRCUIT_HALF_OPEN_MAX_CALLS",
  "ATTEMPT_TIMEOUT",
  "DEADLINE",
  "MAX_CONCURRENT",
  "RATE_LIMIT"
] as const

/**
 * Reads the variables `<PREFIX>_...` of one dependency. Mistakes are the reader's to tell.
 *
 * @since 0.1.0
 * @category parsers
 */
export const read = (reader: Variables.Reader, prefix: string, defaults: Defaults = {}): PolicyValues => {
  const name = (suffix: (typeof suffixes)[number]): string => `${prefix}_${suffix}`
  /** The shorter of two limits follows the longer one down where only the longer was set, and is refused where it was. */
  const within = (
    suffix: (typeof suffixes)[number],
    otherwise: Duration.DurationInput,
    other: string,
    limit: Duration.Duration
  ): Duration.Duration => {
    const variable = name(suffix)
    const value = reader.duration(variable, Duration.min(otherwise, limit))
    if (Duration.lessThanOrEqualTo(value, limit)) return value
    reader.refuse({
      variable,
      problem: `is ${Variables.format(value)}, which is longer than ${other} (${Variables.format(limit)})`,
      example: Variables.format(limit)
    })
    return limit
  }
  const deadline = reader.duration(name("DEADLINE"), defaults.deadline ?? "15 seconds")
  const maxDelay = reader.duration(name("RETRY_MAX_DELAY"), "10 seconds")
  const maxAttempts = reader.count(name("RETRY_MAX_ATTEMPTS"), defaults.maxAttempts ?? 3)
  const firstDelay = defaults.initialDelay ?? "1 second"
  /** The first retry has to come before the deadline: where its delay was not set, after half of the time. */
  const beforeDeadline = (): Duration.Duration => {
    const variable = name("RETRY_INITIAL_DELAY")
    const half = Duration.millis(Math.floor(Duration.toMillis(deadline) / 2))
    const value = reader.duration(variable, Duration.lessThan(firstDelay, deadline) ? firstDelay : half)
    if (Duration.lessThan(value, deadline)) return value
    const problem = `is ${Variables.format(value)}, which leaves no time for a retry before ${name("DEADLINE")} (${Variables.format(deadline)})`
    reader.refuse({ variable, problem, example: Variables.format(half) })
    return half
  }
  return {
    retry: {
      maxAttempts,
      initialDelay:
        maxAttempts > 1 && Duration.lessThanOrEqualTo(deadline, maxDelay)
          ? beforeDeadline()
          : within("RETRY_INITIAL_DELAY", firstDelay, name("RETRY_MAX_DELAY"), maxDelay),
      maxDelay,
      backoffMultiplier: reader.factor(name("RETRY_BACKOFF_MULTIPLIER"), 2)
    },
    circuit: {
      failureThreshold: reader.count(name("CIRCUIT_FAILURE_THRESHOLD"), defaults.failureThreshold ?? 5),
      resetTimeout: reader.duration(name("CIRCUIT_RESET_TIMEOUT"), defaults.resetTimeout ?? "30 seconds"),
      halfOpenMaxCalls: reader.count(name("CIRCUIT_HALF_OPEN_MAX_CALLS"), defaults.halfOpenMaxCalls ?? 3)
    },
    attemptTimeout: within("ATTEMPT_TIMEOUT", defaults.attemptTimeout ?? "8 seconds", name("DEADLINE"), deadline),
    deadline,
    maxConcurrent: reader.isSet(name("MAX_CONCURRENT"))
      ? reader.count(name("MAX_CONCURRENT"), defaults.maxConcurrent ?? 10)
      : defaults.maxConcurrent,
    rateLimit: reader.rate(name("RATE_LIMIT"))
  }
}

/**
 * The same as a `Config`. It fails with `ConfigError`s of `InvalidData`, one a mistake, each with the variable as its path
 * and the value and an example in its message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const config = (prefix: string, defaults?: Defaults): Config.Config<PolicyValues> =>
  Config.all(
    suffixes.map((suffix) => {
      const variable = `${prefix}_${suffix}`
      return Config.map(Config.option(Config.string(variable)), (value) => [variable, value] as const)
    })
  ).pipe(
    Config.mapOrFail((entries) => {
      const reader = Variables.reader(
        Object.fromEntries(entries.map(([variable, value]) => [variable, Option.getOrUndefined(value)]))
      )
      const values = read(reader, prefix, defaults)
      const [first, ...others] = reader.problems.map((problem) =>
        ConfigError.InvalidData([problem.variable], Variables.describe(problem))
      )
      return first === undefined ? Either.right(values) : Either.left(others.reduce(ConfigError.And, first))
    })
  )
