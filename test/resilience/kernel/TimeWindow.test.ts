import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as TimeWindow from "../../../src/resilience/kernel/TimeWindow.js"

interface Result {
  readonly at: number
  readonly failed: boolean
  readonly slow: boolean
}

const countsOf = ({ calls, failures, slow }: TimeWindow.TimeWindow) => ({ calls, failures, slow })

const nothing = { calls: 0, failures: 0, slow: 0 }

/** The window said plainly: the results whose bucket is one of the last ten, in a list. */
const remembered = (results: ReadonlyArray<Result>, width: number, now: number) => {
  const bucketOf = (at: number) => Math.floor(at / width)
  const last = results.filter(({ at }) => bucketOf(now) - bucketOf(at) < 10)
  return {
    calls: last.length,
    failures: last.filter(({ failed }) => failed).length,
    slow: last.filter(({ slow }) => slow).length
  }
}

const history = FastCheck.array(
  FastCheck.record({
    gap: FastCheck.constantFrom(0, 0, 1, 7, 9, 10, 11, 25, 90, 99, 100, 101, 250, 100_000),
    failed: FastCheck.boolean(),
    slow: FastCheck.boolean()
  }),
  { maxLength: 80, size: "max" }
)

describe("a window of time", () => {
  it("counts what a list of the last results counts, after every pause and every push", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(100, 33, 1_000), history, (duration, steps) => {
        let window = TimeWindow.empty(duration)
        let now = 0
        const results: Array<Result> = []
        for (const { failed, gap, slow } of steps) {
          now += gap
          assert.deepStrictEqual(countsOf(TimeWindow.at(window, now)), remembered(results, duration / 10, now))
          window = TimeWindow.push(window, failed, slow, now)
          results.push({ at: now, failed, slow })
          assert.deepStrictEqual(countsOf(window), remembered(results, duration / 10, now))
          assert.isAtMost(window.older.buckets.length, 9)
          for (const { at } of results.slice(-window.calls)) assert.isBelow(now - at, duration, "too old to count")
        }
      }),
      { numRuns: 120 }
    )
  })

  it("forgets a result with its bucket, to the millisecond", () => {
    const window = TimeWindow.push(TimeWindow.empty(100), true, true, 9)
    const same = TimeWindow.push(window, true, false, 10)
    assert.deepStrictEqual(countsOf(TimeWindow.at(same, 99)), { calls: 2, failures: 2, slow: 1 })
    assert.deepStrictEqual(countsOf(TimeWindow.at(same, 100)), { calls: 1, failures: 1, slow: 0 })
    assert.deepStrictEqual(countsOf(TimeWindow.at(same, 109)), { calls: 1, failures: 1, slow: 0 })
    assert.deepStrictEqual(countsOf(TimeWindow.at(same, 110)), nothing)
  })

  it("is empty after an idle gap that is longer than the window, and counts on from there", () => {
    let window = TimeWindow.empty(100)
    for (let now = 0; now < 100; now += 5) window = TimeWindow.push(window, true, true, now)
    assert.deepStrictEqual(countsOf(TimeWindow.at(window, 200)), nothing)
    assert.deepStrictEqual(countsOf(TimeWindow.push(window, false, false, 200)), { calls: 1, failures: 0, slow: 0 })
  })

  it("changes only its header within a bucket, and nothing when it is read", () => {
    const window = TimeWindow.push(TimeWindow.empty(100), true, false, 55)
    assert.strictEqual(TimeWindow.at(window, 59), window)
    assert.strictEqual(TimeWindow.at(window, 50), window)
    assert.strictEqual(TimeWindow.push(window, false, true, 59).older, window.older)
    assert.notStrictEqual(TimeWindow.push(window, false, true, 60).older, window.older)
  })

  it("takes a result whose time is a little behind for one of now", () => {
    const window = TimeWindow.push(TimeWindow.push(TimeWindow.empty(100), true, false, 60), true, false, 59)
    assert.deepStrictEqual(countsOf(TimeWindow.at(window, 159)), { calls: 2, failures: 2, slow: 0 })
    assert.deepStrictEqual(countsOf(TimeWindow.at(window, 160)), nothing)
  })

  it("keeps what is new enough when its duration changes: a bucket counts from its beginning", () => {
    let window = TimeWindow.empty(100)
    for (const now of [5, 45, 95]) window = TimeWindow.push(window, true, now === 95, now)
    assert.strictEqual(TimeWindow.resize(window, 100, 95), window)

    const shorter = TimeWindow.resize(window, 50, 95)
    assert.deepStrictEqual(countsOf(shorter), { calls: 1, failures: 1, slow: 1 })
    assert.deepStrictEqual(countsOf(TimeWindow.at(shorter, 139)), { calls: 1, failures: 1, slow: 1 })
    assert.deepStrictEqual(countsOf(TimeWindow.at(shorter, 140)), nothing)

    const longer = TimeWindow.resize(window, 1_000, 95)
    assert.deepStrictEqual(countsOf(longer), { calls: 3, failures: 3, slow: 1 })
    assert.deepStrictEqual(countsOf(TimeWindow.at(longer, 999)), { calls: 3, failures: 3, slow: 1 })
    assert.deepStrictEqual(countsOf(TimeWindow.at(longer, 1_000)), nothing)
    assert.deepStrictEqual(countsOf(TimeWindow.push(longer, false, false, 96)), { calls: 4, failures: 3, slow: 1 })
  })
})
