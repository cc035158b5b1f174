import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Queue from "../../../src/resilience/kernel/Queue.js"
import * as Semaphore from "../../../src/resilience/kernel/Semaphore.js"

const limits: Semaphore.Limits = { permits: 4, maxQueued: 3 }

const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Admit" as const), permits: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Settle" as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Leave" as const), which: fc.nat(3) }) }
)

interface Holder {
  readonly ticket: number
  readonly permits: number
}

describe("the semaphore's kernel", () => {
  it("agrees with a list of holders and a list of waiters, for any history", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80, size: "max" }), (commands) => {
        let state: Semaphore.State<string> = Semaphore.initial
        const holders: Array<Holder> = []
        const waiters: Array<Holder> = []
        const used = () => holders.reduce((sum, holder) => sum + holder.permits, 0)
        const serveModel = (): Array<number> => {
          const served: Array<number> = []
          for (let first = waiters[0]; first !== undefined && used() + first.permits <= 4; first = waiters[0]) {
            holders.push(first)
            waiters.shift()
            served.push(first.ticket)
          }
          return served
        }
        for (const command of commands) {
          switch (command._tag) {
            case "Admit": {
              const [admission, next] = Semaphore.admit(limits, state, command.permits, "door")
              if (waiters.length === 0 && used() + command.permits <= 4) {
                assert.strictEqual(admission._tag, "Taken")
                if (admission._tag === "Taken") holders.push({ ticket: admission.ticket, permits: command.permits })
              } else if (waiters.length < 3) {
                assert.strictEqual(admission._tag, "Queued")
                if (admission._tag === "Queued") waiters.push({ ticket: admission.ticket, permits: command.permits })
              } else {
                assert.strictEqual(admission._tag, "Full")
                assert.strictEqual(next, state, "a refusal changes nothing")
              }
              state = next
              break
            }
            case "Settle": {
              const holder = holders[command.which]
              if (holder === undefined) break
              holders.splice(command.which, 1)
              const [served, next] = Semaphore.settle(limits, state, holder.permits)
              assert.deepStrictEqual(
                served.map((waiter) => waiter.ticket),
                serveModel()
              )
              state = next
              break
            }
            case "Leave": {
              const waiter = waiters[command.which]
              if (waiter === undefined) break
              waiters.splice(command.which, 1)
              assert.isTrue(Semaphore.isQueued(state, waiter.ticket))
              const [served, next] = Semaphore.leave(limits, state, waiter.ticket)
              assert.deepStrictEqual(
                served.map((waiter) => waiter.ticket),
                serveModel()
              )
              state = next
            }
          }
          assert.strictEqual(state.inUse, used())
          assert.isAtMost(state.inUse, limits.permits)
          assert.deepStrictEqual(
            [...Queue.items(state.queue)].map((waiter) => waiter.ticket),
            waiters.map((waiter) => waiter.ticket)
          )
          for (const holder of holders) assert.isFalse(Semaphore.isQueued(state, holder.ticket))
        }
      }),
      { numRuns: 1000 }
    )
  })

  it("makes a newcomer wait behind one who waits, even when there are permits for the newcomer", () => {
    let state: Semaphore.State<string> = Semaphore.initial
    state = Semaphore.admit(limits, state, 3, "runs")[1]
    state = Semaphore.admit(limits, state, 2, "waits")[1]
    assert.strictEqual(Semaphore.admit(limits, state, 1, "newcomer")[0]._tag, "Queued")
  })

  it("lets those behind in when the one who needed too much gives up", () => {
    let state: Semaphore.State<string> = Semaphore.initial
    state = Semaphore.admit(limits, state, 3, "runs")[1]
    const [big, withBig] = Semaphore.admit(limits, state, 2, "needs two")
    state = Semaphore.admit(limits, withBig, 1, "needs one")[1]
    assert.strictEqual(big._tag, "Queued")
    const [served] = Semaphore.leave(limits, state, 1)
    assert.deepStrictEqual(
      served.map((waiter) => waiter.door),
      ["needs one"]
    )
  })

  it("gives the last permit and not one more, and numbers everyone", () => {
    const [three, state] = Semaphore.admit(limits, Semaphore.initial, 3, "three")
    assert.deepStrictEqual(three, { _tag: "Taken", ticket: 0 })
    assert.isTrue(Semaphore.isFree(limits, state, 1))
    assert.isFalse(Semaphore.isFree(limits, state, 2))
    const [queued, waiting] = Semaphore.admit(limits, state, 2, "two")
    assert.deepStrictEqual(queued, { _tag: "Queued", ticket: 1 })
    assert.isFalse(Semaphore.isFree(limits, waiting, 1), "someone waits")
    assert.isFalse(Semaphore.isQueued(waiting, 0))
    assert.isTrue(Semaphore.isQueued(waiting, 1))
    assert.isFalse(Semaphore.isQueued(Semaphore.initial, 0))
  })

  it("holds as many in the queue as it may, and then no one", () => {
    let state: Semaphore.State<string> = Semaphore.admit(limits, Semaphore.initial, 4, "all")[1]
    for (const door of ["a", "b", "c"]) {
      const [admission, next] = Semaphore.admit(limits, state, 1, door)
      assert.strictEqual(admission._tag, "Queued")
      state = next
    }
    assert.deepStrictEqual(Semaphore.admit(limits, state, 1, "d"), [{ _tag: "Full" }, state])
    const [served, rest] = Semaphore.settle(limits, state, 2)
    assert.deepStrictEqual(
      served.map(({ door, permits, ticket }) => [door, permits, ticket]),
      [
        ["a", 1, 1],
        ["b", 1, 2]
      ]
    )
    assert.deepStrictEqual([rest.inUse, rest.queue.size, rest.nextTicket], [4, 1, 4])
  })
})
