/**
 * How often one client may call a group of routes, told to the client on every answer of the group, whatever the answer
 * is: the next one may be the one that is refused.
 *
 * @since 0.1.0
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as KeyedRateLimiter from "../resilience/KeyedRateLimiter.js"
import { stackless } from "../resilience/Rejection.js"
import * as ClientAddress from "./ClientAddress.js"
import type { RequestInfo } from "./CurrentRequest.js"
import { RateLimitExceeded, wholeSeconds } from "./HttpErrors.js"

/**
 * What this file needs to know of a decision.
 *
 * @since 0.1.0
 * @category models
 */
export type Decision = Pick<
  KeyedRateLimiter.Decision,
  "allowed" | "limit" | "windowMillis" | "remaining" | "resetAfterMillis" | "retryAfterMillis"
>

/**
 * The limiter of one group of routes, such as a `KeyedRateLimiter`. Never fails: what happens while its store is away is
 * its own decision.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limiter {
  /** The group's name, as clients and operators see it. */
  readonly name: string
  readonly check: (key: string) => Effect.Effect<Decision>
}

/**
 * Which limit a route has: the name of a group that shares one, or a limit of its own such as `RateLimitConfigs.normal`.
 *
 * @since 0.1.0
 * @category models
 */
export type RateLimitConfig = string | KeyedRateLimiter.RateLimitConfig

/**
 * Finds or makes the limiters of routes; `RateLimitGroups.layer` is the one on `KeyedRateLimiters`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimitsShape {
  /**
   * The limiter of a group, or the route's own, named after the route. Dies, at start, on a group that nobody configured
   * and on a limit that means nothing.
   */
  readonly limiter: (config: RateLimitConfig, route: string) => Effect.Effect<Limiter>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class RateLimits extends Context.Tag("@dialdrill/selfheal/RateLimits")<RateLimits, RateLimitsShape>() {}

/**
 * @since 0.1.0
 * @category models
 */
export type ClientKeyOf = (info: RequestInfo, request: HttpServerRequest.HttpServerRequest) => Effect.Effect<string>

/**
 * Who the limiter counts as one client. By default the address; `Identity.layer` makes it the user where there is one.
 *
 * @since 0.1.0
 * @category references
 */
export class ClientKey extends Context.Reference<ClientKey>()("@dialdrill/selfheal/ClientKey", {
  defaultValue: (): ClientKeyOf => (info) => Effect.succeed(getClientIdentifier(info))
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
export const enforce = (limiter: Limiter, clientKey: ClientKeyOf) => {
  const name = `"${limiter.name.replace(/["\\]/g, "")}"`
  const note = (headers: Record<string, string>, decision: Decision): Effect.Effect<void, RateLimitExceeded> =>
    Effect.clockWith((clock) => {
      const window = Math.max(1, Math.round(decision.windowMillis / 1000))
      const reset = Math.ceil(decision.resetAfterMillis / 1000)
      const resetAt = Math.ceil((clock.unsafeCurrentTimeMillis() + decision.resetAfterMillis) / 1000)
      headers["x-ratelimit-limit"] = String(decision.limit)
      headers["x-ratelimit-remaining"] = String(decision.remaining)
      headers["x-ratelimit-reset"] = String(resetAt)
      headers["ratelimit-policy"] = `${name};q=${decision.limit};w=${window}`
      headers["ratelimit"] = `${name};r=${decision.remaining};t=${reset}`
      return decision.allowed ? Effect.void : Effect.fail(exceeded(limiter, decision))
    })
  return (info: RequestInfo, request: HttpServerRequest.HttpServerRequest): Effect.Effect<void, RateLimitExceeded> =>
    Effect.flatMap(clientKey(info, request), (key) =>
      Effect.flatMap(limiter.check(key), (decision) => note(info.headers, decision))
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
