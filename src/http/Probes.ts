/**
 * What an orchestrator asks: is the process alive, and should it be sent traffic. Answered from a snapshot, past every
 * middleware, queue and limit, because these answers are needed most when everything else is full.
 *
 * @since 0.1.0
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"

/**
 * The paths that the envelope lets through untouched.
 *
 * @since 0.1.0
 * @category constants
 */
export const paths: ReadonlySet<string> = new Set(["/livez", "/readyz"])

/**
 * `starting` until the first try to reach what the server needs has ended, `draining` from the moment it was told to stop.
 *
 * @since 0.1.0
 * @category models
 */
export type State = "starting" | "ready" | "draining"

/**
 * @since 0.1.0
 * @category models
 */
export interface ReadinessShape {
  readonly state: Effect.Effect<State>
  /** The first try is over, whatever came of it. Does not undo draining. */
  readonly started: Effect.Effect<void>
  readonly draining: Effect.Effect<void>
}

/**
 * Whether the server wants traffic.
 *
 * @since 0.1.0
 * @category tags
 */
export class Readiness extends Context.Tag("@dialdrill/selfheal/Readiness")<Readiness, ReadinessShape>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const makeReadiness: Effect.Effect<ReadinessShape> = Effect.map(Ref.make<State>("starting"), (state) => ({
  state: Ref.get(state),
  started: Ref.update(state, (now) => (now === "starting" ? "ready" : now)),
  draining: Ref.set(state, "draining")
}))

/**
 * @since 0.1.0
 * @category layers
 */
export const layerReadiness: Layer.Layer<Readiness> = Layer.effect(Readiness, makeReadiness)

/**
 * `GET /livez` is 200 as long as the process runs; `GET /readyz` is 200 when ready, else 503.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never, never, HttpLayerRouter.HttpRouter | Readiness> = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpLayerRouter.HttpRouter
    const readiness = yield* Readiness
    yield* router.add("GET", "/livez", Effect.succeed(answer(200, "live")))
    yield* router.add(
      "GET",
      "/readyz",
      Effect.map(readiness.state, (state) => answer(state === "ready" ? 200 : 503, state))
    )
  })
)

const answer = (status: number, state: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson({ status: state }, { status, headers: { "cache-control": "no-store" } })
