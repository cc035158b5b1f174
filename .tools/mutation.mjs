// Shows that the tests of the policy library can fail: `npm run mutation` changes the kernels in every small way that
// Stryker knows, and the shells in the ways of `shell-mutants.table.mjs`. With `--kernels` or `--shells` only those; what
// else is given goes to Stryker, as `--force` (all kernels, not only what changed) or `--mutate <file>`.
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const given = process.argv.slice(2)
const forStryker = given.filter((argument) => argument !== "--kernels" && argument !== "--shells")
const steps = []
if (!given.includes("--shells")) {
  steps.push(["node_modules/@stryker-mutator/core/bin/stryker.js", "run", ".stryker.config.mjs", ...forStryker])
}
if (!given.includes("--kernels")) steps.push([".tools/shell-mutants.mjs"])

const cwd = fileURLToPath(new URL("..", import.meta.url))
// Both are run even when the first finds a survivor: who asks wants to see all of them.
const codes = steps.map((step) => spawnSync(process.execPath, step, { cwd, stdio: "inherit" }).status)
process.exitCode = codes.every((code) => code === 0) ? 0 : 1
