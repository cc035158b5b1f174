import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { afterAll, beforeAll } from "vitest"
import { withTransaction } from "../../src/sql/Transaction.js"
import type * as DatabaseError from "../../src/sql/DatabaseError.js"
import * as Pool from "../../src/sql/Pool.js"
import * as Postgres from "../support/Postgres.js"
import { allReturned, connect, eventually, pause, timed } from "./support.js"

describe.skipIf(!Postgres.available)("Transaction on a real server", () => {
  let postgres: Postgres.Postgres
  beforeAll(async () => {
    postgres = await Postgres.make()
    await postgres.admin(
      "create table notes (id int primary key, parent int references notes (id) deferrable initially deferred)"
    )
    await postgres.admin("create table doctors (name text primary key, on_call boolean not null)")
  })
  afterAll(() => postgres.dispose())

  const sql = SqlClient.SqlClient
  const insert = (id: number, parent: number | null = null) =>
    Effect.flatMap(sql, (sql) => sql`insert into notes values (${id}, ${parent})`)
  const exists = (id: number) =>
    Effect.map(
      Effect.promise(() => postgres.admin("select 1 from notes where id = $1", [id])),
      (rows) => rows.length === 1
    )
  const killAll = Effect.promise(() =>
    postgres.admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'selfheal'")
  )
  const noBackend = eventually(
    "the backends are gone",
    Effect.map(
      Effect.promise(() => postgres.admin("select 1 from pg_stat_activity where application_name = 'selfheal'")),
      (rows) => rows.length === 0
    )
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

  it.live("commits what succeeded", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* withTransaction(Effect.as(insert(1), "done")), "done")
      assert.isTrue(yield* exists(1))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("rolls back what failed, died or was interrupted, and keeps the connection", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(withTransaction(Effect.zipRight(insert(2), Effect.fail("mine" as const))))
      assert.strictEqual(failure, "mine")
      const bug = new Error("bug")
      const died = yield* Effect.exit(withTransaction(Effect.zipRight(insert(2), Effect.die(bug))))
      assert.deepStrictEqual(died, Exit.die(bug))
      const fiber = yield* Effect.fork(withTransaction(Effect.zipRight(insert(2), Effect.never)))
      yield* Effect.sleep("100 millis")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      assert.isFalse(yield* exists(2))
      yield* allReturned
      assert.strictEqual((yield* (yield* Pool.SqlPool).status).total, 1)
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("is typed when the connection is killed in the middle of a statement", () =>
    Effect.gen(function* () {
      const sleeping = Effect.flatMap(sql, (sql) => Effect.zipRight(insert(3), sql`select pg_sleep(20)`))
      const fiber = yield* Effect.fork(Effect.flip(withTransaction(sleeping)))
      yield* running("pg_sleep")
      yield* killAll
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason, "connection")
      assert.strictEqual(error.code, "57P01")
      assert.isFalse(yield* exists(3))
      yield* withTransaction(insert(3))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("is typed when the connection is killed between two statements", () =>
    Effect.gen(function* () {
      const between = yield* pause
      const fiber = yield* Effect.fork(
        Effect.flip(withTransaction(insert(4).pipe(Effect.zipRight(between.here), Effect.zipRight(insert(5)))))
      )
      yield* between.reached
      yield* killAll
      yield* noBackend
      yield* between.goOn
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "connection")
      assert.isFalse(yield* exists(4))
      yield* withTransaction(insert(4))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("keeps the effect's own failure when the rollback fails too", () =>
    Effect.gen(function* () {
      const idle = yield* pause
      const fiber = yield* Effect.fork(
        Effect.flip(
          withTransaction(insert(6).pipe(Effect.zipRight(idle.here), Effect.zipRight(Effect.fail("mine" as const))))
        )
      )
      yield* idle.reached
      yield* killAll
      yield* noBackend
      yield* idle.goOn
      assert.strictEqual(yield* Fiber.join(fiber), "mine")
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("says that the outcome is unknown when the connection is lost before COMMIT is answered", () =>
    Effect.gen(function* () {
      const idle = yield* pause
      const fiber = yield* Effect.fork(Effect.flip(withTransaction(Effect.zipRight(insert(7), idle.here))))
      yield* idle.reached
      yield* killAll
      yield* noBackend
      yield* idle.goOn
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason, "unknown-outcome")
      assert.isTrue(error.isRetryable)
      assert.isFalse(yield* exists(7))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("does not wait for ever for the answer to COMMIT, nor for ROLLBACK, of a frozen server", () =>
    Effect.gen(function* () {
      const idle = yield* pause
      const limits = { commitTimeout: "400 millis", rollbackTimeout: "300 millis" } as const
      const committing = yield* Effect.fork(Effect.flip(withTransaction(Effect.zipRight(insert(8), idle.here), limits)))
      const failing = yield* Effect.fork(
        Effect.flip(
          withTransaction(insert(9).pipe(Effect.zipRight(idle.here), Effect.zipRight(Effect.fail("mine"))), limits)
        )
      )
      yield* idle.reached
      yield* Effect.sleep("100 millis")
      yield* Effect.sync(() => postgres.freeze())
      const [[unknown, mine], millis] = yield* timed(
        Effect.zipRight(idle.goOn, Effect.all([Fiber.join(committing), Fiber.join(failing)]))
      )
      assert.strictEqual((unknown as DatabaseError.DatabaseError).reason, "unknown-outcome")
      assert.strictEqual(mine, "mine")
      assert.isBelow(millis, 1500)
      yield* allReturned
      yield* Effect.sync(() => postgres.thaw())
      yield* withTransaction(insert(90))
      yield* allReturned
    }).pipe(Effect.ensuring(Effect.sync(() => postgres.thaw())), Effect.provide(connect(postgres.url)))
  )

  it.live("finishes a COMMIT that has begun although the caller is gone", () =>
    Effect.gen(function* () {
      const idle = yield* pause
      yield* insert(1000)
      // The deferred constraint makes COMMIT itself wait, for the lock on the referenced row's table.
      const locker = yield* Effect.fork(
        withTransaction(
          Effect.flatMap(sql, (sql) => sql`select 1 from notes where id = 1000 for update`).pipe(
            Effect.zipRight(idle.here)
          )
        )
      )
      yield* idle.reached
      const fiber = yield* Effect.fork(withTransaction(insert(10, 1000)))
      yield* running("COMMIT")
      const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* Effect.sleep("50 millis")
      yield* idle.goOn
      yield* Fiber.join(interruption)
      yield* Fiber.join(locker)
      assert.isTrue(yield* exists(10))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("is typed when COMMIT is refused: by a deferred constraint", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(withTransaction(insert(11, 999)))
      assert.deepStrictEqual([error.reason, error.constraint], ["constraint", "notes_parent_fkey"])
      yield* allReturned
      assert.strictEqual((yield* (yield* Pool.SqlPool).status).total, 1)
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("is typed when COMMIT is refused: by a serialization conflict, which a retry of the whole heals", () =>
    Effect.gen(function* () {
      const client = yield* sql
      yield* client`insert into doctors values ('ann', true), ('bob', true)`
      // Both have read and written before either commits; the one that commits second must be refused.
      const together = yield* Deferred.make<void>()
      let written = 0
      const meet = Effect.suspend(() =>
        ++written < 2 ? Deferred.await(together) : Deferred.succeed(together, undefined)
      )
      const goOffCall = (name: string) =>
        withTransaction(
          Effect.gen(function* () {
            yield* client`set transaction isolation level serializable`
            const others = yield* client`select 1 from doctors where on_call and name <> ${name}`
            if (others.length > 0) yield* client`update doctors set on_call = false where name = ${name}`
            yield* meet
          })
        )
      const exits = yield* Effect.all([Effect.exit(goOffCall("ann")), Effect.exit(goOffCall("bob"))], {
        concurrency: 2
      })
      const failed = exits.find(Exit.isFailure)
      assert.isDefined(failed)
      const error = Cause.failureOption(failed!.cause)
      assert.strictEqual(error._tag === "Some" ? error.value.reason : "none", "serialization")
      yield* client`update doctors set on_call = true`
      const patient = { while: (error: DatabaseError.DatabaseError) => error.isRetryable, schedule: Schedule.recurs(5) }
      yield* Effect.all([goOffCall("ann"), goOffCall("bob")].map(Effect.retry(patient)), { concurrency: 2 })
      const onCall = yield* client`select name from doctors where on_call`
      assert.strictEqual(onCall.length, 1)
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("types a deadlock, and lets the other side win", () =>
    Effect.gen(function* () {
      const client = yield* sql
      yield* client`insert into notes values (20, null), (21, null)`
      const lock = (id: number) => client`select 1 from notes where id = ${id} for update`
      const cross = (a: number, b: number) =>
        Effect.exit(
          withTransaction(lock(a).pipe(Effect.zipRight(Effect.sleep("100 millis")), Effect.zipRight(lock(b))))
        )
      const exits = yield* Effect.all([cross(20, 21), cross(21, 20)], { concurrency: 2 })
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      const failed = exits.find(Exit.isFailure)
      const error = Cause.failureOption(failed!.cause)
      assert.strictEqual(error._tag === "Some" ? error.value.reason : "none", "deadlock")
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("does not report success for a transaction that the server rolled back", () =>
    Effect.gen(function* () {
      const careless = Effect.zipRight(insert(30), Effect.ignore(insert(30)))
      const error = yield* Effect.flip(withTransaction(careless))
      assert.strictEqual(error.reason, "transaction-aborted")
      assert.isFalse(yield* exists(30))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("lets an inner transaction fail alone, as a savepoint", () =>
    Effect.gen(function* () {
      const outer = Effect.gen(function* () {
        yield* insert(40)
        const inner = yield* Effect.flip(withTransaction(Effect.zipRight(insert(41), insert(41))))
        assert.strictEqual(inner.reason, "unique-violation")
        yield* withTransaction(insert(42))
      })
      yield* withTransaction(outer)
      assert.deepStrictEqual(yield* Effect.all([exists(40), exists(41), exists(42)]), [true, false, true])
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("can be interrupted while it waits for a connection, and loses none", () =>
    Effect.gen(function* () {
      const idle = yield* pause
      const holder = yield* Effect.fork(withTransaction(idle.here))
      yield* idle.reached
      const waiting = yield* Effect.forEach([50, 51, 52], (id) => Effect.fork(withTransaction(insert(id))))
      yield* Effect.sleep("100 millis")
      const [, millis] = yield* timed(Fiber.interruptAll(waiting))
      assert.isBelow(millis, 300)
      yield* idle.goOn
      yield* Fiber.join(holder)
      yield* allReturned
      yield* withTransaction(insert(53))
      assert.deepStrictEqual(yield* Effect.all([exists(50), exists(53)]), [false, true])
    }).pipe(Effect.provide(connect(postgres.url, { maxConnections: 1 })))
  )

  it.live("can be interrupted while a statement runs: it is over at once, here and on the server", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        withTransaction(Effect.flatMap(sql, (sql) => Effect.zipRight(insert(60), sql`select pg_sleep(20)`)))
      )
      yield* running("pg_sleep")
      const [, millis] = yield* timed(Fiber.interrupt(fiber))
      assert.isBelow(millis, 500)
      yield* noBackend
      assert.isFalse(yield* exists(60))
      yield* withTransaction(insert(60))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("can be interrupted while BEGIN waits for a frozen server", () =>
    Effect.gen(function* () {
      yield* withTransaction(insert(70))
      yield* Effect.sync(() => postgres.freeze())
      const fiber = yield* Effect.fork(withTransaction(insert(71)))
      yield* Effect.sleep("100 millis")
      const [, millis] = yield* timed(Fiber.interrupt(fiber))
      assert.isBelow(millis, 500)
      yield* Effect.sync(() => postgres.thaw())
      yield* withTransaction(insert(72))
      yield* allReturned
    }).pipe(Effect.ensuring(Effect.sync(() => postgres.thaw())), Effect.provide(connect(postgres.url)))
  )

  it.live("can be interrupted while an inner transaction waits for a frozen server to release it", () =>
    Effect.gen(function* () {
      const inner = yield* pause
      const fiber = yield* Effect.fork(withTransaction(Effect.zipRight(insert(74), withTransaction(inner.here))))
      yield* inner.reached
      yield* Effect.sync(() => postgres.freeze())
      yield* inner.goOn
      yield* Effect.sleep("100 millis")
      const [, millis] = yield* timed(Fiber.interrupt(fiber))
      assert.isBelow(millis, 500)
      yield* Effect.sync(() => postgres.thaw())
      assert.isFalse(yield* exists(74))
      yield* allReturned
    }).pipe(Effect.ensuring(Effect.sync(() => postgres.thaw())), Effect.provide(connect(postgres.url)))
  )

  it.live("is over when one of its statements was cut short, even if the effect goes on", () =>
    Effect.gen(function* () {
      const client = yield* sql
      const careless = Effect.gen(function* () {
        yield* insert(80)
        yield* Effect.timeoutOption(client`select pg_sleep(20)`, "100 millis")
        return yield* Effect.either(insert(81))
      })
      const error = yield* Effect.flip(withTransaction(careless))
      assert.strictEqual(error.reason, "transaction-aborted")
      assert.isFalse(yield* exists(80))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url)))
  )

  it.live("is typed when the server is down, and when the pool is full", () =>
    Effect.gen(function* () {
      const idle = yield* pause
      const holder = yield* Effect.fork(withTransaction(idle.here))
      yield* idle.reached
      assert.strictEqual((yield* Effect.flip(withTransaction(insert(100)))).reason, "pool-exhausted")
      yield* idle.goOn
      yield* Fiber.join(holder)
      postgres.stop("fast")
      assert.strictEqual((yield* Effect.flip(withTransaction(insert(100)))).reason, "connection")
      yield* Effect.promise(() => postgres.start())
      yield* withTransaction(insert(100))
      yield* allReturned
    }).pipe(Effect.provide(connect(postgres.url, { maxConnections: 1, connectTimeout: "300 millis" })))
  )
})
