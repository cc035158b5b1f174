/**
 * Starts the built server as a process of its own, as a user would, and makes sure that it is gone afterwards.
 */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as EmbeddedData from "./EmbeddedData.js"
import { environment, root, waitFor } from "./ServerProcess.js"

export { environment, ready, root, waitFor } from "./ServerProcess.js"

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly millis: number
}

export interface RunningServer {
  readonly url: string
  readonly pid: number
  readonly output: () => string
  /** Sends a signal and waits for the end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Ended>
  readonly ended: Promise<Ended>
}

/** A folder of this run, removed by `remove`. */
export const temporary = async (): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), "dialdrill-"))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** With neither `DATA_DIR` nor `DATABASE_URL` in `env`, it has an embedded database of its own that is there at once. */
export const startServer = async (env: Record<string, string> = {}): Promise<RunningServer> => {
  const folder = await temporary()
  const data = join(folder.path, "data")
  if (env["DATA_DIR"] === undefined && env["DATABASE_URL"] === undefined) await EmbeddedData.fill(data)
  const child = spawn(process.execPath, ["--enable-source-maps", "dist/main.js"], {
    cwd: root,
    env: environment({ DATA_DIR: data, ...env }),
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()))
  const begun = performance.now()
  const ended = new Promise<Ended>((resolve) => {
    child.once("exit", (code, signal) => {
      void folder.remove().then(() => resolve({ code, signal, millis: performance.now() - begun }))
    })
  })
  const [, url] = await waitFor(child, /(http:\/\/\S+:\d+)/)
  return {
    url: url!,
    pid: child.pid!,
    output: () => output,
    ended,
    stop: async (signal = "SIGTERM") => {
      const asked = performance.now()
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      const { code, signal: by } = await ended
      return { code, signal: by, millis: performance.now() - asked }
    }
  }
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

/** One JSON request, as a user of the loopback server. */
export const request = async (
  url: string,
  path: string,
  options: {
    readonly method?: string
    readonly body?: unknown
    readonly user?: string
    readonly headers?: Record<string, string>
  } = {}
): Promise<Reply> => {
  const response = await fetch(`${url}${path}`, {
    method: options.method ?? (options.body === undefined ? "GET" : "POST"),
    headers: {
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      ...(options.user === undefined ? {} : { "x-user-id": options.user }),
      ...options.headers
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get("content-type") ?? "")
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}
