import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Budget from "../../../src/resilience/kernel/RetryBudget.js"

const slice = 100
const window = slice * Budget.slices
const limits: Budget.Limits = { ratio: 0.2, reserve: 2, slice }

/** Begins so many calls at that time. */
const calls = (state: Budget.State, count: number, now: number, by = limits): Budget.State =>
  Array.from({ length: count }).reduce<Budget.State>((before) => Budget.deposit(by, before, now), state)

/** Asks for so many retries at that time; says how many were granted. */
const retries = (state: Budget.State, count: number, now: number, by = limits): [granted: number, Budget.State] => {
  let granted = 0
  for (let asked = 0; asked < count; asked++) {
    const [yes, next] = Budget.withdraw(by, state, now)
    state = next
    if (yes) granted += 1
  }
  return [granted, state]
}

describe("The retry budget", () => {
  it("grants the reserve without any call, and a share of the calls on top", () => {
    assert.strictEqual(retries(Budget.initial, 10, 0)[0], 2)
    assert.strictEqual(retries(calls(Budget.initial, 4, 0), 10, 0)[0], 2)
    assert.strictEqual(retries(calls(Budget.initial, 5, 0), 10, 0)[0], 3)
    assert.strictEqual(retries(calls(Budget.initial, 100, 0), 100, 0)[0], 22)
  })

  it("counts what it grants and what it does not", () => {
    const [, state] = retries(calls(Budget.initial, 7, 0), 5, 0)
    assert.deepStrictEqual(Budget.balance(limits, state, 0), { calls: 7, retries: 3, available: 0 })
    assert.strictEqual(state.refused, 2)
    assert.deepStrictEqual(Budget.balance(limits, Budget.initial, 0), { calls: 0, retries: 0, available: 2 })
  })

  it("owes nothing to the fractions of binary numbers", () => {
    const by = { ratio: 0.29, reserve: 0, slice }
    assert.strictEqual(retries(calls(Budget.initial, 100, 0, by), 100, 0, by)[0], 29)
    assert.strictEqual(retries(calls(Budget.initial, 99, 0, by), 100, 0, by)[0], 28)
  })

  it("counts a call for nine slices after its own, and a retry for ten", () => {
    for (const begun of [0, 1, slice - 1]) {
      const [granted, state] = retries(calls(Budget.initial, 10, begun), 10, begun)
      assert.strictEqual(granted, 4)
      const at = (now: number) => Budget.balance(limits, state, now)
      assert.deepStrictEqual(at(window - 1), { calls: 10, retries: 4, available: 0 })
      assert.deepStrictEqual(at(window), { calls: 0, retries: 4, available: 0 })
      assert.deepStrictEqual(at(window + slice - 1), { calls: 0, retries: 4, available: 0 })
      assert.deepStrictEqual(at(window + slice), { calls: 0, retries: 0, available: 2 })
      assert.deepStrictEqual(at(1e12), { calls: 0, retries: 0, available: 2 })
    }
  })

  it("forgets slice by slice", () => {
    let state = Budget.initial
    for (let number = 0; number < 30; number++) state = calls(state, number, number * slice)
    assert.strictEqual(Budget.balance(limits, state, 29 * slice).calls, 245)
    assert.strictEqual(Budget.balance(limits, state, 32 * slice).calls, 182)
    assert.strictEqual(Budget.balance(limits, state, 37 * slice).calls, 57)
  })

  it("keeps its sums when nothing but time passes within a slice, and when the clock goes back", () => {
    const [, state] = retries(calls(Budget.initial, 10, 550), 1, 550)
    const later = Budget.deposit(limits, state, 599)
    assert.deepStrictEqual(Budget.balance(limits, later, 500), { calls: 11, retries: 1, available: 3 })
    assert.deepStrictEqual(Budget.balance(limits, Budget.deposit(limits, later, 10), 10), {
      calls: 12,
      retries: 1,
      available: 3
    })
  })

  it("takes a charge back, the oldest first", () => {
    const [, old] = retries(Budget.initial, 1, 0)
    const [, both] = retries(old, 1, slice)
    const state = Budget.refund(limits, both, 2 * slice)
    assert.deepStrictEqual(Budget.balance(limits, state, 2 * slice), { calls: 0, retries: 1, available: 1 })
    // What is left is the younger one, which counts until its own time is over.
    assert.strictEqual(Budget.balance(limits, state, window + slice).retries, 1)
    assert.strictEqual(Budget.balance(limits, state, window + 2 * slice).retries, 0)
    const none = Budget.refund(limits, state, 3 * slice)
    assert.strictEqual(Budget.balance(limits, none, 3 * slice).retries, 0)
  })

  it("takes a charge of the current slice back when there is no older one", () => {
    const [, state] = retries(Budget.initial, 2, 0)
    assert.strictEqual(Budget.balance(limits, Budget.refund(limits, state, 0), 0).retries, 1)
    const [, mixed] = retries(retries(Budget.initial, 1, 0)[1], 1, slice)
    const [first, second] = [Budget.refund(limits, mixed, slice), mixed]
    assert.deepStrictEqual([first.retries, first.past.retries], [1, 0])
    assert.deepStrictEqual([second.retries, second.past.retries], [1, 1])
  })

  it("has nothing to take back when all charges are forgotten", () => {
    const [, state] = retries(Budget.initial, 2, 0)
    const later = Budget.refund(limits, state, window + slice)
    assert.deepStrictEqual(Budget.balance(limits, later, window + slice), { calls: 0, retries: 0, available: 2 })
    assert.strictEqual(Budget.refund(limits, later, window + slice), later)
    assert.strictEqual(retries(later, 10, window + slice)[0], 2)
  })

  it("never has less than nothing", () => {
    const [, state] = retries(calls(Budget.initial, 100, slice - 1), 22, slice - 1)
    assert.deepStrictEqual(Budget.balance(limits, state, window), { calls: 0, retries: 22, available: 0 })
  })

  it("remembers ten slices, however long it lives", () => {
    let state = Budget.initial
    for (let now = 0; now < 100 * window; now += 37) state = calls(state, 1, now)
    assert.lengthOf(state.past.counts, Budget.slices)
    assert.lengthOf(Budget.deposit(limits, state, 1e9).past.counts, Budget.slices)
  })
})

type Step = { readonly wait: number; readonly does: "call" | "retry" | "refund"; readonly which: number }

const anySteps: FastCheck.Arbitrary<ReadonlyArray<Step>> = FastCheck.array(
  FastCheck.record({
    wait: FastCheck.oneof(
      { weight: 6, arbitrary: FastCheck.integer({ min: 0, max: 60 }) },
      { weight: 1, arbitrary: FastCheck.integer({ min: 0, max: 2 * window }) }
    ),
    does: FastCheck.constantFrom("call", "call", "retry", "retry", "retry", "refund"),
    which: FastCheck.nat()
  }),
  { maxLength: 300, size: "max" }
)

const anyLimits = FastCheck.record({
  ratio: FastCheck.constantFrom(0, 0.1, 0.2, 0.5, 1, 2.5),
  reserve: FastCheck.constantFrom(0, 0.5, 1, 3),
  slice: FastCheck.constant(slice)
})

describe("The retry budget against a log of everything that ever happened", () => {
  const check = (refund: typeof Budget.refund, endOnFailure = false) => {
    const within = (log: ReadonlyArray<number>, now: number, millis: number): number =>
      log.filter((at) => now - at < millis).length
    return FastCheck.check(
      FastCheck.property(anyLimits, anySteps, (by, steps) => {
        const allowed = (count: number) => Math.floor(by.ratio * count + by.reserve + 1e-9)
        const begun: Array<number> = []
        const granted: Array<number> = []
        let [state, now, refunded] = [Budget.initial, 0, false]
        for (const { does, wait, which } of steps) {
          now += wait
          if (does === "call") {
            begun.push(now)
            state = Budget.deposit(by, state, now)
          } else if (does === "retry") {
            const [yes, next] = Budget.withdraw(by, state, now)
            state = next
            if (yes) {
              granted.push(now)
              const used = within(granted, now, window)
              assert.isAtMost(used, allowed(within(begun, now, window)), "granted more than any window allows")
            } else if (!refunded) {
              const used = within(granted, now, window + slice)
              assert.isAbove(used + 1, allowed(within(begun, now, window - slice)), "refused without need")
            }
          } else {
            // Only what waits can be given back, and nothing waits for longer than a window.
            const waiting = granted.filter((at) => now - at <= window)
            const taken = waiting[which % waiting.length]
            if (taken === undefined) continue
            granted.splice(granted.indexOf(taken), 1)
            refunded = true
            state = refund(by, state, now)
          }
        }
      }),
      { numRuns: 300, endOnFailure }
    )
  }

  it("never grants more within any window than its calls allow, nor less than all but a slice of it", () => {
    const { counterexample, errorInstance, failed } = check(Budget.refund)
    assert.isFalse(failed, `${String(errorInstance)} ${JSON.stringify(counterexample)}`)
  })

  it("would grant more if what is given back were counted in the present", () => {
    const naive: typeof Budget.refund = (by, state, now) => {
      const current = Budget.deposit(by, state, now)
      return { ...current, calls: current.calls - 1, retries: current.retries - 1 }
    }
    assert.isTrue(check(naive, true).failed)
  })
})
