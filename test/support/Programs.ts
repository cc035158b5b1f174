/** Programs of the tests' own, run as processes of their own, so that they can be killed. */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"

export interface Program {
  readonly pid: number
  /** All lines it has written so far. */
  readonly lines: () => ReadonlyArray<string>
  /** Returns once it has written this many lines, or has ended. */
  readonly wrote: (count: number) => Promise<void>
  /** Kills it and returns when it is gone. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>
  readonly ended: Promise<number | null>
}

/** Starts a TypeScript file. */
export const start = (file: string, args: ReadonlyArray<string>): Program => {
  const child = spawn(process.execPath, ["--import", "tsx", file, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  child.stdout.setEncoding("utf8")
  child.stdout.on("data", (text: string) => (output += text))
  const ended = new Promise<number | null>((done) => child.once("close", (code) => done(code)))
  const lines = () => output.split("\n").slice(0, -1)
  return {
    pid: child.pid!,
    lines,
    wrote: async (count) => {
      await Promise.race([
        ended,
        new Promise<void>((done) => {
          const look = () => {
            if (lines().length < count) return
            child.stdout.off("data", look)
            done()
          }
          child.stdout.on("data", look)
          look()
        })
      ])
    },
    kill: async (signal = "SIGKILL") => {
      child.kill(signal)
      await ended
    },
    ended
  }
}

/** An empty folder, and its removal. */
export const temporaryFolder = (): { readonly folder: string; readonly remove: () => void } => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "selfheal-"))
  return { folder, remove: () => fs.rmSync(folder, { recursive: true, force: true }) }
}

/** Leaves a unix socket behind on which nobody listens, as a process does that was killed. */
export const staleSocket = (place: string): Promise<void> =>
  new Promise((done, fail) => {
    const server = net.createServer()
    server.once("error", fail)
    server.listen(`${place}.made`, () => {
      fs.linkSync(`${place}.made`, place)
      server.close(() => done())
    })
  })
