/**
 * Transactions whose every failure is a typed error, and which nothing can hold up for ever.
 *
 * `sql.withTransaction` dies when COMMIT or ROLLBACK fails, loses the first error to the second, cannot be interrupted
 * while it waits for a connection or for BEGIN, and reports success when the server answers COMMIT with ROLLBACK because
 * an earlier statement had failed. This one runs over the same client and the same `TransactionConnection`, so that
 * statements inside need not know the difference, and does none of that.
 *
 * It does not retry: what may be done twice only the caller knows, so a retry belongs to the policy around it.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import * as SqlError from "@effect/sql/SqlError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as DatabaseError from "./DatabaseError.js"

/**
 * How long the two uninterruptible steps of a transaction may take.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * For COMMIT, which an interruption does not cut short, since a write that was accepted runs to its end. After it the
   * transaction fails with `unknown-outcome`. Default 3 seconds.
   */
  readonly commitTimeout?: Duration.DurationInput | undefined
  /** For ROLLBACK; after it the connection is dropped, which rolls back as well. Default 1 second. */
  readonly rollbackTimeout?: Duration.DurationInput | undefined
}

/**
 * Runs an effect in a transaction: committed when it succeeds, rolled back when it fails, dies or is interrupted. Inside
 * another transaction it is a savepoint of that one.
 *
 * The effect's own failures come out as they are, its SQL failures as `DatabaseError`; a ROLLBACK that fails hides
 * neither. A COMMIT whose answer never came is `unknown-outcome`. When a statement failed or was interrupted and the
 * effect succeeded all the same, the outcome is `transaction-aborted`: the server has kept nothing.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTransaction = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  options?: Options
): Effect.Effect<A, Exclude<E, SqlError.SqlError> | DatabaseError.DatabaseError, R | SqlClient.SqlClient> =>
  DatabaseError.typed(
    Effect.flatMap(
      Effect.all([SqlClient.SqlClient, Effect.serviceOption(SqlClient.TransactionConnection)]),
      ([sql, outer]) =>
        Option.isSome(outer)
          ? nested(outer.value[0], outer.value[1] + 1, self, options)
          : Effect.acquireUseRelease(
              Scope.make(),
              (scope) => Effect.flatMap(reserve(sql, scope), (connection) => topLevel(connection, self, options)),
              (scope, exit) => Scope.close(scope, exit)
            )
    )
  )

/**
 * Waits for a connection and can be interrupted while it does. The client's own `reserve` loses the connection then, so
 * it is left to finish in the background: it hands the connection to a scope that is closed, which gives it back.
 */
const reserve = (sql: SqlClient.SqlClient, scope: Scope.Scope): Effect.Effect<Connection, SqlError.SqlError> =>
  Effect.disconnect(Effect.uninterruptible(Scope.extend(sql.reserve, scope)))

const topLevel = <A, E, R>(
  raw: Connection,
  self: Effect.Effect<A, E, R>,
  options: Options | undefined
): Effect.Effect<A, E | SqlError.SqlError | DatabaseError.DatabaseError, R> => {
  const connection = new Watched(raw)
  return Effect.uninterruptibleMask((restore) =>
    restore(connection.executeUnprepared("BEGIN", [], undefined)).pipe(
      Effect.zipRight(restore(Effect.provideService(self, SqlClient.TransactionConnection, [connection, 0]))),
      Effect.exit,
      Effect.flatMap((exit) =>
        Exit.isSuccess(exit) && !connection.abandoned
          ? Effect.as(commit(connection, options), exit.value)
          : Effect.zipRight(undo(connection, "ROLLBACK", options), outcome(connection, exit))
      )
    )
  )
}

const nested = <A, E, R>(
  outer: Connection,
  depth: number,
  self: Effect.Effect<A, E, R>,
  options: Options | undefined
): Effect.Effect<A, E | SqlError.SqlError | DatabaseError.DatabaseError, R> => {
  const name = `selfheal_${depth}`
  const connection = outer instanceof Watched ? outer : new Watched(outer)
  return Effect.uninterruptibleMask((restore) =>
    restore(connection.executeUnprepared(`SAVEPOINT ${name}`, [], undefined)).pipe(
      Effect.zipRight(restore(Effect.provideService(self, SqlClient.TransactionConnection, [connection, depth]))),
      // On an aborted transaction this fails, and with it the savepoint, as it should.
      Effect.zipLeft(restore(connection.executeUnprepared(`RELEASE SAVEPOINT ${name}`, [], undefined))),
      Effect.exit,
      Effect.flatMap((exit) =>
        Exit.isSuccess(exit)
          ? Effect.succeed(exit.value)
          : Effect.zipRight(undo(connection, `ROLLBACK TO SAVEPOINT ${name}`, options), outcome(connection, exit))
      )
    )
  )
}

const commit = (connection: Watched, options: Options | undefined): Effect.Effect<void, DatabaseError.DatabaseError> =>
  atMost(connection.executeRaw("COMMIT", []), options?.commitTimeout ?? "3 seconds").pipe(
    Effect.mapError(DatabaseError.fromUnknown),
    Effect.flatMap((answer) => {
      if (Option.isNone(answer)) return Effect.fail(DatabaseError.make("unknown-outcome", "COMMIT was not answered"))
      return Predicate.hasProperty(answer.value, "command") && answer.value.command === "ROLLBACK"
        ? Effect.fail(connection.aborted)
        : Effect.void
    }),
    Effect.catchAll((error) =>
      // After a refusal the server has rolled back already; the ROLLBACK only brings the driver's knowledge up to date.
      Effect.zipRight(
        undo(connection, "ROLLBACK", options),
        Effect.fail(
          DatabaseError.isConnectionLoss(error)
            ? DatabaseError.make("unknown-outcome", error.original, error.code)
            : error
        )
      )
    )
  )

/** Rolls back if it can; if not, the connection is dropped when it is given back, and that rolls back too. */
const undo = (connection: Watched, statement: string, options: Options | undefined): Effect.Effect<void> =>
  connection.abandoned
    ? Effect.void
    : Effect.ignore(
        atMost(connection.executeUnprepared(statement, [], undefined), options?.rollbackTimeout ?? "1 second")
      )

const outcome = <A, E>(
  connection: Watched,
  exit: Exit.Exit<A, E>
): Effect.Effect<A, E | DatabaseError.DatabaseError> =>
  Exit.isSuccess(exit) ? Effect.fail(connection.aborted) : Effect.failCause(exit.cause)

/**
 * A time limit that the caller's interruption does not shorten. `Effect.timeout` would: an interruption reaches the
 * children of a fibre at once, also while the fibre itself cannot be interrupted. So these are nobody's children.
 */
const atMost = <A, E>(self: Effect.Effect<A, E>, limit: Duration.DurationInput): Effect.Effect<Option.Option<A>, E> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const work = yield* Effect.forkDaemon(Effect.interruptible(self))
      const timer = yield* Effect.forkDaemon(Effect.interruptible(Effect.delay(Fiber.interrupt(work), limit)))
      const exit = yield* Fiber.await(work)
      yield* Fiber.interrupt(timer)
      return Exit.isInterrupted(exit) ? Option.none() : Option.some(yield* exit)
    })
  )

/**
 * The connection of a transaction, watched for a statement that was interrupted. The server may still be running that
 * statement, so the transaction is over: later statements are refused, and the connection is not asked for anything.
 */
class Watched implements Connection {
  abandoned = false
  #firstFailure: SqlError.SqlError | undefined

  constructor(readonly raw: Connection) {}

  get aborted(): DatabaseError.DatabaseError {
    return DatabaseError.make("transaction-aborted", this.#firstFailure, "25P02")
  }

  readonly execute: Connection["execute"] = (...args) => this.#watch(this.raw.execute(...args))
  readonly executeRaw: Connection["executeRaw"] = (...args) => this.#watch(this.raw.executeRaw(...args))
  readonly executeValues: Connection["executeValues"] = (...args) => this.#watch(this.raw.executeValues(...args))
  readonly executeUnprepared: Connection["executeUnprepared"] = (...args) =>
    this.#watch(this.raw.executeUnprepared(...args))
  /** All rows at once: a cursor whose connection is lost would neither fail nor end. */
  readonly executeStream: Connection["executeStream"] = (...args) => Stream.fromIterableEffect(this.execute(...args))

  #watch<A>(statement: Effect.Effect<A, SqlError.SqlError>): Effect.Effect<A, SqlError.SqlError> {
    return Effect.suspend(() => {
      if (this.abandoned) return Effect.fail(new SqlError.SqlError({ message: refusal.message, cause: refusal }))
      return statement.pipe(
        Effect.tapError((error) => Effect.sync(() => (this.#firstFailure ??= error))),
        Effect.onInterrupt(() => Effect.sync(() => (this.abandoned = true)))
      )
    })
  }
}

const refusal = Object.assign(new Error("A statement of this transaction was interrupted"), { code: "25P02" })
