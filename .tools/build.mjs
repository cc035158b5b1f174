// Transpiles the server file by file and bundles the pages into `dist`. Types are `npm run check`'s work, so that a
// first start takes seconds. Skipped when nothing that goes into `dist` has changed; written beside and renamed, so
// that a build cut short never leaves half a server behind.
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const out = join(root, "dist")
const stamp = "build.sha256"

const required = [20, 18]
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < required[0] || (major === required[0] && minor < required[1])) {
  fail(`Node ${process.versions.node} is too old for DialDrill: install Node ${required.join(".")} or newer.`)
}

const files = async (folder) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()

const sources = await files(join(root, "src"))
const inputs = [...sources, join(root, "package.json"), join(root, "package-lock.json"), fileURLToPath(import.meta.url)]
const hash = createHash("sha256").update(process.versions.node)
for (const file of inputs) {
  if (!existsSync(file)) continue
  hash.update(`\0${relative(root, file)}\0`).update(await readFile(file))
}
const digest = hash.digest("hex")

if (existsSync(join(out, stamp)) && (await readFile(join(out, stamp), "utf8")) === digest) process.exit(0)

const esbuild = await import("esbuild").catch(() =>
  fail("The build tool is missing: run `npm ci` (without --omit=dev), then `npm start` again.")
)
const fresh = `${out}.new-${process.pid}`
const stale = `${out}.old-${process.pid}`
let failure
try {
  const isPage = (file) => relative(root, file).startsWith(join("src", "web"))
  const common = { absWorkingDir: root, format: "esm", charset: "utf8", logLevel: "silent" }
  await esbuild.build({
    ...common,
    entryPoints: sources.filter((file) => file.endsWith(".ts") && !isPage(file)),
    outbase: join(root, "src"),
    outdir: fresh,
    platform: "node",
    target: "node20.18",
    sourcemap: true,
    sourcesContent: false
  })
  const pages = sources.filter((file) => isPage(file) && dirname(file) !== join(root, "src", "web"))
  for (const folder of new Set(pages.map((file) => dirname(file)))) {
    const target = join(fresh, relative(join(root, "src"), folder))
    await mkdir(target, { recursive: true })
    const entry = pages.filter((file) => dirname(file) === folder && /(^|\/)main\.(ts|css)$/.test(file))
    await esbuild.build({
      ...common,
      entryPoints: entry,
      outdir: target,
      bundle: true,
      minify: true,
      platform: "browser",
      target: "es2022"
    })
    for (const file of pages.filter((file) => dirname(file) === folder && !/\.(ts|css)$/.test(file))) {
      await cp(file, join(target, relative(folder, file)))
    }
  }
  await writeFile(join(fresh, stamp), digest)
  if (existsSync(out)) await rename(out, stale)
  await rename(fresh, out)
} catch (error) {
  // Another start may have finished the very same build first: then there is nothing left to do.
  const finished = existsSync(join(out, stamp)) && (await readFile(join(out, stamp), "utf8")) === digest
  if (!finished) failure = `The build failed: ${error instanceof Error ? error.message : String(error)}`
} finally {
  await rm(fresh, { recursive: true, force: true })
  await rm(stale, { recursive: true, force: true })
}
if (failure !== undefined) fail(failure)

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
