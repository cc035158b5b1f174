/**
 * A server that only its own machine can reach need not ask who calls. But the browsers of that machine run other
 * people's pages, and two things let those in: a page whose name its owner points at 127.0.0.1 (DNS rebinding) is of one
 * origin with us and reads all we say, and any page may send a POST that needs no leave (CSRF). A browser tells of both:
 * the first in `Host`, the second in `Origin` and `Sec-Fetch-Site`, none of which a page can change.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import type { Guard } from "./Envelope.js"
import { Forbidden, MisdirectedRequest } from "./HttpErrors.js"

/**
 * Whether a listener on this host can be reached from its own machine only.
 *
 * @since 0.1.0
 * @category guards
 */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)

/**
 * Whether a request names this machine as its host. A request without a `Host` is from no browser.
 *
 * @since 0.1.0
 * @category guards
 */
export const isNamed = (headers: Headers.Headers): boolean => {
  const { host } = headers
  return host === undefined || isLoopback(hostOf(host)?.hostname ?? "")
}

/**
 * Whether a request says that a proxy has forwarded it, so that it may have come from anywhere.
 *
 * @since 0.1.0
 * @category guards
 */
export const isForwarded = (headers: Headers.Headers): boolean =>
  headers["x-forwarded-for"] !== undefined || headers["forwarded"] !== undefined

/**
 * Refuses what was meant for another host than a loopback address or that of `publicUrl`, and what another origin's page
 * asks to change.
 *
 * @since 0.1.0
 * @category constructors
 */
export const guard = (publicUrl?: string | undefined): Guard => {
  const known = publicUrl === undefined ? undefined : new URL(publicUrl)
  return ({ headers, method }) => {
    const host = hostOf(headers["host"] ?? "")?.host
    if (!isNamed(headers) && (host === undefined || host !== known?.host)) return misdirected
    if (reading.has(method)) return undefined
    const { origin, "sec-fetch-site": site } = headers
    const isOurs =
      (site === undefined || site === "same-origin" || site === "none") &&
      (origin === undefined || origin === known?.origin || (host !== undefined && originOf(origin)?.host === host))
    return isOurs ? undefined : crossOrigin
  }
}

const reading: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

const misdirected = new MisdirectedRequest({
  detail: "This server answers under a loopback address only; set PUBLIC_URL to have it answer under another name"
})

const crossOrigin = new Forbidden({ detail: "A page of another origin may not change anything here" })

const originOf = (origin: string): URL | undefined => (URL.canParse(origin) ? new URL(origin) : undefined)

/** In the form that all ways of writing it come down to. */
const hostOf = (host: string): URL | undefined => originOf(`http://${host}`)
