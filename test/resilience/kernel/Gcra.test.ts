import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Gcra from "../../../src/resilience/kernel/Gcra.js"

const limitOf = (limit: number, windowMillis: number): Gcra.Limit => {
  const made = Gcra.configure(limit, windowMillis)
  if (typeof made === "string") throw new Error(made)
  return made
}

const arbitraryLimit = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5000 }))
  .map(([limit, window]) => limitOf(limit, window))

const request = fc.record({ after: fc.oneof(fc.nat(20), fc.nat(3000)), cost: fc.integer({ min: 1, max: 3 }) })

/** A token bucket in exact fractions: `window` parts make a token, so that nothing needs rounding. */
class Bucket {
  private parts: bigint
  private at = 0n
  constructor(private readonly limit: Gcra.Limit) {
    this.parts = BigInt(limit.limit) * BigInt(limit.windowMillis)
  }
  private refill(now: number): void {
    const full = BigInt(this.limit.limit) * BigInt(this.limit.windowMillis)
    const parts = this.parts + (BigInt(now) - this.at) * BigInt(this.limit.limit)
    this.parts = parts > full ? full : parts
    this.at = BigInt(now)
  }
  has(now: number, cost: number): boolean {
    this.refill(now)
    return this.parts >= BigInt(cost) * BigInt(this.limit.windowMillis)
  }
  spend(cost: number): void {
    this.parts -= BigInt(cost) * BigInt(this.limit.windowMillis)
  }
  get tokens(): number {
    return Number(this.parts / BigInt(this.limit.windowMillis))
  }
}

describe("GCRA", () => {
  it("agrees with a token bucket in exact fractions, and its hints are exact", () => {
    fc.assert(
      fc.property(arbitraryLimit, fc.array(request, { maxLength: 60, size: "max" }), (limit, requests) => {
        const bucket = new Bucket(limit)
        let tats: ReadonlyArray<number> = []
        let now = 0
        for (const { after, cost } of requests) {
          if (cost > limit.limit) continue
          now += after
          const expected = bucket.has(now, cost)
          const [verdict, next] = Gcra.decide([limit], tats, now, cost)
          assert.strictEqual(verdict.allowed, expected)
          if (expected) {
            bucket.spend(cost)
            assert.strictEqual(verdict.retryAfterMillis, 0)
          } else {
            assert.strictEqual(next, tats, "a rejected request enters nothing")
            const retry = verdict.retryAfterMillis
            assert.isTrue(Number.isInteger(retry) && retry > 0)
            assert.isTrue(Gcra.decide([limit], tats, now + retry, cost)[0].allowed, "a lone retry then is allowed")
            assert.isFalse(Gcra.decide([limit], tats, now + retry - 1, cost)[0].allowed, "and not a millisecond sooner")
          }
          assert.strictEqual(verdict.remaining, bucket.tokens)
          const reset = now + verdict.resetAfterMillis
          assert.strictEqual(Gcra.decide([limit], next, reset, 1)[0].remaining, limit.limit - 1)
          assert.strictEqual(Gcra.expiry([limit], next), reset, "whole again exactly when the client can be forgotten")
          tats = next
        }
      }),
      { numRuns: 1000 }
    )
  })

  it("never allows more than the limit plus what flows back, in any window of an exact log", () => {
    fc.assert(
      fc.property(arbitraryLimit, fc.array(request, { maxLength: 80, size: "max" }), (limit, requests) => {
        const log: Array<{ at: number; cost: number }> = []
        let tats: ReadonlyArray<number> = []
        let now = 0
        for (const { after, cost } of requests) {
          if (cost > limit.limit) continue
          now += after
          const [verdict, next] = Gcra.decide([limit], tats, now, cost)
          if (verdict.allowed) log.push({ at: now, cost })
          tats = next
        }
        log.forEach((first, i) => {
          let sum = 0
          for (const { at, cost } of log.slice(i)) {
            sum += cost
            const back = Math.floor(((at - first.at) * limit.limit) / limit.windowMillis)
            assert.isAtMost(sum, limit.limit + back)
          }
        })
      })
    )
  })

  it("counts a request under all of several limits or under none", () => {
    const limits = [limitOf(2, 1000), limitOf(3, 60_000)]
    let tats: ReadonlyArray<number> = []
    const at = (now: number): Gcra.Verdict => {
      const [verdict, next] = Gcra.decide(limits, tats, now, 1)
      tats = next
      return verdict
    }
    assert.isTrue(at(0).allowed)
    assert.isTrue(at(0).allowed)
    const burst = at(0)
    assert.isFalse(burst.allowed)
    assert.strictEqual(burst.limit.limit, 2)
    assert.strictEqual(burst.retryAfterMillis, 500)
    assert.isTrue(at(500).allowed, "the rejected one was not counted under the long limit either")
    const long = at(1500)
    assert.isFalse(long.allowed)
    assert.strictEqual(long.limit.limit, 3)
    assert.strictEqual(long.retryAfterMillis, 18_500)
  })

  it("still counts after ten years, with a limit that divides nothing", () => {
    const limit = limitOf(7, 60_000)
    const now = 10 * 365 * 24 * 3_600_000
    let tats: ReadonlyArray<number> = []
    for (let i = 0; i < 7; i++) tats = Gcra.decide([limit], tats, now, 1)[1]
    const [verdict] = Gcra.decide([limit], tats, now, 1)
    assert.isFalse(verdict.allowed)
    assert.strictEqual(verdict.retryAfterMillis, Math.ceil(60_000 / 7))
    assert.isTrue(Gcra.decide([limit], tats, now + 60_000, 7)[0].allowed, "after a whole window, the whole limit")
  })

  it("takes a limit whose requests are a fraction of a millisecond apart, as long as it can be counted exactly", () => {
    const limit = limitOf(1_000_000, 60_000)
    assert.isTrue(Gcra.decide([limit], [], 0, 1_000_000)[0].allowed)
    const [, spent] = Gcra.decide([limit], [], 0, 1_000_000)
    assert.strictEqual(Gcra.decide([limit], spent, 1, 1)[0].remaining, 15)
  })

  it("refuses what it cannot count", () => {
    assert.match(String(Gcra.configure(0, 1000)), /whole number of at least 1/)
    assert.match(String(Gcra.configure(1.5, 1000)), /whole number of at least 1/)
    assert.match(String(Gcra.configure(10, 0)), /whole number of milliseconds/)
    assert.match(String(Gcra.configure(10, 0.5)), /whole number of milliseconds/)
    assert.match(String(Gcra.configure(10, Infinity)), /whole number of milliseconds/)
    assert.match(String(Gcra.configure(1_000_003, 60_000)), /cannot be counted exactly/)
  })

  it("a clock that was set back costs a client at most one whole limit", () => {
    const limit = limitOf(10, 60_000)
    const [, tats] = Gcra.decide([limit], [], 1_000_000, 10)
    const [verdict] = Gcra.decide([limit], tats, 0, 1)
    assert.isFalse(verdict.allowed)
    assert.strictEqual(verdict.retryAfterMillis, 6000)
  })

  it("takes exactly what it can count, and not a millisecond or a request more", () => {
    const tenYears = 10 * 365 * 24 * 3_600_000
    assert.strictEqual(limitOf(1, tenYears).tolerance, tenYears)
    assert.match(
      String(Gcra.configure(1, tenYears + 1)),
      /^window is 315360000001 ms; it must be .* from 1 to ten years$/
    )
    assert.strictEqual(limitOf(1, 1).emission, 1)
    assert.match(String(Gcra.configure(10, 0)), /^window is 0 ms; /)
    const most = Math.floor(Number.MAX_SAFE_INTEGER / (tenYears * 2))
    assert.strictEqual(limitOf(most, 1).scale, most)
    assert.match(String(Gcra.configure(most + 1, 1)), new RegExp(`^${most + 1} per 1 ms cannot be counted exactly: `))
    assert.match(String(Gcra.configure(-1, 1)), /^limit is -1; /)
  })

  it("counts in the largest units in which nothing is rounded", () => {
    assert.deepStrictEqual(Gcra.configure(6, 9), { limit: 6, windowMillis: 9, scale: 2, emission: 3, tolerance: 18 })
    assert.deepStrictEqual(Gcra.configure(10, 60_000), {
      limit: 10,
      windowMillis: 60_000,
      scale: 1,
      emission: 6000,
      tolerance: 60_000
    })
  })

  it("says of several limits the longest wait, else the fewest requests left, else the first", () => {
    const [wide, narrow, same] = [limitOf(10, 1000), limitOf(2, 1000), limitOf(2, 2000)]
    assert.strictEqual(Gcra.decide([wide, narrow], [], 0, 1)[0].limit, narrow)
    assert.strictEqual(Gcra.decide([narrow, wide], [], 0, 1)[0].limit, narrow)
    assert.strictEqual(Gcra.decide([narrow, same], [], 0, 1)[0].limit, narrow)
    const spent = Gcra.decide([narrow, same], [], 0, 2)[1]
    for (const limits of [
      [narrow, same],
      [same, narrow]
    ]) {
      const tats = limits === undefined ? [] : limits.map((limit) => (limit === narrow ? spent[0] : spent[1]) ?? 0)
      const [verdict] = Gcra.decide(limits, tats, 0, 1)
      assert.strictEqual(verdict.limit, same)
      assert.strictEqual(verdict.retryAfterMillis, 1000)
    }
  })

  it("forgets a client at the millisecond at which all its limits are whole", () => {
    const limits = [limitOf(3, 10), limitOf(2, 1000)]
    const [, tats] = Gcra.decide(limits, [], 7, 1)
    assert.strictEqual(Gcra.expiry(limits, tats), 507)
    assert.strictEqual(Gcra.expiry([limitOf(3, 10)], tats), 11, "rounded up: at 10 a third of a millisecond is missing")
    assert.strictEqual(Gcra.expiry(limits, []), 0)
  })
})
