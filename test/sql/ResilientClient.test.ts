import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { afterAll, beforeAll } from "vitest"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Policy from "../../src/resilience/Policy.js"
import * as ResilientClient from "../../src/sql/ResilientClient.js"
import * as Postgres from "../support/Postgres.js"
import { allReturned, connect } from "./support.js"

describe.skipIf(!Postgres.available)("ResilientClient on a real server", () => {
  let postgres: Postgres.Postgres
  beforeAll(async () => {
    postgres = await Postgres.make()
    await postgres.admin("create table notes (id int primary key)")
  })
  afterAll(() => postgres.dispose())

  const rig = Effect.gen(function* () {
    const breaker = yield* CircuitBreaker.make({ name: "database" })
    const policy = yield* Policy.make(Policy.database({ name: "database", retry: { initialDelay: 5 }, breaker }))
    return { breaker, database: ResilientClient.make(yield* SqlClient.SqlClient, policy) }
  })
  const sql = SqlClient.SqlClient
  const loseConnection = Effect.flatMap(sql, (sql) => sql`select pg_terminate_backend(pg_backend_pid())`)

  /** Work whose connection is lost the first time that it is done. */
  const losing = <A, E, R>(work: Effect.Effect<A, E, R>) => {
    let times = 0
    const all = Effect.suspend(() => {
      times += 1
      return times === 1 ? Effect.zipRight(work, Effect.zipRight(loseConnection, work)) : work
    })
    return { all, times: () => times }
  }
  const insert = (id: number) => Effect.flatMap(sql, (sql) => sql`insert into notes values (${id})`)
  const count = (id: number) =>
    Effect.map(
      Effect.promise(() => postgres.admin("select 1 from notes where id = $1", [id])),
      (rows) => rows.length
    )
  const run = <A, E>(body: Effect.Effect<A, E, SqlClient.SqlClient | Effect.Effect.Context<typeof allReturned>>) =>
    Effect.provide(Effect.zipLeft(body, allReturned), connect(postgres.url))

  it.live("a read is done again when its connection was lost", () =>
    run(
      Effect.gen(function* () {
        const { breaker, database } = yield* rig
        const work = losing(Effect.flatMap(sql, (sql) => sql<{ one: number }>`select 1 as one`))
        assert.strictEqual(JSON.stringify(yield* database.read(work.all)), '[{"one":1}]')
        assert.strictEqual(work.times(), 2)
        assert.strictEqual((yield* breaker.status).failures, 0, "the second attempt has closed the book")
      })
    )
  )

  it.live("a write is done once, unless its caller says that it may be done again", () =>
    run(
      Effect.gen(function* () {
        const { database } = yield* rig
        const once = losing(insert(1))
        const error = yield* Effect.flip(database.write(once.all))
        assert.deepInclude(error, { _tag: "DatabaseError", reason: "connection" })
        assert.strictEqual(once.times(), 1)
        const repeatable = losing(
          Effect.flatMap(sql, (sql) => sql`insert into notes values (2) on conflict do nothing`)
        )
        yield* database.write(repeatable.all, { idempotent: true })
        assert.strictEqual(repeatable.times(), 2)
      })
    )
  )

  it.live("a transaction is one call, and all of it is done again", () =>
    run(
      Effect.gen(function* () {
        const { database } = yield* rig
        const work = losing(Effect.zipRight(insert(3), insert(4)))
        yield* database.transaction(work.all, { idempotent: true })
        assert.strictEqual(work.times(), 2)
        assert.deepStrictEqual([yield* count(3), yield* count(4)], [1, 1])
      })
    )
  )

  it.live(
    "what is done inside of a transaction is a part of its call, and neither admitted nor done again by itself",
    () =>
      run(
        Effect.gen(function* () {
          const bulkhead = yield* Bulkhead.make({ name: "database", maxConcurrent: 1 })
          const breaker = yield* CircuitBreaker.make({ name: "database" })
          const policy = yield* Policy.make(
            Policy.database({ name: "database", retry: { initialDelay: 5 }, breaker, bulkhead })
          )
          const database = ResilientClient.make(yield* SqlClient.SqlClient, policy)
          const reads = losing(Effect.flatMap(sql, (sql) => sql`select 1`))
          let transactions = 0
          const work = Effect.gen(function* () {
            transactions += 1
            yield* database.write(insert(6), { idempotent: true })
            // As a savepoint, which fails alone.
            yield* Effect.ignore(database.transaction(Effect.zipRight(insert(7), insert(7)), { idempotent: true }))
            yield* database.read(reads.all)
          })
          yield* database.transaction(work, { idempotent: true })
          assert.deepStrictEqual([transactions, reads.times()], [2, 2], "all of it was done again, and nothing else")
          assert.deepStrictEqual([yield* count(6), yield* count(7)], [1, 0])
          assert.strictEqual((yield* breaker.status).failures, 0)
        })
      )
  )

  it.live("what the work refuses is an answer: neither retried nor counted, and the transaction rolled back", () =>
    run(
      Effect.gen(function* () {
        const { breaker, database } = yield* rig
        let times = 0
        const refuses = Effect.zipRight(
          insert(5),
          Effect.suspend(() => {
            times += 1
            return Effect.fail("no such call" as const)
          })
        )
        assert.strictEqual(yield* Effect.flip(database.transaction(refuses, { idempotent: true })), "no such call")
        assert.strictEqual(times, 1)
        assert.strictEqual(yield* count(5), 0)
        assert.strictEqual((yield* breaker.status).failures, 0)
      })
    )
  )

  it.live("a bug beside what the work refuses is not lost", () =>
    run(
      Effect.gen(function* () {
        const { database } = yield* rig
        const refuses = Effect.ensuring(Effect.fail("no such call" as const), Effect.dieMessage("bug"))
        for (const end of [database.read(refuses), database.transaction(refuses, { idempotent: true })]) {
          const exit = yield* Effect.exit(end)
          assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        }
      })
    )
  )

  it.live("an open circuit turns work away before it costs a connection", () =>
    run(
      Effect.gen(function* () {
        const { breaker, database } = yield* rig
        yield* breaker.force("open")
        assert.strictEqual((yield* Effect.flip(database.read(loseConnection)))._tag, "CircuitOpen")
      })
    )
  )
})
