/** A program that takes the lock on the directory it is given, says how that went, and stays. */
import * as Effect from "effect/Effect"
import * as DataDirLock from "../../../src/sql/DataDirLock.js"

const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

await Effect.runPromise(
  DataDirLock.acquire(process.argv[2]!).pipe(
    Effect.zipRight(say("held")),
    Effect.zipRight(Effect.async<never>(() => void setInterval(() => {}, 1000))),
    Effect.catchAll((error) => say(error.message)),
    Effect.scoped
  )
)
