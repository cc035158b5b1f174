/** What can keep a user from buying, and Stripe from telling us, each with the status and the words of its HTTP problem. */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"

/** The plan is the user's already: buying it again would charge twice. */
export class AlreadyOnPlan extends Schema.TaggedError<AlreadyOnPlan>()(
  "AlreadyOnPlan",
  { plan: Schema.String },
  HttpApiSchema.annotations({ status: 409 })
) {
  override get message(): string {
    return `You are on the ${this.plan} plan already.`
  }
}

/** The card or the account was refused: for the user to settle with the bank. */
export class PaymentRefused extends Schema.TaggedError<PaymentRefused>()(
  "PaymentRefused",
  { reason: Schema.String },
  HttpApiSchema.annotations({ status: 402 })
) {
  override get message(): string {
    return "The payment was refused. Use another card, or ask your bank."
  }
}

/** The event was not signed by Stripe with our secret, or too long ago. */
export class InvalidSignature extends Schema.TaggedError<InvalidSignature>()(
  "InvalidSignature",
  {},
  HttpApiSchema.annotations({ status: 400 })
) {
  override get message(): string {
    return "The Stripe-Signature header does not fit the body. Check STRIPE_WEBHOOK_SECRET."
  }
}
