/**
 * A PostgreSQL of one's own: each suite makes a cluster in a temporary folder, on a unix socket and a free port of the
 * loopback address, and may stop, kill and freeze it as it likes.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import * as Pg from "pg"

const versions = "/usr/lib/postgresql"
const howToInstall = "apt-get install postgresql"

/** The newest server that is installed, as a folder of programs; undefined when there is none. */
const programs = ((): string | undefined => {
  if (!fs.existsSync(versions)) return undefined
  const newest = fs
    .readdirSync(versions)
    .filter((version) => fs.existsSync(path.join(versions, version, "bin", "initdb")))
    .sort((a, b) => Number(b) - Number(a))[0]
  return newest === undefined ? undefined : path.join(versions, newest, "bin")
})()

/** Whether suites with a real server can run here. In CI a missing server is a failure, elsewhere a line that helps. */
export const available = programs !== undefined || process.env["CI"] === "true"
if (!available) process.stderr.write(`PostgreSQL is not installed, its suites are left out: ${howToInstall}\n`)

const asRoot = process.getuid?.() === 0

/** The server refuses to run as root, so there it runs as the user that its package made. */
const run = (program: string, args: ReadonlyArray<string>): string => {
  if (programs === undefined) throw new Error(`PostgreSQL is not installed: ${howToInstall}`)
  const command = [path.join(programs, program), ...args]
  const [first, ...rest] = asRoot ? ["runuser", "-u", "postgres", "--", ...command] : command
  return execFileSync(first!, rest, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], cwd: "/" })
}

const freePort = (): Promise<number> =>
  new Promise((succeed, fail) => {
    const server = net.createServer()
    server.once("error", fail)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => succeed(port))
    })
  })

export interface Postgres {
  readonly url: string
  /** Starts it if it is not running, and returns when it answers. */
  readonly start: () => Promise<void>
  /** `immediate` is a crash: no goodbye, and recovery at the next start. */
  readonly stop: (mode: "fast" | "immediate") => void
  /** Stops the processes where they stand, connections open: what a black-holed network looks like. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Runs a statement over a connection that is opened for it, past every pool. */
  readonly admin: (text: string, values?: ReadonlyArray<unknown>) => Promise<ReadonlyArray<Record<string, unknown>>>
  /** Makes an empty database and returns its URL. */
  readonly createDatabase: (name: string) => Promise<string>
  /** Stops it and removes its folder. */
  readonly dispose: () => void
}

export const make = async (): Promise<Postgres> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "selfheal-pg-"))
  if (asRoot) execFileSync("chown", ["postgres", folder])
  const data = path.join(folder, "data")
  const port = await freePort()
  run("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"])
  fs.appendFileSync(
    path.join(data, "postgresql.conf"),
    [
      `listen_addresses = '127.0.0.1'`,
      `port = ${port}`,
      `unix_socket_directories = '${folder}'`,
      "fsync = off",
      "max_connections = 60",
      "shared_buffers = 16MB",
      "deadlock_timeout = 100ms",
      "log_min_messages = fatal"
    ].join("\n")
  )
  const url = `postgres://postgres:secret-password@127.0.0.1:${port}/postgres`

  const admin: Postgres["admin"] = async (text, values) => {
    const client = new Pg.Client({ host: folder, port, user: "postgres", database: "postgres" })
    client.on("error", () => {})
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text, values === undefined ? [] : [...values])).rows
    } finally {
      await client.end()
    }
  }

  const pids = (): ReadonlyArray<number> => {
    const postmaster = Number(fs.readFileSync(path.join(data, "postmaster.pid"), "utf8").split("\n")[0])
    const children = fs.readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8").trim()
    return [
      postmaster,
      ...children
        .split(" ")
        .filter((pid) => pid !== "")
        .map(Number)
    ]
  }
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of pids()) {
      try {
        process.kill(pid, name)
      } catch {
        // a backend that has just ended by itself
      }
    }
  }

  const postgres: Postgres = {
    url,
    start: async () => {
      run("pg_ctl", ["-D", data, "-l", path.join(folder, "log"), "-w", "-t", "30", "start"])
      await admin("select 1")
    },
    stop: (mode) => {
      run("pg_ctl", ["-D", data, "-m", mode, "-w", "stop"])
    },
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    admin,
    createDatabase: async (name) => {
      await admin(`create database ${name}`)
      return url.replace(/\/postgres$/, `/${name}`)
    },
    dispose: () => {
      if (fs.existsSync(path.join(data, "postmaster.pid"))) {
        signal("SIGCONT")
        postgres.stop("immediate")
      }
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
  await postgres.start()
  return postgres
}
