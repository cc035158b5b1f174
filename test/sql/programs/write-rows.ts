/** A program that writes rows into the embedded database of a directory, and says the number of each when it is acknowledged. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Client from "../../../src/sql/Client.js"
import * as Embedded from "../../../src/sql/Embedded.js"
import { withTransaction } from "../../../src/sql/Transaction.js"

const program = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table if not exists rows (id int primary key, twice int)`
  for (let id = 1; ; id++) {
    yield* withTransaction(
      Effect.zipRight(sql`insert into rows values (${id}, 0)`, sql`update rows set twice = ${2 * id} where id = ${id}`)
    )
    process.stdout.write(`${id}\n`)
  }
})

const database = Layer.provide(Client.layer, Embedded.layer({ directory: process.argv[2]! }))
await Effect.runPromise(
  program.pipe(
    Effect.provide(database),
    Effect.catchAll((error) => Effect.sync(() => process.stdout.write(`${error.message}\n`)))
  )
)
