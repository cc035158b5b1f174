/** Every route of the API with its handler, ready to be put on a router; what the handlers need is left open. */
import * as Layer from "effect/Layer"
import { addHttpApi } from "../http/HttpApiRoutes.js"
import { DialDrillApi } from "./Api.js"
import * as BillingHttp from "./billing/Http.js"
import * as CallsHttp from "./calls/Http.js"
import * as CoachingHttp from "./coaching/Http.js"
import * as OperationsHttp from "./operations/Http.js"
import * as ScoringHttp from "./scoring/Http.js"

const handlers = Layer.mergeAll(
  CallsHttp.layerCalls,
  CallsHttp.layerPersonalities,
  CoachingHttp.layerCoaching,
  ScoringHttp.layerScoring,
  BillingHttp.layerPlans,
  BillingHttp.layerBilling,
  BillingHttp.layerWebhook,
  OperationsHttp.layerHealth,
  OperationsHttp.layerOperations,
  OperationsHttp.layerMetrics,
  OperationsHttp.layerCircuitBreakers
)

export const layer = addHttpApi(DialDrillApi).pipe(Layer.provide(handlers))
