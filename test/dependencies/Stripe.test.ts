import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Fault } from "../../src/drill/standins/Fault.js"
import { parseForm } from "../../src/drill/standins/BracketedForm.js"
import { stripe } from "./support.js"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe("Stripe", () => {
  it.scopedLive("makes a session for the plan, with its version and its key", () =>
    Effect.gen(function* () {
      const rig = yield* stripe()
      const session = yield* rig.call
      assert.match(session.url, /^http:.*cs_test_/)
      const [request] = (yield* rig.standIn.requests).filter(({ path }) => path === rig.path)
      assert.strictEqual(request?.headers["stripe-version"], "2026-10-28.endive")
      assert.strictEqual(request?.headers["idempotency-key"], "row-1")
      const [made] = yield* rig.standIn.sessions
      assert.deepInclude(made, { id: session.sessionId, client_reference_id: "user-1", amount_total: 1199 })
      assert.strictEqual(JSON.stringify(made?.["metadata"]), `{"plan":"pro"}`)
    })
  )

  it.scopedLive("a price of the account takes the place of the plan's own", () =>
    Effect.gen(function* () {
      const rig = yield* stripe({ STRIPE_PRICE_PRO: "price_1" })
      yield* rig.call
      const [request] = (yield* rig.standIn.requests).filter(({ path }) => path === rig.path)
      assert.strictEqual(
        JSON.stringify(parseForm(request?.body ?? "")["line_items"]),
        `{"0":{"quantity":"1","price":"price_1"}}`
      )
    })
  )

  it.scopedLive("one key over all retries makes one session, though the first answer was lost", () =>
    Effect.gen(function* () {
      const rig = yield* stripe()
      yield* rig.standIn.inject(Fault.Truncated(), { path: rig.path, times: 1 })
      yield* rig.standIn.inject(Fault.ErrorStatus({ status: 500 }), { path: rig.path, times: 1 })
      const session = yield* rig.call
      const keys = (yield* rig.standIn.requests)
        .filter(({ path }) => path === rig.path)
        .map(({ headers }) => headers["idempotency-key"])
      assert.deepStrictEqual(keys, ["row-1", "row-1", "row-1"])
      assert.deepStrictEqual(
        (yield* rig.standIn.sessions).map(({ id }) => id),
        [session.sessionId]
      )
    })
  )

  it.scopedLive("obeys stripe-should-retry against its own opinion, both ways", () =>
    Effect.gen(function* () {
      const rig = yield* stripe()
      const asked = Effect.map(rig.standIn.requests, (all) => all.filter(({ path }) => path === rig.path).length)
      const headers = (value: string) => ({ "stripe-should-retry": value })
      yield* rig.standIn.inject(Fault.ErrorStatus({ status: 500, headers: headers("false") }), {
        path: rig.path,
        times: 1
      })
      yield* Effect.flip(rig.call)
      assert.strictEqual(yield* asked, 1)
      yield* rig.standIn.inject(Fault.ErrorStatus({ status: 400, headers: headers("true") }), {
        path: rig.path,
        times: 1
      })
      yield* rig.call
      assert.strictEqual(yield* asked, 3)
    })
  )

  it.scopedLive("a declined card is an answer: not retried, not counted, not in the log", () =>
    Effect.gen(function* () {
      const rig = yield* stripe()
      yield* rig.standIn.inject(Fault.ErrorStatus({ status: 402 }), { path: rig.path })
      const error = yield* Effect.flip(rig.call)
      assert.deepInclude(error, { _tag: "StripeError", reason: "declined", code: "generic_decline" })
      assert.strictEqual((yield* rig.dependency.breaker.status).failures, 0)
      assert.lengthOf(yield* rig.health.getRecentErrors(), 0)
    })
  )

  it.scopedLive("a conflict is retried and is no outage", () =>
    Effect.gen(function* () {
      const rig = yield* stripe()
      yield* rig.standIn.inject(Fault.ErrorStatus({ status: 409 }), { path: rig.path, times: 2 })
      yield* rig.call
      assert.strictEqual((yield* rig.dependency.breaker.status).failures, 0)
    })
  )

  it.scopedLive("believes a signed event, and no other, while Stripe itself is down", () =>
    Effect.gen(function* () {
      const rig = yield* stripe()
      const { sessionId } = yield* rig.call
      const paid = yield* rig.standIn.pay(sessionId)
      const old = yield* rig.standIn.event("x", {}, { signedAt: 1 })
      const foreign = yield* rig.standIn.event("x", {}, { secret: "whsec_other" })
      yield* rig.standIn.inject(Fault.Refuse())
      const verify = ({ body, headers }: typeof paid) =>
        rig.service.verifyWebhook(bytes(body), headers["stripe-signature"])
      const event = yield* verify(paid)
      assert.deepInclude(event, { id: paid.id, type: "checkout.session.completed" })
      assert.deepStrictEqual(event.payload, JSON.parse(paid.body))
      assert.deepInclude(yield* Effect.flip(verify(old)), { _tag: "InvalidSignature", reason: "too-old" })
      assert.deepInclude(yield* Effect.flip(verify(foreign)), { _tag: "InvalidSignature", reason: "mismatch" })
      const tampered = verify({ ...paid, body: paid.body.replace("pro", "max") })
      assert.deepInclude(yield* Effect.flip(tampered), { _tag: "InvalidSignature", reason: "mismatch" })
      assert.deepInclude(
        yield* Effect.flip(verify({ ...paid, headers: { ...paid.headers, "stripe-signature": "" } })),
        {
          reason: "malformed"
        }
      )
    })
  )

  it.scopedLive("without a secret no event is believed; without a key nothing is sold", () =>
    Effect.gen(function* () {
      const rig = yield* stripe({ STRIPE_SECRET_KEY: "", STRIPE_WEBHOOK_SECRET: "" })
      const event = yield* rig.standIn.event("x", {})
      const refused = yield* Effect.flip(
        rig.service.verifyWebhook(bytes(event.body), event.headers["stripe-signature"])
      )
      assert.strictEqual(refused.reason, "not-configured")
      assert.strictEqual((yield* Effect.flip(rig.call)).reason, "not-configured")
    })
  )
})
