import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, assert, beforeEach, describe, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Mutant {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly test: string
}

describe("the hand-made mutants", () => {
  it("are at least twenty, each with a name of its own and a text that stands once in a shell", async () => {
    const table = "../../.tools/shell-mutants.table.mjs"
    const { default: mutants } = (await import(table)) as { readonly default: ReadonlyArray<Mutant> }
    assert.isAtLeast(mutants.length, 20)
    assert.strictEqual(new Set(mutants.map(({ name }) => name)).size, mutants.length)
    const stale = mutants.filter(({ file, find }) => readFileSync(join(root, file), "utf8").split(find).length !== 2)
    assert.deepStrictEqual(
      stale.map(({ file, name }) => `${file}: ${name}`),
      []
    )
    for (const { file, find, replace, test } of mutants) {
      assert.notInclude(file, "/kernel/", "kernels are mutated by Stryker")
      assert.notStrictEqual(find, replace)
      assert.isTrue(readFileSync(join(root, test), "utf8").length > 0)
    }
  })
})

describe("the runner of the hand-made mutants", { timeout: 120_000 }, () => {
  let project: string
  const source = "export const double = (n: number): number => n * 2\n"

  const run = (...mutants: ReadonlyArray<Pick<Mutant, "find" | "replace">>) => {
    const table = mutants.map((mutant, index) => ({
      name: `mutant ${index}`,
      file: "src/double.ts",
      test: "test/double.test.ts",
      ...mutant
    }))
    writeFileSync(join(project, ".tools", "shell-mutants.table.mjs"), `export default ${JSON.stringify(table)}`)
    const { status, stderr, stdout } = spawnSync(process.execPath, [".tools/shell-mutants.mjs"], {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, TMPDIR: join(project, "tmp") }
    })
    return { status, stderr, lines: stdout.trim().split("\n").slice(1) }
  }

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "shell-mutants-test-"))
    for (const folder of [".tools", "src", "test", "tmp"]) {
      mkdirSync(join(project, folder), { recursive: true })
    }
    for (const file of [
      ".tools/shell-mutants.mjs",
      ".tools/one-seed.mjs",
      ".vitest.mutation.config.ts",
      "package.json",
      "tsconfig.json"
    ]) {
      cpSync(join(root, file), join(project, file))
    }
    symlinkSync(join(root, "node_modules"), join(project, "node_modules"))
    writeFileSync(join(project, "src", "double.ts"), source)
    writeFileSync(
      join(project, "test", "double.test.ts"),
      `import { assert, it } from "vitest"
import { double } from "../src/double.js"
it("doubles two", () => assert.strictEqual(double(2), 4))
`
    )
  })
  afterEach(() => rmSync(project, { recursive: true, force: true }))

  it("tells who was killed, who survived and who does not apply, and leaves everything as it was", () => {
    const { lines, status } = run(
      { find: "n * 2", replace: "n * 3" },
      { find: "n * 2", replace: "n + 2" },
      { find: "n / 2", replace: "n" },
      { find: "n * 2", replace: "n *" }
    )
    assert.strictEqual(status, 1)
    assert.match(lines[0]!, /^killed {4}src\/double.ts {2}mutant 0 {2}doubles two$/)
    assert.match(lines[1]!, /^SURVIVED {2}src\/double.ts {2}mutant 1 {2}all of test\/double.test.ts passed$/)
    assert.match(lines[2]!, /^stale .*its text stands 0 times in src\/double.ts$/)
    assert.match(lines[3]!, /^broken .*/)
    assert.strictEqual(lines.at(-1), "1 of 4 killed")
    assert.strictEqual(readFileSync(join(project, "src", "double.ts"), "utf8"), source)
    assert.deepStrictEqual(readdirSync(join(project, "tmp")), [])
  })

  it("succeeds when all are killed", () => {
    const { lines, status } = run({ find: "n * 2", replace: "n * 3" })
    assert.strictEqual(lines.at(-1), "1 of 1 killed")
    assert.strictEqual(status, 0)
  })

  it("judges nobody by tests that fail by themselves", () => {
    writeFileSync(join(project, "src", "double.ts"), source.replace("2\n", "3\n"))
    const { status, stderr } = run({ find: "n * 3", replace: "n * 4" })
    assert.strictEqual(status, 1)
    assert.include(stderr, "without any mutant there fails: doubles two")
    assert.deepStrictEqual(readdirSync(join(project, "tmp")), [])
  })
})
