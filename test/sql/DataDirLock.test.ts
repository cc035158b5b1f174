import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach } from "vitest"
import * as DataDirLock from "../../src/sql/DataDirLock.js"
import * as Programs from "../support/Programs.js"

const holder = fileURLToPath(new URL("./programs/hold-lock.ts", import.meta.url))

describe("DataDirLock", () => {
  let folder: string
  let remove: () => void
  beforeEach(() => {
    ;({ folder, remove } = Programs.temporaryFolder())
  })
  afterEach(() => remove())

  const refused = (directory: string) => Effect.flip(Effect.scoped(DataDirLock.acquire(directory)))

  it.live("makes the directory, and can be taken again once it is given back", () =>
    Effect.gen(function* () {
      const deep = path.join(folder, "a", "b")
      yield* Effect.scoped(DataDirLock.acquire(deep))
      yield* Effect.scoped(DataDirLock.acquire(deep))
      assert.deepStrictEqual(fs.readdirSync(deep), [])
    })
  )

  it.live("refuses a second holder, and names the directory and the process", () =>
    Effect.gen(function* () {
      yield* DataDirLock.acquire(folder)
      const error = yield* refused(folder)
      assert.strictEqual(error.reason, "in-use")
      assert.strictEqual(error.pid, process.pid)
      assert.include(error.message, `${folder} is in use by process ${process.pid}`)
    }).pipe(Effect.scoped)
  )

  it.live("knows a directory under its other names", () =>
    Effect.gen(function* () {
      yield* DataDirLock.acquire(folder)
      fs.symlinkSync(folder, `${folder}-link`)
      assert.strictEqual((yield* refused(`${folder}-link`)).reason, "in-use")
    }).pipe(Effect.ensuring(Effect.sync(() => fs.rmSync(`${folder}-link`, { force: true }))), Effect.scoped)
  )

  it.live("refuses while another process holds it, also a stopped one, and takes it over when that was killed", () =>
    Effect.gen(function* () {
      const other = Programs.start(holder, [folder])
      yield* Effect.promise(() => other.wrote(1))
      assert.deepStrictEqual(other.lines(), ["held"])
      assert.strictEqual((yield* refused(folder)).pid, other.pid)
      process.kill(other.pid, "SIGSTOP")
      assert.strictEqual((yield* refused(folder)).reason, "in-use")
      yield* Effect.promise(() => other.kill())
      assert.lengthOf(fs.readdirSync(folder), 1, "the stale socket is still there")
      yield* Effect.scoped(DataDirLock.acquire(folder))
      assert.lengthOf(fs.readdirSync(folder), 0)
    })
  )

  it.live("lets exactly one of many starters take over a stale lock", () =>
    Effect.gen(function* () {
      for (let round = 0; round < 20; round++) {
        yield* Effect.promise(() => Programs.staleSocket(path.join(folder, ".lock-1-00.sock")))
        const attempts = Array.from({ length: 8 }, () => Effect.either(DataDirLock.acquire(folder)))
        const results = yield* Effect.scoped(Effect.all(attempts, { concurrency: "unbounded" }))
        assert.strictEqual(results.filter((result) => result._tag === "Right").length, 1)
      }
    })
  )

  it.live("says what to do when the place is a file, or below one", () =>
    Effect.gen(function* () {
      const file = path.join(folder, "file")
      fs.writeFileSync(file, "")
      for (const place of [file, path.join(file, "below")]) {
        const error = yield* refused(place)
        assert.strictEqual(error.reason, "not-a-directory")
        assert.include(error.message, "choose another directory")
      }
    })
  )

  it.live("says what to do when the place is not writable", () =>
    Effect.gen(function* () {
      fs.chmodSync(folder, 0o555)
      // To root everything is writable, so for a moment this process is nobody.
      const root = process.geteuid?.() === 0
      if (root) process.seteuid!(65534)
      const error = yield* refused(folder).pipe(Effect.ensuring(Effect.sync(() => root && process.seteuid!(0))))
      fs.chmodSync(folder, 0o755)
      assert.strictEqual(error.reason, "not-writable")
      assert.include(error.message, "is not writable for this process")
    })
  )

  it.live("works in a directory whose name is too long for a socket", () =>
    Effect.gen(function* () {
      const long = path.join(folder, "x".repeat(120))
      yield* DataDirLock.acquire(long)
      assert.strictEqual((yield* refused(long)).reason, "in-use")
    }).pipe(Effect.scoped)
  )
})
