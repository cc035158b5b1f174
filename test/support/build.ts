/**
 * Before all suites: builds, which the build itself skips when nothing changed, and makes a folder of this run for what
 * the suites share; it is removed afterwards.
 */
import { execFileSync } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    readonly runFolder: string
  }
}

export default async (project: TestProject): Promise<() => Promise<void>> => {
  const root = fileURLToPath(new URL("../..", import.meta.url))
  execFileSync(process.execPath, [".tools/build.mjs"], { cwd: root, stdio: "inherit" })
  const runFolder = await mkdtemp(join(tmpdir(), "dialdrill-run-"))
  project.provide("runFolder", runFolder)
  return () => rm(runFolder, { recursive: true, force: true })
}
