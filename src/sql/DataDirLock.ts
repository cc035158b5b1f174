/**
 * A lock on a data directory, so that a second process cannot open the embedded database in it: the engine does not
 * check that itself, and two of them silently lose each other's rows.
 *
 * Whoever wants the directory listens on a unix socket in it, under a name that is never used again, and then looks at
 * the sockets of others. A socket on which nobody answers belongs to a process that is gone, however it ended, and is
 * removed; that a process id is still or again in use, as in every container after a restart, misleads nobody. One that
 * answers `held` has the directory. Of several that are just claiming it the first by name gets it: each is listening
 * before it looks, so of any two at least one sees the other.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { setTimeout as delay } from "node:timers/promises"

/**
 * The data directory cannot be used. `message` is one line that says what to do about it.
 *
 * @since 0.1.0
 * @category errors
 */
export class DataDirectoryUnavailable extends Data.TaggedError("DataDirectoryUnavailable")<{
  readonly directory: string
  readonly reason: "in-use" | "not-a-directory" | "not-writable"
  /** The process that holds the directory, when the reason is `in-use`. */
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

class InUse {
  constructor(readonly pid: number | undefined) {}
}

const explain = (directory: string, error: unknown): DataDirectoryUnavailable => {
  if (error instanceof InUse) return new DataDirectoryUnavailable({ directory, reason: "in-use", pid: error.pid })
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
  const folder = socketFolder(fs.realpathSync(directory))
  const name = `.lock-${process.pid}-${randomBytes(6).toString("hex")}.sock`
  const claim: { state: State } = { state: "claiming" }
  const server = await listen(path.join(folder, name), claim)
  try {
    await outwait(folder, name)
  } catch (error) {
    await closed(server)
    throw error
  }
  claim.state = "held"
  return server
}

type State = "claiming" | "held"

/** The kernel takes about a hundred bytes for the name of a socket; a deeper directory is locked elsewhere by its hash. */
const socketFolder = (directory: string): string => {
  if (Buffer.byteLength(directory) <= 60) return directory
  const hash = createHash("sha256").update(directory).digest("hex").slice(0, 16)
  const folder = path.join(os.tmpdir(), `selfheal-${hash}`)
  fs.mkdirSync(folder, { recursive: true })
  return folder
}

/** Returns when no other claim is left; fails when one of them has the directory or goes first. */
const outwait = async (folder: string, own: string): Promise<void> => {
  for (let round = 0; round < 100; round++) {
    let rivals = 0
    for (const other of fs.readdirSync(folder)) {
      const pid = /^\.lock-(\d+)-[0-9a-f]+\.sock$/.exec(other)?.[1]
      if (pid === undefined || other === own) continue
      const answer = await ask(path.join(folder, other))
      if (answer === "nobody") fs.rmSync(path.join(folder, other), { force: true })
      else if (answer === "held" || (answer === "claiming" && other < own)) throw new InUse(Number(pid))
      else rivals++
    }
    if (rivals === 0) return
    await delay(20) // the rivals will see this claim, and go
  }
  throw new InUse(undefined)
}

const listen = (place: string, claim: { readonly state: State }): Promise<net.Server> =>
  new Promise((succeed, fail) => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {})
      socket.end(claim.state, () => socket.destroy())
    })
    server.unref()
    server.once("error", fail)
    server.listen(place, () => succeed(server))
  })

/** Node removes the socket's file with it. */
const closed = (server: net.Server): Promise<void> => new Promise((done) => server.close(() => done()))

/** `leaving`: it closed before it had answered. */
const ask = (place: string): Promise<State | "leaving" | "nobody"> =>
  new Promise((succeed) => {
    let answer = ""
    const socket = net.connect(place)
    socket.setEncoding("utf8")
    socket.setTimeout(2000, () => {
      succeed("held") // who is there and says nothing, as a stopped process, keeps what he has
      socket.destroy()
    })
    socket.on("data", (text: string) => (answer += text))
    socket.on("error", (error) => {
      const code = codeOf(error)
      succeed(code === "ECONNREFUSED" || code === "ENOENT" ? "nobody" : "leaving")
    })
    socket.on("close", () => succeed(answer === "held" || answer === "claiming" ? answer : "leaving"))
  })
