import { assert, describe, it } from "@effect/vitest"
import * as Window from "../../../src/resilience/kernel/Window.js"

const rule: Window.Rule = {
  failureThreshold: 3,
  window: undefined,
  failureRateThreshold: 0.5,
  minimumThroughput: 4,
  slowCallDuration: undefined,
  slowCallRateThreshold: 1
}
const byCount: Window.Rule = { ...rule, window: { type: "count", size: 8 } }
const byTime: Window.Rule = { ...rule, window: { type: "time", duration: 100 } }

/** `f` failed, `s` slow, `b` both, `.` neither. */
const play = (rule: Window.Rule, results: string, now = 0, start: Window.Window = Window.empty(rule)): Window.Window =>
  Array.from(results).reduce(
    (window, one) => Window.push(window, one === "f" || one === "b", one === "s" || one === "b", now),
    start
  )

const verdictOf = (rule: Window.Rule, results: string) => Window.judge(play(rule, results), rule)

describe("what a closed circuit remembers", () => {
  it("without a window: failures in a row, slow or not", () => {
    assert.isUndefined(verdictOf(rule, "ff"))
    assert.strictEqual(verdictOf(rule, "fbf"), "failures")
    assert.strictEqual(verdictOf(rule, "ffff"), "failures")
    assert.isUndefined(verdictOf(rule, "ff.ff"))
    assert.isUndefined(verdictOf(rule, "ffsff"))
    assert.strictEqual(Window.failures(play(rule, "ff"), 0), 2)
  })

  it("stays the same when a success follows a success", () => {
    const start = Window.empty(rule)
    assert.strictEqual(Window.push(start, false, true, 5), start)
    assert.strictEqual(play(rule, "ff."), start)
  })

  for (const [name, windowed] of [
    ["a window of calls", byCount],
    ["a window of time", byTime]
  ] as const) {
    it(`in ${name}: nothing below the minimum throughput, the rate from there on, equality included`, () => {
      assert.isUndefined(verdictOf(windowed, "fff"))
      assert.strictEqual(verdictOf(windowed, "ffff"), "failure-rate")
      assert.strictEqual(verdictOf(windowed, "ff.."), "failure-rate")
      assert.strictEqual(verdictOf(windowed, "..ff"), "failure-rate")
      assert.isUndefined(verdictOf(windowed, "..f."))
      assert.isUndefined(verdictOf(windowed, ".ff.."))
    })

    it(`in ${name}: a threshold of 1 opens at 100 %, and only there`, () => {
      const all = { ...windowed, failureRateThreshold: 1 }
      assert.strictEqual(verdictOf(all, "ffff"), "failure-rate")
      assert.isUndefined(verdictOf(all, "ffffff."))
    })

    it(`in ${name}: the rate of slow calls, of which slow failures are some, where slow calls are counted`, () => {
      const slow = { ...windowed, failureRateThreshold: 1, slowCallDuration: 50, slowCallRateThreshold: 0.75 }
      assert.isUndefined(verdictOf(slow, "ss.."))
      assert.strictEqual(verdictOf(slow, "ssb."), "slow-call-rate")
      assert.isUndefined(verdictOf(slow, "sss"))
      assert.strictEqual(verdictOf({ ...slow, failureRateThreshold: 0.5 }, "bbss"), "failure-rate")
      assert.isUndefined(verdictOf({ ...slow, slowCallDuration: undefined }, "ssss"))
    })
  }

  it("tells the failures of now", () => {
    assert.strictEqual(Window.failures(play(byCount, "ff."), 1_000_000), 2)
    const timed = play(byTime, "ff.", 9)
    assert.strictEqual(Window.failures(timed, 99), 2)
    assert.strictEqual(Window.failures(timed, 100), 0)
  })

  it("is clean without failed and slow calls, or when it has forgotten them", () => {
    for (const windowed of [byCount, byTime]) {
      const slow = { ...windowed, slowCallDuration: 50 }
      const clean = (results: string, now = 0) => Window.isClean(play(slow, results), now)
      assert.deepStrictEqual(
        [clean(""), clean("..."), clean(".f"), clean(".s"), clean("b")],
        [true, true, false, false, false]
      )
      assert.isTrue(clean("fs........", 100))
    }
    assert.isFalse(Window.isClean(play(byCount, "f."), 1_000_000))
    assert.deepStrictEqual(
      ["", ".s", "f", "f."].map((results) => Window.isClean(play(rule, results), 0)),
      [true, true, false, true]
    )
  })

  it("keeps what it can under another rule, and starts empty under one of another type", () => {
    const run = play(rule, "ff")
    assert.strictEqual(Window.reshape(run, { ...rule, failureThreshold: 9 }, 0), run)
    const counted = play(byCount, "ffff....")
    assert.strictEqual(Window.reshape(counted, { ...byCount, minimumThroughput: 2 }, 0), counted)
    assert.deepInclude(Window.reshape(counted, { ...rule, window: { type: "count", size: 5 } }, 0), {
      _tag: "count",
      size: 5,
      calls: 5,
      failures: 1
    })
    assert.deepInclude(Window.reshape(counted, { ...byCount, slowCallDuration: 1 }, 0), {
      failures: 4,
      slowWords: new Int32Array(1)
    })
    const timed = play(byTime, "ff..", 50)
    assert.deepInclude(Window.reshape(timed, { ...rule, window: { type: "time", duration: 200 } }, 60), {
      _tag: "time",
      width: 20,
      calls: 4,
      failures: 2
    })
    for (const [from, to] of [
      [run, byCount],
      [run, byTime],
      [counted, rule],
      [counted, byTime],
      [timed, rule],
      [timed, byCount]
    ] as const) {
      assert.deepStrictEqual(Window.reshape(from, to, 60), Window.empty(to))
    }
  })

  it("has a plane for slow calls only where slow calls are counted", () => {
    assert.propertyVal(Window.empty(byCount), "slowWords", undefined)
    assert.deepInclude(Window.empty({ ...byCount, slowCallDuration: 1 }), { slowWords: new Int32Array(1) })
  })
})
