/**
 * A fresh cluster for the embedded database, copied instead of made: making one is three seconds of pure computation,
 * and a minute on a machine that is busy. The original is made once and kept in `.cache`.
 */
import { PGlite } from "@electric-sql/pglite"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const cache = fileURLToPath(new URL("../../.cache/", import.meta.url))

/** The engine's version is part of the name, since a cluster belongs to one version. */
const version = (): string => {
  const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite")
  const manifest = path.join(path.dirname(entry), "..", "package.json")
  return String((JSON.parse(fs.readFileSync(manifest, "utf8")) as { version: unknown }).version)
}

const original = async (): Promise<string> => {
  const kept = path.join(cache, `pglite-${version()}`)
  if (fs.existsSync(kept)) return kept
  fs.mkdirSync(cache, { recursive: true })
  const making = fs.mkdtempSync(path.join(cache, "making-"))
  const engine = new PGlite({ dataDir: path.join(making, "pglite") })
  await engine.waitReady
  await engine.close()
  fs.writeFileSync(path.join(making, "pglite.complete"), "")
  try {
    fs.renameSync(making, kept)
  } catch {
    fs.rmSync(making, { recursive: true, force: true }) // another suite was faster
  }
  return kept
}

/** Puts a fresh cluster into a data directory. */
export const copyInto = async (directory: string): Promise<void> =>
  fs.cpSync(await original(), directory, { recursive: true })
