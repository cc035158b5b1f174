/** The routes of plans, usage and buying. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { DependencyUnavailable, MalformedBody } from "../../http/HttpErrors.js"
import { Authentication } from "../../http/Identity.js"
import { AlreadyOnPlan, InvalidSignature, PaymentRefused } from "./Errors.js"
import { BillingState, CheckoutSession, PlanList, PurchasablePlanId } from "./Wire.js"

export class BillingApi extends HttpApiGroup.make("billing")
  .add(HttpApiEndpoint.get("state", "/api/billing").addSuccess(BillingState).addError(DependencyUnavailable))
  .add(
    HttpApiEndpoint.post("checkout", "/api/billing/checkout")
      .setPayload(Schema.Struct({ plan: PurchasablePlanId }))
      .addSuccess(CheckoutSession)
      .addError(AlreadyOnPlan)
      .addError(PaymentRefused)
      .addError(DependencyUnavailable)
  )
  .middleware(Authentication) {}

/** What can be bought: no secret, so it asks for no user. */
export class PlansApi extends HttpApiGroup.make("plans").add(
  HttpApiEndpoint.get("plans", "/api/plans").addSuccess(PlanList)
) {}

/** Stripe's own: no limit, no user, and a body that nobody may touch before its signature is checked. */
export class WebhookApi extends HttpApiGroup.make("webhook").add(
  HttpApiEndpoint.post("receive", "/api/billing/webhook")
    .addSuccess(Schema.Struct({ received: Schema.Literal(true) }))
    .addError(InvalidSignature)
    .addError(MalformedBody)
    .addError(DependencyUnavailable)
) {}
