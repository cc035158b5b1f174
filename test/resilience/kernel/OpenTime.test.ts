import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as OpenTime from "../../../src/resilience/kernel/OpenTime.js"

const rules: OpenTime.Rules = {
  resetTimeout: 1_000,
  resetTimeoutMultiplier: 1,
  maxResetTimeout: 1_000,
  resetTimeoutJitter: 0
}

describe("how long a circuit stays open", () => {
  it("is the reset timeout, whichever opening it is and whatever chance says, unless it is told otherwise", () => {
    assert.deepStrictEqual(
      [1, 2, 1_000_000].map((opens) => OpenTime.of(rules, opens, 0.9)),
      [1_000, 1_000, 1_000]
    )
  })

  it("grows with every opening in a row, in whole milliseconds, up to the cap", () => {
    const growing = { ...rules, resetTimeoutMultiplier: 1.5, maxResetTimeout: 4_000 }
    assert.deepStrictEqual(
      [1, 2, 3, 4, 5, 1_000_000].map((opens) => OpenTime.of(growing, opens, 0)),
      [1_000, 1_500, 2_250, 3_375, 4_000, 4_000]
    )
    assert.strictEqual(OpenTime.of({ ...growing, resetTimeoutMultiplier: 1.0005 }, 2, 0), 1_001)
  })

  it("is shortened by the share of the jitter that chance says, after the cap", () => {
    const jittered = { ...rules, resetTimeoutMultiplier: 10, maxResetTimeout: 2_000, resetTimeoutJitter: 0.5 }
    assert.deepStrictEqual(
      [0, 0.5, 0.9999].map((random) => OpenTime.of(jittered, 2, random)),
      [2_000, 1_500, 1_001]
    )
  })

  it("is a whole number from one to the cap, for any options and any chance", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 100_000 }),
        FastCheck.double({ min: 1, max: 1_000, noNaN: true }),
        FastCheck.integer({ min: 0, max: 1_000_000 }),
        FastCheck.double({ min: 0, max: 1, noNaN: true }),
        FastCheck.integer({ min: 1, max: 1_000_000 }),
        FastCheck.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (resetTimeout, resetTimeoutMultiplier, more, resetTimeoutJitter, opens, random) => {
          const maxResetTimeout = resetTimeout + more
          const time = OpenTime.of(
            { resetTimeout, resetTimeoutMultiplier, maxResetTimeout, resetTimeoutJitter },
            opens,
            random
          )
          assert.isTrue(Number.isSafeInteger(time))
          assert.isAtLeast(time, 1)
          assert.isAtMost(time, maxResetTimeout)
        }
      )
    )
  })
})
