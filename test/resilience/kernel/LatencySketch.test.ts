import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as LatencySketch from "../../../src/resilience/kernel/LatencySketch.js"

const of = (latencies: ReadonlyArray<number>): LatencySketch.Sketch =>
  latencies.reduce((sketch, latency) => LatencySketch.record(sketch, latency, 0), LatencySketch.empty(1000, 0))

/** The nearest rank: the smallest latency within which at least so many thousandths of them lie. */
const exact = (latencies: ReadonlyArray<number>, thousandths: number): number =>
  [...latencies].sort((a, b) => a - b)[Math.ceil((thousandths * latencies.length) / 1000) - 1] ?? Number.NaN

describe("the sketch of recent latencies", () => {
  it("has buckets of a millisecond up to 20 ms, and grows them by a tenth at most up to an hour", () => {
    const { bounds } = LatencySketch
    assert.deepStrictEqual(bounds.slice(0, 25), [...Array.from({ length: 20 }, (_, i) => i + 1), 22, 24, 26, 28, 30])
    assert.strictEqual(bounds.length, 150)
    assert.strictEqual(bounds.at(-1), 3_600_000)
    bounds.slice(1).forEach((bound, i) => {
      assert.isAbove(bound, bounds[i]!)
      assert.isAtMost(bound, Math.max(bounds[i]! + 1, bounds[i]! * 1.1))
    })
  })

  it("knows nothing at first", () => {
    const sketch = LatencySketch.empty(1000, 7)
    assert.isUndefined(LatencySketch.quantile(sketch, 0.5, 1, 7))
  })

  it("answers with the bound of the bucket, which holds the latency itself", () => {
    const cases = [
      [0, 1],
      [1, 1],
      [1.001, 2],
      [20, 20],
      [20.001, 22],
      [22, 22],
      [23, 24],
      [3_511_014, 3_511_014],
      [3_511_015, 3_600_000],
      [3_600_000, 3_600_000],
      [9_000_000, 3_600_000]
    ] as const
    for (const [latency, known] of cases) assert.strictEqual(LatencySketch.quantile(of([latency]), 1, 1, 0), known)
  })

  it("says nothing while it knows too little", () => {
    assert.isUndefined(LatencySketch.quantile(of([5, 6, 7]), 0.5, 4, 0))
    assert.strictEqual(LatencySketch.quantile(of([5, 6, 7]), 0.5, 3, 0), 6)
  })

  it("takes the nearest rank", () => {
    const ten = of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const ranks = [
      [0.01, 1],
      [0.1, 1],
      [0.11, 2],
      [0.5, 5],
      [0.51, 6],
      [0.9, 9],
      [0.91, 10],
      [1, 10]
    ] as const
    for (const [q, known] of ranks) assert.strictEqual(LatencySketch.quantile(ten, q, 1, 0), known)
    const hundred = of(Array.from({ length: 100 }, (_, i) => (i < 55 ? 1 : 10)))
    assert.strictEqual(
      LatencySketch.quantile(hundred, 0.55, 1, 0),
      1,
      "0.55 of a hundred, whatever fractions make of it"
    )
  })

  it("is never below the true quantile, and above it by less than a millisecond or a tenth", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.double({ min: 0, max: 3_600_000, noNaN: true }), {
          minLength: 1,
          maxLength: 200,
          size: "max"
        }),
        FastCheck.integer({ min: 1, max: 1000 }),
        (latencies, thousandths) => {
          const truth = exact(latencies, thousandths)
          const known =
            LatencySketch.quantile(of(latencies), thousandths / 1000, 1, 0) ?? assert.fail("nothing is known")
          assert.isAtLeast(known, truth)
          assert.isAtMost(known, Math.max(truth + 1, truth * 1.1))
        }
      )
    )
  })

  it("keeps a latency for the rest of its window and the whole next one", () => {
    const first = LatencySketch.record(LatencySketch.empty(1000, 500), 10, 1499)
    const second = LatencySketch.record(first, 30, 1500)
    assert.strictEqual(LatencySketch.quantile(second, 1, 2, 1500), 30)
    assert.strictEqual(LatencySketch.quantile(second, 0.5, 1, 2499), 10)
    assert.strictEqual(LatencySketch.quantile(second, 0.5, 1, 2500), 30)
    assert.isUndefined(LatencySketch.quantile(second, 0.5, 2, 2500))
    assert.strictEqual(LatencySketch.quantile(second, 0.5, 1, 3499), 30)
    assert.isUndefined(LatencySketch.quantile(second, 0.5, 1, 3500))
  })

  it("keeps its windows in step, however long nothing came", () => {
    const late = LatencySketch.record(LatencySketch.empty(1000, 0), 10, 5999)
    assert.strictEqual(late.startedAt, 5000)
    assert.strictEqual(LatencySketch.quantile(late, 1, 1, 6999), 10)
    assert.isUndefined(LatencySketch.quantile(late, 1, 1, 7000))
  })

  it("leaves the sketch that it is given as it was", () => {
    const before = of([5])
    LatencySketch.record(before, 7, 0)
    assert.isUndefined(LatencySketch.quantile(before, 1, 2, 0))
    assert.strictEqual(LatencySketch.quantile(before, 1, 1, 0), 5)
  })
})
