/**
 * What the API looks like, for programs (`/openapi.json`) and for people (`/docs`, which carries all it needs and loads with
 * the network cut).
 *
 * @since 0.1.0
 */
import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiScalar from "@effect/platform/HttpApiScalar"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { STATUS_CODES } from "node:http"
import * as Problem from "./Problem.js"
import * as SecurityHeaders from "./SecurityHeaders.js"

/**
 * Adds `GET /openapi.json` and `GET /docs`. Both are built once. Not limited, and kept by browsers for five minutes.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): Layer.Layer<never, never, HttpLayerRouter.HttpRouter> => {
  const documented = api.annotate(OpenApi.Transform, describeProblems)
  // Further members are allowed, in requests because schemas ignore them, in errors because a problem has them. The page
  // takes its specification from the same call's memory.
  const specification = OpenApi.fromApi(documented, { additionalPropertiesStrategy: "allow" })
  return Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpLayerRouter.HttpRouter
      const response = HttpServerResponse.unsafeJson(specification, { headers: kept })
      yield* router.add("GET", "/openapi.json", Effect.succeed(response))
    })
  ).pipe(Layer.merge(page(documented)))
}

const kept = { "cache-control": "public, max-age=300" }

// The page is the platform's: one document with its script in it. What it may reach is said by its policy: this server
// alone, no fonts from elsewhere, no proxy.
const page = (api: HttpApi.HttpApi.Any): Layer.Layer<never, never, HttpLayerRouter.HttpRouter> =>
  HttpApiScalar.layerHttpLayerRouter({ api, path: "/docs", scalar: { withDefaultFonts: false } }).pipe(
    Layer.provide(
      HttpLayerRouter.middleware(
        Effect.map((response: HttpServerResponse.HttpServerResponse) =>
          SecurityHeaders.page(HttpServerResponse.setHeaders(response, kept), {
            scripts: ["'unsafe-inline'", "'wasm-unsafe-eval'"],
            styles: ["'unsafe-inline'"],
            images: ["blob:"],
            fonts: ["data:"]
          })
        )
      ).layer
    )
  )

// -----------------------------------------------------------------------------
// errors in the specification
// -----------------------------------------------------------------------------

type Json = Record<string, unknown>

const isJson = (u: unknown): u is Json => typeof u === "object" && u !== null && !Array.isArray(u)

const problemSchema: Json = {
  type: "object",
  description: "RFC 9457",
  required: ["type", "title", "status", "detail", "instance", "code", "requestId"],
  properties: {
    type: { type: "string", description: "A URI reference for the kind of problem" },
    title: { type: "string", description: "The status in words" },
    status: { type: "integer" },
    detail: { type: "string", description: "What went wrong, and when another try can help" },
    instance: { type: "string", description: "The path of the request" },
    code: { type: "string", description: "Stable, for programs, such as dependency-unavailable" },
    requestId: { type: "string", description: "What the logs know the request by" },
    retryAfterSeconds: { type: "number", description: "Where a retry can help" }
  }
}

/** What stands on the wire where the platform's specification has its own `HttpApiDecodeError`. */
const invalidRequestSchema: Json = {
  type: "object",
  required: ["_tag", "issues"],
  properties: {
    _tag: { type: "string", enum: ["InvalidRequest"] },
    issues: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: {
          path: { type: "array", items: { type: ["string", "number"] }, description: "Leads to the value" },
          message: { type: "string" }
        }
      }
    }
  }
}

const anyProblem: Json = { [Problem.mediaType]: { schema: { $ref: "#/components/schemas/Problem" } } }

/** What every operation may answer, declared or not. */
const always = [429, 500, 503, 504]

/**
 * Describes the errors of a specification as what they are on the wire: a problem document with the error's own fields.
 *
 * @since 0.1.0
 * @category combinators
 */
export const describeProblems = (specification: Json): Json => {
  const components = isJson(specification["components"]) ? specification["components"] : {}
  const { HttpApiDecodeError: _, ...schemas } = isJson(components["schemas"]) ? components["schemas"] : {}
  const paths = isJson(specification["paths"]) ? specification["paths"] : {}
  return {
    ...specification,
    components: {
      ...components,
      schemas: { ...schemas, Problem: problemSchema, InvalidRequest: invalidRequestSchema }
    },
    paths: mapValues(paths, (methods) => mapValues(methods, describeOperation))
  }
}

const describeOperation = (operation: Json): Json => {
  const declared = isJson(operation["responses"]) ? operation["responses"] : {}
  const responses: Json = {}
  for (const [status, response] of Object.entries(declared)) {
    responses[status] = Number(status) >= 400 && isJson(response) ? describeResponse(response) : response
  }
  for (const status of always) responses[status] ??= { description: STATUS_CODES[status], content: anyProblem }
  return { ...operation, responses }
}

const describeResponse = (response: Json): Json => {
  const content = isJson(response["content"]) ? response["content"] : {}
  const json = content["application/json"]
  if (!isJson(json)) return { ...response, content: anyProblem }
  // A specification is plain JSON; text is the shortest way to every reference in it.
  const declared: unknown = JSON.parse(
    JSON.stringify(json["schema"]).replaceAll("/schemas/HttpApiDecodeError", "/schemas/InvalidRequest")
  )
  const schema = { allOf: [{ $ref: "#/components/schemas/Problem" }, declared] }
  return { ...response, content: { [Problem.mediaType]: { schema } } }
}

const mapValues = (object: Json, f: (value: Json) => Json): Json =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, isJson(value) ? f(value) : value]))
