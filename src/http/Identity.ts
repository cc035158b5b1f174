/**
 * Who the user is. Three ways, one of which a server is configured for: tokens signed with keys that an identity provider
 * publishes (JWKS), tokens signed with a shared secret (HS256), or, on a server that only its own machine can reach, the
 * name the caller gives.
 *
 * @since 0.1.0
 */
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import type * as Headers from "@effect/platform/Headers"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { CurrentRequest, type RequestInfo, type User } from "./CurrentRequest.js"
import { DependencyUnavailable, Unauthorized } from "./HttpErrors.js"
import * as RateLimit from "./RateLimit.js"
import * as TokenVerifier from "./TokenVerifier.js"

/**
 * @since 0.1.0
 * @category models
 */
export type Mode =
  | { readonly _tag: "Jwks"; readonly url: URL }
  | { readonly _tag: "Secret"; readonly secret: Redacted.Redacted }
  /** Only for a listener on a loopback address; the configuration has to see to that. */
  | { readonly _tag: "Loopback" }

/**
 * @since 0.1.0
 * @category models
 */
export interface IdentityShape {
  readonly mode: Mode["_tag"]
  /** Fails with 401 when the caller cannot say who it is, with 503 when that cannot be found out. */
  readonly authenticate: (headers: Headers.Headers) => Effect.Effect<User, Unauthorized | DependencyUnavailable>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Identity extends Context.Tag("@dialdrill/selfheal/Identity")<Identity, IdentityShape>() {}

/**
 * The user of the current request, provided by {@link Authentication}.
 *
 * @since 0.1.0
 * @category tags
 */
export class CurrentUser extends Context.Tag("@dialdrill/selfheal/CurrentUser")<CurrentUser, User>() {}

/**
 * Middleware for groups and endpoints whose routes belong to a user.
 *
 * @since 0.1.0
 * @category middleware
 */
export class Authentication extends HttpApiMiddleware.Tag<Authentication>()("@dialdrill/selfheal/Authentication", {
  failure: Schema.Union(Unauthorized, DependencyUnavailable),
  provides: CurrentUser,
  security: { bearer: HttpApiSecurity.bearer }
}) {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (mode: Mode): IdentityShape => {
  switch (mode._tag) {
    case "Loopback":
      return { mode: mode._tag, authenticate: byName }
    case "Jwks":
      return { mode: mode._tag, authenticate: byToken(TokenVerifier.fromJwks(mode.url)) }
    case "Secret":
      return { mode: mode._tag, authenticate: byToken(TokenVerifier.fromSecret(mode.secret)) }
  }
}

/**
 * Identity, the middleware, and the rate limiter's idea of a client: the user where there is one, else the address.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (mode: Mode): Layer.Layer<Identity | Authentication> =>
  Layer.effectContext(
    Effect.sync(() => {
      const identity = make(mode)
      const ofRequest = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        Effect.flatMap(CurrentRequest, (info) => resolve(identity, info, request.headers))
      )
      return Context.make(Identity, identity).pipe(
        // The header is read here and not taken from the platform, whose decoder cuts seven characters off any scheme.
        Context.add(Authentication, { bearer: () => ofRequest }),
        Context.add(RateLimit.ClientKey, (info, request) =>
          Effect.match(resolve(identity, info, request.headers), {
            onSuccess: (user) => RateLimit.getClientIdentifier(info, user.id),
            onFailure: () => RateLimit.getClientIdentifier(info)
          })
        )
      )
    })
  )

/**
 * The user of a request, found out once however often it is asked for.
 *
 * @since 0.1.0
 * @category accessors
 */
export const resolve = (
  identity: IdentityShape,
  info: RequestInfo,
  headers: Headers.Headers
): Effect.Effect<User, Unauthorized | DependencyUnavailable> =>
  info.identity ??
  Effect.flatMap(Effect.exit(identity.authenticate(headers)), (exit) => {
    info.identity = exit
    return exit
  })

const safeName = /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/

const byName = (headers: Headers.Headers): Effect.Effect<User, Unauthorized> => {
  const name = headers["x-user-id"]?.trim() ?? ""
  if (name === "") return demo
  return safeName.test(name)
    ? Effect.succeed({ id: name })
    : Effect.fail(new Unauthorized({ detail: "X-User-Id takes at most 128 printable ASCII characters" }))
}

const demo: Effect.Effect<User> = Effect.succeed({ id: "demo" })

const byToken =
  (verify: TokenVerifier.TokenVerifier) =>
  (headers: Headers.Headers): Effect.Effect<User, Unauthorized | DependencyUnavailable> => {
    const token = bearer(headers)
    return token === undefined
      ? Effect.fail(new Unauthorized({ detail: "Send a token as `Authorization: Bearer <token>`" }))
      : verify(token)
  }

/**
 * The token of an `Authorization: Bearer` header, whose scheme is not case sensitive.
 *
 * @since 0.1.0
 * @category accessors
 */
export const bearer = (headers: Headers.Headers): string | undefined => {
  const match = /^bearer +(\S+) *$/i.exec(headers["authorization"] ?? "")
  return match?.[1]
}
