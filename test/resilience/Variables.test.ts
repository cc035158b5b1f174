import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Variables from "../../src/resilience/Variables.js"

describe("parseDuration", () => {
  it("reads what people write", () => {
    const cases: ReadonlyArray<readonly [string, number]> = [
      ["2 seconds", 2000],
      ["1 second", 1000],
      ["2s", 2000],
      ["500ms", 500],
      ["500 millis", 500],
      ["1.5 minutes", 90_000],
      ["2m", 120_000],
      ["1h", 3_600_000],
      ["1 day", 86_400_000],
      ["2 Seconds", 2000]
    ]
    for (const [text, millis] of cases) {
      assert.deepStrictEqual(Variables.parseDuration(text), Duration.millis(millis), text)
    }
  })

  it("refuses what has no unit, and what is shorter or longer than a timer can wait", () => {
    for (const text of [
      "0.5ms",
      "0.0001s",
      "",
      "5",
      "s",
      "-1s",
      "0s",
      "1 fortnight",
      "1s2s",
      "1e3s",
      "Infinity s",
      "25 days",
      "1,5s"
    ]) {
      assert.isUndefined(Variables.parseDuration(text), text)
    }
  })

  it.prop(
    "reads back what `format` writes",
    [FastCheck.integer({ min: 1, max: 2 ** 31 - 1 })],
    ([millis]) => Duration.toMillis(Variables.parseDuration(Variables.format(millis)) ?? 0) === millis
  )
})

describe("parseRate", () => {
  it("reads presets and so many in a time", () => {
    assert.deepStrictEqual(Variables.parseRate("strict"), { limit: 10, interval: Duration.minutes(1) })
    assert.deepStrictEqual(Variables.parseRate("hourly"), { limit: 1000, interval: Duration.hours(1) })
    assert.deepStrictEqual(Variables.parseRate("7/60s"), { limit: 7, interval: Duration.minutes(1) })
    assert.deepStrictEqual(Variables.parseRate("7 / 2 seconds"), { limit: 7, interval: Duration.seconds(2) })
    for (const text of ["", "7", "0/1s", "7/", "/1s", "7/1s/2", "7.5/1s", "Strict"]) {
      assert.isUndefined(Variables.parseRate(text), text)
    }
  })
})
