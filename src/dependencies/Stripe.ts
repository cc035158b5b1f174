/**
 * Stripe, as far as we use it: a page on which a user pays for a plan, and the events that say what became of it.
 *
 * Making a checkout session carries an idempotency key, so that a retry, or a second try after a crash, makes no second
 * session. Whether a refused request may be repeated is for Stripe to say (`stripe-should-retry`). A declined card is an
 * answer to the user and not an outage.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { HealthMonitor } from "../health/HealthMonitor.js"
import type { CircuitBreakers } from "../resilience/CircuitBreakers.js"
import type { Rejection } from "../resilience/Rejection.js"
import type { Dependencies } from "./Dependencies.js"
import * as Dependency from "./Dependency.js"
import { Settings } from "./Settings.js"
import * as StripeForm from "./StripeForm.js"
import * as StripeSignature from "./StripeSignature.js"
import * as UpstreamFailure from "./UpstreamFailure.js"
import * as UpstreamHttp from "./UpstreamHttp.js"

/**
 * The version of the API that this client was written for; Stripe answers in it whatever the account's default is.
 *
 * @since 0.1.0
 * @category constants
 */
export const apiVersion = "2026-10-28.endive"

/**
 * Beside the common ones:
 *
 * - `declined`: the card or its bank refused.
 * - `conflict`: another request with the same key or on the same object is still running.
 *
 * @since 0.1.0
 * @category errors
 */
export type StripeReason = "declined" | "conflict"

/**
 * @since 0.1.0
 * @category errors
 */
export class StripeError extends Data.TaggedError("StripeError")<UpstreamFailure.UpstreamFailure<StripeReason>> {
  override get message(): string {
    return UpstreamFailure.describe(this)
  }
}

/**
 * An event that Stripe did not sign with our secret, or too long ago, or that is no event. Says nothing about Stripe.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidSignature extends Data.TaggedError("InvalidSignature")<{
  readonly reason: Exclude<StripeSignature.Verdict, "valid"> | "not-an-event"
}> {
  override get message(): string {
    return `A webhook event was refused (${this.reason})`
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface CheckoutRequest {
  /** Names the wish to buy: the same key for each try, another one for the next wish. */
  readonly idempotencyKey: string
  /** Our user, who comes back in the event. */
  readonly clientReferenceId: string
  readonly plan: {
    readonly id: string
    readonly name: string
    readonly priceCents: number
    /** Three letters, in any case. */
    readonly currency: string
    readonly interval: string
  }
  readonly successUrl: string
  readonly cancelUrl: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSession {
  readonly sessionId: string
  /** Where the user pays. */
  readonly url: string
}

/**
 * An event that Stripe has signed. `payload` is the whole of it, as parsed JSON.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebhookEvent {
  readonly id: string
  readonly type: string
  readonly payload: unknown
}

/**
 * @since 0.1.0
 * @category models
 */
export interface StripeShape {
  readonly dependency: Dependency.Dependency
  /** Retried under the same key, which makes at most one session. */
  readonly createCheckoutSession: (request: CheckoutRequest) => Effect.Effect<CheckoutSession, StripeError | Rejection>
  /** Ends a subscription at once. One that has ended, or that Stripe does not know, is ended. */
  readonly cancelSubscription: (id: string) => Effect.Effect<void, StripeError | Rejection>
  /**
   * Reads an event from the bytes that came and the `Stripe-Signature` header. Asks nobody, so it works while Stripe is
   * down. Without a secret nothing is believed: `StripeError` with `not-configured`.
   */
  readonly verifyWebhook: (
    body: Uint8Array,
    signature: string
  ) => Effect.Effect<WebhookEvent, InvalidSignature | StripeError>
}

/**
 * @since 0.1.0
 * @category services
 */
export class Stripe extends Context.Tag("@dialdrill/selfheal/dependencies/Stripe")<Stripe, StripeShape>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  StripeShape,
  Dependency.DependencyConfigurationError,
  Settings | CircuitBreakers | Dependencies | HealthMonitor | Scope.Scope
> = Effect.gen(function* () {
  const { baseUrl, key, policy, prices, webhookSecret } = (yield* Settings).stripe
  const http =
    key === undefined
      ? undefined
      : yield* UpstreamHttp.make({
          baseUrl,
          key,
          credential: { header: "authorization", prefix: "Bearer " },
          requestIdHeader: "request-id",
          headers: { "stripe-version": apiVersion },
          connectTimeout: policy.attemptTimeout
        })

  const send = <A, I>(
    operation: string,
    request: HttpClientRequest.HttpClientRequest,
    answer: Schema.Schema<A, I>
  ): Effect.Effect<A, StripeError> =>
    http === undefined
      ? Effect.fail(notConfigured(operation, "STRIPE_SECRET_KEY"))
      : Effect.mapError(http.send(request, answer), (problem) => errorOf(operation, problem))

  const dependency = yield* Dependency.make({
    name: "stripe",
    critical: false,
    configured: key !== undefined,
    policy,
    // Reads only, and proves the key.
    probe: Effect.asVoid(send("probe", HttpClientRequest.get("/v1/balance"), Balance))
    // No fallback: nothing can be sold without it.
  })

  const createCheckoutSession: StripeShape["createCheckoutSession"] = (request) => {
    const attempt = send(
      "checkout",
      HttpClientRequest.post("/v1/checkout/sessions").pipe(
        HttpClientRequest.setHeader("idempotency-key", request.idempotencyKey),
        HttpClientRequest.bodyText(
          StripeForm.encode(checkoutForm(request, prices[request.plan.id])),
          "application/x-www-form-urlencoded"
        )
      ),
      Session
    ).pipe(Effect.map(({ id, url }) => ({ sessionId: id, url })))
    return http === undefined ? attempt : dependency.call("checkout", attempt, { idempotent: true })
  }

  const cancelSubscription: StripeShape["cancelSubscription"] = (id) => {
    const attempt = send(
      "cancel",
      HttpClientRequest.del(`/v1/subscriptions/${encodeURIComponent(id)}`),
      Subscription
    ).pipe(
      Effect.asVoid,
      Effect.catchIf(
        ({ status }) => status === 404,
        () => Effect.void
      )
    )
    return http === undefined ? attempt : dependency.call("cancel", attempt, { idempotent: true })
  }

  const verifyWebhook: StripeShape["verifyWebhook"] = (body, signature) =>
    Effect.gen(function* () {
      if (webhookSecret === undefined) return yield* notConfigured("webhook", "STRIPE_WEBHOOK_SECRET")
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const reason = StripeSignature.verify({ body, header: signature, secret: Redacted.value(webhookSecret), now })
      if (reason !== "valid") return yield* new InvalidSignature({ reason })
      const text = new TextDecoder().decode(body)
      const payload = yield* Effect.mapError(
        Schema.decode(Schema.parseJson(Schema.Unknown))(text),
        () => new InvalidSignature({ reason: "not-an-event" })
      )
      const event = yield* Effect.mapError(
        Schema.decodeUnknown(Event)(payload),
        () => new InvalidSignature({ reason: "not-an-event" })
      )
      return { ...event, payload }
    })

  return { dependency, createCheckoutSession, cancelSubscription, verifyWebhook }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  Stripe,
  Dependency.DependencyConfigurationError,
  Settings | CircuitBreakers | Dependencies | HealthMonitor
> = Layer.scoped(Stripe, make)

const Balance = Schema.Struct({ object: Schema.Literal("balance") })

const Session = Schema.Struct({ id: Schema.String, url: Schema.String })

const Subscription = Schema.Struct({ id: Schema.String })

const Event = Schema.Struct({ id: Schema.String, type: Schema.String })

const checkoutForm = (request: CheckoutRequest, price: string | undefined): StripeForm.Form => ({
  mode: "subscription",
  client_reference_id: request.clientReferenceId,
  metadata: { plan: request.plan.id },
  // The event that ends a subscription carries the subscription's metadata and not the session's.
  subscription_data: { metadata: { plan: request.plan.id, user: request.clientReferenceId } },
  success_url: request.successUrl,
  cancel_url: request.cancelUrl,
  line_items: [
    {
      quantity: 1,
      ...(price === undefined
        ? {
            price_data: {
              currency: request.plan.currency.toLowerCase(),
              unit_amount: request.plan.priceCents,
              recurring: { interval: request.plan.interval },
              product_data: { name: request.plan.name }
            }
          }
        : { price })
    }
  ]
})

const verdictOf = (reason: StripeReason | UpstreamFailure.CommonReason): UpstreamFailure.Verdict => {
  switch (reason) {
    case "declined":
      return { ...UpstreamFailure.refusal, isExpected: true }
    case "conflict":
      return { ...UpstreamFailure.refusal, isRetryable: true }
    default:
      return UpstreamFailure.verdicts[reason]
  }
}

const notConfigured = (operation: string, variable: string): StripeError =>
  new StripeError(UpstreamFailure.notConfigured("stripe", operation, variable))

const errorOf = (operation: string, problem: UpstreamFailure.Problem): StripeError =>
  new StripeError(
    UpstreamFailure.judge<StripeReason>({
      service: "stripe",
      operation,
      problem,
      verdictOf,
      read: ({ body, headers, status }) => {
        const error = UpstreamFailure.field(body, "error")
        const type = UpstreamFailure.textField(error, "type")
        const shouldRetry = headers["stripe-should-retry"]
        return {
          reason:
            status === 402 || type === "card_error"
              ? "declined"
              : status === 409
                ? "conflict"
                : UpstreamFailure.reasonOfStatus(status),
          code: UpstreamFailure.textField(error, "decline_code") ?? UpstreamFailure.textField(error, "code") ?? type,
          message: UpstreamFailure.textField(error, "message"),
          isRetryable: shouldRetry === "true" ? true : shouldRetry === "false" ? false : undefined
        }
      }
    })
  )
