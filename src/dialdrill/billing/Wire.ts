/**
 * What a user may do each month and what it costs. `free` is where everybody starts and is not for sale.
 */
import * as Schema from "effect/Schema"

export const PlanId = Schema.Literal("free", "starter", "pro")
export type PlanId = typeof PlanId.Type

/** The plans that can be bought. */
export const PurchasablePlanId = Schema.Literal("starter", "pro")
export type PurchasablePlanId = typeof PurchasablePlanId.Type

export const Plan = Schema.Struct({
  id: PlanId,
  name: Schema.String,
  priceCents: Schema.Number,
  currency: Schema.Literal("usd"),
  interval: Schema.Literal("month"),
  callsPerMonth: Schema.Number,
  maxCallSeconds: Schema.Number
}).annotations({ identifier: "Plan" })
export type Plan = typeof Plan.Type

const plan = (id: PlanId, name: string, priceCents: number, callsPerMonth: number, maxCallSeconds: number): Plan => ({
  id,
  name,
  priceCents,
  currency: "usd",
  interval: "month",
  callsPerMonth,
  maxCallSeconds
})

export const plans: { readonly [Id in PlanId]: Plan } = {
  free: plan("free", "Free", 0, 20, 300),
  starter: plan("starter", "Starter", 1200, 100, 600),
  pro: plan("pro", "Pro", 3900, 1000, 1800)
}

export const purchasable: ReadonlyArray<Plan> = [plans.starter, plans.pro]

/** The plan of a stored id; a plan that no longer exists counts as `free` and never as an error. */
export const planOf = (id: string | undefined): Plan => (Schema.is(PlanId)(id) ? plans[id] : plans.free)

/** The answer of `GET /api/plans`. */
export const PlanList = Schema.Struct({ plans: Schema.Array(Plan) }).annotations({ identifier: "PlanList" })

/** Plan and usage: the answer of `GET /api/billing`. */
export const BillingState = Schema.Struct({
  plan: Plan,
  callsUsed: Schema.Number,
  callsRemaining: Schema.Number,
  /** When the count of calls starts again: the first of the next month, UTC. */
  periodEndsAt: Schema.DateTimeUtc
}).annotations({ identifier: "BillingState" })
export type BillingState = typeof BillingState.Type

/** Where the browser goes to pay. */
export const CheckoutSession = Schema.Struct({
  sessionId: Schema.String,
  url: Schema.String
}).annotations({ identifier: "CheckoutSession" })
export type CheckoutSession = typeof CheckoutSession.Type
