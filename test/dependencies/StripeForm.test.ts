import { assert, describe, it } from "@effect/vitest"
import { parseForm } from "../../src/drill/standins/BracketedForm.js"
import * as StripeForm from "../../src/dependencies/StripeForm.js"

describe("StripeForm", () => {
  it("writes brackets for what is nested, and escapes names and values", () => {
    assert.strictEqual(
      decodeURIComponent(StripeForm.encode({ a: 1, b: { c: true }, list: [{ d: "x" }, { d: "y" }] })),
      "a=1&b[c]=true&list[0][d]=x&list[1][d]=y"
    )
    assert.strictEqual(StripeForm.encode({ "a b": "c&d=e+f ü" }), "a%20b=c%26d%3De%2Bf%20%C3%BC")
  })

  it("is read back by the stand-in, which the official SDK has judged", () => {
    const form = {
      mode: "payment",
      line_items: [{ quantity: "1", price_data: { product_data: { name: "P & Q + 50 %" } } }]
    }
    assert.deepEqual(JSON.parse(JSON.stringify(parseForm(StripeForm.encode(form)))), {
      mode: "payment",
      line_items: { 0: { quantity: "1", price_data: { product_data: { name: "P & Q + 50 %" } } } }
    })
  })
})
