/**
 * How often one client may call a group of routes, told to the client on every answer of the group, whatever the answer
 * is: the next one may be the one that is refused.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ClientAddress from "./ClientAddress.js"
import { CurrentRequest, type RequestInfo } from "./CurrentRequest.js"
import { RateLimitExceeded, wholeSeconds } from "./HttpErrors.js"
import { stackless } from "../resilience/Rejection.js"

/**
 * What a limiter says about one request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decision {
  readonly allowed: boolean
  readonly limit: number
  readonly remaining: number
  /** Until the whole limit is available again. */
  readonly resetAfterMillis: number
  /** Until one more request would be allowed; 0 when it is now. */
  readonly retryAfterMillis: number
}

/**
 * The limiter of one group of routes. Never fails: what happens while its store is away is its own decision.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limiter {
  /** The group's name as clients and operators see it. */
  readonly name: string
  readonly windowMillis: number
  readonly check: (key: string) => Effect.Effect<Decision>
}

/**
 * Which limit a route has: the name of a group that shares one, or a limit of its own.
 *
 * @since 0.1.0
 * @category models
 */
export type RateLimitConfig = string | OwnLimit

/**
 * `limit` requests in `window`, such as `RateLimitConfigs.normal`.
 *
 * @since 0.1.0
 * @category models
 */
export interface OwnLimit {
  readonly limit: number
  readonly window: import("effect/Duration").DurationInput
}

/**
 * Finds or makes the limiters of routes.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimitsShape {
  /** The limiter of a group, or a new one named `route`. Dies on a group that nobody configured: that is a bug. */
  readonly limiter: (config: RateLimitConfig, route: string) => Effect.Effect<Limiter>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class RateLimits extends Context.Tag("@dialdrill/selfheal/RateLimits")<RateLimits, RateLimitsShape>() {}

/**
 * Who the limiter counts as one client. By default the address; `Identity.layer` makes it the user where there is one.
 *
 * @since 0.1.0
 * @category references
 */
export class ClientKey extends Context.Reference<ClientKey>()("@dialdrill/selfheal/ClientKey", {
  defaultValue: (): ((request: RequestInfo) => Effect.Effect<string>) => (request) =>
    Effect.succeed(getClientIdentifier(request))
}) {}

/**
 * The name under which a limiter counts a client: the user, else the address (of IPv6 the /64).
 *
 * @since 0.1.0
 * @category accessors
 */
export const getClientIdentifier = (
  request: { readonly clientAddress: string },
  userId?: string | undefined
): string => (userId === undefined ? `ip:${ClientAddress.network(request.clientAddress)}` : `user:${userId}`)

/**
 * Counts the current request, notes the headers, and fails when the limit is used up.
 *
 * `X-RateLimit-Reset` is in Unix seconds, as its many readers expect; the IETF fields (`RateLimit`, `RateLimit-Policy`) are
 * relative.
 *
 * @since 0.1.0
 * @category combinators
 */
export const enforce = (
  limiter: Limiter,
  clientKey: (request: RequestInfo) => Effect.Effect<string>
): Effect.Effect<void, RateLimitExceeded> => {
  const window = Math.max(1, Math.round(limiter.windowMillis / 1000))
  const name = `"${limiter.name.replace(/["\\]/g, "")}"`
  const note = (request: RequestInfo, decision: Decision) =>
    Effect.clockWith((clock: Clock.Clock) => {
      const reset = Math.ceil(decision.resetAfterMillis / 1000)
      const headers = request.headers
      headers["x-ratelimit-limit"] = String(decision.limit)
      headers["x-ratelimit-remaining"] = String(decision.remaining)
      headers["x-ratelimit-reset"] = String(
        Math.ceil((clock.unsafeCurrentTimeMillis() + decision.resetAfterMillis) / 1000)
      )
      headers["ratelimit-policy"] = `${name};q=${decision.limit};w=${window}`
      headers["ratelimit"] = `${name};r=${decision.remaining};t=${reset}`
      return decision.allowed ? Effect.void : Effect.fail(exceeded(limiter, decision))
    })
  return Effect.flatMap(CurrentRequest, (request) =>
    Effect.flatMap(clientKey(request), (key) =>
      Effect.flatMap(limiter.check(key), (decision) => note(request, decision))
    )
  )
}

const exceeded = (limiter: Limiter, decision: Decision): RateLimitExceeded =>
  stackless(
    () =>
      new RateLimitExceeded({
        detail: `The limit of ${decision.limit} requests of "${limiter.name}" is used up`,
        retryAfterSeconds: wholeSeconds(decision.retryAfterMillis)
      })
  )
