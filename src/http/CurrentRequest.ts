/**
 * What is known of the request being answered, reachable from everything that runs for it, and the headers that its
 * answer will carry whatever that answer becomes.
 *
 * It is one plain mutable record per request, not a `FiberRef`: what a middleware notes in it survives timeouts, races
 * and failures, and costs nothing.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DependencyUnavailable, Unauthorized } from "./HttpErrors.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface User {
  /** The `sub` of the token, or the `X-User-Id` of an unauthenticated loopback server. */
  readonly id: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RequestInfo {
  readonly id: string
  readonly method: string
  /** As it came in, with the query. */
  readonly url: string
  readonly clientAddress: string
  /** Lower-case names. Put on the answer by the envelope, be it a success, a problem or a stream. */
  readonly headers: Record<string, string>
  /** The pattern of the route that took the request, as in `/api/calls/:id`; `undefined` when none did. */
  route: string | undefined
  /** Set once the request has been read and its handler runs: a schema that fails after that is our mistake. */
  handling: boolean
  /** The user or the reason why there is none, once somebody asked, so that a token is verified once a request. */
  identity: Effect.Effect<User, Unauthorized | DependencyUnavailable> | undefined
}

/**
 * The request that the current fibre works for. Outside of a request it is a blank one with the id `none`.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentRequest extends Context.Reference<CurrentRequest>()("@dialdrill/selfheal/CurrentRequest", {
  defaultValue: (): RequestInfo => make({ id: "none", method: "", url: "", clientAddress: "", headers: {} })
}) {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (known: Pick<RequestInfo, "id" | "method" | "url" | "clientAddress" | "headers">): RequestInfo => ({
  id: known.id,
  method: known.method,
  url: known.url,
  clientAddress: known.clientAddress,
  headers: known.headers,
  route: undefined,
  handling: false,
  identity: undefined
})
