/**
 * The server's own settings, read from the environment once, at the start. A value that makes no sense stops the start
 * with one line for each: the variable, what is wrong with its value, and an example. Secrets are never shown.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Environment from "../dependencies/Environment.js"
import { defaults, type Group } from "../dialdrill/RateLimitGroups.js"
import type { Mode } from "../http/Identity.js"
import { isLoopback } from "../http/Loopback.js"
import type { RateLimitConfig } from "../resilience/KeyedRateLimiter.js"
import * as Variables from "../resilience/Variables.js"

export interface ServerSettings {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Without it, where the listener is. */
  readonly publicUrl: string | undefined
  /** Without it, the database is the embedded one in `dataDir`. */
  readonly databaseUrl: Redacted.Redacted | undefined
  readonly dataDir: string
  /** Without it, rate limits are kept in this process. */
  readonly redisUrl: Redacted.Redacted | undefined
  readonly identity: Mode
  readonly adminToken: Redacted.Redacted | undefined
  readonly trustedProxyHops: number
  readonly rateLimits: { readonly [G in Group]: RateLimitConfig }
  readonly shutdownGrace: Duration.Duration
  readonly alertWebhook: { readonly url: Redacted.Redacted; readonly secret: Redacted.Redacted | undefined } | undefined
  readonly production: boolean
}

const groups = Object.keys(defaults) as ReadonlyArray<Group> // the keys of an object that has just these

const readPort = (read: Environment.Environment): number => {
  const value = read.text("PORT", "3000")
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value)
  read.refuse({
    variable: "PORT",
    problem: `is ${JSON.stringify(value)}, which is not a port from 0 to 65535`,
    example: "3000"
  })
  return 0
}

const readHops = (read: Environment.Environment): number => {
  const value = read.text("TRUSTED_PROXY_HOPS", "0")
  if (/^\d$/.test(value)) return Number(value)
  read.refuse({
    variable: "TRUSTED_PROXY_HOPS",
    problem: `is ${JSON.stringify(value)}, which is not a number of proxies from 0 to 9`,
    example: "1"
  })
  return 0
}

/** A URL with a password in it: what is wrong is said without showing it. */
const readConnection = (
  read: Environment.Environment,
  variable: string,
  protocols: ReadonlyArray<string>,
  example: string
): Redacted.Redacted | undefined => {
  const url = read.secret(variable)
  if (url === undefined) return undefined
  const value = Redacted.value(url)
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return url
  read.refuse({
    variable,
    problem: `does not begin with ${protocols.map((protocol) => `${protocol}//`).join(" or ")} (its value is not shown)`,
    example
  })
  return undefined
}

const readIdentity = (read: Environment.Environment, host: string): Mode => {
  const secret = read.secret("AUTH_JWT_SECRET")
  if (read.isSet("AUTH_JWKS_URL")) {
    if (secret !== undefined) {
      read.refuse({
        variable: "AUTH_JWT_SECRET",
        problem: "is set beside AUTH_JWKS_URL; tokens are checked by one of them, unset the other",
        example: undefined
      })
    }
    const url = read.url("AUTH_JWKS_URL", "https://id.example.com/.well-known/jwks.json")
    return { _tag: "Jwks", url: new URL(url) }
  }
  if (secret !== undefined) {
    if (Redacted.value(secret).length < 32) {
      read.refuse({
        variable: "AUTH_JWT_SECRET",
        problem: "is shorter than 32 characters, which can be guessed (its value is not shown)",
        example: undefined
      })
    }
    return { _tag: "Secret", secret }
  }
  if (!isLoopback(host)) {
    read.refuse({
      variable: "HOST",
      problem: `is ${JSON.stringify(host)}, but without AUTH_JWKS_URL or AUTH_JWT_SECRET everybody who reaches it could be anybody; set one of them, or bind a loopback address`,
      example: "127.0.0.1"
    })
  }
  return { _tag: "Loopback" }
}

export const make = (variables: Environment.Variables): Effect.Effect<ServerSettings, Environment.ConfigurationError> =>
  Effect.suspend(() => {
    const read = Environment.make(variables)
    const host = read.text("HOST", "127.0.0.1")
    const rateOf = (group: Group): RateLimitConfig => {
      const rate = read.rate(`RATE_LIMIT_${group}`)
      return rate === undefined ? defaults[group] : { limit: rate.limit, window: rate.interval }
    }
    const settings: ServerSettings = {
      host,
      port: readPort(read),
      publicUrl: read.isSet("PUBLIC_URL") ? read.url("PUBLIC_URL", "https://drill.example.com") : undefined,
      databaseUrl: readConnection(
        read,
        "DATABASE_URL",
        ["postgres:", "postgresql:"],
        "postgres://user@127.0.0.1/dialdrill"
      ),
      dataDir: read.text("DATA_DIR", ".data"),
      redisUrl: readConnection(read, "REDIS_URL", ["redis:", "rediss:"], "redis://127.0.0.1:6379"),
      identity: readIdentity(read, host),
      adminToken: read.secret("ADMIN_TOKEN"),
      trustedProxyHops: readHops(read),
      rateLimits: {
        CALLS: rateOf("CALLS"),
        COACHING: rateOf("COACHING"),
        BILLING: rateOf("BILLING"),
        READ: rateOf("READ")
      },
      shutdownGrace: read.duration("SHUTDOWN_GRACE", "10 seconds"),
      alertWebhook: read.isSet("ALERT_WEBHOOK_URL")
        ? {
            url: Redacted.make(read.url("ALERT_WEBHOOK_URL", "https://hooks.example.com/dialdrill")),
            secret: read.secret("ALERT_WEBHOOK_SECRET")
          }
        : undefined,
      production: read.text("NODE_ENV", "development") === "production"
    }
    const known = groups.map((group) => `RATE_LIMIT_${group}`)
    for (const problem of Variables.unknown(variables, ["RATE_LIMIT_"], known)) read.refuse(problem)
    return Environment.finish(read, settings)
  })
