/**
 * Starts the built server as a process of its own, as a user would, and makes sure that it is gone afterwards.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

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

/** A clean environment: nothing of the machine's own configuration reaches the server. */
export const environment = (env: Record<string, string>): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: process.env["HOME"],
  TZ: "UTC",
  PORT: "0",
  LOG_LEVEL: "warning",
  ...env
})

/** Resolves when the text of the process matches, or rejects with what it printed when it ends first. */
export const waitFor = (child: ChildProcess, pattern: RegExp, timeoutMillis = 30_000): Promise<RegExpExecArray> =>
  new Promise((resolve, reject) => {
    let text = ""
    const timer = setTimeout(
      () => reject(new Error(`No ${pattern} within ${timeoutMillis} ms in:\n${text}`)),
      timeoutMillis
    )
    const look = (chunk: Buffer): void => {
      text += chunk.toString()
      const match = pattern.exec(text)
      if (match !== null) {
        clearTimeout(timer)
        resolve(match)
      }
    }
    child.stdout?.on("data", look)
    child.stderr?.on("data", look)
    child.once("exit", (code) => {
      clearTimeout(timer)
      reject(new Error(`The process ended with ${code} before ${pattern}:\n${text}`))
    })
  })

/** A folder of this run, removed by `remove`. */
export const temporary = async (): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), "dialdrill-"))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export const startServer = async (env: Record<string, string> = {}): Promise<RunningServer> => {
  const folder = await temporary()
  const child = spawn(process.execPath, ["--enable-source-maps", "dist/main.js"], {
    cwd: root,
    env: environment({ DATA_DIR: join(folder.path, "data"), ...env }),
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

/** Waits until the database is there, as a load balancer would. */
export const ready = async (url: string, timeoutMillis = 30_000): Promise<void> => {
  const until = performance.now() + timeoutMillis
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    const body = await answer?.text()
    if (answer?.status === 200) return
    if (performance.now() > until) throw new Error(`Not ready within ${timeoutMillis} ms: ${answer?.status} ${body}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
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
