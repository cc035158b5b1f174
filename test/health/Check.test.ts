import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Check from "../../src/health/Check.js"

const rules: Check.Rules = { configured: true, staleAfter: 30_000, downAfter: 1, upAfter: 1, worst: "down" }

const at = (millis: number): Check.Moment => ({ millis, wall: Date.parse("2025-01-15T12:00:00Z") + millis })

const iso = (millis: number) => new Date(at(millis).wall).toISOString()

const found = (status: "up" | "degraded" | "down", message?: string): Check.Observation => ({
  status,
  message,
  internal: true
})

const known = Check.observe(rules, Check.initial(rules, at(0)), found("up"), at(1000))

const down = Check.observe(rules, known, found("down", "refused"), at(2000))

const open: Check.CircuitView = { state: "open", failures: 5, openedAt: iso(1500), retryAfterSeconds: 11.2 }

describe("Check", () => {
  it("begins unavailable, and stays so when it is not configured, whatever its age and circuit", () => {
    const off = { ...rules, configured: false }
    assert.deepStrictEqual(Check.read(off, Check.initial(off, at(0)), open, at(1e9), "operator"), {
      status: "unavailable",
      message: "not configured",
      since: iso(0)
    })
    assert.include(Check.read(rules, Check.initial(rules, at(0)), undefined, at(1), "public"), {
      status: "unavailable",
      message: "not checked yet"
    })
  })

  it("fails a check that never ran, as if it had once been well", () => {
    const never = Check.initial(rules, at(0))
    assert.strictEqual(Check.read(rules, never, undefined, at(29_999), "operator").status, "unavailable")
    assert.strictEqual(Check.read(rules, never, undefined, at(30_000), "operator").status, "degraded")
    assert.deepStrictEqual(Check.read(rules, never, undefined, at(60_000), "operator"), {
      status: "down",
      message: "not checked for 60 s (no result yet): the monitor has stopped",
      since: iso(60_000)
    })
  })

  it("says both when the probe fails and the circuit is open", () => {
    assert.deepStrictEqual(Check.read(rules, down, open, at(3000), "operator"), {
      status: "down",
      message: "refused; the circuit is open after 5 failures; next try in 12 s",
      since: iso(1500)
    })
  })

  it("lets no circuit make a bad probe better", () => {
    for (const state of ["closed", "half-open"] as const) {
      assert.include(Check.read(rules, down, { state }, at(3000), "operator"), { status: "down", message: "refused" })
    }
  })

  it("shows the public what we say ourselves, not what a check says", () => {
    assert.strictEqual(Check.read(rules, down, undefined, at(3000), "public").message, "the check failed")
    const slow = Check.observe(rules, known, found("degraded", "replica 10.0.0.3 lags"), at(2000))
    assert.strictEqual(Check.read(rules, slow, undefined, at(3000), "public").message, "the check reports a problem")
    const late = Check.observe(rules, known, { status: "down", message: "no answer", internal: false }, at(2000))
    assert.strictEqual(Check.read(rules, late, undefined, at(3000), "public").message, "no answer")
  })

  it("caps what a check may show", () => {
    const capped = { ...rules, worst: "degraded" as const }
    assert.strictEqual(Check.read(capped, down, open, at(1e9), "operator").status, "degraded")
  })

  it("is unhealthy by a critical one alone, healthy only when all are up", () => {
    const check = (status: Check.CheckStatus, critical: boolean) => ({ critical, result: { status, since: iso(0) } })
    assert.strictEqual(Check.overall([]), "healthy")
    assert.strictEqual(Check.overall([check("up", true), check("up", false)]), "healthy")
    for (const status of ["degraded", "down", "unavailable"] as const) {
      assert.strictEqual(Check.overall([check("up", true), check(status, false)]), "degraded")
    }
    assert.strictEqual(Check.overall([check("down", true), check("up", false)]), "unhealthy")
    assert.strictEqual(Check.overall([check("unavailable", true)]), "degraded")
  })

  it("property: with hysteresis, up and down take their number of consecutive probes, like a plain counter", () => {
    const observations = fc.array(fc.constantFrom("up" as const, "degraded" as const, "down" as const), {
      maxLength: 60,
      size: "max"
    })
    const times = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(observations, times, times, (sequence, downAfter, upAfter) => {
        const damped = { ...rules, downAfter, upAfter }
        let state = Check.initial(damped, at(0))
        let passing: boolean | undefined
        let streak = 0
        for (const [index, status] of sequence.entries()) {
          state = Check.observe(damped, state, found(status), at(index))
          const good = status !== "down"
          if (passing === undefined) passing = good
          streak = good === passing ? 0 : streak + 1
          if (streak >= (good ? upAfter : downAfter)) {
            passing = good
            streak = 0
          }
          assert.strictEqual(state.status !== "down", passing)
          assert.strictEqual(state.observedAt.millis, index)
        }
      }),
      { numRuns: 1000 }
    )
  })

  it("property: the worst of probe, age and circuit is shown, never anything better", () => {
    const severity = { up: 0, unavailable: 1, degraded: 2, down: 3 }
    fc.assert(
      fc.property(
        fc.constantFrom("up" as const, "degraded" as const, "down" as const),
        fc.constantFrom("closed" as const, "half-open" as const, "open" as const),
        fc.integer({ min: 0, max: 200_000 }),
        (status, circuit, age) => {
          const state = Check.observe(rules, known, found(status), at(1000))
          const shown = Check.read(rules, state, { state: circuit }, at(1000 + age), "operator").status
          const expected = Math.max(
            severity[status],
            { closed: 0, "half-open": 2, open: 3 }[circuit],
            age >= 60_000 ? 3 : age >= 30_000 ? 2 : 0
          )
          assert.strictEqual(severity[shown], expected)
        }
      ),
      { numRuns: 1000 }
    )
  })
})
