import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Outcomes from "../../src/resilience/Outcomes.js"
import { AttemptTimeout, BulkheadFull } from "../../src/resilience/Rejection.js"

/** Every subject says itself what it is. */
const literal: Outcomes.Classifiers = {
  error: (error) => error as Outcomes.Class,
  defect: (defect) => defect as Outcomes.Class,
  result: (result) => result as Outcomes.Class
}

const throwing: Outcomes.Classifiers = {
  error: () => assert.fail("broken"),
  defect: () => assert.fail("broken"),
  result: () => assert.fail("broken")
}

const all = ["failure", "success", "ignored"] as const

const timeout = new AttemptTimeout({
  policy: "x",
  reason: "attempt-timeout",
  limit: Duration.seconds(1),
  retryAfter: undefined
})
const full = new BulkheadFull({ policy: "x", reason: "queue-full", retryAfter: undefined })

describe("Outcomes", () => {
  it("takes by default every error and defect for a failure, every result for a success", () => {
    assert.strictEqual(Outcomes.ofExit(Exit.succeed("x"), Outcomes.everyError), "success")
    assert.strictEqual(Outcomes.ofExit(Exit.fail("x"), Outcomes.everyError), "failure")
    assert.strictEqual(Outcomes.ofExit(Exit.die("x"), Outcomes.everyError), "failure")
    assert.strictEqual(Outcomes.ofExit(Exit.interrupt(FiberId.none), Outcomes.everyError), "interrupted")
  })

  it("asks about errors, defects and results, each of which can be all three", () => {
    for (const one of all) {
      assert.strictEqual(Outcomes.ofExit(Exit.succeed(one), literal), one)
      assert.strictEqual(Outcomes.ofExit(Exit.fail(one), literal), one)
      assert.strictEqual(Outcomes.ofExit(Exit.die(one), literal), one)
    }
  })

  it("takes a classifier that throws at its worst", () => {
    assert.strictEqual(Outcomes.ofExit(Exit.succeed(1), throwing), "failure")
    assert.strictEqual(Outcomes.ofExit(Exit.fail(1), throwing), "failure")
    assert.strictEqual(Outcomes.ofExit(Exit.die(1), throwing), "failure")
  })

  it("lets the worst of several defects speak, and one that is no failure leave the word to the error", () => {
    const both = (a: Outcomes.Class, b: Outcomes.Class) => Cause.parallel(Cause.die(a), Cause.die(b))
    assert.strictEqual(Outcomes.ofCause(both("ignored", "failure"), literal), "failure")
    assert.strictEqual(Outcomes.ofCause(both("success", "ignored"), literal), "ignored")
    assert.strictEqual(Outcomes.ofCause(both("success", "success"), literal), "success")
    for (const error of all) {
      assert.strictEqual(
        Outcomes.ofCause(Cause.sequential(Cause.fail(error), Cause.die("failure")), literal),
        "failure"
      )
      assert.strictEqual(Outcomes.ofCause(Cause.sequential(Cause.fail(error), Cause.die("ignored")), literal), error)
    }
  })

  it("counts an error or a defect that came together with an interruption", () => {
    const left = Cause.interrupt(FiberId.none)
    assert.strictEqual(Outcomes.ofCause(Cause.parallel(left, Cause.fail("x")), Outcomes.everyError), "failure")
    assert.strictEqual(Outcomes.ofCause(Cause.parallel(left, Cause.die("x")), Outcomes.everyError), "failure")
    assert.strictEqual(Outcomes.ofCause(Cause.parallel(left, left), Outcomes.everyError), "interrupted")
  })

  it("asks nobody about our own rejections, of which a timed-out attempt alone counts", () => {
    assert.strictEqual(Outcomes.ofExit(Exit.fail(timeout), { ...literal, error: () => "success" }), "failure")
    assert.strictEqual(Outcomes.ofExit(Exit.fail(full), throwing), "ignored")
  })
})
