import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, beforeAll } from "vitest"
import * as Client from "../../src/sql/Client.js"
import * as Embedded from "../../src/sql/Embedded.js"
import * as Migrations from "../../src/sql/Migrations.js"
import * as Cluster from "../support/Cluster.js"
import * as Postgres from "../support/Postgres.js"
import * as Programs from "../support/Programs.js"
import { allReturned, connect, eventually } from "./support.js"

const statement = (text: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.asVoid(sql.unsafe(text)))
const first = { "0001_calls": statement("create table calls (id int primary key)") }
const second = { ...first, "0002_turns": statement("create table turns (id int primary key)") }
const failing = { ...second, "0003_wrong": Effect.zipRight(statement("create table third ()"), statement("nonsense")) }
const broken = { ...second, "0003_broken": Effect.die(new Error("a bug")) }
const late = { ...second, "0004_last": statement("create table last ()") }
const forgotten = { ...late, "0003_forgotten": statement("create table forgotten ()") }

const tables = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ table_name: string }>`
    select table_name from information_schema.tables where table_schema = 'public' order by 1`
  return rows.map((row) => row.table_name)
})

const evolution = Effect.gen(function* () {
  assert.deepStrictEqual(yield* Migrations.run({ migrations: first }), ["0001_calls"])
  assert.deepStrictEqual(yield* Migrations.run({ migrations: second }), ["0002_turns"])
  assert.deepStrictEqual(yield* Migrations.run({ migrations: second }), [])

  const failed = yield* Effect.flip(Migrations.run({ migrations: failing }))
  assert.strictEqual(failed._tag, "MigrationRefused")
  assert.include(failed.message, '"3_wrong"')
  assert.include(failed.message, "42601")
  assert.deepStrictEqual(yield* tables, ["calls", "selfheal_migrations", "turns"])

  const died = yield* Effect.flip(Migrations.run({ migrations: broken }))
  assert.strictEqual(died.message, 'Migration "3_broken" was refused: a bug')

  yield* Migrations.run({ migrations: late })
  const skipped = yield* Effect.flip(Migrations.run({ migrations: forgotten }))
  assert.include(skipped.message, '"0003_forgotten"')
  assert.include(skipped.message, "migration 4 has run already")
  assert.notInclude(yield* tables, "forgotten")
})

describe("Migrations on the embedded database", () => {
  const { folder, remove } = Programs.temporaryFolder()
  beforeAll(() => Cluster.copyInto(folder), 120_000)
  afterAll(() => remove())

  it.live(
    "runs what is pending, undoes what fails and refuses what comes too late",
    () =>
      evolution.pipe(
        Effect.zipRight(allReturned),
        Effect.provide(Client.layer.pipe(Layer.provideMerge(Embedded.layer({ directory: folder }))))
      ),
    60_000
  )
})

describe.skipIf(!Postgres.available)("Migrations on a real server", () => {
  let postgres: Postgres.Postgres
  beforeAll(async () => {
    postgres = await Postgres.make()
  })
  afterAll(() => postgres.dispose())

  const fresh = (name: string) => Effect.promise(() => postgres.createDatabase(name))

  it.live("runs what is pending, undoes what fails and refuses what comes too late", () =>
    Effect.gen(function* () {
      const url = yield* fresh("evolution")
      yield* Effect.provide(Effect.zipRight(evolution, allReturned), connect(url))
    })
  )

  it.live("refuses keys that say no number, or the same twice", () =>
    Effect.gen(function* () {
      for (const migrations of [
        { calls: Effect.void },
        { "0000_none": Effect.void },
        { "1_a": Effect.void, "01_b": Effect.void }
      ]) {
        const error = yield* Effect.flip(Migrations.run({ migrations }))
        assert.strictEqual(error._tag === "MigrationRefused" ? error.reason : error._tag, "bad-name")
      }
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("lets six instances that boot at once migrate once", () =>
    Effect.gen(function* () {
      const url = yield* fresh("boots")
      const boot = Migrations.run({ migrations: second }).pipe(
        Effect.zipLeft(allReturned),
        Effect.provide(connect(url, { maxConnections: 2 }))
      )
      const results = yield* Effect.all(
        Array.from({ length: 6 }, () => boot),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(results.flat(), ["0001_calls", "0002_turns"])
    })
  )

  it.live("waits in the background for a database that is down, and says so meanwhile", () =>
    Effect.gen(function* () {
      const url = yield* fresh("later")
      postgres.stop("fast")
      yield* Effect.gen(function* () {
        const migrations = yield* Migrations.Migrations
        yield* migrations.tried
        yield* eventually(
          "it has tried",
          Effect.map(migrations.status, (status) => status._tag === "Waiting")
        )
        const status = yield* migrations.status
        assert.strictEqual(status._tag === "Waiting" ? status.error._tag : status._tag, "DatabaseError")
        yield* Effect.promise(() => postgres.start())
        yield* migrations.ready
        const ready = yield* migrations.status
        assert.deepStrictEqual(ready._tag === "Ready" ? ready.applied : ready, ["0001_calls"])
        assert.isAtLeast(ready.attempts, 2)
        yield* allReturned
      }).pipe(Effect.provide(Layer.provideMerge(Migrations.layer({ migrations: first }), connect(url))))
    })
  )
})
