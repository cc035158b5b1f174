import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Queue from "../../../src/resilience/kernel/Queue.js"

const command = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ _tag: "Push" as const }) },
  { weight: 3, arbitrary: fc.constant({ _tag: "Tail" as const }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Remove" as const), at: fc.nat(10) }) }
)

describe("Queue", () => {
  it("behaves as an array whose first item leaves first", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60, size: "max" }), (commands) => {
        let queue: Queue.Queue<number> = Queue.empty
        let model: Array<number> = []
        commands.forEach((command, i) => {
          switch (command._tag) {
            case "Push":
              queue = Queue.push(queue, i)
              model.push(i)
              break
            case "Tail":
              queue = Queue.tail(queue)
              model = model.slice(1)
              break
            case "Remove": {
              const item = model[command.at]
              queue = Queue.remove(queue, (other) => other === item)
              model = model.filter((other) => other !== item)
            }
          }
          assert.deepStrictEqual([...Queue.items(queue)], model)
          assert.strictEqual(Queue.head(queue), model[0])
          assert.strictEqual(queue.size, model.length)
        })
      })
    )
  })

  it("leaves earlier versions of itself untouched", () => {
    const one = Queue.push(Queue.empty, "a")
    const two = Queue.push(one, "b")
    Queue.push(two, "c")
    Queue.tail(two)
    assert.deepStrictEqual([...Queue.items(one)], ["a"])
    assert.deepStrictEqual([...Queue.items(two)], ["a", "b"])
  })

  it("is itself again when there was nothing to remove", () => {
    const queue = Queue.push<number>(Queue.empty, 1)
    assert.strictEqual(
      Queue.remove(queue, (item) => item === 2),
      queue
    )
  })

  it("takes out one from anywhere, and counts", () => {
    let queue = Queue.push(Queue.push(Queue.push(Queue.push(Queue.empty, "a"), "b"), "c"), "d")
    queue = Queue.tail(queue)
    assert.deepStrictEqual(queue.size, 3)
    for (const [out, rest] of [
      ["b", ["c", "d"]],
      ["c", ["b", "d"]],
      ["d", ["b", "c"]]
    ] as const) {
      const left = Queue.remove(queue, (item) => item === out)
      assert.deepStrictEqual([left.size, Queue.head(left), [...Queue.items(left)]], [2, rest[0], rest])
    }
    assert.strictEqual(Queue.tail(Queue.push(Queue.empty, "a")), Queue.empty)
    assert.strictEqual(Queue.tail(Queue.empty), Queue.empty)
    assert.isUndefined(Queue.head(Queue.empty))
  })
})
