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

/** The same, with that kind of jitter. */
const jittered = (jitter: Backoff["jitter"], attempt: number, previous: number, random: number): number =>
  delayAfter({ ...spec, jitter }, attempt, previous, random)

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

  it("spreads full jitter from zero to the exponential", () => {
    assert.deepStrictEqual(
      [0, 0.25, 0.5, 0.9996].map((random) => jittered("full", 2, 0, random)),
      [0, 500, 1_000, 1_999]
    )
    assert.deepStrictEqual(
      [1, 4, 5, 9].map((attempt) => jittered("full", attempt, 0, 0.5)),
      [500, 4_000, 5_000, 5_000]
    )
  })

  it("spreads equal jitter over the upper half of the exponential", () => {
    assert.deepStrictEqual(
      [0, 0.25, 0.5, 0.9996].map((random) => jittered("equal", 2, 0, random)),
      [1_000, 1_250, 1_500, 2_000]
    )
    assert.deepStrictEqual(
      [1, 4, 5, 9].map((attempt) => jittered("equal", attempt, 0, 0.5)),
      [750, 6_000, 7_500, 7_500]
    )
  })

  it("spreads decorrelated jitter from the initial delay to three times the previous one, up to the cap", () => {
    assert.deepStrictEqual(
      [0, 0.25, 0.5, 0.9996].map((random) => jittered("decorrelated", 2, 1_000, random)),
      [1_000, 1_500, 2_000, 2_999]
    )
    assert.strictEqual(jittered("decorrelated", 3, 3_000, 0.5), 5_000)
    assert.strictEqual(jittered("decorrelated", 9, 10_000, 0.5), 10_000)
    // What the previous delay was decides, and not the attempt.
    assert.strictEqual(jittered("decorrelated", 20, 1_000, 0.25), 1_500)
    assert.strictEqual(jittered("decorrelated", 2, 100, 0.75), 1_000)
  })

  it("rounds to whole milliseconds", () => {
    const odd: Backoff = { initialDelay: 3, maxDelay: 100, multiplier: 1.5, jitter: "none" }
    assert.deepStrictEqual(
      [1, 2, 3, 4].map((attempt) => delayAfter(odd, attempt, 0, 0)),
      [3, 5, 7, 10]
    )
    assert.strictEqual(delayAfter({ ...odd, jitter: "full" }, 1, 0, 0.5), 2)
    assert.strictEqual(delayAfter({ ...odd, jitter: "equal" }, 1, 0, 0.6), 2)
    assert.strictEqual(delayAfter({ ...odd, jitter: "decorrelated" }, 1, 3, 0.4), 5)
  })

  it("stays at the cap when the power overflows", () => {
    for (const multiplier of [2, 1e9, 1e308]) {
      assert.strictEqual(delayAfter({ ...spec, multiplier }, 1_000_000, 0, 0), 10_000)
      assert.strictEqual(delayAfter({ ...spec, multiplier, jitter: "full" }, 1_000_000, 0, 0), 0)
    }
  })

  it("stays at zero from an initial delay of zero, however large the power", () => {
    for (const jitter of ["none", "full", "equal", "decorrelated"] as const) {
      assert.strictEqual(delayAfter({ ...spec, jitter, initialDelay: 0 }, 1_000_000, 1_000, 0.5), 0)
    }
  })
})
