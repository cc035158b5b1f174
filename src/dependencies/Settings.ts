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
import * as PolicyConfig from "../resilience/PolicyConfig.js"
import * as Variables from "../resilience/Variables.js"
import * as Environment from "./Environment.js"

/**
 * The policy of one dependency.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicySettings extends PolicyConfig.PolicyValues {
  readonly circuit: PolicyConfig.PolicyValues["circuit"] & {
    /** The open time doubles with each opening in a row, up to this; equal to `resetTimeout` where it does not grow. */
    readonly maxResetTimeout: Duration.Duration
  }
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
    for (const problem of Variables.unknown(variables, families, knownVariables)) read.refuse(problem)
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
interface Defaults extends PolicyConfig.Defaults {
  readonly maxResetTimeout?: Duration.DurationInput
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
  const values = PolicyConfig.read(read, prefix, defaults)
  const { resetTimeout } = values.circuit
  return {
    ...values,
    circuit: {
      ...values.circuit,
      maxResetTimeout: Duration.max(resetTimeout, defaults.maxResetTimeout ?? resetTimeout)
    },
    probeInterval: read.duration(`${prefix}_PROBE_INTERVAL`, "15 seconds")
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
  [...PolicyConfig.suffixes, "PROBE_INTERVAL"].map((suffix) => `${prefix}_${suffix}`)
)
