/**
 * The database: PostgreSQL, or the engine embedded in this process, behind the policy that every dependency has. What
 * goes wrong is a `DatabaseError` or a rejection, also where the driver's own layer would die.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { HealthMonitor } from "../health/HealthMonitor.js"
import type { CircuitBreakers } from "../resilience/CircuitBreakers.js"
import * as Policy from "../resilience/Policy.js"
import * as DatabaseError from "../sql/DatabaseError.js"
import { Migrations } from "../sql/Migrations.js"
import { SqlPool } from "../sql/Pool.js"
import * as ResilientClient from "../sql/ResilientClient.js"
import type { Dependencies } from "./Dependencies.js"
import * as Dependency from "./Dependency.js"
import { Settings } from "./Settings.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface DatabaseShape {
  readonly dependency: Dependency.Dependency
  /** Runs statements through the policy. Only idempotent work is retried. */
  readonly call: <A, E, R>(
    operation: string,
    effect: Effect.Effect<A, E, R>,
    options?: { readonly idempotent?: boolean | undefined }
  ) => ResilientClient.Passed<A, E, R>
  /** The same in one transaction; a retry runs all of it again. */
  readonly transaction: DatabaseShape["call"]
}

/**
 * @since 0.1.0
 * @category services
 */
export class Database extends Context.Tag("@dialdrill/selfheal/dependencies/Database")<Database, DatabaseShape>() {}

/** The first try to reach and migrate the database has this long to end. */
const firstTry = Duration.seconds(15)

/** Free for the probe, and for what a slow statement leaves behind. */
const spare = 2

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  DatabaseShape,
  Dependency.DependencyConfigurationError,
  SqlClient.SqlClient | SqlPool | Migrations | Settings | CircuitBreakers | Dependencies | HealthMonitor | Scope.Scope
> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const pool = yield* SqlPool
  const { tried } = yield* Migrations
  const { database: settings } = yield* Settings
  const dependency = yield* Dependency.make({
    name: "database",
    critical: true,
    configured: true,
    preset: Policy.database,
    policy: {
      ...settings,
      maxConcurrent: Math.max(1, Math.min(settings.maxConcurrent ?? Infinity, pool.maxConnections - spare))
    },
    probe: Effect.asVoid(DatabaseError.typed(sql`select 1`)),
    // An embedded database that is being made, or the first migrations, would look like an outage.
    startAfter: Effect.asVoid(Effect.timeoutOption(tried, firstTry)),
    probeTimeout: Duration.seconds(3)
  })
  const guarded = (operation: string) =>
    ResilientClient.make(sql, { protect: (self, how) => dependency.call(operation, self, how) })
  return Database.of({
    dependency,
    call: (operation, effect, options) => guarded(operation).write(effect, options),
    transaction: (operation, effect, options) => guarded(operation).transaction(effect, options)
  })
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  Database,
  Dependency.DependencyConfigurationError,
  SqlClient.SqlClient | SqlPool | Migrations | Settings | CircuitBreakers | Dependencies | HealthMonitor
> = Layer.scoped(Database, make)
