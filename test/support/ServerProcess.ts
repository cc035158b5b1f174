/** What every process of the server needs in a test: a clean environment, and knowing when it is there. */
import type { ChildProcess } from "node:child_process"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

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

/** Waits until the database is there, as a load balancer would. */
export const ready = async (url: string, timeoutMillis = 60_000): Promise<void> => {
  const until = performance.now() + timeoutMillis
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    const body = await answer?.text()
    if (answer?.status === 200) return
    if (performance.now() > until) throw new Error(`Not ready within ${timeoutMillis} ms: ${answer?.status} ${body}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
