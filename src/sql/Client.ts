/**
 * `SqlClient` over the pool of this program. The same for a server and for the embedded engine: who writes a query need
 * not know which of them answers.
 *
 * Two things of `@effect/sql-pg` are not to be used: `.stream` and `reserve` outside of a transaction lose their
 * connection when interrupted while they wait for it, and `listen` goes silent for good with its connection.
 *
 * @since 0.1.0
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlPool } from "./Pool.js"

/**
 * The client as a layer. It does not connect, so it never fails, whether the database is there or not.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<SqlClient.SqlClient | PgClient.PgClient, never, SqlPool> = Layer.unwrapEffect(
  Effect.map(SqlPool, ({ pool }) =>
    // The only error of this layer is that of `acquire`, and the pool is here already.
    Layer.orDie(PgClient.layerFromPool({ acquire: Effect.succeed(pool) }))
  )
)
