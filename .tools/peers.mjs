// Fetches the libraries that we are compared with into .cache/peers, at the versions pinned here: the newest ones, of
// which some ask for a newer Node than ours and would make `npm ci` warn. None of them has dependencies of its own.
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const peers = { bottleneck: "2.19.5", cockatiel: "4.0.0", opossum: "10.0.0", "rate-limiter-flexible": "11.4.0" }

const cache = fileURLToPath(new URL("../.cache", import.meta.url))
const folder = join(cache, "peers")
const manifest = JSON.stringify({ private: true, dependencies: peers }, null, 2)

const isThere = existsSync(join(folder, "done")) && (await readFile(join(folder, "package.json"), "utf8")) === manifest
if (!isThere) {
  // Made beside and renamed, so that a fetch that was cut off is not taken for a whole one.
  const beside = `${folder}.${process.pid}`
  await mkdir(beside, { recursive: true })
  await writeFile(join(beside, "package.json"), manifest)
  execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: beside })
  await writeFile(join(beside, "package.json"), manifest)
  await writeFile(join(beside, "done"), "")
  await rm(folder, { recursive: true, force: true })
  await rename(beside, folder)
}
