import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as RetryAfter from "../../src/dependencies/RetryAfter.js"

const now = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT")

describe("RetryAfter", () => {
  it("reads seconds, milliseconds and dates", () => {
    const cases: ReadonlyArray<readonly [Record<string, string>, number]> = [
      [{ "retry-after": "7" }, 7000],
      [{ "retry-after": " 1.5 " }, 1500],
      [{ "retry-after-ms": "250", "retry-after": "1" }, 250],
      [{ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT" }, 30_000]
    ]
    for (const [headers, millis] of cases) {
      assert.deepStrictEqual(RetryAfter.read(headers, now), Duration.millis(millis), JSON.stringify(headers))
    }
  })

  it("measures a date by the clock of the answer, so that a wrong clock here does no harm", () => {
    const headers = { date: "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:28:05 GMT" }
    assert.deepStrictEqual(RetryAfter.read(headers, now - 86_400_000), Duration.seconds(5))
  })

  it("takes what is absent, unreadable or over for no wish at all", () => {
    const cases: ReadonlyArray<Record<string, string>> = [
      {},
      { "retry-after": "" },
      { "retry-after": "soon" },
      { "retry-after": "-5" },
      { "retry-after": "0" },
      { "retry-after": "1e9" },
      { "retry-after": "Wed, 21 Oct 2026 07:27:59 GMT" }
    ]
    for (const headers of cases) assert.isUndefined(RetryAfter.read(headers, now), JSON.stringify(headers))
  })
})
