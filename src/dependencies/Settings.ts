/**
 * Everything about the five dependencies that can be set from outside, with its defaults: where they are, their keys,
 * and each parameter of their policies.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Environment from "./Environment.js"

/**
 * The policy of one dependency.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicySettings {
  readonly retry: {
    readonly maxAttempts: number
    readonly initialDelay: Duration.Duration
    readonly maxDelay: Duration.Duration
    readonly backoffMultiplier: number
  }
  readonly circuit: {
    readonly failureThreshold: number
    readonly resetTimeout: Duration.Duration
    readonly halfOpenMaxCalls: number
    /** The open time doubles with each opening in a row, up to this; equal to `resetTimeout` where it does not grow. */
    readonly maxResetTimeout: Duration.Duration
  }
  readonly attemptTimeout: Duration.Duration
  readonly deadline: Duration.Duration
  /** `undefined`: no bulkhead. */
  readonly maxConcurrent: number | undefined
  /** `undefined`: no outbound rate limit. */
  readonly rateLimit: Environment.Rate | undefined
  readonly probeInterval: Duration.Duration
}

/**
 * An upstream that is used with a key; without it, it is not configured.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpstreamSettings {
  readonly key: Redacted.Redacted | undefined
  readonly baseUrl: string
  readonly policy: PolicySettings
}

/**
 * @since 0.1.0
 * @category models
 */
export interface SettingsShape {
  readonly openai: UpstreamSettings & { readonly model: string; readonly api: "responses" | "chat" }
  readonly elevenlabs: UpstreamSettings & { readonly agentId: string | undefined }
  readonly stripe: UpstreamSettings & {
    readonly webhookSecret: Redacted.Redacted | undefined
    /** The price of a plan, by the plan's name in lower case (`STRIPE_PRICE_<PLAN>`). */
    readonly prices: Readonly<Record<string, string>>
  }
  readonly database: PolicySettings
  readonly redis: PolicySettings
}

/**
 * @since 0.1.0
 * @category services
 */
export class Settings extends Context.Tag("@dialdrill/selfheal/dependencies/Settings")<Settings, SettingsShape>() {}

/**
 * Reads the settings, or fails with everything that is wrong with them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (variables: Environment.Variables): Effect.Effect<SettingsShape, Environment.ConfigurationError> =>
  Effect.suspend(() => {
    const read = Environment.make(variables)
    const settings: SettingsShape = {
      openai: {
        key: read.secret("OPENAI_API_KEY"),
        baseUrl: read.url("OPENAI_BASE_URL", "https://api.openai.com/v1"),
        model: read.text("OPENAI_MODEL", "gpt-5-mini"),
        api: read.choice("OPENAI_API", ["responses", "chat"]),
        policy: policyOf(read, "OPENAI", defaults.openai)
      },
      elevenlabs: {
        key: read.secret("ELEVENLABS_API_KEY"),
        baseUrl: read.url("ELEVENLABS_BASE_URL", "https://api.elevenlabs.io"),
        agentId: read.text("ELEVENLABS_AGENT_ID", "") || undefined,
        policy: policyOf(read, "ELEVENLABS", defaults.elevenlabs)
      },
      stripe: {
        key: read.secret("STRIPE_SECRET_KEY"),
        baseUrl: read.url("STRIPE_BASE_URL", "https://api.stripe.com"),
        webhookSecret: read.secret("STRIPE_WEBHOOK_SECRET"),
        prices: pricesOf(variables),
        policy: policyOf(read, "STRIPE", defaults.stripe)
      },
      database: policyOf(read, "DATABASE", defaults.database),
      redis: policyOf(read, "REDIS", defaults.redis)
    }
    for (const problem of Environment.unknown(variables, families, knownVariables)) read.refuse(problem)
    return Environment.finish(read, settings)
  })

/**
 * The settings of this process.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Settings, Environment.ConfigurationError> = Layer.effect(
  Settings,
  Effect.suspend(() => make(process.env))
)

/**
 * The settings that the given variables make; the environment of the process is not read.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFrom = (variables: Environment.Variables): Layer.Layer<Settings, Environment.ConfigurationError> =>
  Layer.effect(Settings, make(variables))

/** The defaults of one dependency, as one would write them into its variables. */
interface Defaults {
  readonly attemptTimeout: Duration.DurationInput
  readonly deadline: Duration.DurationInput
  readonly maxAttempts: number
  readonly initialDelay?: Duration.DurationInput
  readonly resetTimeout: Duration.DurationInput
  readonly maxResetTimeout?: Duration.DurationInput
  readonly halfOpenMaxCalls: number
  readonly maxConcurrent: number | undefined
}

const defaults = {
  openai: {
    attemptTimeout: "12 seconds",
    deadline: "20 seconds",
    maxAttempts: 3,
    resetTimeout: "30 seconds",
    halfOpenMaxCalls: 3,
    maxConcurrent: 20
  },
  elevenlabs: {
    attemptTimeout: "3 seconds",
    deadline: "5 seconds",
    maxAttempts: 2,
    resetTimeout: "30 seconds",
    halfOpenMaxCalls: 3,
    maxConcurrent: 10
  },
  stripe: {
    attemptTimeout: "8 seconds",
    deadline: "15 seconds",
    maxAttempts: 3,
    resetTimeout: "30 seconds",
    halfOpenMaxCalls: 3,
    maxConcurrent: 10
  },
  database: {
    attemptTimeout: "5 seconds",
    deadline: "8 seconds",
    maxAttempts: 3,
    initialDelay: "100 millis",
    resetTimeout: "2 seconds",
    maxResetTimeout: "30 seconds",
    halfOpenMaxCalls: 1,
    // The pool has ten connections; two stay free for the cancelling of queries and for the probe.
    maxConcurrent: 8
  },
  redis: {
    attemptTimeout: "150 millis",
    deadline: "150 millis",
    maxAttempts: 1,
    resetTimeout: "2 seconds",
    halfOpenMaxCalls: 1,
    maxConcurrent: undefined
  }
} satisfies Record<string, Defaults>

const policyOf = (read: Environment.Environment, prefix: string, defaults: Defaults): PolicySettings => {
  const name = (suffix: string): string => `${prefix}_${suffix}`
  /** The shorter of two limits follows the longer one down where only the longer was set, and is refused where it was. */
  const within = (suffix: string, otherwise: Duration.DurationInput, other: string, limit: Duration.Duration) => {
    const variable = name(suffix)
    if (!read.isSet(variable)) return Duration.min(otherwise, limit)
    const value = read.duration(variable, otherwise)
    if (Duration.lessThanOrEqualTo(value, limit)) return value
    read.refuse({
      variable,
      problem: `is ${Environment.format(value)}, which is longer than ${name(other)} (${Environment.format(limit)})`,
      example: Environment.format(limit)
    })
    return limit
  }
  const deadline = read.duration(name("DEADLINE"), defaults.deadline)
  const maxDelay = read.duration(name("RETRY_MAX_DELAY"), "10 seconds")
  const resetTimeout = read.duration(name("CIRCUIT_RESET_TIMEOUT"), defaults.resetTimeout)
  return {
    retry: {
      maxAttempts: read.count(name("RETRY_MAX_ATTEMPTS"), defaults.maxAttempts),
      initialDelay: within("RETRY_INITIAL_DELAY", defaults.initialDelay ?? "1 second", "RETRY_MAX_DELAY", maxDelay),
      maxDelay,
      backoffMultiplier: read.factor(name("RETRY_BACKOFF_MULTIPLIER"), 2)
    },
    circuit: {
      failureThreshold: read.count(name("CIRCUIT_FAILURE_THRESHOLD"), 5),
      resetTimeout,
      halfOpenMaxCalls: read.count(name("CIRCUIT_HALF_OPEN_MAX_CALLS"), defaults.halfOpenMaxCalls),
      maxResetTimeout: Duration.max(resetTimeout, defaults.maxResetTimeout ?? resetTimeout)
    },
    attemptTimeout: within("ATTEMPT_TIMEOUT", defaults.attemptTimeout, "DEADLINE", deadline),
    deadline,
    maxConcurrent: read.isSet(name("MAX_CONCURRENT"))
      ? read.count(name("MAX_CONCURRENT"), defaults.maxConcurrent ?? 10)
      : defaults.maxConcurrent,
    rateLimit: read.rate(name("RATE_LIMIT")),
    probeInterval: read.duration(name("PROBE_INTERVAL"), "15 seconds")
  }
}

const pricePrefix = "STRIPE_PRICE_"

const pricesOf = (variables: Environment.Variables): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      name.startsWith(pricePrefix) && value !== undefined && value.trim() !== ""
        ? [[name.slice(pricePrefix.length).toLowerCase(), value.trim()]]
        : []
    )
  )

const prefixes = ["OPENAI", "ELEVENLABS", "STRIPE", "DATABASE", "REDIS"]

/** Names that begin so are all ours, and a misspelt one is refused; others may belong to someone else. */
const families = prefixes.flatMap((prefix) => [`${prefix}_RETRY_`, `${prefix}_CIRCUIT_`])

const knownVariables = prefixes.flatMap((prefix) =>
  [
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
    "RATE_LIMIT",
    "PROBE_INTERVAL"
  ].map((suffix) => `${prefix}_${suffix}`)
)
