/**
 * A stand-in for Stripe: checkout sessions and the balance as they are on the wire (bracketed forms, idempotency keys
 * that replay the first answer, `stripe-should-retry`), and signed webhook events.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import { parseForm, type FormObject } from "./BracketedForm.js"
import * as StandIn from "./StandIn.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The only key that is accepted; any `sk_...` without it. */
  readonly apiKey?: string
  /** Signs the webhook events. Default `whsec_stand_in`. */
  readonly webhookSecret?: string
}

/**
 * An event as it is sent to a webhook endpoint: the raw body and the headers that belong to it.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebhookDelivery {
  readonly id: string
  readonly body: string
  readonly headers: { readonly "content-type": string; readonly "stripe-signature": string }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface StripeStandIn extends StandIn.StandIn {
  /** What `STRIPE_BASE_URL` is set to. */
  readonly baseUrl: string
  readonly webhookSecret: string
  /** The sessions that were made, in order; a replay makes none. */
  readonly sessions: Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>
  /**
   * An event of any type, signed now; `signedAt` (unix seconds) and `secret` make the ones that must be refused.
   */
  readonly event: (
    type: string,
    object: unknown,
    options?: { readonly id?: string; readonly signedAt?: number; readonly secret?: string }
  ) => Effect.Effect<WebhookDelivery>
  /** The customer pays: the session is complete, and this is the event that says so. */
  readonly pay: (sessionId: string) => Effect.Effect<WebhookDelivery>
}

/**
 * Starts a Stripe on a free port.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<StripeStandIn, never, Scope.Scope> =>
  Effect.gen(function* () {
    const webhookSecret = options.webhookSecret ?? "whsec_stand_in"
    const sessions = new Map<string, Record<string, unknown>>()
    const remembered = new Map<string, { readonly first: StandIn.Exchange; readonly answer: StandIn.Answer }>()
    const cancelled = new Set<string>()
    let serial = 0

    const answer = (exchange: StandIn.Exchange): StandIn.Answer => {
      const bearer = /^Bearer (.+)$/.exec(exchange.headers["authorization"] ?? "")?.[1]
      if (
        bearer === undefined ||
        !(options.apiKey === undefined ? bearer.startsWith("sk_") : bearer === options.apiKey)
      ) {
        return error(401, undefined)
      }
      const key = exchange.headers["idempotency-key"]
      const answer = key === undefined || exchange.method !== "POST" ? handle(exchange) : once(key, exchange)
      const version = exchange.headers["stripe-version"]
      const headers = {
        "request-id": requestId(),
        ...(version === undefined ? {} : { "stripe-version": version }),
        ...(key === undefined ? {} : { "idempotency-key": key })
      }
      return { ...answer, headers: { ...headers, ...answer.headers } }
    }

    /** The first answer for a key is the answer for ever, unless the second request is another one. */
    const once = (key: string, exchange: StandIn.Exchange): StandIn.Answer => {
      const seen = remembered.get(key)
      if (seen === undefined) {
        const answer = handle(exchange)
        remembered.set(key, { first: exchange, answer })
        return answer
      }
      if (seen.first.path !== exchange.path || seen.first.body !== exchange.body)
        return error(400, "idempotency_mismatch")
      if (seen.first.end === "pending") return error(409, "idempotency_key_in_use")
      return { ...seen.answer, headers: { ...seen.answer.headers, "idempotent-replayed": "true" } }
    }

    const handle = (exchange: StandIn.Exchange): StandIn.Answer => {
      if (exchange.method === "GET" && exchange.path === "/v1/balance") return { status: 200, body: balance }
      if (exchange.method === "POST" && exchange.path === "/v1/checkout/sessions") return checkout(exchange)
      const id = /^\/v1\/checkout\/sessions\/([^/]+)$/.exec(exchange.path)?.[1]
      if (exchange.method === "GET" && id !== undefined) {
        const session = sessions.get(id)
        return session === undefined ? error(404, "resource_missing") : { status: 200, body: session }
      }
      const subscription = /^\/v1\/subscriptions\/([^/]+)$/.exec(exchange.path)?.[1]
      if (exchange.method === "DELETE" && subscription !== undefined) {
        const known = [...sessions.values()].some((session) => session["subscription"] === subscription)
        return known && !cancelled.has(subscription) ? cancel(subscription) : error(404, "resource_missing")
      }
      const message = `Unrecognized request URL (${exchange.method}: ${exchange.path}).`
      return { status: 404, body: { error: { type: "invalid_request_error", message } } }
    }

    const cancel = (id: string): StandIn.Answer => {
      cancelled.add(id)
      return { status: 200, body: { id, object: "subscription", status: "canceled" } }
    }

    const checkout = (exchange: StandIn.Exchange): StandIn.Answer => {
      const form = parseForm(exchange.body)
      const unknown = Object.keys(form).find((name) => !parameters.has(name))
      if (unknown !== undefined) return invalid("parameter_unknown", `Received unknown parameter: ${unknown}`, unknown)
      const mode = form["mode"]
      if (mode !== "payment" && mode !== "subscription") {
        return invalid(undefined, "Invalid mode: must be one of payment, setup, or subscription", "mode")
      }
      const items = Object.values(typeof form["line_items"] === "object" ? form["line_items"] : {})
      if (items.length === 0) {
        return invalid("parameter_missing", "You must provide `line_items` to create a session.", "line_items")
      }
      if (typeof form["success_url"] !== "string") {
        return invalid("parameter_missing", "Missing required param: success_url.", "success_url")
      }
      serial += 1
      const id = `cs_test_${serial}`
      const total = items.reduce((sum: number, item) => sum + amountOf(item), 0)
      const session = {
        id,
        object: "checkout.session",
        amount_subtotal: total,
        amount_total: total,
        cancel_url: form["cancel_url"] ?? null,
        client_reference_id: form["client_reference_id"] ?? null,
        created: Math.floor(Date.now() / 1000),
        currency: "usd",
        customer: null,
        customer_email: form["customer_email"] ?? null,
        expires_at: Math.floor(Date.now() / 1000) + 86_400,
        livemode: false,
        metadata: form["metadata"] ?? {},
        mode,
        payment_status: "unpaid",
        status: "open",
        subscription: null,
        success_url: form["success_url"],
        url: `http://${exchange.headers["host"] ?? "127.0.0.1"}/c/pay/${id}`
      }
      sessions.set(id, session)
      return { status: 200, body: session }
    }

    const event: StripeStandIn["event"] = (type, object, options) =>
      Effect.map(Clock.currentTimeMillis, (millis) => {
        serial += 1
        const now = Math.floor(millis / 1000)
        const id = options?.id ?? `evt_${serial}`
        const body = JSON.stringify({
          id,
          object: "event",
          api_version: "2026-10-28.endive",
          created: now,
          data: { object },
          livemode: false,
          pending_webhooks: 1,
          request: { id: null, idempotency_key: null },
          type
        })
        const at = options?.signedAt ?? now
        const signature = Crypto.createHmac("sha256", options?.secret ?? webhookSecret)
          .update(`${at}.${body}`)
          .digest("hex")
        return {
          id,
          body,
          headers: { "content-type": "application/json; charset=utf-8", "stripe-signature": `t=${at},v1=${signature}` }
        }
      })

    const pay: StripeStandIn["pay"] = (sessionId) =>
      Effect.suspend(() => {
        const session = sessions.get(sessionId)
        if (session === undefined) return Effect.dieMessage(`There is no checkout session ${sessionId}`)
        const subscription = session["mode"] === "subscription" ? `sub_${sessionId.slice(8)}` : null
        const paid = {
          ...session,
          status: "complete",
          payment_status: "paid",
          subscription,
          customer: `cus_${sessionId.slice(8)}`
        }
        sessions.set(sessionId, paid)
        return event("checkout.session.completed", paid)
      })

    const standIn = yield* StandIn.make({ name: "stripe", answer, error })
    return {
      ...standIn,
      baseUrl: standIn.url,
      webhookSecret,
      sessions: Effect.sync(() => [...sessions.values()]),
      event,
      pay
    }
  })

/** The parameters of a session that we know of; Stripe refuses others by name. */
const parameters = new Set([
  "allow_promotion_codes",
  "cancel_url",
  "client_reference_id",
  "customer",
  "customer_email",
  "expires_at",
  "line_items",
  "locale",
  "metadata",
  "mode",
  "payment_method_types",
  "subscription_data",
  "success_url"
])

const balance = {
  object: "balance",
  available: [{ amount: 0, currency: "usd", source_types: { card: 0 } }],
  livemode: false,
  pending: [{ amount: 0, currency: "usd", source_types: { card: 0 } }]
}

const amountOf = (item: string | FormObject): number => {
  if (typeof item === "string") return 0
  const price = item["price_data"]
  const unit = typeof price === "object" ? Number(price["unit_amount"] ?? 0) : 1000
  return unit * Number(item["quantity"] ?? 1)
}

const requestId = (): string => `req_${Crypto.randomUUID().slice(-12)}`

const invalid = (code: string | undefined, message: string, param: string): StandIn.Answer => ({
  status: 400,
  body: { error: { ...(code === undefined ? {} : { code }), message, param, type: "invalid_request_error" } }
})

const error = (status: number, code: string | undefined): StandIn.Answer => {
  const known: Record<string, { readonly type: string; readonly message: string; readonly [extra: string]: string }> = {
    card_declined: {
      type: "card_error",
      message: "Your card was declined.",
      decline_code: "generic_decline",
      param: ""
    },
    idempotency_mismatch: {
      type: "idempotency_error",
      message: "Keys for idempotent requests can only be used with the same parameters they were first used with."
    },
    idempotency_key_in_use: {
      type: "idempotency_error",
      message: "There is currently another in-progress request using this Idempotent Key."
    },
    lock_timeout: { type: "invalid_request_error", message: "This object cannot be accessed right now." },
    rate_limit: { type: "invalid_request_error", message: "Request rate limit exceeded." },
    resource_missing: { type: "invalid_request_error", message: "No such checkout.session", param: "session" }
  }
  const usual: Record<number, string> = {
    402: "card_declined",
    404: "resource_missing",
    409: "lock_timeout",
    429: "rate_limit"
  }
  const chosen = code ?? usual[status]
  const base =
    status === 401
      ? { type: "invalid_request_error", message: "Invalid API Key provided: sk_test_****" }
      : {
          type: status >= 500 ? "api_error" : "invalid_request_error",
          message: "Something went wrong on Stripe's end."
        }
  const words = chosen === undefined ? base : { code: chosen, ...(known[chosen] ?? base) }
  return { status, headers: { "request-id": requestId() }, body: { error: words } }
}
