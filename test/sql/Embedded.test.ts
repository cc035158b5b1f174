import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach } from "vitest"
import * as Client from "../../src/sql/Client.js"
import * as Embedded from "../../src/sql/Embedded.js"
import * as Pool from "../../src/sql/Pool.js"
import { withTransaction } from "../../src/sql/Transaction.js"
import * as Cluster from "../support/Cluster.js"
import * as Programs from "../support/Programs.js"
import { allReturned } from "./support.js"

const writer = fileURLToPath(new URL("./programs/write-rows.ts", import.meta.url))

// Opening the engine is half a second, and a minute when the machine is busy and the cluster has to be made first.
const patience = 120_000

describe("Embedded", () => {
  let folder: string
  let remove: () => void
  beforeEach(async () => {
    ;({ folder, remove } = Programs.temporaryFolder())
    await Cluster.copyInto(folder)
  }, patience)
  afterEach(() => remove())

  const openHere = Layer.suspend(() => Client.layer.pipe(Layer.provideMerge(Embedded.layer({ directory: folder }))))

  it.live(
    "opens with the first query and not before, keeps what it was given, and leaves no lock",
    () =>
      Effect.gen(function* () {
        const write = Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const { status } = yield* Pool.SqlPool
          assert.deepStrictEqual(yield* status, { total: 0, idle: 0, waiting: 0 })
          yield* sql`create table kept (id int primary key)`
          yield* withTransaction(sql`insert into kept values (1), (2)`)
          const twin = yield* Effect.flip(withTransaction(sql`insert into kept values (1)`))
          assert.deepStrictEqual([twin.reason, twin.constraint], ["unique-violation", "kept_pkey"])
          yield* allReturned
        })
        yield* Effect.provide(write, openHere)
        const read = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`select id from kept order by id`)
        assert.deepStrictEqual(yield* Effect.provide(read, openHere), [{ id: 1 }, { id: 2 }])
        assert.deepStrictEqual(fs.readdirSync(folder).sort(), ["pglite", "pglite.complete"])
      }),
    patience
  )

  it.live(
    "keeps its one connection through interruptions, failures and transactions that were left open",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table rows (id int primary key)`
        const series = sql`select count(*) from generate_series(1, 200000)`

        const plain = yield* Effect.fork(series)
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(plain)
        yield* allReturned

        const inserted = yield* Deferred.make<void>()
        const inside = yield* Effect.fork(
          withTransaction(
            sql`insert into rows values (1)`.pipe(
              Effect.zipRight(Deferred.succeed(inserted, undefined)),
              Effect.zipRight(series),
              Effect.zipRight(Effect.never)
            )
          )
        )
        yield* Deferred.await(inserted)
        yield* Fiber.interrupt(inside)
        yield* allReturned

        const { pool } = yield* Pool.SqlPool
        yield* Effect.promise(async () => {
          const client = await pool.connect()
          await client.query("begin")
          await client.query("insert into rows values (2)")
          client.release()
        })
        yield* allReturned
        assert.deepStrictEqual(yield* sql`select id from rows`, [])

        const careless = Effect.zipRight(sql`insert into rows values (3)`, Effect.ignore(sql`select nonsense`))
        assert.strictEqual((yield* Effect.flip(withTransaction(careless))).reason, "transaction-aborted")
        yield* withTransaction(sql`insert into rows values (4)`)
        assert.deepStrictEqual(yield* sql`select id from rows`, [{ id: 4 }])
      }).pipe(Effect.provide(openHere)),
    patience
  )

  it.live(
    "refuses a second opener, in this process and in another",
    () =>
      Effect.gen(function* () {
        const here = yield* Effect.flip(Effect.scoped(Embedded.make({ directory: folder })))
        assert.strictEqual(here.pid, process.pid)
        const other = Programs.start(writer, [folder])
        yield* Effect.promise(() => other.ended)
        assert.deepStrictEqual(other.lines(), [here.message])
      }).pipe(Effect.provide(openHere)),
    patience
  )

  it.live(
    "loses no acknowledged row to kill -9, and takes the directory over",
    () =>
      Effect.gen(function* () {
        const other = Programs.start(writer, [folder])
        yield* Effect.promise(() => other.wrote(300))
        yield* Effect.promise(() => other.kill())
        const acknowledged = other.lines().map(Number)
        assert.isAtLeast(acknowledged.length, 300)
        const rows = yield* Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql<{ id: number; twice: number }>`select id, twice from rows order by id`
        ).pipe(Effect.provide(openHere))
        assert.deepStrictEqual(
          rows.slice(0, acknowledged.length).map((row) => row.id),
          acknowledged
        )
        assert.isAtMost(rows.length, acknowledged.length + 1) // one may be committed whose word did not get out
        assert.isTrue(
          rows.every((row) => row.twice === 2 * row.id),
          "no transaction is there by half"
        )
      }),
    patience
  )

  it.live(
    "starts afresh beside a first start that was killed half-way",
    () =>
      Effect.gen(function* () {
        fs.rmSync(path.join(folder, "pglite.complete"))
        fs.rmSync(path.join(folder, "pglite", "global"), { recursive: true })
        const sql = yield* SqlClient.SqlClient
        assert.deepStrictEqual(yield* sql`select 1 as one`, [{ one: 1 }])
        assert.isTrue(fs.existsSync(path.join(folder, "pglite.incomplete", "PG_VERSION")))
      }).pipe(Effect.provide(openHere)),
    patience
  )

  it.live(
    "opens the engine again after a crash of it",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table survived (id int)`
        yield* sql`insert into survived values (1)`
        const { pool } = yield* Pool.SqlPool
        const client = yield* Effect.promise(() => pool.connect())
        client.connection.emit("error", new Error("RuntimeError: memory access out of bounds"))
        client.release(true)
        assert.deepStrictEqual(yield* sql`select id from survived`, [{ id: 1 }])
        yield* allReturned
      }).pipe(Effect.provide(openHere)),
    patience
  )
})
