import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as CountWindow from "../../../src/resilience/kernel/CountWindow.js"

interface Result {
  readonly failed: boolean
  readonly slow: boolean
}

const result: FastCheck.Arbitrary<Result> = FastCheck.record({ failed: FastCheck.boolean(), slow: FastCheck.boolean() })

const size = FastCheck.oneof(
  FastCheck.constantFrom(1, 2, 31, 32, 33, 63, 64, 65, 96, 100),
  FastCheck.integer({ min: 1, max: 130 })
)

const pushAll = (window: CountWindow.CountWindow, results: ReadonlyArray<Result>) =>
  results.reduce((current, { failed, slow }) => CountWindow.push(current, failed, slow), window)

const countsOf = ({ calls, failures, slow }: CountWindow.CountWindow) => ({ calls, failures, slow })

/** The window said plainly: the last results in a list. */
const newest = (results: ReadonlyArray<Result>, many: number) => {
  const last = results.slice(-many)
  return {
    calls: last.length,
    failures: last.filter(({ failed }) => failed).length,
    slow: last.filter(({ slow }) => slow).length
  }
}

const fails = (many: number): ReadonlyArray<Result> =>
  Array.from({ length: many }, () => ({ failed: true, slow: false }))
const works = (many: number): ReadonlyArray<Result> =>
  Array.from({ length: many }, () => ({ failed: false, slow: true }))

describe("a window of the last calls", () => {
  it("counts what a list of the last results counts, after every push", () => {
    FastCheck.assert(
      FastCheck.property(size, FastCheck.array(result, { maxLength: 400, size: "max" }), (size, results) => {
        let window = CountWindow.empty(size, true)
        results.forEach((one, index) => {
          window = CountWindow.push(window, one.failed, one.slow)
          assert.deepStrictEqual(countsOf(window), newest(results.slice(0, index + 1), size))
        })
      }),
      { numRuns: 150 }
    )
  })

  it("stays the same while it is full of good results, and counts each other one for as long as it has room", () => {
    const good: Result = { failed: false, slow: false }
    for (const size of [1, 3, 32, 70]) {
      const clean = pushAll(
        CountWindow.empty(size, true),
        Array.from({ length: size }, () => good)
      )
      assert.strictEqual(CountWindow.push(clean, false, false), clean)
      const nearlyFull = pushAll(
        CountWindow.empty(size + 1, true),
        Array.from({ length: size }, () => good)
      )
      assert.notStrictEqual(CountWindow.push(nearlyFull, false, false), nearlyFull)
      for (const odd of [
        { failed: true, slow: false },
        { failed: false, slow: true },
        { failed: true, slow: true }
      ]) {
        const results = [odd, ...Array.from({ length: size }, () => good)]
        results.reduce((window, { failed, slow }, index) => {
          const next = CountWindow.push(window, failed, slow)
          assert.deepStrictEqual(countsOf(next), { ...newest(results.slice(0, index + 1), size), calls: size })
          return next
        }, clean)
      }
    }
  })

  it("keeps the newest results that fit when its size changes, and goes on from there", () => {
    FastCheck.assert(
      FastCheck.property(
        size,
        size,
        FastCheck.array(result, { maxLength: 250, size: "max" }),
        FastCheck.array(result, { maxLength: 150, size: "max" }),
        (before, after, first, second) => {
          const resized = CountWindow.resize(pushAll(CountWindow.empty(before, true), first), after, true)
          const kept = first.slice(-Math.min(before, after))
          assert.deepStrictEqual(countsOf(resized), newest(kept, after))
          let window = resized
          second.forEach((one, index) => {
            window = CountWindow.push(window, one.failed, one.slow)
            assert.deepStrictEqual(countsOf(window), newest([...kept, ...second.slice(0, index + 1)], after))
          })
        }
      ),
      { numRuns: 150 }
    )
  })

  for (const many of [1, 31, 32, 33, 64, 65]) {
    it(`of ${many} forgets each result with the one that comes ${many} later, and not before`, () => {
      const full = pushAll(CountWindow.empty(many, true), fails(many))
      assert.deepStrictEqual(countsOf(full), { calls: many, failures: many, slow: 0 })
      for (let later = 1; later <= many; later++) {
        assert.deepStrictEqual(countsOf(pushAll(full, works(later))), {
          calls: many,
          failures: many - later,
          slow: later
        })
      }
    })
  }

  it("takes a word of 32 results, a bit each, and no plane for slow calls where none are counted", () => {
    assert.deepStrictEqual(
      [1, 32, 33, 64, 65, 10_000].map((size) => CountWindow.empty(size, true).failureWords.length),
      [1, 1, 2, 2, 3, 313]
    )
    assert.strictEqual(CountWindow.empty(65, true).slowWords?.length, 3)
    assert.isUndefined(CountWindow.empty(65, false).slowWords)
  })

  it("counts no slow calls where it was not told to, also over several rounds", () => {
    const window = pushAll(CountWindow.empty(33, false), works(100))
    assert.deepStrictEqual(countsOf(window), { calls: 33, failures: 0, slow: 0 })
    assert.strictEqual(window.slowWord, 0)
    assert.isUndefined(window.slowWords)
  })

  it("copies its words only when one is full and differs from what stood there", () => {
    const empty = CountWindow.empty(64, true)
    const filling = pushAll(empty, [...fails(16), ...works(15)])
    assert.strictEqual(filling.failureWords, empty.failureWords)
    const filled = pushAll(filling, fails(1))
    assert.notStrictEqual(filled.failureWords, empty.failureWords)
    assert.notStrictEqual(filled.slowWords, empty.slowWords)
    assert.deepStrictEqual(Array.from(empty.failureWords), [0, 0], "a window that others hold stays as it was")
    const again = pushAll(filled, [...fails(16), ...works(15), ...fails(1)])
    const thirdRound = pushAll(again, [...fails(16), ...works(15), ...fails(1)])
    assert.strictEqual(thirdRound.failureWords, again.failureWords)
    assert.strictEqual(thirdRound.slowWords, again.slowWords)
  })

  it("is the same window when size and planes stay, and gains or loses the plane of slow calls alone", () => {
    const window = pushAll(CountWindow.empty(40, true), [...fails(20), ...works(25)])
    assert.strictEqual(CountWindow.resize(window, 40, true), window)
    const without = CountWindow.resize(window, 40, false)
    assert.deepStrictEqual(countsOf(without), { calls: 40, failures: 15, slow: 0 })
    assert.isUndefined(without.slowWords)
    assert.strictEqual(CountWindow.resize(without, 40, false), without)
    const regained = CountWindow.resize(without, 40, true)
    assert.deepStrictEqual(countsOf(pushAll(regained, works(1))), { calls: 40, failures: 14, slow: 1 })
    assert.strictEqual(regained.slowWords?.length, 2)
  })
})
