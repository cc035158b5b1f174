import { assert, describe, it } from "@effect/vitest"
import * as Hedge from "../../../src/resilience/kernel/Hedge.js"

const two: Hedge.State = { left: 1, running: 2 }
const last: Hedge.State = { left: 0, running: 1 }

describe("the decisions of a hedged call", () => {
  it("starts with one attempt and all its hedges to come", () => {
    assert.deepStrictEqual(Hedge.initial(3), { left: 3, running: 1 })
  })

  it("answers with a success or a fatal failure at once", () => {
    assert.deepStrictEqual(Hedge.step(two, "success"), ["answer", two])
    assert.deepStrictEqual(Hedge.step(two, "fatal"), ["answer", two])
  })

  it("hedges when the newest attempt is overdue, as often as it may", () => {
    assert.deepStrictEqual(Hedge.step({ left: 1, running: 1 }, "overdue"), ["hedge", { left: 0, running: 2 }])
    assert.deepStrictEqual(Hedge.step(last, "overdue"), ["wait", last])
  })

  it("puts another attempt in the place of a failed one, as often as it may", () => {
    assert.deepStrictEqual(Hedge.step({ left: 1, running: 1 }, "failure"), ["hedge", { left: 0, running: 1 }])
    assert.deepStrictEqual(Hedge.step({ left: 0, running: 2 }, "failure"), ["wait", last])
    assert.deepStrictEqual(Hedge.step(last, "failure"), ["answer", { left: 0, running: 0 }])
  })

  it("counts a refused hedge as used, and waits for what is on its way", () => {
    assert.deepStrictEqual(Hedge.step(two, "refused"), ["wait", { left: 1, running: 1 }])
    assert.deepStrictEqual(Hedge.step({ left: 1, running: 1 }, "refused"), ["answer", { left: 1, running: 0 }])
  })

  it("begins nothing more after a pushback or a broken attempt", () => {
    for (const event of ["pushback", "broken"] as const) {
      assert.deepStrictEqual(Hedge.step(two, event), ["wait", last])
      assert.deepStrictEqual(Hedge.step({ left: 1, running: 1 }, event), ["answer", { left: 0, running: 0 }])
    }
  })
})
