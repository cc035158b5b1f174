/** The routes of plans and buying, and Stripe's events in every order and state. */
import { assert, describe, it } from "vitest"
import { Fault } from "../../../src/drill/standins/Fault.js"
import type { WebhookDelivery } from "../../../src/drill/standins/StripeStandIn.js"
import type { Reply } from "../../support/Server.js"
import { run, type App, type User } from "../support/App.js"

export const billing = (app: () => App): void => {
  const deliver = async ({ body, headers }: Pick<WebhookDelivery, "body"> & { headers: Record<string, string> }) => {
    const response = await fetch(`${app().url}/api/billing/webhook`, { method: "POST", headers, body })
    return { status: response.status, headers: response.headers, body: await response.json() } satisfies Reply
  }
  const planOf = async (user: User): Promise<string> => (await user.get("/api/billing")).body.plan.id
  const checkoutsOf = async (user: User) =>
    (await run(app().stripe.sessions)).filter((session) => session["client_reference_id"] === user.name)

  describe("GET /api/plans", () => {
    it("lists what can be bought", async () => {
      const { body, status } = await app().get("/api/plans")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(
        body.plans.map(({ id }: { id: string }) => id),
        ["starter", "pro"]
      )
      assert.deepStrictEqual(Object.keys(body.plans[0]).sort(), [
        "callsPerMonth",
        "currency",
        "id",
        "interval",
        "maxCallSeconds",
        "name",
        "priceCents"
      ])
    })
  })

  describe("GET /api/billing", () => {
    it("has every user begin on the free plan and counts the calls", async () => {
      const user = app().user()
      await user.start()
      const { body } = await user.get("/api/billing")
      assert.deepInclude(body.plan, { id: "free", callsPerMonth: 20, maxCallSeconds: 300 })
      assert.deepInclude(body, { callsUsed: 1, callsRemaining: 19 })
      assert.isAbove(Date.parse(body.periodEndsAt), Date.now())
    })
  })

  describe("POST /api/billing/checkout", () => {
    it("answers where the user can pay", async () => {
      const user = app().user()
      const { body, status } = await user.post("/api/billing/checkout", { plan: "pro" })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(Object.keys(body).sort(), ["sessionId", "url"])
      const [session] = await checkoutsOf(user)
      assert.deepInclude(session, { id: body.sessionId, url: body.url, metadata: { plan: "pro" } })
      assert.strictEqual(session?.["success_url"], `${app().url}/?checkout=success`)
    })

    it("makes one session of a double click, be it one after the other or both at once", async () => {
      const user = app().user()
      const click = () => user.post("/api/billing/checkout", { plan: "starter" })
      const replies = [...(await Promise.all([click(), click()])), await click()]
      for (const { body, status } of replies) {
        assert.strictEqual(status, 200, JSON.stringify(body))
        assert.deepStrictEqual(body, replies[0]?.body)
      }
      assert.strictEqual((await checkoutsOf(user)).length, 1)
    })

    it("makes another session for another plan", async () => {
      const user = app().user()
      const starter = await user.post("/api/billing/checkout", { plan: "starter" })
      const pro = await user.post("/api/billing/checkout", { plan: "pro" })
      assert.notStrictEqual(starter.body.sessionId, pro.body.sessionId)
    })

    it.each([{}, { plan: "free" }, { plan: "gold" }])("refuses %j with 400", async (sent) => {
      const { body, status } = await app().user().post("/api/billing/checkout", sent)
      assert.strictEqual(status, 400)
      assert.deepInclude(body.issues[0], { path: ["plan"] })
    })

    it("tells a declined card to the user and holds it against nobody", async () => {
      await run(app().stripe.inject(Fault.ErrorStatus({ status: 402 }), { path: "/v1/checkout", times: 1 }))
      const { body, status } = await app().user().post("/api/billing/checkout", { plan: "pro" })
      assert.strictEqual(status, 402)
      assert.strictEqual(body.code, "payment-refused")
      const { body: errors } = await app().get("/api/errors?service=stripe")
      assert.deepStrictEqual(errors.errors, [])
      const { body: system } = await app().get("/api/status")
      const { circuitBreaker } = system.dependencies.find(({ name }: { name: string }) => name === "stripe")
      assert.deepInclude(circuitBreaker, { state: "closed", failures: 0 })
    })
  })

  describe("POST /api/billing/webhook", () => {
    /** The user buys the plan; gives the event that says so, undelivered. */
    const paid = async (user: User, plan: string): Promise<WebhookDelivery> => {
      const { body } = await user.post("/api/billing/checkout", { plan })
      return run(app().stripe.pay(body.sessionId))
    }
    const subscriptionOf = (event: WebhookDelivery): string => JSON.parse(event.body).data.object.subscription
    const ended = (subscription: string): Promise<WebhookDelivery> =>
      run(app().stripe.event("customer.subscription.deleted", { id: subscription, object: "subscription" }))

    it("puts who has paid on the plan, once, and back when the subscription ends", async () => {
      const user = app().user()
      const event = await paid(user, "pro")
      assert.strictEqual(await planOf(user), "free")
      const { body, headers, status } = await deliver(event)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body, { received: true })
      assert.isNull(headers.get("x-ratelimit-limit"))
      assert.strictEqual(await planOf(user), "pro")

      const again = await user.post("/api/billing/checkout", { plan: "pro" })
      assert.strictEqual(again.status, 409)
      assert.strictEqual(again.body.code, "already-on-plan")

      assert.strictEqual((await deliver(await ended(subscriptionOf(event)))).status, 200)
      assert.strictEqual(await planOf(user), "free")
      assert.strictEqual((await deliver(event)).status, 200)
      assert.strictEqual(await planOf(user), "free", "a repeated event was applied again")
    })

    it("ends the subscription that a newly paid one takes the place of, once, and waits for Stripe to be there", async () => {
      const user = app().user()
      const starter = await paid(user, "starter")
      await deliver(starter)
      const pro = await paid(user, "pro")
      const cancelled = async (): Promise<number> =>
        (await run(app().stripe.requests)).filter(
          ({ method, path }) => method === "DELETE" && path === `/v1/subscriptions/${subscriptionOf(starter)}`
        ).length

      await run(app().stripe.inject(Fault.ErrorStatus({ status: 500 }), { path: "/v1/subscriptions" }))
      const refused = await deliver(pro)
      assert.strictEqual(refused.status, 503)
      assert.strictEqual(refused.body.service, "stripe")
      assert.strictEqual(await planOf(user), "starter")
      const tried = await cancelled()

      await run(app().stripe.heal)
      assert.strictEqual((await deliver(pro)).status, 200)
      assert.strictEqual(await planOf(user), "pro")
      assert.strictEqual(await cancelled(), tried + 1)
      assert.strictEqual((await deliver(starter)).status, 200)
      assert.strictEqual((await deliver(pro)).status, 200)
      assert.strictEqual(await planOf(user), "pro")
      assert.strictEqual(await cancelled(), tried + 1, "an event that was applied cancelled again")
    })

    it("applies an event once when it is delivered twice at the same moment", async () => {
      const user = app().user()
      const event = await paid(user, "starter")
      const replies = await Promise.all([deliver(event), deliver(event)])
      assert.deepStrictEqual(
        replies.map(({ status }) => status),
        [200, 200]
      )
      assert.strictEqual(await planOf(user), "starter")
    })

    it("keeps a subscription ended whose end was told before its beginning", async () => {
      const user = app().user()
      const event = await paid(user, "pro")
      assert.strictEqual((await deliver(await ended(subscriptionOf(event)))).status, 200)
      assert.strictEqual((await deliver(event)).status, 200)
      assert.strictEqual(await planOf(user), "free")
    })

    it("leaves a user on a new plan whose old subscription ends afterwards", async () => {
      const user = app().user()
      const starter = await paid(user, "starter")
      await deliver(starter)
      await deliver(await paid(user, "pro"))
      await deliver(await ended(subscriptionOf(starter)))
      assert.strictEqual(await planOf(user), "pro")
    })

    it("waits for money that is still on its way", async () => {
      const user = app().user()
      const object = {
        id: "cs_later",
        client_reference_id: user.name,
        metadata: { plan: "pro" },
        subscription: `sub_later_${user.name}`
      }
      const later = (type: string, payment_status: string) =>
        run(app().stripe.event(type, { ...object, payment_status }))
      await deliver(await later("checkout.session.completed", "unpaid"))
      assert.strictEqual(await planOf(user), "free")
      await deliver(await later("checkout.session.async_payment_succeeded", "paid"))
      assert.strictEqual(await planOf(user), "pro")
    })

    it("answers 200 to a verified event that cannot be applied, or is none of ours", async () => {
      const { stripe } = app()
      const strange = [
        await run(stripe.event("checkout.session.completed", { client_reference_id: null, payment_status: "paid" })),
        await run(stripe.event("customer.subscription.deleted", { id: "sub_nobody" })),
        await run(stripe.event("customer.subscription.deleted", {})),
        await run(stripe.event("invoice.paid", { note: "a\u0000b" }))
      ]
      for (const event of strange) {
        const { body, status } = await deliver(event)
        assert.strictEqual(status, 200, JSON.stringify(body))
        assert.deepStrictEqual(body, { received: true })
      }
    })

    it("believes nothing that Stripe did not sign just now", async () => {
      const user = app().user()
      const event = await paid(user, "pro")
      const { stripe } = app()
      const object = JSON.parse(event.body).data.object
      const old = Math.floor(Date.now() / 1000) - 3600
      const forged = [
        { body: event.body, headers: { "content-type": "application/json" } },
        { body: event.body.replace('"pro"', '"starter"'), headers: event.headers },
        { body: `${event.body} `, headers: event.headers },
        { body: event.body, headers: { ...event.headers, "stripe-signature": "t=1,v1=00" } },
        await run(stripe.event("checkout.session.completed", object, { secret: "whsec_other" })),
        await run(stripe.event("checkout.session.completed", object, { signedAt: old }))
      ]
      for (const delivery of forged) {
        const { body, status } = await deliver(delivery)
        assert.strictEqual(status, 400)
        assert.strictEqual(body.code, "invalid-signature")
      }
      assert.strictEqual(await planOf(user), "free")
      assert.strictEqual((await deliver(event)).status, 200)
    })
  })
}
