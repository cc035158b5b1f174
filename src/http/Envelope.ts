/**
 * The one place through which every request comes in and every answer goes out: it gives the request its id, its client
 * address and its deadline, and turns whatever comes back into an answer that keeps the contract, be it a success, a typed
 * error, a refusal of the platform or a bug.
 *
 * It is a decorated router with one global middleware. Around it a request costs a record, a timer and two steps of its
 * fibre; spans, log annotations and forks per request are what makes a server slow, so there are none.
 *
 * @since 0.1.0
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import { ErrorLog, type ErrorLogShape } from "../health/ErrorLog.js"
import type { HttpSample } from "../telemetry/Metrics.js"
import * as RequestContext from "../telemetry/RequestContext.js"
import * as BodyLimit from "./BodyLimit.js"
import * as ClientAddress from "./ClientAddress.js"
import * as CurrentRequest from "./CurrentRequest.js"
import * as Deadline from "./Deadline.js"
import * as Failure from "./Failure.js"
import { DependencyUnavailable, InternalError, MalformedRequest, MethodNotAllowed } from "./HttpErrors.js"
import * as HttpMetrics from "./HttpMetrics.js"
import { Lifecycle, type LifecycleShape } from "./Lifecycle.js"
import * as Probes from "./Probes.js"
import * as Problem from "./Problem.js"
import * as RateLimit from "./RateLimit.js"
import * as RequestId from "./RequestId.js"
import * as RouteTable from "./RouteTable.js"
import * as SecurityHeaders from "./SecurityHeaders.js"

/**
 * Looks at every request, and says why it must not be answered; {@link Loopback.guard} is one.
 *
 * @since 0.1.0
 * @category models
 */
export type Guard = (
  request: Pick<HttpServerRequest.HttpServerRequest, "method" | "headers">
) => Problem.HttpError | undefined

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long a request may take until its answer begins. Default 30 seconds; `Duration.infinity` is no deadline. */
  readonly deadline?: Duration.DurationInput | undefined
  /** How many proxies of ours stand before the server. Default 0: `X-Forwarded-For` is not believed. */
  readonly trustedProxyHops?: number | undefined
  /** Whether a 500 shows its stack: development only. Default false. */
  readonly showStack?: boolean | undefined
  /** Refuses a request before any route sees it; probes pass. Default: nobody is refused. */
  readonly guard?: Guard | undefined
  /** Called once for each answer, when it begins; must not throw. Default: the metrics of `src/telemetry`. */
  readonly observe?: ((answer: HttpSample) => void) | undefined
}

/**
 * The decorated router. Who counts as one client of a rate limit is `RateLimit.ClientKey` of the context this layer is
 * built in: provide `Identity.layer` to it, and not to the handlers alone. Routes that are built on it are in the table, and whatever is built on the plain router below
 * it has the envelope too.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  HttpLayerRouter.HttpRouter | RouteTable.RouteTable,
  never,
  HttpLayerRouter.HttpRouter | RateLimit.RateLimits | ErrorLog | Lifecycle
> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const router = yield* HttpLayerRouter.HttpRouter
      const table = RouteTable.make()
      const deadlineMillis = Duration.toMillis(options.deadline ?? "30 seconds")
      yield* router.addGlobalMiddleware(
        envelope({
          hops: options.trustedProxyHops ?? 0,
          showStack: options.showStack ?? false,
          guard: options.guard ?? (() => undefined),
          observe: options.observe ?? HttpMetrics.make(),
          errors: yield* ErrorLog,
          lifecycle: yield* Lifecycle,
          deadlineMillis,
          table
        })
      )
      const decorated = decorate(router, {
        rateLimits: yield* RateLimit.RateLimits,
        clientKey: yield* RateLimit.ClientKey,
        deadlineMillis,
        table
      })
      return Context.make(HttpLayerRouter.HttpRouter, decorated).pipe(Context.add(RouteTable.RouteTable, table))
    })
  )

// -----------------------------------------------------------------------------
// around every request
// -----------------------------------------------------------------------------

interface Settings {
  readonly hops: number
  readonly showStack: boolean
  readonly guard: Guard
  readonly observe: (answer: HttpSample) => void
  readonly errors: ErrorLogShape
  readonly lifecycle: LifecycleShape
  readonly deadlineMillis: number
  readonly table: RouteTable.RouteTableShape
}

type App = Effect.Effect<HttpServerResponse.HttpServerResponse, HttpLayerRouter.unhandled>

// The platform's types want a global middleware to leave errors behind; this one leaves none but the client's own abort.
const envelope =
  (settings: Settings) =>
  (
    app: App
  ): Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    HttpLayerRouter.unhandled,
    HttpServerRequest.HttpServerRequest
  > =>
    Effect.withFiberRuntime((fiber) => {
      const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
      if (isProbe(request, settings.table)) return app
      // Real time, as the deadline is: a request comes from outside of any test clock.
      const started = performance.now()
      const info = open(request, settings.hops)
      const finish = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
        settings.observe({
          method: info.method,
          route: info.route,
          status: response.status,
          elapsedMillis: performance.now() - started
        })
        return HttpServerResponse.setHeaders(response, { ...info.headers, ...response.headers })
      }
      const leave = settings.lifecycle.enter()
      const deadline = Deadline.start(fiber, settings.deadlineMillis)
      const stop = () => {
        deadline.stop()
        leave()
      }
      const context = Context.make(CurrentRequest.CurrentRequest, info).pipe(
        Context.add(RequestContext.RequestId, info.id),
        (known) => Context.merge(fiber.currentContext, known)
      )
      const refusal = hasHost(request) ? settings.guard(request) : hostMissing
      // No mask: a request's fibre is uninterruptible except inside of routes, so these run after an interruption too.
      const answer = Effect.zipRight(deadline.enter, refusal === undefined ? app : refuse(refusal))
      return Effect.matchCauseEffect(Effect.locally(answer, FiberRef.currentContext, context), {
        onSuccess: (response) => {
          stop()
          return Effect.succeed(finish(response))
        },
        onFailure: (cause) => {
          stop()
          return Effect.map(answerFailure(cause, request, info, settings), finish)
        }
      })
    })

const isProbe = (request: HttpServerRequest.HttpServerRequest, table: RouteTable.RouteTableShape): boolean =>
  Probes.paths.has(request.url) &&
  (request.method === "GET" || request.method === "HEAD") &&
  table.find("GET", request.url) !== undefined

// HTTP/1.1 wants every request to name its host, and wants one that does not to be refused.
const hasHost = (request: HttpServerRequest.HttpServerRequest): boolean =>
  request.headers["host"] !== undefined || NodeHttpServerRequest.toIncomingMessage(request).httpVersion === "1.0"

const hostMissing = new MalformedRequest({ detail: "The Host header is missing" })

// Typed like the app whose place it takes; the envelope reads what it really fails with.
const refuse = (error: Problem.HttpError): App => Effect.fail(error) as unknown as App

const open = (request: HttpServerRequest.HttpServerRequest, hops: number): CurrentRequest.RequestInfo => {
  const message = NodeHttpServerRequest.toIncomingMessage(request)
  const id = RequestId.accept(request.headers[RequestId.header])
  return CurrentRequest.make({
    id,
    method: request.method,
    url: request.url,
    clientAddress: ClientAddress.resolve(message.socket.remoteAddress, request.headers["x-forwarded-for"], hops),
    headers: { ...SecurityHeaders.defaults, [RequestId.header]: id }
  })
}

const answerFailure = (
  cause: Cause.Cause<HttpLayerRouter.unhandled>,
  request: HttpServerRequest.HttpServerRequest,
  info: CurrentRequest.RequestInfo,
  settings: Settings
): App => {
  const message = BodyLimit.messageOf(request)
  const path = Problem.pathOf(info.url)
  const failure = Failure.read(cause, {
    method: info.method,
    path,
    handling: info.handling,
    exceededBytes: message?.tooLarge === true ? message.limitBytes : undefined,
    deadlineMillis: settings.deadlineMillis,
    allow: () => settings.table.allow(info.url)
  })
  switch (failure._tag) {
    case "Gone":
      return Effect.failCause(cause)
    case "Response":
      return Effect.succeed(failure.response)
    case "Problem": {
      const { error } = failure
      if (error instanceof MethodNotAllowed && info.method === "OPTIONS") return Effect.succeed(options(error))
      const response = toResponse(failure, cause, request, info, settings)
      const answer = message?.tooLarge === true ? BodyLimit.lingering(message, response) : response
      return Effect.as(report(failure, cause, info, settings), answer)
    }
  }
}

const options = (error: MethodNotAllowed): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({ status: 204, headers: { allow: error.allow.join(", ") } })

const toResponse = (
  failure: Extract<Failure.Failure, { _tag: "Problem" }>,
  cause: Cause.Cause<unknown>,
  request: HttpServerRequest.HttpServerRequest,
  info: CurrentRequest.RequestInfo,
  settings: Settings
): HttpServerResponse.HttpServerResponse => {
  const { error } = failure
  const shown =
    failure.bug && settings.showStack ? { stack: Cause.pretty(cause, { renderErrorCause: true }) } : undefined
  const problem = Either.getOrElse(Problem.make(error, info, shown), () =>
    // The error breaks its own schema: then its fields must not leave.
    Either.getOrThrow(Problem.make(new InternalError({ detail: "The server made a mistake" }), info))
  )
  const headers: Record<string, string> = {}
  if (error instanceof MethodNotAllowed) headers["allow"] = error.allow.join(", ")
  if (problem.status === 401) {
    headers["www-authenticate"] =
      request.headers["authorization"] === undefined ? "Bearer" : 'Bearer error="invalid_token"'
  }
  return Problem.toResponse(problem, headers)
}

// A failing dependency is recorded by the dependency; what is recorded here is what nobody else saw.
const report = (
  failure: Extract<Failure.Failure, { _tag: "Problem" }>,
  cause: Cause.Cause<unknown>,
  info: CurrentRequest.RequestInfo,
  settings: Settings
): Effect.Effect<void> => {
  const { bug, error } = failure
  if ((Problem.statusOf(error) ?? 500) < 500 || error instanceof DependencyUnavailable) return Effect.void
  const operation = `${info.method} ${info.route ?? "(no route)"}`
  const policy =
    info.route === undefined
      ? undefined
      : settings.table.find(info.method === "HEAD" ? "GET" : info.method, info.route)?.policy
  const record =
    policy === undefined || policy.trackHealth
      ? settings.errors.recordError(policy?.service ?? "http", bug ? Cause.squash(cause) : error, {
          operation,
          code: Problem.codeOf(error),
          requestId: info.id
        })
      : Effect.void
  return bug
    ? Effect.zipRight(
        Effect.annotateLogs(Effect.logError(`${operation} failed`, cause), { requestId: info.id }),
        record
      )
    : record
}

// -----------------------------------------------------------------------------
// around every route
// -----------------------------------------------------------------------------

interface Decoration {
  readonly rateLimits: RateLimit.RateLimitsShape
  readonly clientKey: RateLimit.ClientKeyOf
  readonly deadlineMillis: number
  readonly table: RouteTable.RouteTableShape
}

type AnyRoute = HttpLayerRouter.Route<never, never>

/**
 * A router whose routes are in the table, know their own pattern, and are limited as their policy says.
 */
const decorate = (router: HttpLayerRouter.HttpRouter, decoration: Decoration): HttpLayerRouter.HttpRouter => {
  const register = (route: AnyRoute, policy: RouteTable.RoutePolicy | undefined): Effect.Effect<AnyRoute> => {
    decoration.table.add({
      method: route.method,
      path: route.path,
      deadlineMillis: decoration.deadlineMillis,
      policy
    })
    if (Probes.paths.has(route.path)) return Effect.succeed(route)
    if (policy?.rateLimit === undefined) return Effect.succeed({ ...route, handler: enter(route, undefined) })
    return Effect.map(decoration.rateLimits.limiter(policy.rateLimit, `${route.method} ${route.path}`), (limiter) => ({
      ...route,
      handler: enter(route, RateLimit.enforce(limiter, decoration.clientKey))
    }))
  }
  const addAll = (routes: ReadonlyArray<AnyRoute>, policy?: RouteTable.RoutePolicy) =>
    Effect.flatMap(
      Effect.forEach(routes, (route) =>
        Effect.suspend(() => register(route, policy ?? decoration.table.announced(route.method, route.path)?.policy))
      ),
      (registered) => router.addAll(registered)
    )
  const make = (prefix: string | undefined): HttpLayerRouter.HttpRouter => {
    const place = (route: AnyRoute): AnyRoute =>
      prefix === undefined ? route : HttpLayerRouter.prefixRoute(route, prefix)
    // The router's methods infer what routes require and fail with, which decoration leaves as it is.
    return HttpLayerRouter.HttpRouter.of({
      ...router,
      prefixed: (inner: string) => make(prefix === undefined ? inner : HttpLayerRouter.prefixPath(inner, prefix)),
      add: (method: "GET", path: HttpLayerRouter.PathInput, handler: AnyRoute["handler"], options: undefined) =>
        addAll([place(HttpLayerRouter.route(method, path, handler, options))], RouteTable.policyOf(handler)),
      addAll: (routes: ReadonlyArray<AnyRoute>) => addAll(routes.map(place))
    } as unknown as HttpLayerRouter.HttpRouter)
  }
  return make(undefined)
}

const enter = (route: AnyRoute, limit: ReturnType<typeof RateLimit.enforce> | undefined): AnyRoute["handler"] =>
  Effect.withFiberRuntime((fiber) => {
    // The server provides the request to every fibre that answers one.
    const context = fiber.currentContext as Context.Context<HttpServerRequest.HttpServerRequest>
    const request = Context.unsafeGet(context, HttpServerRequest.HttpServerRequest)
    const info = Context.get(context, CurrentRequest.CurrentRequest)
    info.route = route.path
    const refusal = BodyLimit.announced(request)
    const next = refusal === undefined ? route.handler : Effect.fail(refusal)
    // The error channel of a registered route is erased by the router; the envelope reads all of it.
    return (limit === undefined ? next : Effect.zipRight(limit(info, request), next)) as AnyRoute["handler"]
  })
