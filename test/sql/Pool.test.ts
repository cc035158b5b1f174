import * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlError from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { afterAll, beforeAll } from "vitest"
import * as DatabaseError from "../../src/sql/DatabaseError.js"
import * as Pool from "../../src/sql/Pool.js"
import * as Postgres from "../support/Postgres.js"
import { allReturned, connect, eventually, timed } from "./support.js"

const one = Effect.flatMap(SqlClient.SqlClient, (sql) => DatabaseError.typed(sql<{ one: number }>`select 1 as one`))
const sleep = (seconds: number) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => DatabaseError.typed(sql`select pg_sleep(${seconds})`))

describe("Pool options", () => {
  const make = (options: Pool.Options) => Effect.flip(Effect.scoped(Pool.make(options)))

  it.effect("refuses a URL that is none, without repeating it", () =>
    Effect.gen(function* () {
      for (const url of ["mysql://u:hunter2@h/d", "hunter2", "postgres://u:hunter2@h:port/d"]) {
        const error = yield* make({ url: Redacted.make(url) })
        assert.strictEqual(error.reason, "configuration")
        assert.include(error.message, "postgres://")
        assert.notInclude(error.message, "hunter2")
      }
    })
  )

  it.effect("refuses limits that contradict each other", () =>
    Effect.gen(function* () {
      const url = Redacted.make("postgres://localhost/x")
      const silent = yield* make({ url, statementTimeout: "20 seconds" })
      assert.include(silent.message, "inactivityTimeout must be longer")
      const none = yield* make({ url, maxConnections: 0 })
      assert.include(none.message, "maxConnections")
    })
  )
})

describe.skipIf(!Postgres.available)("Pool on a real server", () => {
  let postgres: Postgres.Postgres
  beforeAll(async () => {
    postgres = await Postgres.make()
  })
  afterAll(() => postgres.dispose())

  const backends = Effect.promise(() =>
    postgres.admin("select pid, query from pg_stat_activity where application_name = 'selfheal'")
  )
  const killAll = Effect.promise(() =>
    postgres.admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'selfheal'")
  )
  const running = (what: string) =>
    eventually(
      `${what} is running`,
      Effect.map(
        Effect.promise(() =>
          postgres.admin("select 1 from pg_stat_activity where state = 'active' and query like $1", [`%${what}%`])
        ),
        (rows) => rows.length > 0
      )
    )

  it.live("fails with the connection's end when it is killed in the middle of a query, and heals", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(sleep(20)))
      yield* running("pg_sleep")
      yield* killAll
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason, "connection")
      assert.isTrue(error.isRetryable)
      // The dying connection has no second victim.
      assert.deepStrictEqual(yield* one, [{ one: 1 }])
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("survives the death of connections that nobody is using", () =>
    Effect.gen(function* () {
      yield* Effect.all([one, one, one], { concurrency: 3 })
      yield* killAll
      const pool = yield* Pool.SqlPool
      yield* eventually(
        "the pool has noticed",
        Effect.map(pool.status, ({ total }) => total === 0)
      )
      assert.deepStrictEqual(yield* one, [{ one: 1 }])
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("heals by itself after a crash and restart of the server", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(sleep(20)))
      yield* running("pg_sleep")
      postgres.stop("immediate")
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "connection")
      const down = yield* Effect.flip(one)
      assert.strictEqual(down.reason, "connection")
      assert.strictEqual(down.code, "ECONNREFUSED")
      yield* Effect.promise(() => postgres.start())
      assert.deepStrictEqual(yield* one, [{ one: 1 }])
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("destroys the connections of a frozen server, and heals when it thaws", () =>
    Effect.gen(function* () {
      yield* Effect.all([one, one], { concurrency: 2 })
      yield* Effect.sync(() => postgres.freeze())
      const [errors, millis] = yield* timed(
        Effect.all([Effect.flip(one), Effect.flip(one), Effect.flip(one)], { concurrency: 3 })
      )
      for (const error of errors) assert.isTrue(DatabaseError.isConnectionLoss(error), error.reason)
      assert.isBelow(millis, 4000)
      const pool = yield* Pool.SqlPool
      assert.deepStrictEqual(yield* pool.status, { total: 0, idle: 0, waiting: 0 })
      yield* Effect.sync(() => postgres.thaw())
      assert.deepStrictEqual(yield* one, [{ one: 1 }])
      yield* allReturned
    }).pipe(
      Effect.ensuring(Effect.sync(() => postgres.thaw())),
      Effect.provide(
        connect(postgres.url, {
          connectTimeout: "1 second",
          statementTimeout: "1 second",
          idleTimeout: "1 second",
          inactivityTimeout: "1500 millis"
        })
      )
    )
  )

  it.live("lets go of a frozen server at once when it is interrupted", () =>
    Effect.gen(function* () {
      yield* one
      yield* Effect.sync(() => postgres.freeze())
      const fiber = yield* Effect.fork(one)
      yield* Effect.sleep("100 millis")
      const [exit, millis] = yield* timed(Fiber.interrupt(fiber))
      assert.isTrue(Exit.isInterrupted(exit))
      assert.isBelow(millis, 500)
      const pool = yield* Pool.SqlPool
      assert.strictEqual((yield* pool.status).total, 0)
      yield* Effect.sync(() => postgres.thaw())
      assert.deepStrictEqual(yield* one, [{ one: 1 }])
      yield* allReturned
    }).pipe(Effect.ensuring(Effect.sync(() => postgres.thaw())), Effect.provide(connect(postgres.url)))
  )

  it.live("stops the statement on the server when it is interrupted, and does not reuse its connection", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(sleep(20))
      yield* running("pg_sleep")
      const [, millis] = yield* timed(Fiber.interrupt(fiber))
      assert.isBelow(millis, 500)
      yield* eventually(
        "the statement has ended",
        Effect.map(backends, (rows) => !rows.some((row) => String(row["query"]).includes("pg_sleep")))
      )
      assert.deepStrictEqual(yield* one, [{ one: 1 }])
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url, { maxConnections: 1 })))
  )

  it.live("fails in time when no connection becomes free, and loses none", () =>
    Effect.gen(function* () {
      const holders = yield* Effect.fork(Effect.all([sleep(2), sleep(2)], { concurrency: 2 }))
      yield* running("pg_sleep")
      const [error, millis] = yield* timed(Effect.flip(one))
      assert.strictEqual(error.reason, "pool-exhausted")
      assert.isTrue(error.isRetryable)
      assert.isBelow(millis, 1500)
      yield* Fiber.join(holders)
      yield* allReturned
      assert.deepStrictEqual(yield* one, [{ one: 1 }])
    }).pipe(Effect.provide(connect(postgres.url, { maxConnections: 2, connectTimeout: "500 millis" })))
  )

  it.live("loses no connection to callers that are interrupted while they wait for one", () =>
    Effect.gen(function* () {
      const holder = yield* Effect.fork(sleep(1))
      yield* running("pg_sleep")
      const waiting = yield* Effect.forEach([1, 2, 3, 4, 5], () => Effect.fork(one))
      yield* Effect.sleep("100 millis")
      const [, millis] = yield* timed(Fiber.interruptAll(waiting))
      assert.isBelow(millis, 500)
      yield* Fiber.join(holder)
      yield* allReturned
      assert.deepStrictEqual(yield* one, [{ one: 1 }])
    }).pipe(Effect.provide(connect(postgres.url, { maxConnections: 1 })))
  )

  it.live("types what the server refuses", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`create table typed (id int primary key, parent int references typed (id))`
      yield* sql`insert into typed values (1, null)`
      const refused = (statement: Effect.Effect<unknown, SqlError.SqlError>) =>
        Effect.flip(DatabaseError.typed(statement))
      const twin = yield* refused(sql`insert into typed values (1, null)`)
      assert.deepStrictEqual([twin.reason, twin.constraint], ["unique-violation", "typed_pkey"])
      assert.strictEqual((yield* refused(sql`insert into typed values (2, 9)`)).reason, "constraint")
      assert.strictEqual((yield* refused(sql`select nonsense from typed`)).reason, "syntax")
      assert.strictEqual((yield* refused(sql`select ${"abc"}::int`)).reason, "invalid-data")
      assert.strictEqual((yield* refused(sql`select pg_sleep(5)`)).reason, "statement-timeout")
      yield* allReturned
      // A refused statement costs no connection.
      assert.strictEqual((yield* (yield* Pool.SqlPool).status).total, 1)
    }).pipe(Effect.provide(connect(postgres.url, { statementTimeout: "300 millis" })))
  )

  it.live("types a refused login and a missing database", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(one).pipe(
        Effect.provide(connect(postgres.url.replace(/postgres$/, "nowhere")))
      )
      assert.strictEqual(missing.reason, "configuration")
      const stranger = yield* Effect.flip(one).pipe(
        Effect.provide(connect(postgres.url.replace("postgres:secret", "stranger:secret")))
      )
      assert.strictEqual(stranger.reason, "authentication")
      assert.notInclude(stranger.message, "secret-password")
    })
  )

  it.live("closes within two seconds, whatever the server does", () =>
    Effect.gen(function* () {
      const [, millis] = yield* timed(
        Effect.gen(function* () {
          yield* one
          yield* Effect.sync(() => postgres.freeze())
        }).pipe(Effect.provide(connect(postgres.url)))
      )
      assert.isBelow(millis, 2000)
    }).pipe(Effect.ensuring(Effect.sync(() => postgres.thaw())))
  )
})
