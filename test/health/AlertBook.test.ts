import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as AlertBook from "../../src/health/AlertBook.js"

const circuit = (name: string, from: string, to: string) => Option.getOrThrow(AlertBook.ofCircuit({ name, from, to }))

const told = (book: AlertBook.AlertBook, now: number) => {
  const [due, next] = AlertBook.takeDue(book, 60_000, now)
  return [due.map(({ from, subject, to }) => `${subject} ${from}>${to}`), next] as const
}

describe("AlertBook", () => {
  it("tells a first change at once and the next of its subject after the interval", () => {
    const [first, one] = told(AlertBook.note(AlertBook.empty, circuit("openai", "closed", "open")), 0)
    assert.deepStrictEqual(first, ["circuit:openai closed>open"])
    const two = AlertBook.note(one, circuit("openai", "half-open", "closed"))
    assert.strictEqual(AlertBook.nextDue(two, 60_000, 1000), 59_000)
    const [early, three] = told(two, 59_999)
    assert.deepStrictEqual(early, [])
    const [late, four] = told(three, 60_000)
    assert.deepStrictEqual(late, ["circuit:openai open>closed"])
    assert.isUndefined(AlertBook.nextDue(four, 60_000, 60_000))
  })

  it("does not tell what undid itself, nor a return to a health that nobody doubted", () => {
    const [, one] = told(AlertBook.note(AlertBook.empty, circuit("openai", "closed", "open")), 0)
    const flapped = ["closed", "open", "closed", "open"].reduce(
      (book, to) => AlertBook.note(book, circuit("openai", "half-open", to)),
      one
    )
    assert.deepStrictEqual(told(flapped, 1e9)[0], [])
    const boot = AlertBook.ofStatus({ from: "degraded", to: "healthy" }, {})
    assert.deepStrictEqual(told(AlertBook.note(AlertBook.empty, boot), 0)[0], [])
  })

  it("keeps subjects apart and remembers one waiting change of each", () => {
    let book = AlertBook.empty
    for (let i = 0; i < 1000; i++) {
      book = AlertBook.note(book, circuit("a", "half-open", i % 2 === 0 ? "open" : "closed"))
      book = AlertBook.note(book, circuit("b", "half-open", "open"))
    }
    assert.deepStrictEqual(told(book, 0)[0], ["circuit:b closed>open"])
    assert.strictEqual(book.subjects.size, 2)
  })

  it("says how bad it is, and why", () => {
    const since = "2025-01-15T12:00:00.000Z"
    const checks = {
      database: { status: "down", message: "no answer within 3s", since },
      openai: { status: "unavailable", since },
      memory: { status: "up", since }
    } as const
    const alert = AlertBook.ofStatus({ from: "healthy", to: "unhealthy" }, checks)
    assert.strictEqual(alert.severity, "critical")
    assert.strictEqual(
      alert.message,
      "Health is unhealthy: database is down (no answer within 3s), openai is unavailable"
    )
    assert.strictEqual(AlertBook.ofStatus({ from: "healthy", to: "degraded" }, {}).severity, "warning")
    assert.strictEqual(AlertBook.ofStatus({ from: "unhealthy", to: "healthy" }, {}).severity, "resolved")
    assert.isTrue(Option.isNone(AlertBook.ofCircuit({ name: "a", from: "open", to: "half-open" })))
  })
})
