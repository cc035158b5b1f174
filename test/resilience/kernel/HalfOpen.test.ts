import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as HalfOpen from "../../../src/resilience/kernel/HalfOpen.js"

const rules: HalfOpen.Rules = { halfOpenMaxCalls: 2, halfOpenSampleSize: 1, halfOpenSuccessRatio: 1, probeTimeout: 50 }

const lend = (state: HalfOpen.HalfOpen, now = 0, lease = 0) =>
  HalfOpen.lend(state, rules, now, lease) ?? assert.fail("no place")

const play = (results: ReadonlyArray<boolean>): HalfOpen.HalfOpen =>
  results.reduce(
    (state, succeeded) => {
      const [probe, lent] = lend(state)
      return HalfOpen.conclude(lent, probe, !succeeded)
    },
    HalfOpen.initial(5, 1)
  )

describe("the half-open circuit", () => {
  it("lends as many places as it has, each for the longer of two times", () => {
    const [first, one] = lend(HalfOpen.initial(5, 1), 10, 49)
    const [second, two] = lend(one, 10, 51)
    assert.deepStrictEqual([first.leasedUntil, second.leasedUntil], [60, 61])
    assert.isUndefined(HalfOpen.lend(two, rules, 10, 0))
    assert.deepStrictEqual(HalfOpen.giveBack(two, first).probes, [second])
    assert.strictEqual(HalfOpen.giveBack(two, first).succeeded + HalfOpen.giveBack(two, first).failed, 0)
  })

  it("gives no lease without end to a call whose limit is no number of milliseconds", () => {
    for (const limit of [Infinity, NaN, -Infinity]) {
      assert.strictEqual(lend(HalfOpen.initial(5, 1), 10, limit)[0].leasedUntil, 60)
    }
  })

  it("takes a place back with its result, and nobody else's", () => {
    const [first, one] = lend(HalfOpen.initial(5, 1))
    const [second, two] = lend(one)
    assert.deepStrictEqual(HalfOpen.conclude(two, second, true), { ...two, probes: [first], failed: 1 })
    assert.deepStrictEqual(HalfOpen.conclude(two, first, false), { ...two, probes: [second], succeeded: 1 })
  })

  it("by default: the first result decides", () => {
    assert.isUndefined(HalfOpen.judge(play([]), rules))
    assert.strictEqual(HalfOpen.judge(play([true]), rules), "close")
    assert.strictEqual(HalfOpen.judge(play([false]), rules), "open")
  })

  it("closes as soon as the ratio is met, and opens as soon as it cannot be met any more", () => {
    const most = { ...rules, halfOpenSampleSize: 5, halfOpenSuccessRatio: 0.6 }
    assert.isUndefined(HalfOpen.judge(play([true, true]), most))
    assert.isUndefined(HalfOpen.judge(play([true, true, false, false]), most))
    assert.strictEqual(HalfOpen.judge(play([true, true, true]), most), "close")
    assert.strictEqual(HalfOpen.judge(play([true, false, true, false, true]), most), "close")
    assert.strictEqual(HalfOpen.judge(play([false, false, false]), most), "open")
    assert.strictEqual(HalfOpen.judge(play([true, true, false, false, false]), most), "open")
  })

  it("always decides with the last probe at the latest, and as the whole sample would", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.boolean(), { minLength: 1, maxLength: 20, size: "max" }),
        FastCheck.integer({ min: 1, max: 100 }),
        (results, percent) => {
          const fixed = { ...rules, halfOpenSampleSize: results.length, halfOpenSuccessRatio: percent / 100 }
          const met = results.filter(Boolean).length / results.length >= percent / 100
          const verdicts = results.map((_, index) => HalfOpen.judge(play(results.slice(0, index + 1)), fixed))
          assert.strictEqual(
            verdicts.find((verdict) => verdict !== undefined),
            met ? "close" : "open"
          )
        }
      )
    )
  })

  it("meets a ratio such as 0.7 of 10 with seven", () => {
    const seven = { ...rules, halfOpenSampleSize: 10, halfOpenSuccessRatio: 0.7 }
    assert.isUndefined(HalfOpen.judge(play(Array(6).fill(true)), seven))
    assert.strictEqual(HalfOpen.judge(play(Array(7).fill(true)), seven), "close")
    assert.isUndefined(HalfOpen.judge(play(Array(3).fill(false)), seven))
  })

  it("names the probe whose lease ran out first, at the millisecond at which it does", () => {
    const [late, one] = lend(HalfOpen.initial(5, 1), 0, 80)
    const [early, two] = lend(one, 0, 60)
    assert.isUndefined(HalfOpen.overdue(two, 59))
    assert.strictEqual(HalfOpen.overdue(two, 60), early)
    assert.strictEqual(HalfOpen.overdue(two, 1_000), early)
    assert.strictEqual(HalfOpen.overdue(HalfOpen.giveBack(two, early), 80), late)
    const [, other] = lend(lend(HalfOpen.initial(5, 1), 0, 60)[1], 0, 60)
    assert.strictEqual(HalfOpen.overdue(other, 60), other.probes[0])
  })
})
