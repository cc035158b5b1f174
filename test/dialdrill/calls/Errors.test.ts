import { assert, describe, it } from "vitest"
import { plans, purchasable } from "../../../src/dialdrill/billing/Wire.js"
import { PlanLimitReached } from "../../../src/dialdrill/calls/Errors.js"

const reached = (plan: keyof typeof plans): string => {
  const { callsPerMonth, name } = plans[plan]
  return new PlanLimitReached({
    plan: name,
    callsPerMonth,
    plans: purchasable.filter((offer) => offer.callsPerMonth > callsPerMonth)
  }).message
}

describe("PlanLimitReached", () => {
  it("names the plans that have more", () => {
    assert.strictEqual(
      reached("free"),
      "You have used all 20 calls of your Free plan this month. Choose Starter (100 calls a month) or Pro (1000 calls a month) to go on."
    )
  })

  it("offers nothing to who has the largest plan, and says when it goes on", () => {
    assert.strictEqual(
      reached("pro"),
      "You have used all 1000 calls of your Pro plan this month. You can go on when the next month begins."
    )
  })
})
