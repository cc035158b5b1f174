/**
 * Passes the work of a `SqlClient` through a policy: reads may be done again, writes are only when their caller says so,
 * and a transaction is one call, all of which is done again.
 *
 * What is done inside of a transaction is a part of that call, whichever method does it: by itself it is neither admitted
 * nor done again, since the transaction has its place, and is over when one of its statements has failed.
 *
 * What goes wrong is a `DatabaseError` or a rejection. What the work itself refuses ("there is no such call") is an answer:
 * the database did its part. So the policy sees a success, neither retries it nor holds it against the database.
 *
 * ```ts
 * const policy = yield* Policy.make(Policy.database({ name: "database", breaker }))
 * const database = ResilientClient.make(yield* SqlClient.SqlClient, policy)
 * const notes = yield* database.read(Effect.flatMap(SqlClient.SqlClient, (sql) => sql`select * from notes`))
 * ```
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Call, Policy } from "../resilience/Policy.js"
import type { Rejection } from "../resilience/Rejection.js"
import * as DatabaseError from "./DatabaseError.js"
import { withTransaction } from "./Transaction.js"

/**
 * Work on the database, passed through a policy.
 *
 * @since 0.1.0
 * @category models
 */
export type Passed<A, E, R> = Effect.Effect<
  A,
  Exclude<E, SqlError> | DatabaseError.DatabaseError | Rejection,
  Exclude<R, SqlClient.SqlClient>
>

/**
 * @since 0.1.0
 * @category models
 */
export interface ResilientClient {
  /** Statements that change nothing: they may be done again. */
  readonly read: <A, E, R>(work: Effect.Effect<A, E, R>) => Passed<A, E, R>
  /** Statements that change something. Done once, unless the call is declared idempotent. */
  readonly write: <A, E, R>(work: Effect.Effect<A, E, R>, call?: Call) => Passed<A, E, R>
  /** The same in one transaction (`withTransaction`); when it is declared idempotent, all of it may be done again. */
  readonly transaction: <A, E, R>(work: Effect.Effect<A, E, R>, call?: Call) => Passed<A, E, R>
}

/**
 * Puts a policy before a client.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (sql: SqlClient.SqlClient, policy: Pick<Policy, "protect">): ResilientClient => {
  const through = <A, E, R>(work: Effect.Effect<A, E | DatabaseError.DatabaseError, R>, call: Call | undefined) => {
    const done = Effect.provideService(answered(work), SqlClient.SqlClient, sql)
    return Effect.flatMap(Effect.serviceOption(SqlClient.TransactionConnection), (transaction) =>
      Effect.flatten(Option.isSome(transaction) ? done : policy.protect(done, call))
    )
  }
  return {
    read: (work) => through(DatabaseError.typed(work), { idempotent: true }),
    write: (work, call) => through(DatabaseError.typed(work), call),
    transaction: (work, call) => through(withTransaction(work), call)
  }
}

const answered = <A, E, R>(
  work: Effect.Effect<A, E, R>
): Effect.Effect<
  Either.Either<A, Exclude<E, DatabaseError.DatabaseError>>,
  Extract<E, DatabaseError.DatabaseError>,
  R
> =>
  Effect.matchEffect(work, {
    onSuccess: (a) => Effect.succeed(Either.right(a)),
    // Casts: the test tells the two sides of the union apart.
    onFailure: (error) =>
      error instanceof DatabaseError.DatabaseError
        ? Effect.fail(error as Extract<E, DatabaseError.DatabaseError>)
        : Effect.succeed(Either.left(error as Exclude<E, DatabaseError.DatabaseError>))
  })
