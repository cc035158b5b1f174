/**
 * Who may look behind the scenes and who may intervene. Looking is open to the machine itself, which calls a server that
 * listens on a loopback address by that address and through no proxy, and to the holder of the admin token; intervening
 * always takes the token, and without a token in the configuration nobody can.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createHash, timingSafeEqual } from "node:crypto"
import { Forbidden, Unauthorized } from "./HttpErrors.js"
import * as Identity from "./Identity.js"
import * as Loopback from "./Loopback.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface OperatorAccessShape {
  /** Whether a request with these headers may read what operators read. For an answer that only grows when it may. */
  readonly mayRead: (headers: Headers.Headers) => boolean
  readonly read: (headers: Headers.Headers) => Effect.Effect<void, Unauthorized | Forbidden>
  readonly command: (headers: Headers.Headers) => Effect.Effect<void, Unauthorized | Forbidden>
  /** Whether this is the admin token, in constant time. For a sign-in form. */
  readonly isToken: (token: string) => boolean
}

/**
 * @since 0.1.0
 * @category tags
 */
export class OperatorAccess extends Context.Tag("@dialdrill/selfheal/OperatorAccess")<
  OperatorAccess,
  OperatorAccessShape
>() {}

const failure = Schema.Union(Unauthorized, Forbidden)

/**
 * Middleware for what operators read.
 *
 * @since 0.1.0
 * @category middleware
 */
export class OperatorRead extends HttpApiMiddleware.Tag<OperatorRead>()("@dialdrill/selfheal/OperatorRead", {
  failure
}) {}

/**
 * Middleware for what operators command.
 *
 * @since 0.1.0
 * @category middleware
 */
export class OperatorCommand extends HttpApiMiddleware.Tag<OperatorCommand>()("@dialdrill/selfheal/OperatorCommand", {
  failure
}) {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** `undefined` when none is configured. An empty one is none. */
  readonly adminToken: Redacted.Redacted | undefined
  /** Whether the server listens on a loopback address only. */
  readonly loopback: boolean
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): OperatorAccessShape => {
  const token = options.adminToken === undefined ? "" : Redacted.value(options.adminToken)
  const expected = token === "" ? undefined : digest(token)
  // Digests have one length, so that not even the length of the token shows in the time.
  const isToken = (offered: string): boolean => expected !== undefined && timingSafeEqual(digest(offered), expected)
  const holdsToken = (headers: Headers.Headers): boolean => {
    const offered = Identity.bearer(headers)
    return offered !== undefined && isToken(offered)
  }
  const command = (headers: Headers.Headers): Effect.Effect<void, Unauthorized | Forbidden> => {
    if (holdsToken(headers)) return Effect.void
    return expected === undefined
      ? Effect.fail(new Forbidden({ detail: "Operator access is switched off: no ADMIN_TOKEN is configured" }))
      : Effect.fail(new Unauthorized({ detail: "Send the admin token as `Authorization: Bearer <token>`" }))
  }
  // A proxy on this machine brings others to a loopback listener, and so does a page that plays tricks with names.
  const isLocal = (headers: Headers.Headers): boolean =>
    options.loopback && Loopback.isNamed(headers) && !Loopback.isForwarded(headers)
  return {
    isToken,
    mayRead: (headers) => isLocal(headers) || holdsToken(headers),
    read: (headers) => (isLocal(headers) ? Effect.void : command(headers)),
    command
  }
}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<OperatorAccess | OperatorRead | OperatorCommand> => {
  const access = make(options)
  const check = (guard: OperatorAccessShape["read"]) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => guard(request.headers))
  return Layer.succeedContext(
    Context.make(OperatorAccess, access).pipe(
      Context.add(OperatorRead, check(access.read)),
      Context.add(OperatorCommand, check(access.command))
    )
  )
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
