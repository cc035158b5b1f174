import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { type Backoff, delayAfter } from "../../../src/resilience/kernel/Backoff.js"

const spec: Backoff = { initialDelay: 1_000, maxDelay: 10_000, multiplier: 2, jitter: "none" }

const anyBackoff = FastCheck.record({
  initialDelay: FastCheck.integer({ min: 0, max: 2 ** 31 - 1 }),
  growth: FastCheck.integer({ min: 0, max: 2 ** 31 - 1 }),
  multiplier: FastCheck.double({ min: 1, max: 1e9, noNaN: true }),
  jitter: FastCheck.constantFrom(...(["none", "full", "equal", "decorrelated"] as const))
}).map(({ growth, ...rest }): Backoff => ({ ...rest, maxDelay: Math.min(2 ** 31 - 1, rest.initialDelay + growth) }))

const anyRandom = FastCheck.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe("delayAfter", () => {
  it("doubles from the initial delay up to the cap", () => {
    assert.deepStrictEqual(
      [1, 2, 3, 4, 5, 6].map((attempt) => delayAfter(spec, attempt, 0, 0)),
      [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]
    )
  })

  it("is a whole number between zero and the cap for every attempt up to a million", () => {
    FastCheck.assert(
      FastCheck.property(
        anyBackoff,
        FastCheck.integer({ min: 1, max: 1_000_000 }),
        anyRandom,
        anyRandom,
        (backoff, attempt, before, random) => {
          const delay = delayAfter(backoff, attempt, Math.round(before * backoff.maxDelay), random)
          assert.isTrue(Number.isInteger(delay) && delay >= 0 && delay <= backoff.maxDelay, `delay ${delay}`)
        }
      ),
      { numRuns: 2_000 }
    )
  })

  it("keeps each kind of jitter within its range", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.integer({ min: 1, max: 20 }), anyRandom, (attempt, random) => {
        const plain = delayAfter(spec, attempt, 0, 0)
        const full = delayAfter({ ...spec, jitter: "full" }, attempt, 0, random)
        const equal = delayAfter({ ...spec, jitter: "equal" }, attempt, 0, random)
        const previous = plain / 2
        const decorrelated = delayAfter({ ...spec, jitter: "decorrelated" }, attempt, previous, random)
        assert.isTrue(full >= 0 && full <= plain)
        assert.isTrue(equal >= plain / 2 && equal <= plain)
        assert.isTrue(decorrelated >= 1_000 && decorrelated <= Math.min(10_000, Math.max(1_000, previous * 3)))
      })
    )
  })

  it("spreads full jitter over the whole range and equal jitter over its upper half", () => {
    assert.strictEqual(delayAfter({ ...spec, jitter: "full" }, 2, 0, 0.25), 500)
    assert.strictEqual(delayAfter({ ...spec, jitter: "equal" }, 2, 0, 0.25), 1_250)
    assert.strictEqual(delayAfter({ ...spec, jitter: "decorrelated" }, 2, 1_000, 0.25), 1_500)
  })

  it("stays at zero from an initial delay of zero, however large the power", () => {
    assert.strictEqual(delayAfter({ ...spec, initialDelay: 0 }, 1_000_000, 0, 0.5), 0)
  })
})
