/** Answers the routes of plans, usage and buying, and Stripe's events. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as BodyLimit from "../../http/BodyLimit.js"
import { group } from "../../http/HttpApiRoutes.js"
import { withResilience } from "../../http/WithResilience.js"
import { DialDrillApi } from "../Api.js"
import { currentUserId } from "../CurrentUserId.js"
import { unavailable } from "../UnavailableProblem.js"
import { Billing } from "./Billing.js"
import { purchasable } from "./Wire.js"

export const layerPlans = group(DialDrillApi, "plans", (handlers) =>
  handlers.handle(
    "plans",
    withResilience(() => Effect.succeed({ plans: purchasable }), { rateLimitConfig: "READ" })
  )
)

export const layerBilling = group(DialDrillApi, "billing", (handlers) =>
  Effect.map(Billing, (billing) =>
    handlers
      .handle(
        "state",
        withResilience(
          () => Effect.flatMap(currentUserId, billing.state).pipe(Effect.catchTag("StorageUnavailable", unavailable)),
          { rateLimitConfig: "READ" }
        )
      )
      .handle(
        "checkout",
        withResilience(
          ({ payload }) =>
            Effect.flatMap(currentUserId, (user) => billing.checkout(user, payload.plan)).pipe(
              Effect.catchTags({ BillingUnavailable: unavailable, StorageUnavailable: unavailable })
            ),
          { rateLimitConfig: "BILLING" }
        )
      )
  )
)

export const layerWebhook = group(DialDrillApi, "webhook", (handlers) =>
  Effect.map(Billing, (billing) =>
    handlers.handleRaw(
      "receive",
      withResilience(
        ({ request }: { readonly request: HttpServerRequest.HttpServerRequest }) =>
          Effect.flatMap(BodyLimit.bytes(request), (body) =>
            billing.receive(body, request.headers["stripe-signature"] ?? "")
          ).pipe(
            Effect.as({ received: true as const }),
            Effect.catchTags({ BillingUnavailable: unavailable, StorageUnavailable: unavailable })
          ),
        { enableRateLimit: false }
      )
    )
  )
)
