import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as StaleCache from "../../src/resilience/StaleCache.js"

describe("the last good answers", () => {
  it("are remembered up to their greatest age, and no longer", () => {
    const cache = StaleCache.make<string>(10, 100)
    cache.put("a", "first", 5)
    assert.deepStrictEqual(cache.get("a", 105), { value: "first", at: 5 })
    assert.strictEqual(cache.size(), 1)
    assert.isUndefined(cache.get("a", 105.5))
    assert.strictEqual(cache.size(), 0, "too old is forgotten")
    assert.isUndefined(cache.get("b", 5))
  })

  it("are those of the call that began last", () => {
    const cache = StaleCache.make<string>(10, 100)
    cache.put("a", "newer", 20)
    cache.put("a", "older, but slower", 10)
    assert.deepStrictEqual(cache.get("a", 20), { value: "newer", at: 20 })
    cache.put("a", "as new", 20)
    assert.strictEqual(cache.get("a", 20)?.value, "as new")
  })

  it("hold a value that is undefined", () => {
    const cache = StaleCache.make<undefined>(1, 100)
    cache.put("a", undefined, 0)
    assert.deepStrictEqual(cache.get("a", 0), { value: undefined, at: 0 })
  })

  it("make room by forgetting the one that was used longest ago", () => {
    const cache = StaleCache.make<number>(2, 100)
    cache.put("a", 1, 0)
    cache.put("b", 2, 1)
    cache.get("a", 2)
    cache.put("c", 3, 3)
    assert.strictEqual(cache.size(), 2)
    assert.isUndefined(cache.get("b", 3))
    assert.strictEqual(cache.get("a", 3)?.value, 1)
    cache.put("c", 0, 2)
    cache.put("d", 4, 4)
    assert.isUndefined(cache.get("a", 4), "an answer that came too late is a use as well")
    assert.strictEqual(cache.get("c", 4)?.value, 3)
  })

  it("are what a list of them says, whatever is put and asked", () => {
    const [capacity, maxAge] = [3, 40]
    const anyStep = FastCheck.record({
      what: FastCheck.constantFrom("put", "put", "get"),
      key: FastCheck.constantFrom("a", "b", "c", "d", "e"),
      after: FastCheck.nat(15),
      back: FastCheck.nat(20)
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(anyStep, { maxLength: 60, size: "max" }), (steps) => {
        const cache = StaleCache.make<number>(capacity, maxAge)
        let model: ReadonlyArray<{ key: string; value: number; at: number }> = []
        let now = 0
        steps.forEach(({ after, back, key, what }, value) => {
          now += after
          const known = model.find((entry) => entry.key === key)
          const others = model.filter((entry) => entry.key !== key)
          if (what === "put") {
            cache.put(key, value, now - back)
            const better = known !== undefined && known.at > now - back ? known : { key, value, at: now - back }
            model = [...others, better].slice(-capacity)
          } else {
            const fresh = known !== undefined && now - known.at <= maxAge ? known : undefined
            model = fresh === undefined ? others : [...others, fresh]
            assert.strictEqual(cache.get(key, now)?.value, fresh?.value)
          }
          assert.strictEqual(cache.size(), model.length)
        })
      })
    )
  })
})
