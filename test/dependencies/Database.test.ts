import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { afterAll, beforeAll } from "vitest"
import { Database, layer } from "../../src/dependencies/Database.js"
import * as Migrations from "../../src/sql/Migrations.js"
import * as Settings from "../../src/dependencies/Settings.js"
import * as HealthMonitor from "../../src/health/HealthMonitor.js"
import type * as Pool from "../../src/sql/Pool.js"
import { SqlPool } from "../../src/sql/Pool.js"
import { allReturned, connect, eventually, timed } from "../sql/support.js"
import * as Postgres from "../support/Postgres.js"
import { ground } from "./support.js"

describe.skipIf(!Postgres.available)("Database on a real server", () => {
  let postgres: Postgres.Postgres
  beforeAll(async () => {
    postgres = await Postgres.make()
    await postgres.admin("create table notes (id int primary key)")
  })
  afterAll(() => postgres.dispose())

  /** Short real limits, since real processes are the subject. */
  const database = (options?: Omit<Pool.Options, "url">) =>
    layer.pipe(
      Layer.provide(Migrations.layer({ migrations: {} })),
      Layer.provideMerge(Layer.suspend(() => connect(postgres.url, { connectTimeout: "500 millis", ...options }))),
      Layer.provideMerge(ground),
      Layer.provide(
        Settings.layerFrom({
          DATABASE_ATTEMPT_TIMEOUT: "1s",
          DATABASE_DEADLINE: "3s",
          DATABASE_RETRY_INITIAL_DELAY: "50ms",
          DATABASE_CIRCUIT_RESET_TIMEOUT: "500ms",
          DATABASE_PROBE_INTERVAL: "100ms"
        })
      )
    )

  const sql = SqlClient.SqlClient
  const one = Effect.flatMap(sql, (sql) => sql<{ one: number }>`select 1 as one`)
  const insert = (id: number) => Effect.flatMap(sql, (sql) => sql`insert into notes values (${id})`)
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
  const recovered = Effect.flatMap(Database, (database) =>
    eventually("it answers again", Effect.isSuccess(database.call("ask", one)))
  )

  it.live("answers through the policy, and takes a unique violation for an answer", () =>
    Effect.gen(function* () {
      const database = yield* Database
      const health = yield* HealthMonitor.HealthMonitor
      assert.deepStrictEqual(yield* database.call("ask", one), [{ one: 1 }])
      yield* database.transaction("note", insert(1))
      for (let again = 0; again < 6; again++) {
        const error = yield* Effect.flip(database.transaction("note", insert(1)))
        assert.strictEqual(error._tag === "DatabaseError" ? error.reason : error._tag, "unique-violation")
      }
      assert.strictEqual((yield* database.dependency.breaker.status).state, "closed")
      assert.lengthOf(yield* health.getRecentErrors(10, "database"), 0)
    }).pipe(Effect.provide(database()))
  )

  it.live("tries idempotent work again when its connection is killed, and other work never", () =>
    Effect.gen(function* () {
      const database = yield* Database
      let runs = 0
      const work = Effect.gen(function* () {
        runs++
        const client = yield* sql
        if (runs === 1) yield* client`select pg_sleep(0.9)`
        return yield* client<{ one: number }>`select 1 as one`
      })
      const patient = yield* Effect.fork(database.transaction("work", work, { idempotent: true }))
      yield* running("pg_sleep")
      yield* killAll
      assert.deepStrictEqual(yield* Fiber.join(patient), [{ one: 1 }])
      assert.strictEqual(runs, 2)

      runs = 0
      const once = yield* Effect.fork(Effect.flip(database.transaction("work", work)))
      yield* running("pg_sleep")
      yield* killAll
      const error = yield* Fiber.join(once)
      assert.strictEqual(error._tag === "DatabaseError" ? error.reason : error._tag, "connection")
      assert.strictEqual(runs, 1)
      yield* allReturned
    }).pipe(Effect.provide(database()))
  )

  it.live("rejects at once while the server is down, shows it, and heals with no action", () =>
    Effect.gen(function* () {
      const database = yield* Database
      const health = yield* HealthMonitor.HealthMonitor
      const status = Effect.map(health.getHealthStatus, ({ checks }) => checks["database"]?.status)
      yield* eventually(
        "it is up",
        Effect.map(status, (status) => status === "up")
      )
      postgres.stop("immediate")
      for (let call = 0; call < 5; call++) yield* Effect.flip(database.call("ask", one))
      const [error, millis] = yield* timed(Effect.flip(database.call("ask", one)))
      assert.strictEqual(error._tag, "CircuitOpen")
      assert.isBelow(millis, 100)
      yield* eventually(
        "it is down",
        Effect.map(status, (status) => status === "down")
      )
      yield* Effect.promise(() => postgres.start())
      yield* recovered
      yield* eventually(
        "it is up again",
        Effect.map(status, (status) => status === "up")
      )
      yield* allReturned
    }).pipe(Effect.provide(database()))
  )

  it.live("lets nobody hang on a frozen server, and heals when it thaws", () =>
    Effect.gen(function* () {
      const database = yield* Database
      yield* Effect.all(
        Array.from({ length: 4 }, () => database.call("ask", one)),
        { concurrency: "unbounded" }
      )
      yield* Effect.sync(() => postgres.freeze())
      const calls = Array.from({ length: 20 }, (_, index) =>
        Effect.either(
          index % 2 === 0
            ? database.call("ask", one, { idempotent: true })
            : database.transaction("note", insert(100 + index))
        )
      )
      const [results, millis] = yield* timed(Effect.all(calls, { concurrency: "unbounded" }))
      assert.isTrue(results.every(Either.isLeft))
      assert.isBelow(millis, 4000)
      yield* Effect.sync(() => postgres.thaw())
      yield* recovered
      yield* allReturned
    }).pipe(Effect.ensuring(Effect.sync(() => postgres.thaw())), Effect.provide(database()))
  )

  it.live("queues in front of the pool and not inside it", () =>
    Effect.gen(function* () {
      const database = yield* Database
      const pool = yield* SqlPool
      const slow = Effect.flatMap(sql, (sql) => sql`select pg_sleep(0.1)`)
      const burst = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 12 }, () => database.call("sleep", slow)),
          { concurrency: "unbounded" }
        )
      )
      yield* running("pg_sleep")
      const seen = yield* pool.status
      assert.strictEqual(seen.waiting, 0)
      assert.isAtMost(seen.total, 4)
      yield* Fiber.join(burst)
      yield* allReturned
    }).pipe(Effect.provide(database({ maxConnections: 4 })))
  )
})
