import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Kernel from "../../../src/resilience/kernel/CircuitBreaker.js"
import type { Verdict } from "../../../src/resilience/kernel/Outcome.js"
import { BreakerModel, type Ticket } from "../support/BreakerModel.js"

const settings: Kernel.Settings = {
  failureThreshold: 2,
  window: undefined,
  failureRateThreshold: 0.5,
  minimumThroughput: 10,
  slowCallDuration: undefined,
  slowCallRateThreshold: 1,
  resetTimeout: 100,
  resetTimeoutMultiplier: 1,
  maxResetTimeout: 100,
  resetTimeoutJitter: 0,
  halfOpenMaxCalls: 2,
  halfOpenSampleSize: 1,
  halfOpenSuccessRatio: 1,
  probeTimeout: 50,
  healOnProbe: false
}

type Command =
  | { readonly _tag: "enter" }
  | { readonly _tag: "leave"; readonly which: number; readonly outcome: Verdict }
  | { readonly _tag: "wait"; readonly millis: number }

const anyCommand: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  { weight: 4, arbitrary: FastCheck.constant({ _tag: "enter" as const }) },
  {
    weight: 4,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("leave" as const),
      which: FastCheck.nat(20),
      outcome: FastCheck.constantFrom(...(["success", "failure", "failure", "ignored", "interrupted"] as const))
    })
  },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("wait" as const),
      millis: FastCheck.constantFrom(1, 10, 49, 50, 51, 99, 100, 101)
    })
  }
)

const verdictOf = (outcome: Verdict) =>
  outcome === "failure" ? "failure" : outcome === "ignored" || outcome === "interrupted" ? "none" : "success"

describe("the circuit breaker's state machine", () => {
  it("does what its reference model does, whatever happens in whatever order", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(anyCommand, { maxLength: 60 }), (commands) => {
        const model = new BreakerModel({ threshold: 2, openFor: 100, probes: 2, lease: 50 })
        const calls: Array<{ readonly permit: Kernel.Permit; readonly ticket: Ticket }> = []
        let state = Kernel.initial(settings)
        let now = 0
        for (const command of commands) {
          switch (command._tag) {
            case "enter": {
              const ticket = model.enter(now)
              const [decision, next] = Kernel.admit(state, now)
              assert.strictEqual(
                decision._tag === "Admitted" ? "in" : decision.reason,
                typeof ticket === "string" ? ticket : "in"
              )
              if (decision._tag === "Admitted" && typeof ticket !== "string") {
                calls.push({ permit: decision.permit, ticket })
              }
              state = next
              break
            }
            case "leave": {
              const [call] = calls.splice(command.which % Math.max(1, calls.length), 1)
              if (call === undefined) break
              model.leave(call.ticket, verdictOf(command.outcome), now)
              state = Kernel.settle(state, call.permit, command.outcome, now)
              break
            }
            case "wait":
              now += command.millis
          }
          model.tick(now)
          const view = Kernel.view(state, now)
          assert.deepStrictEqual(
            { state: view.state, failures: view.failures, probes: view.probesInUse, late: state.late },
            { state: model.state, failures: model.failures, probes: model.probing.size, late: model.late }
          )
        }
      }),
      { numRuns: 3_000 }
    )
  })

  it("does not change when its state is merely read, and keeps its reference where nothing changes", () => {
    const closed = Kernel.initial(settings)
    const [decision, same] = Kernel.admit(closed, 5)
    assert.strictEqual(same, closed)
    assert.strictEqual(decision._tag, "Admitted")
    const permit = { generation: 0, probe: undefined, since: undefined }
    for (const outcome of ["success", "ignored", "interrupted"] as const) {
      assert.strictEqual(Kernel.settle(closed, permit, outcome, 5), closed)
    }
    const open = Kernel.settle(Kernel.settle(closed, permit, "failure", 5), permit, "failure", 6)
    assert.strictEqual(Kernel.admit(open, 105)[1], open)
    assert.strictEqual(Kernel.settle(open, permit, "interrupted", 7), open)
    assert.strictEqual(Kernel.force(open, "auto"), open)
    assert.strictEqual(Kernel.holdOff(open, 0, 7), open)
    assert.strictEqual(Kernel.healthy(open, 7), open)
    assert.strictEqual(Kernel.view(open, 106).state, "half-open")
    assert.strictEqual(open.automatic._tag, "open")
  })

  it("settles a permit once: the second time decides nothing", () => {
    const open = [0, 0].reduce(
      (state) => Kernel.settle(state, { generation: 0, probe: undefined, since: undefined }, "failure", 0),
      Kernel.initial(settings)
    )
    const [decision, probing] = Kernel.admit(open, 100)
    const permit = decision._tag === "Admitted" ? decision.permit : assert.fail("no probe was let through")
    const returned = Kernel.settle(probing, permit, "ignored", 101)
    assert.strictEqual(Kernel.settle(returned, permit, "failure", 101), returned)
    assert.strictEqual(Kernel.view(returned, 101).probesInUse, 0)
  })

  it("grows the open time without ever passing its cap, however often the circuit opens", () => {
    const growing = { ...settings, resetTimeoutMultiplier: 10, maxResetTimeout: 5_000 }
    let state: Kernel.State = {
      ...Kernel.initial(growing),
      automatic: { _tag: "half-open", failures: 0, opens: 1_000_000, probes: [], succeeded: 0, failed: 0 }
    }
    const [decision, probing] = Kernel.admit(state, 0)
    const permit = decision._tag === "Admitted" ? decision.permit : assert.fail("no probe was let through")
    state = Kernel.settle(probing, permit, "failure", 0)
    assert.strictEqual(Kernel.view(state, 0).retryAfter, 5_000)
  })
})
