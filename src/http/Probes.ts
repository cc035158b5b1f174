/**
 * What an orchestrator asks: is the process alive, and should it be sent traffic. Answered from a snapshot, past every
 * middleware, queue and limit, because these answers are needed most when everything else is full.
 *
 * @since 0.1.0
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Lifecycle } from "./Lifecycle.js"

/**
 * The paths that the envelope lets through untouched.
 *
 * @since 0.1.0
 * @category constants
 */
export const paths: ReadonlySet<string> = new Set(["/livez", "/readyz"])

/**
 * `GET /livez` is 200 as long as the process runs; `GET /readyz` is 200 when the server is ready, else 503.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never, never, HttpLayerRouter.HttpRouter | Lifecycle> = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpLayerRouter.HttpRouter
    const lifecycle = yield* Lifecycle
    yield* router.add("GET", "/livez", Effect.succeed(answer(200, "live")))
    yield* router.add(
      "GET",
      "/readyz",
      Effect.map(lifecycle.state, (state) => answer(state === "ready" ? 200 : 503, state))
    )
  })
)

const answer = (status: number, state: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson({ status: state }, { status, headers: { "cache-control": "no-store" } })
