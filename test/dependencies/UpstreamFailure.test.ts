import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as UpstreamFailure from "../../src/dependencies/UpstreamFailure.js"

const judged = (status: number, retryAfter: string) =>
  UpstreamFailure.judge({
    service: "upstream",
    operation: "ask",
    problem: {
      _tag: "ErrorAnswer",
      status,
      headers: { "retry-after": retryAfter },
      requestId: undefined,
      body: undefined,
      at: 0
    },
    read: () => ({ reason: UpstreamFailure.reasonOfStatus(status), code: undefined, message: undefined }),
    verdictOf: (reason) => UpstreamFailure.verdicts[reason]
  })

describe("An answer with Retry-After", () => {
  it("is neither failure nor success when it asks to be left alone for a while", () => {
    const failure = judged(503, "7")
    assert.deepInclude(failure, { reason: "throttled", countsAsFailure: false, isRetryable: true })
    assert.deepStrictEqual(failure.retryAfter, Duration.seconds(7))
  })

  it("is a failure like any other when it asks for no wait at all", () => {
    for (const wait of ["0", "Thu, 01 Jan 1970 00:00:00 GMT"]) {
      assert.deepInclude(judged(503, wait), { reason: "unavailable", countsAsFailure: true, retryAfter: undefined })
    }
  })
})
