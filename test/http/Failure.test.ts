import { assert, describe, it } from "@effect/vitest"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as FiberId from "effect/FiberId"
import * as Deadline from "../../src/http/Deadline.js"
import * as Failure from "../../src/http/Failure.js"
import * as HttpErrors from "../../src/http/HttpErrors.js"
import * as Problem from "../../src/http/Problem.js"
import { CircuitOpen } from "../../src/resilience/Rejection.js"

const circumstances: Failure.Circumstances = {
  method: "GET",
  path: "/x",
  handling: true,
  exceededBytes: undefined,
  deadlineMillis: 1000,
  allow: () => undefined
}

const problem = (cause: Cause.Cause<unknown>) => {
  const failure = Failure.read(cause, circumstances)
  assert.strictEqual(failure._tag, "Problem")
  if (failure._tag !== "Problem") throw new Error("not a problem")
  return { status: Problem.statusOf(failure.error), code: Problem.codeOf(failure.error), ...failure }
}

const clientGone = Cause.interrupt(HttpServerError.clientAbortFiberId)

describe("Failure", () => {
  it("answers nothing to a client that is gone, whatever else happened", () => {
    assert.strictEqual(Failure.read(clientGone, circumstances)._tag, "Gone")
    const both = Cause.parallel(Cause.die(new Error("x")), clientGone)
    assert.strictEqual(Failure.read(both, circumstances)._tag, "Gone")
  })

  it("takes the deadline for the reason, whatever else happened", () => {
    const both = Cause.sequential(Cause.interrupt(Deadline.fiberId), Cause.die(new Error("in a finalizer")))
    assert.deepInclude(problem(both), { status: 504, code: "deadline-exceeded", bug: false })
  })

  it("makes a policy's rejection the 503 of its dependency, with its hint", () => {
    const rejection = new CircuitOpen({ policy: "openai", reason: "open", retryAfter: Duration.millis(11_200) })
    const { bug, error, status } = problem(Cause.fail(rejection))
    assert.strictEqual(status, 503)
    assert.isFalse(bug)
    const fields: Record<string, unknown> = { ...error }
    assert.deepInclude(fields, { service: "openai", retryAfterSeconds: 12 })
  })

  it("takes an error without a status, and a defect that happens to have one, for bugs", () => {
    const notFound = new HttpErrors.NotFound({ detail: "secret" })
    for (const cause of [Cause.fail(new Error("x")), Cause.fail("x"), Cause.die(notFound), Cause.die(undefined)]) {
      assert.deepInclude(problem(cause), { status: 500, code: "internal-error", bug: true })
    }
  })

  it("gives back a response that was thrown", () => {
    const response = HttpServerResponse.empty({ status: 304 })
    assert.deepStrictEqual(Failure.read(Cause.die(response), circumstances), { _tag: "Response", response })
  })

  it("answers 503 when the server itself stopped the request", () => {
    const { bug, status } = problem(Cause.interrupt(FiberId.none))
    assert.strictEqual(status, 503)
    assert.isFalse(bug)
  })
})
