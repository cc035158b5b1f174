/** All routes under `/api`, and `/metrics`, as one description: handlers, OpenAPI and clients are made from it. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import { BillingApi, PlansApi, WebhookApi } from "./billing/Api.js"
import { CallsApi, PersonalitiesApi } from "./calls/Api.js"
import { CoachingApi } from "./coaching/Api.js"
import { CircuitBreakersApi, HealthApi, MetricsApi, OperationsApi } from "./operations/Api.js"
import { ScoringApi } from "./scoring/Api.js"

export class DialDrillApi extends HttpApi.make("dialdrill")
  .add(PersonalitiesApi)
  .add(CallsApi)
  .add(CoachingApi)
  .add(ScoringApi)
  .add(PlansApi)
  .add(BillingApi)
  .add(WebhookApi)
  .add(HealthApi)
  .add(OperationsApi)
  .add(CircuitBreakersApi)
  .add(MetricsApi)
  .annotate(OpenApi.Title, "DialDrill")
  .annotate(OpenApi.Version, "0.1.0")
  .annotate(OpenApi.Description, "Sales-call practice that goes on when the services it uses do not.") {}
