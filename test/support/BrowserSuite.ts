/** Suites that need Chromium. */
import { describe, it } from "vitest"
import { existsSync } from "node:fs"
import { executablePath } from "./Browser.js"

const install = "chromium is missing; install it with: apt-get install chromium"

/** A suite that needs Chromium. Without it the suite says so; in CI (`CI=true`) that is a failure. */
export const describeWithBrowser = (name: string, options: { readonly timeout: number }, suite: () => void): void => {
  if (existsSync(executablePath)) return void describe(name, options, suite)
  const missing = () => {
    throw new Error(install)
  }
  if (process.env["CI"] === "true") return void describe(name, () => it("has its browser", missing))
  process.stderr.write(`${name}: ${install}\n`)
  describe.skip(`${name} (${install})`, suite)
}
