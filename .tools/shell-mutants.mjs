// Applies the mutants of `shell-mutants.table.mjs`, one at a time and each in a copy of the sources, and runs the test
// file that has to notice. Prints who was killed by what; exits 1 when one survives, breaks otherwise or does not apply
// any more. With arguments, only those whose file or name contains them all: `node .tools/shell-mutants.mjs Coalesce`.
import { spawn } from "node:child_process"
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { realpathSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import table from "./shell-mutants.table.mjs"

const given = process.argv.slice(2)
const mutants = table.filter(({ file, name }) => given.every((part) => file.includes(part) || name.includes(part)))
if (mutants.length === 0) throw new Error(`no mutant's file or name contains ${given.join(" and ")}`)

const root = fileURLToPath(new URL("..", import.meta.url))
const copied = ["src", "test", "package.json", "tsconfig.json", ".vitest.mutation.config.ts", ".tools/one-seed.mjs"]
/** A mutant that runs for ever is killed by patience: the tests named here take a few seconds. */
const patience = 180_000

const makeCopy = async () => {
  const folder = await mkdtemp(join(realpathSync(tmpdir()), "shell-mutants-"))
  for (const entry of copied) await cp(join(root, entry), join(folder, entry), { recursive: true })
  await symlink(realpathSync(join(root, "node_modules")), join(folder, "node_modules"))
  return folder
}

/** The first test that failed; `undefined` when all passed. Throws when the tests did not get that far. */
const firstFailure = async (folder, tests) => {
  const report = join(folder, "report.json")
  await rm(report, { force: true })
  const child = spawn(
    join(folder, "node_modules/.bin/vitest"),
    [
      "run",
      "--config",
      ".vitest.mutation.config.ts",
      "--dir=test",
      "--bail=1",
      "--reporter=json",
      `--outputFile=${report}`,
      ...tests
    ],
    { cwd: folder, stdio: "ignore" }
  )
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill("SIGKILL")
  }, patience)
  const code = await new Promise((resolve) => child.once("close", resolve))
  clearTimeout(timer)
  if (late) return "(ran for ever)"
  if (code === 0) return undefined
  const { testResults } = JSON.parse(await readFile(report, "utf8"))
  const failed = testResults.flatMap((file) => file.assertionResults).find((test) => test.status === "failed")
  if (failed === undefined) throw new Error(testResults.map(({ message }) => message).join("\n"))
  return failed.fullName
}

const judge = async (folder, { file, find, replace, test }) => {
  const path = join(folder, file)
  const source = await readFile(path, "utf8")
  const places = source.split(find).length - 1
  if (places !== 1) return { verdict: "stale", by: `its text stands ${places} times in ${file}` }
  await writeFile(
    path,
    source.replace(find, () => replace)
  )
  try {
    const by = await firstFailure(folder, [test])
    return by === undefined ? { verdict: "SURVIVED", by: `all of ${test} passed` } : { verdict: "killed", by }
  } catch (error) {
    return { verdict: "broken", by: String(error) }
  } finally {
    await writeFile(path, source)
  }
}

const folders = await Promise.all([makeCopy(), makeCopy()])
try {
  // A test that fails by itself kills everything and proves nothing.
  const failing = await firstFailure(folders[0], [...new Set(mutants.map(({ test }) => test))])
  if (failing !== undefined) throw new Error(`without any mutant there fails: ${failing}`)

  const verdicts = new Map()
  const waiting = [...mutants]
  await Promise.all(
    folders.map(async (folder) => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        verdicts.set(mutant, await judge(folder, mutant))
      }
    })
  )

  const fileWidth = Math.max(...mutants.map(({ file }) => file.length))
  const nameWidth = Math.max(...mutants.map(({ name }) => name.length))
  process.stdout.write("\nHand-made mutants of the shells\n")
  for (const mutant of mutants) {
    const { by, verdict } = verdicts.get(mutant)
    const { file, name } = mutant
    process.stdout.write(`${verdict.padEnd(8)}  ${file.padEnd(fileWidth)}  ${name.padEnd(nameWidth)}  ${by}\n`)
  }
  const killed = [...verdicts.values()].filter(({ verdict }) => verdict === "killed").length
  process.stdout.write(`${killed} of ${mutants.length} killed\n`)
  process.exitCode = killed === mutants.length ? 0 : 1
} finally {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
}
