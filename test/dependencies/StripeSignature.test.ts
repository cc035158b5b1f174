import { assert, describe, it } from "@effect/vitest"
import { Stripe } from "stripe"
import * as StripeSignature from "../../src/dependencies/StripeSignature.js"

const sdk = new Stripe("sk_test_1")
const secret = "whsec_test"
const payload = JSON.stringify({ id: "evt_1", type: "x", text: "grüße 🙂" })
const body = new TextEncoder().encode(payload)
const now = 1_790_000_000

const sign = (options: { readonly timestamp?: number; readonly secret?: string } = {}): string =>
  sdk.webhooks.generateTestHeaderString({ payload, secret, timestamp: now, ...options })

const verify = (header: string, what: Partial<Parameters<typeof StripeSignature.verify>[0]> = {}) =>
  StripeSignature.verify({ body, header, secret, now, ...what })

describe("StripeSignature, judged by headers that the SDK made", () => {
  it("accepts what the SDK signed", () => {
    assert.strictEqual(verify(sign()), "valid")
  })

  it("refuses a body that was changed by a byte, and another secret", () => {
    assert.strictEqual(verify(sign(), { body: new TextEncoder().encode(`${payload} `) }), "mismatch")
    assert.strictEqual(verify(sign({ secret: "whsec_other" })), "mismatch")
    assert.strictEqual(verify(sign().replace(`t=${now}`, `t=${now + 1}`)), "mismatch")
  })

  it("accepts one right signature among several, as while a secret is being changed", () => {
    const mine = sign().split(",v1=")[1] ?? ""
    const other = sign({ secret: "whsec_other" }).split(",v1=")[1] ?? ""
    assert.strictEqual(verify(`t=${now},v1=${other},v1=${mine}`), "valid")
    assert.strictEqual(verify(`t=${now},v1=${mine},v0=${other}`), "valid")
    assert.strictEqual(verify(`t=${now},v0=${mine}`), "malformed")
  })

  it("is as strict about age as the SDK: 300 seconds are fine, one more is not", () => {
    for (const [age, expected] of [
      [300, "valid"],
      [301, "too-old"],
      [-3600, "valid"]
    ] as const) {
      const header = sign({ timestamp: now - age })
      assert.strictEqual(verify(header), expected)
      const judge = () => sdk.webhooks.constructEvent(payload, header, secret, 300, undefined, now * 1000)
      if (expected === "valid") assert.strictEqual(judge().id, "evt_1")
      else assert.throws(judge, Stripe.errors.StripeSignatureVerificationError)
    }
  })

  it("survives every odd header", () => {
    for (const header of [
      "",
      ",",
      "t=",
      "t=abc,v1=00",
      "v1=00",
      "t=1",
      `t=${now},v1=`,
      `t=${now},v1=zz`,
      "=".repeat(9999)
    ]) {
      assert.notStrictEqual(verify(header), "valid", header)
    }
  })
})
