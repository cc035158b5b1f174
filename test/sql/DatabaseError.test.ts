import * as SqlError from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as DatabaseError from "../../src/sql/DatabaseError.js"

const driverError = (fields: Record<string, unknown>, message = "") => Object.assign(new Error(message), fields)

const wrapped = (cause: unknown) => new SqlError.SqlError({ message: "Failed to execute statement", cause })

const reasonOf = (code: string) => DatabaseError.fromUnknown(wrapped(driverError({ code }))).reason

describe("DatabaseError", () => {
  it("reads the SQLSTATE: the exact code first, then its class", () => {
    const expected: ReadonlyArray<readonly [string, DatabaseError.Reason]> = [
      ["08006", "connection"],
      ["08007", "unknown-outcome"],
      ["57P01", "connection"],
      ["57P03", "connection"],
      ["25P03", "connection"],
      ["53300", "overloaded"],
      ["28P01", "authentication"],
      ["3D000", "configuration"],
      ["42601", "syntax"],
      ["42P01", "syntax"],
      ["42501", "authorization"],
      ["23505", "unique-violation"],
      ["23503", "constraint"],
      ["22P02", "invalid-data"],
      ["40P01", "deadlock"],
      ["40001", "serialization"],
      ["40003", "unknown-outcome"],
      ["55P03", "lock-timeout"],
      ["57014", "statement-timeout"],
      ["25P02", "transaction-aborted"],
      ["25006", "read-only"],
      ["XX000", "server-error"],
      ["P0001", "raised"],
      ["ZZ999", "unknown"]
    ]
    assert.deepStrictEqual(
      expected.map(([code]) => [code, reasonOf(code)]),
      expected.map(([code, reason]) => [code, reason])
    )
  })

  it("reads the errno of a socket, and the first of several addresses", () => {
    assert.strictEqual(reasonOf("ECONNREFUSED"), "connection")
    assert.strictEqual(reasonOf("ENOTFOUND"), "connection")
    const both = new AggregateError([driverError({ code: "ECONNREFUSED" }), driverError({ code: "ETIMEDOUT" })])
    const error = DatabaseError.fromUnknown(wrapped(both))
    assert.strictEqual(error.reason, "connection")
    assert.strictEqual(error.code, "ECONNREFUSED")
  })

  it("reads the wording of the driver's own errors, which have no code", () => {
    const reason = (message: string) => DatabaseError.fromUnknown(wrapped(new Error(message))).reason
    assert.strictEqual(reason("timeout exceeded when trying to connect"), "pool-exhausted")
    assert.strictEqual(reason("Connection terminated unexpectedly"), "connection")
    assert.strictEqual(reason("Connection terminated due to connection timeout"), "connection")
    assert.strictEqual(reason("Client has encountered a connection error and is not queryable"), "connection")
    assert.strictEqual(reason("something new"), "unknown")
  })

  it("says which failures another try can help", () => {
    const retryable = (code: string) => DatabaseError.fromUnknown(driverError({ code })).isRetryable
    for (const code of ["ECONNRESET", "57P01", "40001", "40P01", "55P03", "53300"]) assert.isTrue(retryable(code), code)
    for (const code of ["23505", "42601", "57014", "28P01", "53100"]) assert.isFalse(retryable(code), code)
  })

  it("does not count as failure what the database did rightly", () => {
    const counts = (code: string) => DatabaseError.fromUnknown(driverError({ code })).countsAsFailure
    for (const code of ["ECONNREFUSED", "57P01", "28P01", "57014", "53300", "XX000"]) assert.isTrue(counts(code), code)
    for (const code of ["23505", "23503", "22P02", "42601", "40001", "40P01", "55P03"])
      assert.isFalse(counts(code), code)
  })

  it("names the constraint but shows no value of the row, however it is printed", () => {
    const original = driverError(
      { code: "23505", constraint: "users_email_key", detail: "Key (email)=(ann@example.com) already exists." },
      'duplicate key value violates unique constraint "users_email_key"'
    )
    const error = DatabaseError.fromUnknown(wrapped(original))
    assert.strictEqual(error.message, 'Such a row exists already (23505, constraint "users_email_key")')
    assert.strictEqual(error.constraint, "users_email_key")
    const printed = [
      inspect(error, { depth: 9 }),
      JSON.stringify(error),
      String(error),
      Cause.pretty(Cause.fail(error))
    ]
    for (const text of printed) assert.notInclude(text, "ann@example.com")
    assert.strictEqual((Redacted.value(error.original) as SqlError.SqlError).cause, original)
  })

  it("quotes the server where it can only name parts of the schema", () => {
    const missing = driverError({ code: "42P01" }, 'relation "calls" does not exist')
    assert.include(DatabaseError.fromUnknown(missing).message, 'relation "calls" does not exist')
    const value = driverError({ code: "22P02" }, 'invalid input syntax for type integer: "4111 1111"')
    assert.notInclude(DatabaseError.fromUnknown(value).message, "4111")
  })

  it.effect("brings SQL failures and SQL defects into the error channel, and leaves the others alone", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(DatabaseError.typed(Effect.fail(wrapped(driverError({ code: "23505" })))))
      assert.strictEqual(failure.reason, "unique-violation")
      const defect = yield* Effect.flip(DatabaseError.typed(Effect.die(wrapped(driverError({ code: "57P01" })))))
      assert.strictEqual(defect.reason, "connection")
      assert.strictEqual(yield* Effect.flip(DatabaseError.typed(Effect.fail("mine"))), "mine")
      const bug = new Error("bug")
      assert.deepStrictEqual(yield* Effect.exit(DatabaseError.typed(Effect.die(bug))), Exit.die(bug))
    })
  )
})
