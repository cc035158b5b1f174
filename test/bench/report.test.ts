import { assert, describe, it } from "@effect/vitest"
import type { Comparison, Measured, Trial } from "./cases.js"
import { compare } from "./harness.js"
import { exitCode, isClose, judge, toJson, toTable } from "./report.js"
import { median, pairedRatio, randomFrom, shuffled } from "./statistics.js"

const measured = (ratio: number): Measured => ({ ratio, ours: ratio * 100, theirs: 100, floor: 10 })

const trial: Trial = {
  name: "memory",
  unit: "bytes",
  limit: 0.5,
  goal: 0.25,
  measure: () => Promise.resolve(measured(0.2))
}
const served: Trial = { ...trial, name: "http", unit: "requests/s", limit: 0.85, goal: 0.95, higherIsBetter: true }

/** Hands out the measurements in turn, and counts how many were asked for. */
const inTurn = (...ratios: ReadonlyArray<number>) => {
  let asked = 0
  const again = () => Promise.resolve(measured(ratios[asked++] ?? assert.fail("measured too often")))
  return { again, asked: () => asked }
}

describe("the statistics of the benchmarks", () => {
  it("take the value in the middle", () => {
    assert.strictEqual(median([9, 1, 5]), 5)
    assert.strictEqual(median([9, 1, 5, 7]), 6)
    assert.throws(() => median([]))
  })

  it("pair what was measured in the same round", () => {
    // The machine was ten times slower in the second round; the ratio of the medians would be 5.5.
    assert.strictEqual(pairedRatio([2, 20, 2], [1, 10, 1]), 2)
    assert.strictEqual(pairedRatio([1, 20, 9], [1, 10, 3]), 2)
  })

  it("shuffle by a seed, and lose nothing", () => {
    const values = Array.from({ length: 50 }, (_, index) => index)
    const once = shuffled(values, randomFrom(7))
    assert.deepStrictEqual(once, shuffled(values, randomFrom(7)))
    assert.notDeepEqual(once, shuffled(values, randomFrom(8)))
    assert.notDeepEqual(once, values)
    assert.deepStrictEqual(
      [...once].sort((a, b) => a - b),
      values
    )
  })
})

describe("the judgement of the benchmarks", () => {
  it("measures once what is within its limit, and what is far outside", async () => {
    const { again, asked } = inTurn()
    assert.isTrue((await judge(trial, measured(0.5), again)).ok)
    assert.isFalse((await judge(trial, measured(0.58), again)).ok)
    assert.strictEqual(asked(), 0)
  })

  it("measures three times what is outside by less than 15 %, and takes the median", async () => {
    const lucky = inTurn(0.49, 0.3)
    const row = await judge(trial, measured(0.57), lucky.again)
    assert.deepInclude(row, { ratio: 0.49, ours: 49, ok: true })
    assert.strictEqual(lucky.asked(), 2)
    assert.isFalse((await judge(trial, measured(0.57), inTurn(0.3, 0.52).again)).ok)
  })

  it("knows on which side of the limit the good ratios are", async () => {
    const { again } = inTurn()
    assert.isTrue((await judge(served, measured(0.9), again)).ok)
    assert.isFalse((await judge(served, measured(0.5), again)).ok)
    assert.isTrue(isClose(0.8, served))
    assert.isFalse(isClose(0.9, served))
    assert.isFalse(isClose(0.7, served))
  })

  it("is printed as JSON, and ends with 1 when a row is outside", async () => {
    const good = await judge(trial, { ...measured(0.123456), floor: null }, inTurn().again)
    const bad = await judge(trial, measured(9), inTurn().again)
    assert.deepStrictEqual(JSON.parse(toJson([good, bad])), {
      cases: [
        { name: "memory", ratio: 0.1235, limit: 0.5, goal: 0.25, ok: true, ours: 12.35, theirs: 100, floor: null },
        { name: "memory", ratio: 9, limit: 0.5, goal: 0.25, ok: false, ours: 900, theirs: 100, floor: 10 }
      ]
    })
    assert.strictEqual(exitCode([good]), 0)
    assert.strictEqual(exitCode([good, bad]), 1)
  })

  it("is printed as a table with the cross-check", async () => {
    const rows = [await judge(trial, measured(0.2), inTurn().again), await judge(served, measured(0.5), inTurn().again)]
    const table = toTable([trial, served], rows, new Map([["memory", 0.2123]]))
    assert.match(table, /^memory +0\.2 +0\.5 +0\.25 +goal met +0\.212 +20 +100 +10 +bytes$/m)
    assert.match(table, /^http +0\.5 +0\.85 +0\.95 +OUTSIDE +50 +100 +10 +requests\/s$/m)
    assert.match(table, /^1 of 2 within their limits$/m)
  })
})

describe("the harness of the benchmarks", () => {
  it("runs all subjects in every round, and counts the peer that makes the larger ratio", async () => {
    const ran = new Map<string, number>()
    const subject = (name: string, work: number) => ({
      name,
      prepare: (calls: number) => async () => {
        ran.set(name, (ran.get(name) ?? 0) + 1)
        for (let n = 0, x = 0; n < calls * work; n++) x += Math.sqrt(n)
      }
    })
    const [ours, fast, slow] = [subject("ours", 5_000), subject("fast", 500), subject("slow", 50_000)]
    const comparison: Comparison = { name: "work", limit: 1, goal: 1, ours, theirs: [slow, fast] }
    const [result] = await compare([comparison], { rounds: 9, slice: 1, warmUp: 1, seed: 1 })
    assert.isAbove(result!.ratio, 1, "the ratio against the slow one would be far below 1")
    for (const name of ["ours", "fast", "slow"]) assert.isAtLeast(ran.get(name) ?? 0, 10)
  })
})
