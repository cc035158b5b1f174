/**
 * The options of a limiter for each client: what they mean, what they are by default, and which mean nothing.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Gcra from "./kernel/Gcra.js"
import * as OptionsReader from "./OptionsReader.js"

/**
 * So many requests in so much time.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimitConfig {
  /** A whole number of at least 1. */
  readonly limit: number
  /** A whole number of milliseconds. */
  readonly window: Duration.DurationInput
}

/**
 * The presets.
 *
 * @since 0.1.0
 * @category presets
 */
export const RateLimitConfigs = {
  /** 10 requests a minute: what costs money or a dependency's patience. */
  strict: { limit: 10, window: "1 minute" },
  /** 100 requests a minute. */
  normal: { limit: 100, window: "1 minute" },
  /** 1000 requests a minute: reads. */
  loose: { limit: 1000, window: "1 minute" },
  /** 1000 requests an hour. */
  hourly: { limit: 1000, window: "1 hour" }
} as const satisfies Record<string, RateLimitConfig>

/**
 * What to do with a request when the store fails: let it pass (`failOpen`), reject it for a second (`failClosed`), or
 * count in this process alone (`localFallback`; the count starts afresh, and each process of a fleet allows the whole
 * limit).
 *
 * @since 0.1.0
 * @category models
 */
export type StoreFailurePolicy = "failOpen" | "failClosed" | "localFallback"

/**
 * The limits of each client, how many clients are remembered, and what to do when the store fails. Options that make no
 * sense fail with `KeyedRateLimiterConfigurationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends RateLimitConfig {
  /** Clients of limiters with different names are counted apart. */
  readonly name: string
  /** Further limits on the same requests, as a burst limit beside an hourly one: all of them allow, or none counts. */
  readonly and?: ReadonlyArray<RateLimitConfig> | undefined
  /** How many clients are kept in this process's memory. Default 100 000, at most 2^24. */
  readonly maxKeys?: number | undefined
  /** Default `localFallback`. */
  readonly onStoreFailure?: StoreFailurePolicy | undefined
}

/**
 * The options of a limiter contradict each other or mean nothing; `message` names all of them and what to change.
 *
 * @since 0.1.0
 * @category errors
 */
export class KeyedRateLimiterConfigurationError extends Data.TaggedError("KeyedRateLimiterConfigurationError")<{
  readonly limiter: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Rate limiter "${this.limiter}": ${this.problems.join("; ")}`
  }
}

/**
 * The same of one or more problems.
 *
 * @since 0.1.0
 * @category errors
 */
export const misconfigured = (limiter: string, ...problems: ReadonlyArray<string>) =>
  new KeyedRateLimiterConfigurationError({ limiter, problems })

/**
 * The options with defaults filled in.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly limits: ReadonlyArray<Gcra.Limit>
  readonly maxKeys: number
  readonly onStoreFailure: StoreFailurePolicy
}

/**
 * Reads the options, or says everything that is wrong with them.
 *
 * @since 0.1.0
 * @category options
 */
export const settingsOf = (options: Options): Either.Either<Settings, KeyedRateLimiterConfigurationError> => {
  const read = OptionsReader.make()
  const limitOf = (config: RateLimitConfig, where: string): ReadonlyArray<Gcra.Limit> => {
    const before = read.problems.length
    const limit = read.count(`${where}limit`, config.limit, 1)
    const windowMillis = read.period(`${where}window`, config.window)
    if (read.problems.length > before) return []
    const made = Gcra.configure(limit, windowMillis)
    if (typeof made !== "string") return [made]
    read.refuse(`${where}${made}`)
    return []
  }
  const settings: Settings = {
    limits: [
      ...limitOf(options, ""),
      ...(options.and ?? []).flatMap((config, index) => limitOf(config, `and[${index}]: `))
    ],
    maxKeys: read.count("maxKeys", options.maxKeys ?? 100_000, 1, OptionsReader.largestMap),
    onStoreFailure: read.choice("onStoreFailure", options.onStoreFailure ?? "localFallback", storeFailurePolicies)
  }
  return read.problems.length === 0
    ? Either.right(settings)
    : Either.left(misconfigured(options.name, ...read.problems))
}

const storeFailurePolicies = ["failOpen", "failClosed", "localFallback"] as const
