/**
 * `npm run bench`: what the policies cost beside the best-known libraries, as ratios, never as bare times.
 *
 * `--json` prints the rows as JSON and nothing else, `--quick` measures less, names of cases measure only those. Ends with
 * exit code 1 when a case is outside of its limit.
 *
 * What is measured is built first, as it is for release. A loader for TypeScript would do for anything else, but gives
 * every closure that is made its name at run time, which costs a policy several times what it costs itself.
 */
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { join } from "node:path"

const outdir = join(import.meta.dirname, "../../.cache/bench")
await build({
  entryPoints: ["bench", "worker", "httpServer", "httpLoad"].map((name) => join(import.meta.dirname, `${name}.ts`)),
  outdir,
  bundle: true,
  splitting: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  logLevel: "warning"
})
const bench = spawn(
  process.execPath,
  ["--expose-gc", "--single-threaded-gc", join(outdir, "bench.js"), ...process.argv.slice(2)],
  {
    stdio: "inherit"
  }
)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => bench.kill(signal))
bench.on("exit", (code) => {
  process.exitCode = code ?? 1
})
