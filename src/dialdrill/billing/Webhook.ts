/**
 * What Stripe's events mean for a user's plan, as a pure reading of the event: put on a plan, end a subscription,
 * nothing, or a reason why it cannot be applied. Only the fields that decide are read.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { PurchasablePlanId } from "./Wire.js"

export type Change =
  | {
      readonly _tag: "PutOnPlan"
      readonly user: string
      readonly plan: PurchasablePlanId
      readonly subscription: string | null
    }
  | { readonly _tag: "EndSubscription"; readonly subscription: string }
  /** Not ours to act on. */
  | { readonly _tag: "Nothing" }
  /** Ours, but it does not say enough; kept with the reason for a person to look at. */
  | { readonly _tag: "CannotApply"; readonly reason: string }

const Checkout = Schema.Struct({
  data: Schema.Struct({
    object: Schema.Struct({
      client_reference_id: Schema.String.pipe(Schema.minLength(1)),
      payment_status: Schema.String,
      subscription: Schema.optional(Schema.NullOr(Schema.String)),
      metadata: Schema.Struct({ plan: PurchasablePlanId })
    })
  })
})

const Subscription = Schema.Struct({ data: Schema.Struct({ object: Schema.Struct({ id: Schema.String }) }) })

const reading = <A, I>(schema: Schema.Schema<A, I>, event: unknown, change: (value: A) => Change): Change =>
  Either.match(Schema.decodeUnknownEither(schema)(event), {
    onLeft: (error) => ({ _tag: "CannotApply", reason: error.message.slice(0, 500) }),
    onRight: change
  })

export const changeOf = (type: string, event: unknown): Change => {
  switch (type) {
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
      return reading(Checkout, event, ({ data: { object } }) =>
        // A bank transfer completes the session first and is paid days later, by the other event.
        object.payment_status === "unpaid"
          ? { _tag: "Nothing" }
          : {
              _tag: "PutOnPlan",
              user: object.client_reference_id,
              plan: object.metadata.plan,
              subscription: object.subscription ?? null
            }
      )
    case "customer.subscription.deleted":
      return reading(Subscription, event, ({ data }) => ({ _tag: "EndSubscription", subscription: data.object.id }))
    default:
      return { _tag: "Nothing" }
  }
}
