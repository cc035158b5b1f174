/**
 * What went wrong with the database, in one tagged error with a reason, so that callers, retries and circuit breakers
 * need not know SQLSTATE, errno or the wording of a driver's message.
 *
 * The classification reads three things, in this order: the SQLSTATE that the server sent, the errno of the socket, and,
 * for the driver's own errors that carry neither, the message. The reasons are named after those of Effect 4's SqlError.
 *
 * @since 0.1.0
 */
import * as SqlError from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"

/**
 * Why a statement or transaction failed.
 *
 * - `connection`: no connection, or it was lost; the statement may or may not have run.
 * - `pool-exhausted`: no connection of the pool became free in time; nothing ran.
 * - `overloaded`: the server is out of connections, memory or disk.
 * - `authentication`, `authorization`, `configuration`: refused login, missing right, no such database or a bad URL.
 * - `syntax`: the statement does not fit the server or its schema; a bug, or a migration that has not run.
 * - `unique-violation`, `constraint`, `invalid-data`: the data were refused.
 * - `deadlock`, `serialization`, `lock-timeout`: another transaction was in the way; rolled back.
 * - `statement-timeout`: the server cancelled the statement (its own limit, or somebody's request).
 * - `transaction-aborted`: an earlier statement of the transaction had failed, so the server rolled all of it back.
 * - `read-only`: the server takes no writes, as a standby does.
 * - `unknown-outcome`: the connection was lost at COMMIT; the transaction is either whole or absent, nobody here knows.
 * - `server-error`: the server failed inside.
 * - `raised`: the database's own code raised an exception.
 * - `unknown`: none of these.
 *
 * @since 0.1.0
 * @category models
 */
export type Reason =
  | "connection"
  | "pool-exhausted"
  | "overloaded"
  | "authentication"
  | "authorization"
  | "configuration"
  | "syntax"
  | "unique-violation"
  | "constraint"
  | "invalid-data"
  | "deadlock"
  | "serialization"
  | "lock-timeout"
  | "statement-timeout"
  | "transaction-aborted"
  | "read-only"
  | "unknown-outcome"
  | "server-error"
  | "raised"
  | "unknown"

interface Trait {
  /** In words, for the message. */
  readonly says: string
  /** Whether the same work, sent again, can succeed. */
  readonly retryable: boolean
  /** Whether it speaks against the database's health, and so counts in a circuit breaker. */
  readonly outage: boolean
}

const traits: Record<Reason, Trait> = {
  connection: { says: "The database cannot be reached", retryable: true, outage: true },
  "pool-exhausted": { says: "No database connection became free in time", retryable: true, outage: true },
  overloaded: { says: "The database is out of resources", retryable: true, outage: true },
  authentication: { says: "The database refused the login", retryable: false, outage: true },
  authorization: { says: "The database refused access", retryable: false, outage: false },
  configuration: { says: "The database is not configured rightly", retryable: false, outage: true },
  syntax: { says: "The database does not accept the statement", retryable: false, outage: false },
  "unique-violation": { says: "Such a row exists already", retryable: false, outage: false },
  constraint: { says: "The row breaks a constraint", retryable: false, outage: false },
  "invalid-data": { says: "The database does not accept a value", retryable: false, outage: false },
  deadlock: { says: "The transaction was rolled back to end a deadlock", retryable: true, outage: false },
  serialization: { says: "The transaction conflicted with another", retryable: true, outage: false },
  "lock-timeout": { says: "A lock was not free in time", retryable: true, outage: false },
  "statement-timeout": { says: "The statement was cancelled, having run too long", retryable: false, outage: true },
  "transaction-aborted": { says: "The transaction was rolled back as a whole", retryable: false, outage: false },
  "read-only": { says: "The database takes no writes", retryable: false, outage: true },
  "unknown-outcome": {
    says: "The connection was lost at COMMIT; the outcome is unknown",
    retryable: true,
    outage: true
  },
  "server-error": { says: "The database failed inside", retryable: false, outage: true },
  raised: { says: "The database raised an exception", retryable: false, outage: false },
  unknown: { says: "The database call failed", retryable: false, outage: true }
}

/**
 * A failed statement or transaction. `message` holds no value of a row or parameter; the driver's own error, whose
 * details do, is in `original`, redacted.
 *
 * @since 0.1.0
 * @category errors
 */
export class DatabaseError extends Data.TaggedError("DatabaseError")<{
  readonly reason: Reason
  /** SQLSTATE (five characters) or errno (`ECONNREFUSED`), when there is one. */
  readonly code?: string | undefined
  /** The name of the violated constraint, when the server named one. */
  readonly constraint?: string | undefined
  /** What the server said, only where it can hold nothing but names of the schema. */
  readonly detail?: string | undefined
  readonly original: Redacted.Redacted<unknown>
}> {
  /**
   * Whether the same work can succeed when it is sent again. After `connection` and `unknown-outcome` it may have been
   * done already: retry those only when doing it twice is harmless.
   */
  get isRetryable(): boolean {
    return traits[this.reason].retryable && this.code !== "53100" // a full disk does not empty itself
  }

  /** The database never says when to come back. */
  get retryAfter(): Duration.Duration | undefined {
    return undefined
  }

  /** Whether it speaks against the database's health: a lost connection does, a unique violation does not. */
  get countsAsFailure(): boolean {
    return traits[this.reason].outage
  }

  /** Whether it is an answer that a program asks for, and nothing for an operator to look at. */
  get isExpected(): boolean {
    return this.reason === "unique-violation"
  }

  override get message(): string {
    const parts = [
      this.code,
      this.constraint === undefined ? undefined : `constraint "${this.constraint}"`,
      this.detail
    ]
    const known = parts.filter(Predicate.isNotUndefined)
    return known.length === 0 ? traits[this.reason].says : `${traits[this.reason].says} (${known.join(", ")})`
  }
}

/**
 * Whether a value is a `DatabaseError` that speaks against the database's health.
 *
 * @since 0.1.0
 * @category predicates
 */
export const countsAgainstBreaker = (error: unknown): boolean => error instanceof DatabaseError && error.countsAsFailure

/**
 * Whether a failure means that the connection is gone or could not be had.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isConnectionLoss = (error: DatabaseError): boolean =>
  error.reason === "connection" || error.reason === "pool-exhausted"

const sqlState = /^[0-9A-Z]{5}$/

/** Exact codes first, then their class (the first two characters): PostgreSQL's appendix A. */
const bySqlState: Record<string, Reason> = {
  "08": "connection",
  "08007": "unknown-outcome",
  "0A": "syntax",
  "21": "syntax",
  "22": "invalid-data",
  "23": "constraint",
  "23505": "unique-violation",
  "24": "syntax",
  "25": "transaction-aborted",
  "25006": "read-only",
  "25P03": "connection",
  "26": "syntax",
  "28": "authentication",
  "34": "syntax",
  "3D": "configuration",
  "3F": "syntax",
  "40": "serialization",
  "40002": "constraint",
  "40003": "unknown-outcome",
  "40P01": "deadlock",
  "42": "syntax",
  "42501": "authorization",
  "44": "constraint",
  "53": "overloaded",
  "54": "invalid-data",
  "55": "syntax",
  "55P03": "lock-timeout",
  "57": "connection",
  "57014": "statement-timeout",
  "58": "server-error",
  F0: "server-error",
  P0: "raised",
  XX: "server-error"
}

const errnos = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT", // a unix socket that is not there
  "EACCES"
])

/** The driver's own errors have neither SQLSTATE nor errno, so their wording is all there is. */
const byMessage: ReadonlyArray<readonly [RegExp, Reason]> = [
  [/timeout exceeded when trying to connect/, "pool-exhausted"],
  [/Connection terminated|not queryable|timeout expired|Query read timeout|Connection timed out/, "connection"],
  [/Cannot use a pool after calling end/, "connection"],
  [/does not support SSL|SSL connection/, "configuration"],
  [/SASL|SCRAM|password must be a string/i, "authentication"]
]

/** Server messages of these classes name tables, columns, databases and users, never values. */
const quotable = /^(42|3D|3F|28)/

const stringAt = (u: unknown, key: string): string | undefined =>
  Predicate.hasProperty(u, key) && Predicate.isString(u[key]) ? u[key] : undefined

/** Node reports a host with several addresses as one AggregateError: its first member says what happened. */
const innermost = (cause: unknown): unknown =>
  Predicate.hasProperty(cause, "errors") && Array.isArray(cause.errors) && cause.errors.length > 0
    ? (cause.errors[0] as unknown)
    : cause

const classify = (code: string | undefined, message: string | undefined): Reason => {
  if (code !== undefined) {
    if (errnos.has(code)) return "connection"
    if (sqlState.test(code)) return bySqlState[code] ?? bySqlState[code.slice(0, 2)] ?? "unknown"
  }
  return byMessage.find(([wording]) => message !== undefined && wording.test(message))?.[1] ?? "unknown"
}

/**
 * Classifies whatever a driver threw: an error of `pg`, or the `SqlError` of `@effect/sql` around it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromUnknown = (error: unknown): DatabaseError => {
  if (error instanceof DatabaseError) return error
  const cause = innermost(isSqlError(error) && error.cause !== undefined ? error.cause : error)
  const code = stringAt(cause, "code")
  const message = stringAt(cause, "message")
  return new DatabaseError({
    reason: classify(code, message),
    code,
    constraint: stringAt(cause, "constraint"),
    detail: code !== undefined && quotable.test(code) ? message : undefined,
    original: Redacted.make(error)
  })
}

/**
 * Builds an error for what this library finds out itself.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (reason: Reason, original: unknown, code?: string): DatabaseError =>
  new DatabaseError({ reason, code, original: Redacted.make(original) })

/**
 * Whether a value is the `SqlError` of `@effect/sql`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isSqlError = (u: unknown): u is SqlError.SqlError =>
  Predicate.hasProperty(u, SqlError.SqlErrorTypeId) && Predicate.isTagged(u, "SqlError")

/**
 * Turns the SQL failures of an effect into `DatabaseError`, also those that a library underneath turned into defects.
 * All other failures, and true defects, stay what they are.
 *
 * @since 0.1.0
 * @category combinators
 */
export const typed = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, SqlError.SqlError> | DatabaseError, R> =>
  Effect.catchAllCause(self, (cause): Effect.Effect<never, Exclude<E, SqlError.SqlError> | DatabaseError> => {
    const failure = Cause.failureOption(cause)
    const error = Option.filter(Option.isSome(failure) ? failure : Cause.dieOption(cause), isSqlError)
    return Option.isSome(error)
      ? Effect.fail(fromUnknown(error.value))
      : // No SqlError is in it, so the cause can only hold the other failures.
        Effect.failCause(cause as Cause.Cause<Exclude<E, SqlError.SqlError>>)
  })
