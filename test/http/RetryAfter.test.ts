import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as RetryAfter from "../../src/http/RetryAfter.js"

const now = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT")

describe("RetryAfter", () => {
  it("reads seconds, milliseconds and dates", () => {
    const cases: ReadonlyArray<readonly [Record<string, string>, number]> = [
      [{ "retry-after": "7" }, 7000],
      [{ "retry-after": "0" }, 0],
      [{ "retry-after": " 1.5 " }, 1500],
      [{ "retry-after": "0.0001" }, 1],
      [{ "retry-after-ms": "250", "retry-after": "1" }, 250],
      [{ "retry-after-ms": "-250", "retry-after": "1" }, 1000],
      [{ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT" }, 30_000],
      [{ "retry-after": " Wed, 21 Oct 2026 07:28:30 GMT " }, 30_000]
    ]
    for (const [headers, millis] of cases) {
      assert.deepStrictEqual(RetryAfter.read(headers, now), Duration.millis(millis), JSON.stringify(headers))
    }
  })

  it("reads the two obsolete forms of a date, both in Greenwich's time", () => {
    for (const date of ["Wednesday, 21-Oct-26 07:28:30 GMT", "Wed Oct 21 07:28:30 2026"]) {
      assert.deepStrictEqual(RetryAfter.read({ "retry-after": date }, now), Duration.seconds(30), date)
    }
    const early = Date.parse("Thu, 01 Oct 2026 07:28:00 GMT")
    assert.deepStrictEqual(RetryAfter.read({ "retry-after": "Thu Oct  1 07:28:30 2026" }, early), Duration.seconds(30))
  })

  it("measures a date by the clock of the answer, so that a wrong clock here does no harm", () => {
    const headers = { date: "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:28:05 GMT" }
    assert.deepStrictEqual(RetryAfter.read(headers, now - 86_400_000), Duration.seconds(5))
    assert.deepStrictEqual(RetryAfter.read({ ...headers, date: "yesterday" }, now), Duration.seconds(5))
  })

  it("asks for no wait when the date has passed", () => {
    assert.deepStrictEqual(RetryAfter.read({ "retry-after": "Wed, 21 Oct 2026 07:27:59 GMT" }, now), Duration.zero)
    const headers = { date: "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:00:00 GMT" }
    assert.deepStrictEqual(RetryAfter.read(headers, 0), Duration.zero)
  })

  it("takes what is absent or unreadable for no wish at all", () => {
    const values = [
      "",
      "soon",
      "soon 5",
      "12 Oct",
      "-5",
      "+5",
      "1e9",
      "0x10",
      "5 seconds",
      "5, 7",
      "NaN",
      "2026-10-21T07:28:30Z",
      "Wed, 21 Oct 2026 07:28:30",
      "Wed, 21 Foo 2026 07:28:30 GMT",
      "Wed, 21 Oct 2026 77:28:30 GMT"
    ]
    assert.isUndefined(RetryAfter.read({}, now))
    for (const value of values) assert.isUndefined(RetryAfter.read({ "retry-after": value }, now), value)
  })

  it("is a whole number of milliseconds and never negative, whatever the header says", () => {
    const anyDate = FastCheck.date({
      noInvalidDate: true,
      min: new Date("1970-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59Z")
    }).map((date) => date.toUTCString())
    const anyValue = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.double().map(String),
      FastCheck.nat().map(String),
      anyDate
    )
    FastCheck.assert(
      FastCheck.property(anyValue, anyDate, (value, date) => {
        const wish = RetryAfter.read({ "retry-after": value, date }, now)
        if (wish === undefined) return
        const millis = Duration.toMillis(wish)
        assert.isTrue(millis >= 0 && (Number.isInteger(millis) || millis === Infinity), `${value}: ${millis}`)
      }),
      { numRuns: 1_000 }
    )
  })
})

describe("A pushback", () => {
  it("is a wait in milliseconds, or a wish for no further attempt", () => {
    const of = (value: string) => RetryAfter.pushback({ "grpc-retry-pushback-ms": value, "retry-after": "7" }, now)
    assert.deepStrictEqual(of("0"), Duration.zero)
    assert.deepStrictEqual(of("250"), Duration.millis(250))
    assert.strictEqual(of("-1"), "never")
    assert.strictEqual(of("unreadable"), "never")
  })

  it("is Retry-After where gRPC says nothing", () => {
    assert.deepStrictEqual(RetryAfter.pushback({ "retry-after": "7" }, now), Duration.seconds(7))
    assert.isUndefined(RetryAfter.pushback({}, now))
  })
})
