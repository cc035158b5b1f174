/**
 * Puts the endpoints of an `HttpApi` on the router so that their typed errors arrive at the envelope as values.
 *
 * The platform's own `addHttpApi` encodes every declared error before any middleware of the router runs; what comes out
 * is a finished response with the platform's body, not ours. Leaving that step out is all that differs: groups, handlers,
 * and middleware of groups and endpoints work as ever. Middleware of the whole api is not supported.
 *
 * @since 0.1.0
 */
import type * as Etag from "@effect/platform/Etag"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import type * as HttpPlatform from "@effect/platform/HttpPlatform"
import * as HttpMethod from "@effect/platform/HttpMethod"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Path from "@effect/platform/Path"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CurrentRequest } from "./CurrentRequest.js"
import { UnsupportedMediaType } from "./HttpErrors.js"
import * as RouteTable from "./RouteTable.js"

/**
 * Implements a group, as `HttpApiBuilder.group` does, and announces its handlers' policies to the route table. It also
 * notes on the request when its handler begins, which is how a request that does not fit is told from an answer that
 * does not.
 *
 * @since 0.1.0
 * @category layers
 */
export const group = <
  ApiId extends string,
  Groups extends HttpApiGroup.HttpApiGroup.Any,
  ApiError,
  ApiR,
  const Name extends HttpApiGroup.HttpApiGroup.Name<Groups>,
  Return
>(
  api: HttpApi.HttpApi<ApiId, Groups, ApiError, ApiR>,
  name: Name,
  build: (
    handlers: HttpApiBuilder.Handlers.FromGroup<ApiError, ApiR, HttpApiGroup.HttpApiGroup.WithName<Groups, Name>>
  ) => HttpApiBuilder.Handlers.ValidateReturn<Return>
) =>
  Layer.unwrapEffect(
    Effect.map(RouteTable.RouteTable, (table) =>
      HttpApiBuilder.group<ApiId, Groups, ApiError, ApiR, Name, Return>(api, name, (handlers) => {
        const built: unknown = build(handlers)
        const announced = Effect.isEffect(built)
          ? Effect.map(built as Effect.Effect<AnyHandlers>, (made) => announce(made, table))
          : announce(built as AnyHandlers, table)
        // Same handlers, same types; only their functions were wrapped.
        return announced as unknown as HttpApiBuilder.Handlers.ValidateReturn<Return>
      })
    )
  )

type AnyHandlers = Pick<HttpApiBuilder.Handlers<unknown, unknown, unknown>, "group" | "handlers">

const announce = (made: AnyHandlers, table: RouteTable.RouteTableShape): AnyHandlers => {
  const handlers = Chunk.map(made.handlers, (item) => {
    // The platform keeps the endpoint's static type general; every endpoint has a method and a path.
    const endpoint = item.endpoint as unknown as { readonly method: string; readonly path: string }
    table.announce(endpoint.method, endpoint.path, RouteTable.policyOf(item.handler))
    const handler: typeof item.handler = (request) =>
      Effect.withFiberRuntime((fiber) => {
        Context.get(fiber.currentContext, CurrentRequest).handling = true
        return item.handler(request)
      })
    return { ...item, handler }
  })
  return Object.assign(Object.create(Object.getPrototypeOf(made)), made, { handlers })
}

/**
 * Adds the api's endpoints to the router. Dies, at start, on a group that was not built with {@link group}.
 *
 * @since 0.1.0
 * @category layers
 */
export const addHttpApi = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): Layer.Layer<
  never,
  never,
  | HttpLayerRouter.HttpRouter
  | RouteTable.RouteTable
  | Etag.Generator
  | FileSystem.FileSystem
  | HttpPlatform.HttpPlatform
  | Path.Path
  | R
  | HttpApiGroup.HttpApiGroup.ToService<Id, Groups>
> => {
  const endpoints = reflect(api)
  const layer = HttpApiBuilder.Router.unwrap((built) =>
    Layer.effectDiscard(
      Effect.gen(function* () {
        const router = yield* HttpLayerRouter.HttpRouter
        const table = yield* RouteTable.RouteTable
        const context = yield* Effect.context<never>()
        const routes: Array<HttpLayerRouter.Route<never, never>> = []
        for (const route of built.routes) {
          const endpoint = endpoints.get(`${route.method} ${route.path}`)
          if (endpoint === undefined) continue
          if (table.announced(route.method, route.path) === undefined) {
            return yield* Effect.dieMessage(
              `${route.method} ${route.path} was not built with HttpApiRoutes.group: its mistakes could not be told from the caller's`
            )
          }
          // What a handler requires was checked when its group was built; from here on the types know nothing of it.
          const handler = Effect.mapInputContext(
            route.handler as Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>,
            (input: Context.Context<never>) => Context.merge(context, input)
          )
          routes.push(
            HttpLayerRouter.route(route.method as "GET", route.path, onlyMediaTypes(endpoint.accepts, handler), {
              uninterruptible: route.uninterruptible
            })
          )
        }
        yield* router.addAll(routes)
      })
    )
  )
  // The requirements of the platform's own `addHttpApi`, so that a group without handlers does not compile.
  return layer as never
}

/** The api's endpoints by method and path, each with the media types that its payload schema takes. */
const reflect = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): ReadonlyMap<string, { readonly accepts: ReadonlyArray<string> | undefined }> => {
  const endpoints = new Map<string, { readonly accepts: ReadonlyArray<string> | undefined }>()
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, payloads }) => {
      const readsBody = payloads.size > 0 && HttpMethod.hasBody(endpoint.method)
      endpoints.set(`${endpoint.method} ${endpoint.path}`, {
        accepts: readsBody ? Array.from(payloads.keys()) : undefined
      })
    }
  })
  return endpoints
}

const onlyMediaTypes = (
  accepts: ReadonlyArray<string> | undefined,
  handler: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  erase(
    accepts === undefined
      ? handler
      : Effect.withFiberRuntime((fiber) => {
          // The router provides the request to every route.
          const context = fiber.currentContext as Context.Context<HttpServerRequest.HttpServerRequest>
          const { headers } = Context.unsafeGet(context, HttpServerRequest.HttpServerRequest)
          return hasBody(headers) && !isAccepted(headers, accepts)
            ? Effect.fail(
                new UnsupportedMediaType({
                  detail: `Send the body as ${accepts.join(" or ")}, without a content encoding`,
                  accepts
                })
              )
            : handler
        })
  )

// The router does not care what its routes fail with; the envelope reads all of it.
const erase = (
  handler: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  handler as Effect.Effect<HttpServerResponse.HttpServerResponse>

const hasBody = (headers: HttpServerRequest.HttpServerRequest["headers"]): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

// A body without a type is taken for JSON, as the platform does.
const isAccepted = (
  headers: HttpServerRequest.HttpServerRequest["headers"],
  accepts: ReadonlyArray<string>
): boolean => {
  const encoding = headers["content-encoding"]
  if (encoding !== undefined && encoding !== "identity") return false
  const type = headers["content-type"]
  if (type === undefined) return true
  const end = type.indexOf(";")
  return accepts.includes((end === -1 ? type : type.slice(0, end)).trim().toLowerCase())
}
