import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Dependencies from "../../src/dependencies/Dependencies.js"
import type { Dependency } from "../../src/dependencies/Dependencies.js"
import * as ElevenLabs from "../../src/dependencies/ElevenLabs.js"
import type { Variables } from "../../src/dependencies/Environment.js"
import * as OpenAi from "../../src/dependencies/OpenAi.js"
import * as Settings from "../../src/dependencies/Settings.js"
import * as Stripe from "../../src/dependencies/Stripe.js"
import * as ElevenLabsStandIn from "../../src/drill/standins/ElevenLabsStandIn.js"
import * as OpenAiStandIn from "../../src/drill/standins/OpenAiStandIn.js"
import type { StandIn } from "../../src/drill/standins/StandIn.js"
import * as StripeStandIn from "../../src/drill/standins/StripeStandIn.js"
import * as ErrorLog from "../../src/health/ErrorLog.js"
import * as HealthMonitor from "../../src/health/HealthMonitor.js"
import * as CircuitBreakers from "../../src/resilience/CircuitBreakers.js"

/** What every dependency stands on, fresh for each test. */
export const ground = Layer.mergeAll(
  CircuitBreakers.layer,
  Dependencies.layer,
  Layer.provideMerge(HealthMonitor.layerWith({ memory: false, lookEvery: "10 seconds" }), ErrorLog.layerWith({})),
  // What the layer logs is not what these tests are about.
  Logger.remove(Logger.defaultLogger)
)

/** Short waits, for tests whose subject is a real socket; a test of a limit sets that limit. */
export const quick = (prefix: string): Variables => ({
  [`${prefix}_RETRY_MAX_ATTEMPTS`]: "3",
  [`${prefix}_RETRY_INITIAL_DELAY`]: "5ms",
  [`${prefix}_RETRY_MAX_DELAY`]: "50ms",
  [`${prefix}_ATTEMPT_TIMEOUT`]: "5s",
  [`${prefix}_DEADLINE`]: "30s",
  [`${prefix}_PROBE_INTERVAL`]: "1h"
})

export const Coaching = Schema.Struct({
  strengths: Schema.Array(Schema.String),
  level: Schema.Literal("low", "high")
})

export type Start = (variables?: Variables) => Effect.Effect<Rig, unknown, Scope.Scope>

/** One client with its stand-in, seen alike for all three. */
export interface Rig {
  readonly standIn: StandIn
  readonly dependency: Dependency
  readonly health: HealthMonitor.HealthMonitorShape
  /** The one call that the product makes of it. */
  readonly call: Effect.Effect<unknown, unknown>
  /** Where that call goes, so that the probe's requests can be told apart. */
  readonly path: string
}

export const openai = (variables: Variables = {}) =>
  Effect.gen(function* () {
    const standIn = yield* OpenAiStandIn.make()
    const layer = Layer.provide(
      OpenAi.layer,
      Settings.layerFrom({
        OPENAI_API_KEY: "sk-live-0123456789abcdef",
        OPENAI_BASE_URL: standIn.baseUrl,
        ...quick("OPENAI"),
        ...variables
      })
    )
    const context = yield* Layer.build(Layer.provideMerge(layer, ground))
    const service = Context.get(context, OpenAi.OpenAi)
    const health = Context.get(context, HealthMonitor.HealthMonitor)
    const call = service.structured({
      operation: "coaching",
      name: "coaching",
      schema: Coaching,
      instructions: "Coach.",
      input: "{}"
    })
    return { standIn, service, dependency: service.dependency, health, call, path: "/v1/responses" }
  })

export const elevenlabs = (variables: Variables = {}) =>
  Effect.gen(function* () {
    const standIn = yield* ElevenLabsStandIn.make()
    const layer = Layer.provide(
      ElevenLabs.layer,
      Settings.layerFrom({
        ELEVENLABS_API_KEY: "xi-0123456789abcdef",
        ELEVENLABS_AGENT_ID: "agent_1",
        ELEVENLABS_BASE_URL: standIn.baseUrl,
        ...quick("ELEVENLABS"),
        ...variables
      })
    )
    const context = yield* Layer.build(Layer.provideMerge(layer, ground))
    const service = Context.get(context, ElevenLabs.ElevenLabs)
    const health = Context.get(context, HealthMonitor.HealthMonitor)
    const path = "/v1/convai/conversation/get-signed-url"
    return { standIn, service, dependency: service.dependency, health, call: service.getSignedUrl, path }
  })

export const stripe = (variables: Variables = {}) =>
  Effect.gen(function* () {
    const standIn = yield* StripeStandIn.make()
    const layer = Layer.provide(
      Stripe.layer,
      Settings.layerFrom({
        STRIPE_SECRET_KEY: "sk_test_0123456789abcdef",
        STRIPE_BASE_URL: standIn.baseUrl,
        STRIPE_WEBHOOK_SECRET: standIn.webhookSecret,
        ...quick("STRIPE"),
        ...variables
      })
    )
    const context = yield* Layer.build(Layer.provideMerge(layer, ground))
    const service = Context.get(context, Stripe.Stripe)
    const health = Context.get(context, HealthMonitor.HealthMonitor)
    const call = service.createCheckoutSession({
      idempotencyKey: "row-1",
      clientReferenceId: "user-1",
      plan: { id: "pro", name: "Pro", priceCents: 1199, currency: "USD", interval: "month" },
      successUrl: "http://127.0.0.1/?checkout=success",
      cancelUrl: "http://127.0.0.1/?checkout=cancelled"
    })
    return { standIn, service, dependency: service.dependency, health, call, path: "/v1/checkout/sessions" }
  })
