/**
 * Data folders whose embedded database has been made already: making one takes seconds of a core, copying one does not.
 * The first suite of a run that needs one makes it, by a real start of the server; the others wait for it.
 */
import { spawn } from "node:child_process"
import { cp, mkdir, rename, stat } from "node:fs/promises"
import { join } from "node:path"
import { inject } from "vitest"
import { environment, ready, root, waitFor } from "./ServerProcess.js"

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false
  )

const make = async (folder: string): Promise<void> => {
  const data = `${folder}.new`
  const child = spawn(process.execPath, ["dist/main.js"], {
    cwd: root,
    env: environment({ DATA_DIR: data }),
    stdio: ["ignore", "pipe", "pipe"]
  })
  const ended = new Promise((resolve) => child.once("exit", resolve))
  try {
    const [, url] = await waitFor(child, /(http:\/\/\S+:\d+)/, 60_000)
    await ready(url!, 120_000)
  } finally {
    child.kill("SIGTERM")
    await ended
  }
  await rename(data, folder)
}

/** Fills a data folder that does not exist yet. */
export const fill = async (data: string): Promise<void> => {
  const template = join(inject("runFolder"), "embedded-data")
  // Whoever makes the folder of the lock makes the template.
  const mine = await mkdir(`${template}.lock`).then(
    () => true,
    () => false
  )
  if (mine) await make(template)
  for (let waited = 0; !(await exists(template)); waited += 100) {
    if (waited > 180_000) throw new Error("Nobody has made the embedded database in three minutes")
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await cp(template, data, { recursive: true })
}
