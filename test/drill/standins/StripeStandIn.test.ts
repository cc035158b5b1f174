import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Stripe } from "stripe"
import { Fault } from "../../../src/drill/standins/Fault.js"
import * as StripeStandIn from "../../../src/drill/standins/StripeStandIn.js"

const checkout = (client: Stripe, options?: Stripe.RequestOptions) =>
  client.checkout.sessions.create(
    {
      mode: "subscription",
      success_url: "http://127.0.0.1/paid",
      client_reference_id: "user-1",
      metadata: { plan: "pro" },
      line_items: [
        {
          quantity: 1,
          price_data: {
            currency: "usd",
            unit_amount: 1199,
            recurring: { interval: "month" },
            product_data: { name: "Pro" }
          }
        }
      ]
    },
    options
  )

const methods: ReadonlyArray<{ name: string; call: (client: Stripe) => Promise<unknown> }> = [
  { name: "balance.retrieve", call: (client) => client.balance.retrieve() },
  { name: "checkout.sessions.create", call: (client) => checkout(client) }
]

const sdk = (standIn: StripeStandIn.StripeStandIn, timeout = 10_000): Stripe => {
  const url = new URL(standIn.baseUrl)
  return new Stripe("sk_test_1", {
    host: url.hostname,
    port: url.port,
    protocol: "http",
    maxNetworkRetries: 0,
    timeout,
    telemetry: false
  })
}

const errorOf = (call: () => Promise<unknown>): Effect.Effect<unknown> =>
  Effect.flip(Effect.tryPromise({ try: call, catch: (error) => error })).pipe(Effect.orDie)

describe("the Stripe stand-in, judged by the official SDK", () => {
  for (const { name, call } of methods) {
    it.scopedLive(`${name} answers`, () =>
      Effect.gen(function* () {
        const standIn = yield* StripeStandIn.make()
        const answer = yield* Effect.promise(() => call(sdk(standIn)))
        assert.propertyVal(answer, "livemode", false)
      })
    )

    it.scopedLive(`${name} with a wrong key is a StripeAuthenticationError`, () =>
      Effect.gen(function* () {
        const standIn = yield* StripeStandIn.make({ apiKey: "sk_test_other" })
        const error = yield* errorOf(() => call(sdk(standIn)))
        assert.instanceOf(error, Stripe.errors.StripeAuthenticationError)
        assert.isString(error.requestId)
      })
    )

    it.scopedLive(`${name} over the rate limit is a StripeRateLimitError that says when`, () =>
      Effect.gen(function* () {
        const standIn = yield* StripeStandIn.make()
        yield* standIn.inject(Fault.ErrorStatus({ status: 429, retryAfter: "7" }))
        const error = yield* errorOf(() => call(sdk(standIn)))
        assert.instanceOf(error, Stripe.errors.StripeRateLimitError)
        assert.strictEqual(error.headers?.["retry-after"], "7")
      })
    )

    it.scopedLive(`${name} on a failing server is a StripeAPIError`, () =>
      Effect.gen(function* () {
        const standIn = yield* StripeStandIn.make()
        yield* standIn.inject(Fault.ErrorStatus({ status: 500 }))
        const error = yield* errorOf(() => call(sdk(standIn)))
        assert.instanceOf(error, Stripe.errors.StripeAPIError)
        assert.strictEqual(error.statusCode, 500)
      })
    )

    it.scopedLive(`${name} without an answer is a StripeConnectionError`, () =>
      Effect.gen(function* () {
        const standIn = yield* StripeStandIn.make()
        yield* standIn.inject(Fault.HangBeforeHeaders())
        const error = yield* errorOf(() => call(sdk(standIn, 200)))
        assert.instanceOf(error, Stripe.errors.StripeConnectionError)
      })
    )
  }

  it.scopedLive("a checkout session carries what was asked for, and can be read back", () =>
    Effect.gen(function* () {
      const standIn = yield* StripeStandIn.make()
      const client = sdk(standIn)
      const session = yield* Effect.promise(() => checkout(client))
      assert.strictEqual(session.amount_total, 1199)
      assert.strictEqual(session.client_reference_id, "user-1")
      assert.deepStrictEqual(session.metadata, { plan: "pro" })
      assert.isString(session.url)
      const again = yield* Effect.promise(() => client.checkout.sessions.retrieve(session.id))
      assert.strictEqual(again.id, session.id)
      const missing = yield* errorOf(() => client.checkout.sessions.retrieve("cs_none"))
      assert.instanceOf(missing, Stripe.errors.StripeInvalidRequestError)
      assert.strictEqual(missing.code, "resource_missing")
    })
  )

  it.scopedLive("one idempotency key makes one session, and refuses other parameters", () =>
    Effect.gen(function* () {
      const standIn = yield* StripeStandIn.make()
      const client = sdk(standIn)
      const first = yield* Effect.promise(() => checkout(client, { idempotencyKey: "k1" }))
      const second = yield* Effect.promise(() => checkout(client, { idempotencyKey: "k1" }))
      assert.strictEqual(second.id, first.id)
      assert.strictEqual(second.lastResponse.headers["idempotent-replayed"], "true")
      assert.notProperty(first.lastResponse.headers, "idempotent-replayed")
      assert.lengthOf(yield* standIn.sessions, 1)
      const other = yield* errorOf(() =>
        client.checkout.sessions.create(
          { mode: "payment", success_url: "http://127.0.0.1", line_items: [{ price: "p", quantity: 1 }] },
          { idempotencyKey: "k1" }
        )
      )
      assert.instanceOf(other, Stripe.errors.StripeIdempotencyError)
    })
  )

  it.scopedLive("a key whose first request is still running is answered 409 with its code", () =>
    Effect.gen(function* () {
      const standIn = yield* StripeStandIn.make()
      yield* standIn.inject(Fault.Slow({ millis: 100 }), { times: 1 })
      const client = sdk(standIn)
      const first = checkout(client, { idempotencyKey: "k1" })
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 30)))
      const error = yield* errorOf(() => checkout(client, { idempotencyKey: "k1" }))
      assert.propertyVal(error, "code", "idempotency_key_in_use")
      assert.propertyVal(error, "statusCode", 409)
      yield* Effect.promise(() => first)
    })
  )

  it.scopedLive("a declined card and a bad request have the SDK's own classes", () =>
    Effect.gen(function* () {
      const standIn = yield* StripeStandIn.make()
      const client = sdk(standIn)
      yield* standIn.inject(Fault.ErrorStatus({ status: 402 }), { times: 1 })
      const declined = yield* errorOf(() => checkout(client))
      assert.instanceOf(declined, Stripe.errors.StripeCardError)
      assert.strictEqual(declined.decline_code, "generic_decline")
      const empty = yield* errorOf(() => client.checkout.sessions.create({ mode: "payment", success_url: "x" }))
      assert.instanceOf(empty, Stripe.errors.StripeInvalidRequestError)
      assert.strictEqual(empty.param, "line_items")
    })
  )

  it.scopedLive("the SDK obeys stripe-should-retry as it stands in our answer", () =>
    Effect.gen(function* () {
      const standIn = yield* StripeStandIn.make()
      const url = new URL(standIn.baseUrl)
      const client = new Stripe("sk_test_1", {
        host: url.hostname,
        port: url.port,
        protocol: "http",
        maxNetworkRetries: 1,
        telemetry: false
      })
      yield* standIn.inject(Fault.ErrorStatus({ status: 500, headers: { "stripe-should-retry": "false" } }), {
        times: 1
      })
      yield* errorOf(() => checkout(client))
      assert.lengthOf(yield* standIn.requests, 1)
      yield* standIn.inject(Fault.ErrorStatus({ status: 400, headers: { "stripe-should-retry": "true" } }), {
        times: 1
      })
      yield* Effect.promise(() => checkout(client))
      assert.lengthOf(yield* standIn.requests, 3)
    })
  )

  it.scopedLive("the SDK accepts a signed event, and refuses a tampered, a foreign and an old one", () =>
    Effect.gen(function* () {
      const standIn = yield* StripeStandIn.make()
      const client = sdk(standIn)
      const session = yield* Effect.promise(() => checkout(client))
      const paid = yield* standIn.pay(session.id)
      const verify = (body: string, header: string) =>
        client.webhooks.constructEvent(body, header, standIn.webhookSecret)
      const event = verify(paid.body, paid.headers["stripe-signature"])
      assert.strictEqual(event.type, "checkout.session.completed")
      assert.propertyVal(event.data.object, "payment_status", "paid")

      const foreign = yield* standIn.event("x", {}, { secret: "whsec_other" })
      const old = yield* standIn.event("x", {}, { signedAt: 1 })
      const refused: ReadonlyArray<readonly [string, string]> = [
        [`${paid.body} `, paid.headers["stripe-signature"]],
        [foreign.body, foreign.headers["stripe-signature"]],
        [old.body, old.headers["stripe-signature"]]
      ]
      for (const [body, header] of refused) {
        const error = yield* errorOf(async () => verify(body, header))
        assert.instanceOf(error, Stripe.errors.StripeSignatureVerificationError)
      }
    })
  )
})
