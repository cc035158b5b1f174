/**
 * A lock on a data directory, so that a second process cannot open the embedded database in it: the engine does not
 * check that itself, and two of them silently lose each other's rows.
 *
 * The lock is a unix socket in the directory, on which its holder answers with its process id. It goes with the process
 * however that ends, so a stale one is recognised by nobody answering; a file with a process id in it is not that
 * reliable, since after a restart, and in every container, the same small numbers come back.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { createHash, randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"

/**
 * The data directory cannot be used. `message` is one line that says what to do about it.
 *
 * @since 0.1.0
 * @category errors
 */
export class DataDirectoryUnavailable extends Data.TaggedError("DataDirectoryUnavailable")<{
  readonly directory: string
  readonly reason: "in-use" | "not-a-directory" | "not-writable"
  /** The process that holds the directory, when the reason is `in-use` and it answered. */
  readonly pid?: number | undefined
}> {
  /** Nothing changes before somebody acts. */
  readonly isRetryable = false

  override get message(): string {
    switch (this.reason) {
      case "in-use":
        return `${this.directory} is in use by ${this.pid === undefined ? "another process" : `process ${this.pid}`}: stop that process, or choose another directory`
      case "not-a-directory":
        return `${this.directory} is not a directory: move what is there away, or choose another directory`
      case "not-writable":
        return `${this.directory} is not writable for this process: change its owner or mode, or choose another directory`
    }
  }
}

/**
 * Makes the directory if need be and holds it for the scope. Fails at once when another process holds it; takes it over
 * from a process that is gone.
 *
 * @since 0.1.0
 * @category constructors
 */
export const acquire = (directory: string): Effect.Effect<void, DataDirectoryUnavailable, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () => hold(path.resolve(directory)),
        catch: (error) => explain(path.resolve(directory), error)
      }),
      (server) => Effect.promise(() => closed(server))
    )
  )

class Held {
  constructor(readonly pid: number | undefined) {}
}

const explain = (directory: string, error: unknown): DataDirectoryUnavailable => {
  if (error instanceof Held) return new DataDirectoryUnavailable({ directory, reason: "in-use", pid: error.pid })
  const code = codeOf(error)
  return code === "ENOTDIR" || code === "EEXIST"
    ? new DataDirectoryUnavailable({ directory, reason: "not-a-directory" })
    : new DataDirectoryUnavailable({ directory, reason: "not-writable" })
}

const codeOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && Predicate.isString(error.code) ? error.code : undefined

const hold = async (directory: string): Promise<net.Server> => {
  fs.mkdirSync(directory, { recursive: true })
  fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  const place = socketPath(fs.realpathSync(directory))
  // Each round that ends without an answer has removed one stale socket, so a few are plenty.
  for (let round = 0; round < 10; round++) {
    try {
      return await listen(place)
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE") throw error
    }
    const holder = await ask(place)
    if (holder !== "nobody") throw new Held(holder)
    await removeStale(place)
  }
  throw new Held(undefined)
}

/** The kernel takes about a hundred bytes for the name of a socket; a deeper directory is locked by its hash instead. */
const socketPath = (directory: string): string => {
  const inside = path.join(directory, ".lock.sock")
  if (Buffer.byteLength(inside) <= 100) return inside
  const hash = createHash("sha256").update(directory).digest("hex").slice(0, 16)
  return path.join(os.tmpdir(), `selfheal-${hash}.sock`)
}

const listen = (place: string): Promise<net.Server> =>
  new Promise((succeed, fail) => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {})
      socket.end(String(process.pid))
    })
    server.unref()
    server.once("error", fail)
    server.listen(place, () => succeed(server))
  })

const closed = (server: net.Server): Promise<void> => new Promise((done) => server.close(() => done()))

/** Who holds the lock: a process id, `undefined` when the holder is there but silent, or nobody. */
const ask = (place: string): Promise<number | undefined | "nobody"> =>
  new Promise((succeed) => {
    let answer = ""
    const socket = net.connect(place)
    socket.setEncoding("utf8")
    socket.setTimeout(2000, () => socket.destroy()) // a stopped holder is still a holder
    socket.on("data", (text: string) => (answer += text))
    socket.on("error", (error) => {
      const code = codeOf(error)
      succeed(code === "ECONNREFUSED" || code === "ENOENT" ? "nobody" : undefined)
    })
    socket.on("close", () => succeed(/^\d+$/.test(answer) ? Number(answer) : undefined))
  })

/**
 * Removes the socket of a process that is gone. Two starters can find the same stale socket, and the slower one must
 * not remove the fresh socket of the faster: so it is moved away first, which only one can do, and asked once more
 * under its new name; a live one is put back.
 */
const removeStale = async (place: string): Promise<void> => {
  const aside = path.join(path.dirname(place), `.${randomUUID().slice(0, 8)}.sock`)
  try {
    fs.renameSync(place, aside)
  } catch {
    return // somebody else was faster
  }
  if ((await ask(aside)) !== "nobody") fs.linkSync(aside, place)
  fs.rmSync(aside, { force: true })
}
