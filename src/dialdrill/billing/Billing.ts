/**
 * Plans, usage and buying. Only buying needs Stripe; what a user has bought is in the database, so nobody loses a plan
 * when Stripe is down. Stripe's events are verified, kept, and then applied once.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Database } from "../../dependencies/Database.js"
import { Stripe, type StripeError } from "../../dependencies/Stripe.js"
import type { Rejection } from "../../resilience/Rejection.js"
import type { UserId } from "../calls/Wire.js"
import { Ids } from "../Ids.js"
import * as Jsonb from "../Jsonb.js"
import {
  BillingUnavailable,
  mapErrorEffect,
  orStorageUnavailable,
  whyOf,
  type StorageUnavailable
} from "../Unavailable.js"
import { Writes } from "../Writes.js"
import * as Repo from "./BillingRepo.js"
import { AlreadyOnPlan, InvalidSignature, PaymentRefused } from "./Errors.js"
import { PublicUrl } from "./PublicUrl.js"
import { usageOf } from "./Usage.js"
import { changeOf, type Change } from "./Webhook.js"
import { plans, type BillingState, type CheckoutSession, type PurchasablePlanId } from "./Wire.js"

export interface BillingShape {
  readonly state: (user: UserId) => Effect.Effect<BillingState, StorageUnavailable>
  /** Where the user goes to pay. A second click within ten seconds gets the same session. */
  readonly checkout: (
    user: UserId,
    plan: PurchasablePlanId
  ) => Effect.Effect<CheckoutSession, AlreadyOnPlan | PaymentRefused | BillingUnavailable | StorageUnavailable>
  /** Takes an event as Stripe sent it: the signature is over these very bytes. */
  readonly receive: (
    body: Uint8Array,
    signature: string
  ) => Effect.Effect<void, InvalidSignature | BillingUnavailable | StorageUnavailable>
}

export class Billing extends Context.Tag("@dialdrill/selfheal/dialdrill/Billing")<Billing, BillingShape>() {}

/** Two clicks closer together than this are one wish to buy. */
const doubleClick = Duration.seconds(10)

/** Does to the rows what an event says; answers why nothing could be done. */
const apply = (change: Change) =>
  Effect.gen(function* () {
    switch (change._tag) {
      case "PutOnPlan": {
        if (change.subscription !== null && (yield* Repo.hasEnded(change.subscription))) {
          return "the subscription has ended already"
        }
        yield* Repo.putOnPlan(change.user, change.plan, change.subscription)
        return null
      }
      case "EndSubscription":
        return (yield* Repo.endSubscription(change.subscription)) ? null : "nobody holds this subscription"
      case "Nothing":
        return null
      case "CannotApply":
        return change.reason
    }
  })

const make = Effect.gen(function* () {
  const database = yield* Database
  const orUnavailable = orStorageUnavailable(database.dependency)
  const stripe = yield* Stripe
  const writes = yield* Writes
  const ids = yield* Ids
  const publicUrl = yield* PublicUrl

  const unavailable = (error: StripeError | Rejection) =>
    Effect.map(
      whyOf(stripe.dependency, error),
      ({ reason, retryAfter }) =>
        new BillingUnavailable({ service: "stripe", reason, retryAfter, message: "Billing is temporarily unavailable" })
    )

  const usage = (user: UserId) => database.call("billing.usage", usageOf(user), { idempotent: true })

  const checkout: BillingShape["checkout"] = (user, planId) =>
    Effect.gen(function* () {
      const plan = plans[planId]
      if ((yield* usage(user)).plan.id === planId) return yield* new AlreadyOnPlan({ plan: plan.name })
      const id = yield* ids.uuid
      const row = yield* writes.accepted(
        database.transaction("billing.open-checkout", Repo.openCheckout(id, user, planId, doubleClick))
      )
      if (Option.isSome(row.session)) return row.session.value
      const url = yield* publicUrl
      const session = yield* stripe
        .createCheckoutSession({
          idempotencyKey: row.id,
          clientReferenceId: user,
          plan: {
            id: plan.id,
            name: plan.name,
            priceCents: plan.priceCents,
            currency: plan.currency,
            interval: plan.interval
          },
          successUrl: `${url}/?checkout=success`,
          cancelUrl: `${url}/?checkout=cancelled`
        })
        .pipe((session) =>
          mapErrorEffect(session, (error): Effect.Effect<PaymentRefused | BillingUnavailable> =>
            error._tag === "StripeError" && error.reason === "declined"
              ? Effect.succeed(new PaymentRefused({ reason: error.code ?? "declined" }))
              : unavailable(error)
          )
        )
      yield* writes.accepted(
        database.call("billing.save-session", Repo.saveSession(row.id, session), { idempotent: true })
      )
      return session
    }).pipe(orUnavailable)

  /**
   * Ends what a newly paid plan takes the place of, before the event is settled: when Stripe cannot be reached the event
   * stays unsettled and Stripe sends it again.
   */
  const endReplaced = (event: string, change: Change) =>
    Effect.gen(function* () {
      if (change._tag !== "PutOnPlan" || change.subscription === null) return
      const replaced = yield* database.call(
        "billing.replaced",
        Repo.replacedBy(event, change.user, change.subscription),
        { idempotent: true }
      )
      if (Option.isNone(replaced)) return
      yield* mapErrorEffect(stripe.cancelSubscription(replaced.value), unavailable)
    })

  const receive: BillingShape["receive"] = (body, signature) =>
    Effect.gen(function* () {
      const event = yield* stripe
        .verifyWebhook(body, signature)
        .pipe((verified) =>
          mapErrorEffect(verified, (error): Effect.Effect<InvalidSignature | BillingUnavailable> =>
            error._tag === "InvalidSignature" ? Effect.succeed(new InvalidSignature()) : unavailable(error)
          )
        )
      const payload = Jsonb.stringify(event.payload)
      yield* writes.accepted(
        database.call("billing.receive", Repo.receive({ id: event.id, type: event.type, payload }), {
          idempotent: true
        })
      )
      const change = changeOf(event.type, event.payload)
      yield* endReplaced(event.id, change)
      yield* writes.accepted(
        database.transaction(
          "billing.apply",
          Effect.gen(function* () {
            if (!(yield* Repo.claim(event.id))) return
            yield* Repo.settle(event.id, yield* apply(change))
          }),
          { idempotent: true }
        )
      )
    }).pipe(orUnavailable)

  return Billing.of({
    state: (user) =>
      orUnavailable(
        Effect.map(usage(user), ({ callsUsed, periodEndsAt, plan }) => ({
          plan,
          callsUsed,
          callsRemaining: Math.max(0, plan.callsPerMonth - callsUsed),
          periodEndsAt
        }))
      ),
    checkout,
    receive
  })
})

export const layer: Layer.Layer<Billing, never, Database | PublicUrl | Stripe | Writes> = Layer.effect(Billing, make)
