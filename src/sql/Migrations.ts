/**
 * Brings the schema up to date, in the background, as soon as the database is there, so that a server starts while its
 * database is down and heals when it comes.
 *
 * All pending migrations run in one transaction under an advisory lock, so several instances that boot at once migrate
 * once, and a migration that fails leaves nothing behind. The running itself is `@effect/sql`'s Migrator; around it is
 * what that leaves out: its table is made without a race, a migration that was added below one that has run is refused
 * instead of skipped, and every failure is a typed error. A single statement of a migration is bound by the pool's
 * statement timeout.
 *
 * @since 0.1.0
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as DatabaseError from "./DatabaseError.js"
import { withTransaction } from "./Transaction.js"

/**
 * Migrations by `<number>_<name>`, as in `"0001_calls"`. Numbers only ever grow.
 *
 * @since 0.1.0
 * @category models
 */
export type MigrationRecord = Readonly<Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>>

/**
 * Which migrations there are.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly migrations: MigrationRecord
  /** Where it is noted what has run. Default "selfheal_migrations". */
  readonly table?: string | undefined
}

/**
 * The schema cannot be brought up to date, and that is not the database's absence.
 *
 * - `bad-name`: a key of the record is not `<number>_<name>`, or a number occurs twice.
 * - `out-of-order`: a migration that has not run has a lower number than one that has.
 * - `failed`: a migration failed; all of this run is rolled back.
 *
 * @since 0.1.0
 * @category errors
 */
export class MigrationRefused extends Data.TaggedError("MigrationRefused")<{
  readonly reason: "bad-name" | "out-of-order" | "failed"
  readonly migration: string
  readonly detail: string
}> {
  /** The same migration on the same schema fails again; somebody has to act. */
  readonly isRetryable = false

  override get message(): string {
    return `Migration "${this.migration}" was refused: ${this.detail}`
  }
}

/**
 * Runs what is pending and returns its names, in order; none when the schema is up to date already.
 *
 * @since 0.1.0
 * @category constructors
 */
export const run = (
  options: Options
): Effect.Effect<ReadonlyArray<string>, MigrationRefused | DatabaseError.DatabaseError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const known = yield* parse(options.migrations)
    const table = options.table ?? "selfheal_migrations"
    const sql = yield* SqlClient.SqlClient
    return yield* withTransaction(
      Effect.gen(function* () {
        yield* sql`select pg_advisory_xact_lock(hashtext(${`selfheal:${table}`}))`
        yield* sql`create table if not exists ${sql(table)} (
          migration_id integer primary key, created_at timestamptz not null default now(), name text not null)`
        const applied = yield* sql<{ migration_id: number }>`select migration_id from ${sql(table)}`
        yield* refuseOutOfOrder(
          known,
          applied.map((row) => row.migration_id)
        )
        const done = yield* migrate(options.migrations, table)
        return done.map(([id]) => known.find((migration) => migration.id === id)?.key ?? String(id))
      })
    )
  })

interface Known {
  readonly id: number
  readonly key: string
}

const parse = (migrations: MigrationRecord): Effect.Effect<ReadonlyArray<Known>, MigrationRefused> =>
  Effect.gen(function* () {
    const known = new Map<number, Known>()
    for (const key of Object.keys(migrations)) {
      const id = Number(/^(\d+)_.+$/.exec(key)?.[1] ?? Number.NaN)
      const twin = known.get(id)
      if (!Number.isSafeInteger(id) || id < 1) {
        return yield* refuse("bad-name", key, "its key must look like 0001_name, with a number from 1")
      }
      if (twin !== undefined) return yield* refuse("bad-name", key, `"${twin.key}" has the same number`)
      known.set(id, { id, key })
    }
    return [...known.values()].sort((a, b) => a.id - b.id)
  })

const refuse = (reason: MigrationRefused["reason"], migration: string, detail: string): MigrationRefused =>
  new MigrationRefused({ reason, migration, detail })

const refuseOutOfOrder = (
  known: ReadonlyArray<Known>,
  applied: ReadonlyArray<number>
): Effect.Effect<void, MigrationRefused> => {
  const latest = Math.max(0, ...applied)
  const skipped = known.find(({ id }) => id < latest && !applied.includes(id))
  return skipped === undefined
    ? Effect.void
    : Effect.fail(
        refuse("out-of-order", skipped.key, `migration ${latest} has run already; give it a number above that`)
      )
}

/**
 * The Migrator reports a failed migration as a defect with the failure inside. One that dies has failed too: a defect of
 * its own would end the tries without a word.
 */
const migrate = (
  migrations: MigrationRecord,
  table: string
): Effect.Effect<
  ReadonlyArray<readonly [id: number, name: string]>,
  MigrationRefused | DatabaseError.DatabaseError,
  SqlClient.SqlClient
> =>
  DatabaseError.typed(
    Migrator.make({})({
      loader: Migrator.fromRecord(Record.map(migrations, Effect.catchAllDefect(Effect.fail))),
      table
    }).pipe(
      Effect.catchAllDefect((defect) =>
        defect instanceof Migrator.MigrationError ? Effect.fail(defect) : Effect.die(defect)
      ),
      Effect.catchTag("MigrationError", (error) => Effect.fail(refusalOf(error)))
    )
  )

const refusalOf = (error: Migrator.MigrationError): MigrationRefused | DatabaseError.DatabaseError => {
  const cause = DatabaseError.isSqlError(error.cause) ? DatabaseError.fromUnknown(error.cause) : error.cause
  // A database that went away in the middle has nothing against the migration.
  if (cause instanceof DatabaseError.DatabaseError && DatabaseError.isConnectionLoss(cause)) return cause
  const name = /"([^"]+)"/.exec(error.message)?.[1] ?? "?"
  return refuse("failed", name, cause instanceof Error ? cause.message : error.message)
}

/**
 * How far the migrations have come.
 *
 * @since 0.1.0
 * @category models
 */
export type Status =
  | { readonly _tag: "Running"; readonly attempts: number }
  | {
      readonly _tag: "Waiting"
      readonly attempts: number
      readonly error: MigrationRefused | DatabaseError.DatabaseError
    }
  | { readonly _tag: "Ready"; readonly attempts: number; readonly applied: ReadonlyArray<string> }

/**
 * The migrations of a program that is running.
 *
 * @since 0.1.0
 * @category models
 */
export interface MigrationsShape {
  readonly status: Effect.Effect<Status>
  /** Returns when the schema is up to date. */
  readonly ready: Effect.Effect<void>
  /** Returns when the first try has ended, well or not. */
  readonly tried: Effect.Effect<void>
}

/**
 * Tells everybody who asks whether the schema is up to date.
 *
 * @since 0.1.0
 * @category tags
 */
export class Migrations extends Context.Tag("@dialdrill/selfheal/Migrations")<Migrations, MigrationsShape>() {}

/** The first tries are quick, for a database that starts beside this process; later ones are five seconds apart. */
const patience = Schedule.exponential("250 millis").pipe(Schedule.union(Schedule.spaced("5 seconds")))

/**
 * Starts the migrations in the background and goes on trying until they have succeeded or the scope is closed. A refused
 * migration is tried again too: an operator may repair the schema by hand.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<MigrationsShape, never, SqlClient.SqlClient | Scope.Scope> =>
  Effect.gen(function* () {
    const status = yield* Ref.make<Status>({ _tag: "Running", attempts: 0 })
    const tried = yield* Deferred.make<void>()
    const ready = yield* Deferred.make<void>()

    const attempt = Ref.update(status, ({ attempts }): Status => ({ _tag: "Running", attempts: attempts + 1 })).pipe(
      Effect.zipRight(run(options)),
      Effect.tap((applied) => Ref.update(status, ({ attempts }): Status => ({ _tag: "Ready", attempts, applied }))),
      Effect.tapError((error) =>
        Ref.update(status, ({ attempts }): Status => ({ _tag: "Waiting", attempts, error })).pipe(
          Effect.zipRight(Effect.logWarning(`Migrations will be tried again: ${error.message}`))
        )
      ),
      Effect.ensuring(Deferred.succeed(tried, undefined))
    )
    yield* attempt.pipe(Effect.retry(patience), Effect.zipRight(Deferred.succeed(ready, undefined)), Effect.forkScoped)
    return Migrations.of({
      status: Ref.get(status),
      ready: Deferred.await(ready),
      tried: Deferred.await(tried)
    })
  })

/**
 * The background migrations as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Migrations, never, SqlClient.SqlClient> =>
  Layer.scoped(Migrations, make(options))
