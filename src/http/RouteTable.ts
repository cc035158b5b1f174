/**
 * Every route that was registered and what protects it: for the 405 that the platform does not know, for metrics, and for
 * the test that walks the table and fails for a route somebody forgot to protect.
 *
 * @since 0.1.0
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as Context from "effect/Context"
import type { RateLimitConfig } from "./RateLimit.js"

/**
 * What `withResilience` was told about a handler. The limit is applied around the whole route, so that a request that
 * never reaches its handler (no identity, unreadable body) counts too; the rest is applied around the handler.
 *
 * @since 0.1.0
 * @category models
 */
export interface RoutePolicy {
  readonly rateLimit: RateLimitConfig | undefined
  /** The name of the circuit breaker around the handler. */
  readonly circuitBreaker: string | undefined
  readonly retry: boolean
  /** Whether a failure that is ours goes to the error log, and under which service. */
  readonly trackHealth: boolean
  readonly service: string
}

/**
 * A registered route. That it is in the table means that the envelope and its deadline are around it.
 *
 * @since 0.1.0
 * @category models
 */
export interface RouteEntry {
  readonly method: string
  readonly path: string
  readonly deadlineMillis: number
  /** `undefined` when its handler was not made by `withResilience`. */
  readonly policy: RoutePolicy | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RouteTableShape {
  readonly entries: () => ReadonlyArray<RouteEntry>
  readonly add: (entry: RouteEntry) => void
  readonly find: (method: string, path: string) => RouteEntry | undefined
  /** Announces the policy of a route that is registered later, by whoever knows only its method and path. */
  readonly announce: (method: string, path: string, policy: RoutePolicy | undefined) => void
  readonly announced: (method: string, path: string) => { readonly policy: RoutePolicy | undefined } | undefined
  /** What may be done at a URL, as `Allow` lists it; `undefined` when no route has the path. */
  readonly allow: (url: string) => ReadonlyArray<string> | undefined
}

/**
 * @since 0.1.0
 * @category tags
 */
export class RouteTable extends Context.Tag("@dialdrill/selfheal/RouteTable")<RouteTable, RouteTableShape>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (): RouteTableShape => {
  const entries = new Map<string, RouteEntry>()
  const announced = new Map<string, { readonly policy: RoutePolicy | undefined }>()
  const methods = new Map<string, Array<string>>()
  const paths = HttpLayerRouter.FindMyWay.make<Array<string>>()
  const key = (method: string, path: string) => `${method} ${path}`
  return {
    entries: () => Array.from(entries.values()),
    add: (entry) => {
      entries.set(key(entry.method, entry.path), entry)
      // Two methods of one path may name its parameters differently; the path finder takes each shape once.
      const shape = entry.path.replace(/:\w+/g, ":p")
      const known = methods.get(shape)
      if (known !== undefined) return void known.push(entry.method)
      const list = [entry.method]
      methods.set(shape, list)
      paths.on("GET", entry.path as HttpLayerRouter.PathInput, list)
    },
    find: (method, path) => entries.get(key(method, path)) ?? entries.get(key("*", path)),
    announce: (method, path, policy) => {
      announced.set(key(method, path), { policy })
    },
    announced: (method, path) => announced.get(key(method, path)),
    allow: (url) => {
      const found = paths.find("GET", url)?.handler
      if (found === undefined || found.includes("*")) return undefined
      return [...found, ...(found.includes("GET") ? ["HEAD"] : []), "OPTIONS"]
    }
  }
}

/**
 * The routes under `prefix` that lack a limit or health tracking, each with what it lacks; empty when all is well.
 * `except` lists exceptions as `"GET /api/health"`, and one that is no route is reported as well.
 *
 * @since 0.1.0
 * @category accessors
 */
export const unprotected = (
  entries: ReadonlyArray<RouteEntry>,
  options: { readonly prefix: string; readonly except?: ReadonlyArray<string> | undefined }
): ReadonlyArray<string> => {
  const except = new Set(options.except)
  const faults: Array<string> = []
  for (const entry of entries) {
    const route = `${entry.method} ${entry.path}`
    if (except.delete(route)) continue
    if (entry.path !== options.prefix && !entry.path.startsWith(`${options.prefix}/`)) continue
    if (entry.policy === undefined) {
      faults.push(`${route}: its handler was not made by withResilience`)
      continue
    }
    if (entry.policy.rateLimit === undefined) faults.push(`${route}: no rate limit`)
    if (!entry.policy.trackHealth) faults.push(`${route}: no health tracking`)
    if (!Number.isFinite(entry.deadlineMillis)) faults.push(`${route}: no deadline`)
  }
  for (const route of except) faults.push(`${route}: listed as an exception, but there is no such route`)
  return faults
}

const policyKey: unique symbol = Symbol.for("@dialdrill/selfheal/RoutePolicy")

/**
 * Attaches a policy to a handler, for whoever registers it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPolicy = <F extends (...args: ReadonlyArray<never>) => unknown>(handler: F, policy: RoutePolicy): F =>
  Object.assign(handler, { [policyKey]: policy })

/**
 * The policy that a handler carries.
 *
 * @since 0.1.0
 * @category accessors
 */
export const policyOf = (handler: unknown): RoutePolicy | undefined =>
  typeof handler === "function" && policyKey in handler
    ? // Only `withPolicy` writes under this key.
      (handler[policyKey] as RoutePolicy)
    : undefined
