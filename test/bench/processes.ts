/** Other processes that measure for this one. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Task } from "./worker.js"

/** Starts a program beside this one, with the flags of this process. */
export const start = (program: string, argument: string): ChildProcess =>
  fork(fileURLToPath(new URL(program, import.meta.url)), [argument], { stdio: ["ignore", "inherit", "inherit", "ipc"] })

/** The next message of a process; fails when it ends before it has sent one. */
export const message = <A>(child: ChildProcess): Promise<A> =>
  new Promise((resolve, reject) => {
    child.once("message", (sent) => resolve(sent as A))
    child.once("exit", (code) => reject(new Error(`${child.spawnargs.at(-2)} ended (${code}) without an answer`)))
  })

/** Has a process of its own perform a task; `A` is what that task answers with. */
export const performed = <A>(task: Task): Promise<A> => message<A>(start("worker.js", JSON.stringify(task)))
