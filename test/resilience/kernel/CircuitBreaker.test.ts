import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as CircuitBreakerOptions from "../../../src/resilience/CircuitBreakerOptions.js"
import * as Kernel from "../../../src/resilience/kernel/CircuitBreaker.js"
import type { Verdict } from "../../../src/resilience/kernel/Outcome.js"
import { BreakerModel, kinds, type Ticket } from "../support/BreakerModel.js"

const settingsOf = (options: Partial<CircuitBreakerOptions.Options>): Kernel.Settings =>
  Either.getOrThrow(
    CircuitBreakerOptions.settingsOf({
      name: "upstream",
      resetTimeout: 100,
      halfOpenMaxCalls: 2,
      probeTimeout: 50,
      ...options
    })
  )

const settings = settingsOf({ failureThreshold: 2 })

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
      millis: FastCheck.constantFrom(1, 10, 30, 31, 49, 50, 51, 99, 100, 101)
    })
  }
)

const verdictOf = (outcome: Verdict) =>
  outcome === "failure" ? "failure" : outcome === "ignored" || outcome === "interrupted" ? "none" : "success"

describe("the circuit breaker's state machine", () => {
  it.each(Object.entries(kinds))("does what its reference model does: %s", (_, { model: modelOptions, options }) => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(anyCommand, { maxLength: 60, size: "max" }), (commands) => {
        const model = new BreakerModel(modelOptions)
        const calls: Array<{ readonly permit: Kernel.Permit; readonly ticket: Ticket }> = []
        let state = Kernel.initial(settingsOf(options))
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
      { numRuns: 1_500 }
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

  const closedPermit: Kernel.Permit = { generation: 0, probe: undefined, since: undefined }

  const admitted = (state: Kernel.State, now: number, lease?: number) => {
    const [decision, next] = Kernel.admit(state, now, lease)
    return decision._tag === "Admitted" ? ([decision.permit, next] as const) : assert.fail(decision.reason)
  }

  const refusal = (state: Kernel.State, now: number) => {
    const [decision] = Kernel.admit(state, now)
    return decision._tag === "Rejected" ? decision : assert.fail("a call was let through")
  }

  const opened = (changes: Partial<Kernel.Settings> = {}, now = 0) =>
    [1, 2].reduce(
      (state) => Kernel.settle(state, closedPermit, "failure", now),
      Kernel.initial({ ...settings, ...changes })
    )

  it("counts without the time exactly what it counts with it, or leaves it to the other", () => {
    const verdict = FastCheck.constantFrom(...(["success", "failure", "ignored", "interrupted"] as const))
    for (const { options } of Object.values(kinds)) {
      FastCheck.assert(
        FastCheck.property(
          FastCheck.array(verdict, { maxLength: 30, size: "max" }),
          FastCheck.boolean(),
          (verdicts, timed) => {
            let state = Kernel.initial(settingsOf(options))
            for (const [i, one] of verdicts.entries()) {
              const permit = timed ? { ...closedPermit, since: 0 } : closedPermit
              const settled = Kernel.settle(state, permit, one, 7 * i)
              const counted = Kernel.settleAnytime(state, permit, one)
              if (counted !== undefined) {
                assert.deepStrictEqual(counted, settled)
                assert.strictEqual(counted === state, settled === state)
              } else {
                const stays = settled.automatic._tag === "closed" && state.automatic._tag === "closed"
                assert.isTrue(!stays || timed || state.window._tag === "time", "this takes no time to tell")
              }
              state = settled
            }
          }
        )
      )
    }
  })

  it("leaves to the time what is late, probing or slow", () => {
    const closed = Kernel.initial(settings)
    assert.strictEqual(Kernel.settleAnytime(closed, closedPermit, "success"), closed)
    assert.strictEqual(Kernel.settleAnytime(closed, closedPermit, "ignored"), closed)
    assert.isUndefined(Kernel.settleAnytime(closed, { ...closedPermit, generation: 1 }, "success"))
    assert.isUndefined(Kernel.settleAnytime(closed, { ...closedPermit, since: 0 }, "success"))
    assert.isUndefined(Kernel.settleAnytime(opened(), { ...closedPermit, generation: 1 }, "success"))
    const timed = Kernel.initial({ ...settings, window: { type: "time", duration: 100 } })
    assert.isUndefined(Kernel.settleAnytime(timed, closedPermit, "success"), "the time says which bucket it falls into")
  })

  it("notes when a call began only where calls can be slow", () => {
    assert.isUndefined(admitted(Kernel.initial(settings), 7)[0].since)
    const slow = settingsOf(kinds["a window of time and both of two probes"].options)
    assert.strictEqual(admitted(Kernel.initial(slow), 7)[0].since, 7)
    assert.strictEqual(Kernel.outcomeAfter(slow, "success", 49), "success")
    assert.strictEqual(Kernel.outcomeAfter(slow, "success", 50), "slow")
    assert.strictEqual(Kernel.outcomeAfter(slow, "failure", 50), "failure")
    assert.strictEqual(Kernel.outcomeAfter(settings, "success", 1e9), "success")
  })

  it("opens on successes that took too long, in the closed circuit and of a probe", () => {
    const two = { type: "count", size: 2 } as const
    const slow = { ...settings, window: two, minimumThroughput: 2, slowCallDuration: 30, slowCallRateThreshold: 1 }
    const [first, closed] = admitted(Kernel.initial(slow), 10)
    const [second] = admitted(closed, 20)
    const onTime = Kernel.settle(closed, first, "success", 40)
    assert.strictEqual(Kernel.settle(onTime, second, "success", 51).automatic._tag, "closed")
    const open = Kernel.settle(Kernel.settle(closed, first, "success", 41), second, "success", 51)
    assert.deepInclude(open, { reason: "slow-call-rate" })
    const [probe, probing] = admitted(open, 151)
    assert.strictEqual(Kernel.settle(probing, probe, "success", 181).automatic._tag, "closed")
    assert.strictEqual(Kernel.settle(probing, probe, "success", 182).automatic._tag, "open")
    const unseenTwice = [90, 91].reduce((state, now) => Kernel.settle(state, closedPermit, "success", now), closed)
    assert.strictEqual(unseenTwice.automatic._tag, "closed", "nobody knows how long these took")
  })

  it("rejects a call that finds all places of probes taken, and cannot say until when", () => {
    const [, one] = admitted(opened(), 100)
    const [, full] = admitted(one, 101)
    assert.deepInclude(refusal(full, 102), { reason: "half-open-full", retryAfter: undefined })
  })

  it("rejects by the strongest reason: an operator, a holder, the dependency, the automatic", () => {
    const open = opened()
    assert.deepInclude(refusal(open, 40), { reason: "open", retryAfter: 60 })
    const throttled = Kernel.holdOff(open, 30, 40)
    assert.deepInclude(refusal(throttled, 40), { reason: "throttled", retryAfter: 60 })
    assert.deepInclude(refusal(Kernel.holdOff(throttled, 90, 40), 40), { reason: "throttled", retryAfter: 90 })
    const isolated = Kernel.isolate(throttled)
    assert.deepInclude(refusal(isolated, 40), { reason: "isolated", retryAfter: undefined })
    assert.deepInclude(refusal(Kernel.force(isolated, "forced-closed"), 40), { reason: "isolated" })
    assert.deepInclude(refusal(Kernel.force(isolated, "forced-open"), 40), {
      reason: "forced-open",
      retryAfter: undefined
    })
    const free = Kernel.force(throttled, "forced-closed")
    const [permit, same] = admitted(free, 40)
    assert.strictEqual(same, free)
    assert.isUndefined(permit.probe)
    assert.strictEqual(Kernel.settle(free, permit, "success", 41), free)
    const half = Kernel.force(Kernel.advance(opened(), 100), "forced-closed")
    assert.strictEqual(Kernel.settle(half, admitted(half, 100)[0], "success", 101), half)
  })

  it("shows what a caller meets, and what is underneath", () => {
    const states = (state: Kernel.State, now: number) => {
      const { retryAfter, state: shown } = Kernel.view(state, now)
      return [shown, retryAfter, Kernel.passesFreely(state), Kernel.changesAt(state)]
    }
    const closed = Kernel.initial(settings)
    assert.deepStrictEqual(states(closed, 5), ["closed", undefined, true, Infinity])
    assert.deepStrictEqual(states(Kernel.isolate(closed), 5), ["open", undefined, false, Infinity])
    assert.deepStrictEqual(states(Kernel.holdOff(closed, 10, 5), 5), ["open", 10, false, 15])
    assert.deepStrictEqual(states(Kernel.holdOff(closed, 10, 5), 15), ["closed", undefined, false, 15])
    assert.deepStrictEqual(states(Kernel.force(closed, "forced-open"), 5), ["open", undefined, false, Infinity])
    assert.deepStrictEqual(states(Kernel.force(closed, "forced-closed"), 5), ["closed", undefined, false, Infinity])
    const open = opened({}, 20)
    assert.deepStrictEqual(states(open, 25), ["open", 95, false, 120])
    assert.deepStrictEqual(states(Kernel.isolate(open), 25), ["open", undefined, false, 120])
    assert.deepStrictEqual(states(Kernel.holdOff(open, 10, 25), 25), ["open", 95, false, 35])
    assert.deepStrictEqual(states(Kernel.force(open, "forced-closed"), 25), ["closed", undefined, false, 120])
  })

  it("lets time do one thing after the other, in the order in which they happened", () => {
    const elapsed = (state: Kernel.State, now: number): ReadonlyArray<string> => {
      const next = Kernel.elapse(state, now)
      return next === state ? [] : [`${Kernel.changesAt(state)}: ${next.reason}`, ...elapsed(next, now)]
    }
    assert.deepStrictEqual(elapsed(Kernel.holdOff(opened(), 50, 0), 1_000), ["50: hold-off-over", "100: reset-timeout"])
    const [, probing] = admitted(opened(), 100)
    assert.strictEqual(Kernel.changesAt(Kernel.advance(opened(), 100)), Infinity)
    const held = Kernel.holdOff(probing, 150, 100)
    assert.deepStrictEqual(elapsed(held, 149), [])
    assert.deepStrictEqual(elapsed(held, 249), ["150: probe-lease-over"])
    assert.deepStrictEqual(elapsed(held, 1_000), ["150: probe-lease-over", "250: hold-off-over", "250: reset-timeout"])
    assert.deepStrictEqual(
      [Kernel.advance(held, 249).automatic._tag, Kernel.advance(held, 250).automatic._tag],
      ["open", "half-open"]
    )
  })

  it("says why it is as it is", () => {
    const closed = Kernel.initial(settings)
    assert.isUndefined(closed.reason)
    assert.strictEqual(Kernel.isolate(closed).reason, "isolated")
    assert.strictEqual(Kernel.release(Kernel.isolate(closed)).reason, "released")
    assert.strictEqual(Kernel.release(Kernel.isolate(Kernel.isolate(closed))).handles, 1)
    assert.strictEqual(Kernel.force(closed, "forced-open").reason, "forced-open")
    assert.strictEqual(Kernel.force(Kernel.force(closed, "forced-open"), "auto").reason, "released")
    const held = Kernel.holdOff(closed, 70_000, 5)
    assert.deepInclude(held, { reason: "throttled", heldUntil: 60_005 })
    assert.strictEqual(Kernel.holdOff(held, 60_000, 5), held)
    assert.strictEqual(Kernel.advance(held, 60_004), held)
    assert.deepInclude(Kernel.advance(held, 60_005), { reason: "hold-off-over", heldUntil: undefined })
    assert.strictEqual(opened().reason, "failures")
    assert.strictEqual(Kernel.advance(opened(), 100).reason, "reset-timeout")
    const [permit, probing] = admitted(opened(), 100)
    assert.strictEqual(Kernel.settle(probing, permit, "success", 101).reason, "probe-succeeded")
    assert.strictEqual(Kernel.settle(probing, permit, "failure", 101).reason, "probe-failed")
    assert.deepInclude(Kernel.advance(probing, 150), { reason: "probe-lease-over" })
    assert.strictEqual(Kernel.healthy(opened({ healOnProbe: true }), 5).reason, "healthy")
    const windowed = Kernel.initial({ ...settings, window: { type: "count", size: 2 }, minimumThroughput: 1 })
    assert.strictEqual(Kernel.settle(windowed, closedPermit, "failure", 0).reason, "failure-rate")
  })

  it("leases a probe for the longer of two times, and gives up in the order of the leases", () => {
    const two = { ...settings, halfOpenSampleSize: 3, halfOpenSuccessRatio: 0.5 }
    const [, one] = admitted(opened(two), 100, 70)
    const [short, both] = admitted(one, 100, 20)
    assert.strictEqual(Kernel.view(both, 149).probesInUse, 2)
    assert.deepInclude(Kernel.view(both, 150), { state: "half-open", probesInUse: 1, failures: 2 })
    assert.deepInclude(Kernel.advance(both, 170).automatic, { _tag: "open", since: 170, failures: 4 })
    const late = Kernel.settle(both, short, "success", 150)
    assert.deepInclude(late, { late: 1 })
    assert.strictEqual(Kernel.view(late, 150).probesInUse, 1)
    assert.strictEqual(Kernel.settle(both, short, "interrupted", 150), both)
    assert.strictEqual(Kernel.settle(both, { ...short, generation: 0 }, "ignored", 101), both)
  })

  it("counts as late the probe that another's lease has outrun: the circuit is open by then, or probing anew", () => {
    const [long, one] = admitted(opened(), 100, 500)
    const [, both] = admitted(one, 100)
    assert.strictEqual(Kernel.view(both, 150).state, "open")
    assert.strictEqual(Kernel.view(both, 250).state, "half-open")
    for (const now of [150, 250]) {
      const after = Kernel.advance(both, now)
      assert.deepStrictEqual(Kernel.settle(both, long, "success", now), { ...after, late: 1 })
      assert.strictEqual(Kernel.settle(both, long, "interrupted", now), both)
      assert.deepStrictEqual(Kernel.settle(after, long, "success", now), { ...after, late: 1 })
    }
  })

  it("takes a random number for each opening from whoever brings it", () => {
    const jittered = { ...settings, resetTimeoutJitter: 0.5 }
    let state = Kernel.initial(jittered, 0.5)
    for (const _ of [1, 2]) state = Kernel.settle(state, closedPermit, "failure", 0)
    assert.strictEqual(refusal(state, 0).retryAfter, 75)
    const [permit, probing] = admitted({ ...state, random: 0.25 }, 75)
    assert.strictEqual(refusal(Kernel.settle(probing, permit, "failure", 80), 80).retryAfter, 88)
  })

  it("lengthens the open time until a close has lasted one reset timeout", () => {
    const growing = { ...settings, failureThreshold: 1, resetTimeoutMultiplier: 2, maxResetTimeout: 1_000 }
    const fail = (state: Kernel.State, now: number) => Kernel.settle(state, admitted(state, now)[0], "failure", now)
    const heal = (state: Kernel.State, now: number) => {
      const [permit, probing] = admitted(state, now)
      return Kernel.settle(probing, permit, "success", now)
    }
    const first = fail(Kernel.initial(growing), 0)
    assert.strictEqual(refusal(first, 0).retryAfter, 100)
    const closed = heal(first, 100)
    assert.strictEqual(refusal(fail(closed, 199), 199).retryAfter, 200)
    assert.strictEqual(refusal(fail(closed, 200), 200).retryAfter, 100)
    assert.isFalse(Kernel.isNeutral(closed, 199))
    assert.isTrue(Kernel.isNeutral(closed, 200))
  })

  it("is neutral when a new one would do the same", () => {
    const closed = Kernel.initial(settings)
    assert.isTrue(Kernel.isNeutral(closed, 0))
    assert.isFalse(Kernel.isNeutral(Kernel.settle(closed, closedPermit, "failure", 0), 0))
    assert.isFalse(Kernel.isNeutral(opened(), 0))
    assert.isFalse(Kernel.isNeutral(opened(), 1_000_000))
    assert.isFalse(Kernel.isNeutral(Kernel.isolate(closed), 0))
    assert.isFalse(Kernel.isNeutral(Kernel.force(closed, "forced-closed"), 0))
    assert.isFalse(Kernel.isNeutral(Kernel.holdOff(closed, 10, 0), 9))
    assert.isTrue(Kernel.isNeutral(Kernel.holdOff(closed, 10, 0), 10))
  })

  it("heals on a healthy background probe only while open, and only when told to", () => {
    const eager = opened({ healOnProbe: true })
    const healed = Kernel.healthy(eager, 5)
    assert.strictEqual(Kernel.view(healed, 5).state, "half-open")
    assert.strictEqual(Kernel.view(healed, 5).failures, 2)
    assert.strictEqual(Kernel.healthy(healed, 5), healed)
    const closed = Kernel.initial({ ...settings, healOnProbe: true })
    assert.strictEqual(Kernel.healthy(closed, 5), closed)
  })

  it("lets the results of probes so far decide under other settings, or goes on", () => {
    const [permit, probing] = admitted(opened({ halfOpenSampleSize: 10, halfOpenSuccessRatio: 0.5 }), 100)
    const well = Kernel.settle(probing, permit, "success", 101)
    const unwell = Kernel.settle(probing, permit, "failure", 101)
    const other = settingsOf({ failureThreshold: 2, halfOpenSampleSize: 2 })
    assert.deepInclude(Kernel.reconfigure(well, settings, 102), {
      automatic: { _tag: "closed", since: 102, opens: 1 },
      reason: "probe-succeeded",
      generation: well.generation + 1
    })
    assert.deepInclude(Kernel.reconfigure(unwell, other, 102), {
      automatic: { _tag: "open", since: 102, failures: 3, opens: 2, random: 0 },
      reason: "probe-failed"
    })
    assert.deepInclude(Kernel.reconfigure(well, other, 102), { automatic: well.automatic, reason: "reset-timeout" })
  })

  it("keeps what it knows under other settings, and does not take back what time has done", () => {
    const half = Kernel.reconfigure(opened(), { ...settings, resetTimeout: 1_000, maxResetTimeout: 1_000 }, 100)
    assert.strictEqual(Kernel.view(half, 100).state, "half-open")
    const shorter = Kernel.reconfigure(opened(), { ...settings, resetTimeout: 10, maxResetTimeout: 10 }, 50)
    assert.strictEqual(shorter.automatic._tag, "half-open")
    const windowed = Kernel.initial({ ...settings, window: { type: "count", size: 5 } })
    const failed = Kernel.settle(windowed, closedPermit, "failure", 0)
    const kept = Kernel.reconfigure(failed, { ...settings, window: { type: "count", size: 2 } }, 0)
    assert.deepInclude(kept.window, { size: 2, failures: 1 })
  })
})
