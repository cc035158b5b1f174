/**
 * The headers that tell a browser to distrust our answers: not to guess their type, not to tell others where the user
 * came from, not to frame them, not to keep them.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"

/**
 * On every answer, unless the answer says otherwise itself. The policy forbids everything, which is right for JSON; a page
 * brings its own through {@link page}.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store"
}

/**
 * What a page may load beyond its own origin's scripts, styles, images and requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface PagePolicy {
  /** Such as `'unsafe-inline'` or `'sha256-...'`. */
  readonly scripts?: ReadonlyArray<string> | undefined
  readonly styles?: ReadonlyArray<string> | undefined
  readonly images?: ReadonlyArray<string> | undefined
  readonly fonts?: ReadonlyArray<string> | undefined
  /** Where the page may send requests and open sockets, such as `wss://api.elevenlabs.io`. */
  readonly connect?: ReadonlyArray<string> | undefined
}

/**
 * The `Content-Security-Policy` of a page: its own origin and what `policy` adds, no plug-ins, no frames, no foreign
 * forms, no `<base>`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const contentSecurityPolicy = (policy: PagePolicy = {}): string => {
  const sources = (directive: string, extra: ReadonlyArray<string> = []) =>
    `${directive} ${["'self'", ...extra].join(" ")}`
  return [
    "default-src 'none'",
    sources("script-src", policy.scripts),
    sources("style-src", policy.styles),
    sources("img-src", ["data:", ...(policy.images ?? [])]),
    sources("font-src", policy.fonts),
    sources("connect-src", policy.connect),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
}

/**
 * Marks an answer as a page with this policy.
 *
 * @since 0.1.0
 * @category combinators
 */
export const page = (
  response: HttpServerResponse.HttpServerResponse,
  policy: PagePolicy = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeader(response, "content-security-policy", contentSecurityPolicy(policy))
