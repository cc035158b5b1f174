import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Memory from "../../src/health/Memory.js"

const sample = { heapUsed: 10, heapLimit: 100, rss: 10, containerLimit: 100 }

describe("Memory", () => {
  it("is up below both limits and degraded from either on, saying which", () => {
    assert.deepStrictEqual(Memory.judge(sample), { status: "up" })
    assert.strictEqual(Memory.judge({ ...sample, heapUsed: 89 }).status, "up")
    const heap = Memory.judge({ ...sample, heapUsed: 90 * 1_048_576, heapLimit: 100 * 1_048_576 })
    assert.deepStrictEqual(heap, { status: "degraded", message: "heap at 90 % of V8's limit (90 of 100 MB)" })
    const both = Memory.judge({ ...sample, heapUsed: 95, rss: 99 })
    assert.strictEqual(both.status, "degraded")
    assert.match(both.message!, /^heap at 95 % .*; resident memory at 99 % of the container's limit/)
  })

  it("knows no container limit where there is none", () => {
    assert.strictEqual(Memory.judge({ ...sample, rss: 1e12, containerLimit: undefined }).status, "up")
    assert.strictEqual(Memory.judge({ ...sample, heapLimit: 0 }).status, "up")
  })

  it("takes other thresholds", () => {
    assert.strictEqual(Memory.judge({ ...sample, heapUsed: 60 }, { heapRatio: 0.5 }).status, "degraded")
    assert.strictEqual(Memory.judge({ ...sample, rss: 60 }, { rssRatio: 0.5 }).status, "degraded")
  })

  it.effect("reads plausible figures of this process", () =>
    Effect.gen(function* () {
      const { containerLimit, heapLimit, heapUsed, rss } = yield* Memory.reader
      assert.isAbove(heapUsed, 1_000_000)
      assert.isBelow(heapUsed, heapLimit)
      assert.isAbove(rss, heapUsed / 2)
      // Node says 2^64 where there is no limit; that must not become one.
      assert.isTrue(containerLimit === undefined || containerLimit < 1e15)
    })
  )
})
