import type * as SqlClient from "@effect/sql/SqlClient"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Client from "../../src/sql/Client.js"
import type * as DatabaseError from "../../src/sql/DatabaseError.js"
import * as Pool from "../../src/sql/Pool.js"

/** A client over a pool of its own. */
export const connect = (
  url: string,
  options?: Omit<Pool.Options, "url">
): Layer.Layer<SqlClient.SqlClient | Pool.SqlPool, DatabaseError.DatabaseError> =>
  Client.layer.pipe(Layer.provideMerge(Pool.layer({ url: Redacted.make(url), ...options })))

/** Waits until something is so, for at most ten seconds: real processes have no virtual clock. */
export const eventually = <E, R>(what: string, condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    const start = Date.now()
    while (!(yield* condition)) {
      if (Date.now() - start > 10_000) return yield* Effect.dieMessage(`never came true: ${what}`)
      yield* Effect.sleep("20 millis")
    }
  })

/** Every connection is back in the pool and nobody waits for one. */
export const allReturned: Effect.Effect<void, never, Pool.SqlPool> = Effect.flatMap(Pool.SqlPool, (pool) =>
  eventually(
    "all connections are back",
    Effect.map(pool.status, ({ idle, total, waiting }) => idle === total && waiting === 0)
  )
)

/** How long an effect took, in milliseconds, with its result. */
export const timed = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, number], E, R> =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(self, (a) => [a, performance.now() - start] as const)
  })

/** A place in a transaction where the test does something to the server before it goes on. */
export const pause = Effect.gen(function* () {
  const reached = yield* Deferred.make<void>()
  const goOn = yield* Deferred.make<void>()
  return {
    here: Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(goOn)),
    reached: Deferred.await(reached),
    goOn: Deferred.succeed(goOn, undefined)
  }
})
