/**
 * A real `redis-server` of a test's own: on a free port, without persistence, in a temporary folder, gone when the test
 * has ended. It can be killed and started again on the same port, and frozen and thawed.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"

export interface RedisServer {
  readonly port: number
  readonly url: Redacted.Redacted
  /** Starts it (again) and waits until it takes connections. */
  readonly start: Effect.Effect<void>
  /** `kill -9`, and waits until it is gone. */
  readonly kill: Effect.Effect<void>
  /** From here on it takes connections and bytes, and answers nothing. */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
}

/** A server that is not running yet, with a port of its own. */
export const make: Effect.Effect<RedisServer, never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "selfheal-redis-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  const port = yield* Effect.promise(freePort)
  let server: ChildProcess | undefined
  const killAtExit = () => server?.kill("SIGKILL")
  process.once("exit", killAtExit)

  const start = Effect.promise(async () => {
    server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder])
    await answers(server)
  })
  const kill = Effect.promise(async () => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const gone = new Promise((resolve) => running.once("exit", resolve))
    running.kill("SIGKILL")
    await gone
  })
  const signal = (name: NodeJS.Signals) => Effect.sync(() => void server?.kill(name))
  yield* Effect.addFinalizer(() =>
    Effect.ensuring(
      kill,
      Effect.sync(() => process.off("exit", killAtExit))
    )
  )

  return {
    port,
    url: Redacted.make(`redis://127.0.0.1:${port}`),
    start,
    kill,
    freeze: signal("SIGSTOP"),
    thaw: signal("SIGCONT")
  }
})

/** A running server. */
export const running: Effect.Effect<RedisServer, never, Scope.Scope> = Effect.tap(make, (server) => server.start)

const installed = spawnSync("redis-server", ["--version"]).status === 0
const install = "redis-server is missing; install it with: apt-get install redis-server"

/** A suite that needs `redis-server`. Without it the suite says so; in CI (`CI=true`) that is a failure. */
export const describeWithRedis = (name: string, suite: () => void): void => {
  if (installed) return void describe(name, suite)
  if (process.env["CI"] === "true") return void describe(name, () => it("has its server", () => assert.fail(install)))
  process.stderr.write(`${name}: ${install}\n`)
  describe.skip(`${name} (${install})`, suite)
}

const answers = (server: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let output = ""
    server.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes("Ready to accept connections")) resolve()
    })
    server.once("exit", () => reject(new Error(`redis-server did not start:\n${output}`)))
  })

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))
      )
    })
  })
