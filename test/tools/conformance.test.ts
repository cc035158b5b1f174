import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, assert, beforeEach, describe, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Forty requirements that hold; a subject is a number, and 0 is right. */
const forty = `
import { assert } from "vitest"
import * as Effect from "effect/Effect"
import { conformance } from "./support/conformance.js"

const requirement = (number: number) => ({
  number,
  title: \`number \${number} is right, and says so in a sentence that is a good deal longer than the column it stands in\`,
  failing: ["one system", "another system", "a third system with a long name", "a fourth one"],
  scenario: (subject: number) => Effect.sync(() => assert.strictEqual(subject, 0, "not zero")),
  ours: 0,
  wrong: { "one system": ["not zero", 1] as const }
})
const change: Record<number, object> = CHANGE
for (let number = 1; number <= 40; number++) {
  if (change[number] !== null) conformance({ ...requirement(number), ...change[number] })
}
`

describe("the conformance table", { timeout: 120_000 }, () => {
  let project: string

  /** Runs the tool over the forty, with some of them changed; \`null\` leaves one out. */
  const run = (change: string) => {
    writeFileSync(
      join(project, "test/conformance/Forty.test.ts"),
      forty.replace("CHANGE", () => change)
    )
    const { status, stderr, stdout } = spawnSync(process.execPath, [".tools/conformance.mjs"], {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, CI: "" }
    })
    return { status, stderr, stdout, lines: stdout.trimEnd().split("\n") }
  }
  const isRow = (line: string) => /^\d\d {2}/.test(line)

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "conformance-test-"))
    for (const folder of [".tools", "test/conformance/support"]) mkdirSync(join(project, folder), { recursive: true })
    for (const file of [
      ".tools/conformance.mjs",
      "test/conformance/support/conformance.ts",
      "test/conformance/support/peers.ts"
    ]) {
      cpSync(join(root, file), join(project, file))
    }
    symlinkSync(join(root, "node_modules"), join(project, "node_modules"))
    writeFileSync(join(project, "package.json"), '{"type":"module"}')
  })
  afterEach(() => rmSync(project, { recursive: true, force: true }))

  it("has forty numbered rows, ends with their count, and fits into 160 columns", () => {
    const { lines, status, stderr } = run("{}")
    assert.strictEqual(stderr, "")
    assert.strictEqual(lines.at(-1), "40 of 40")
    assert.strictEqual(status, 0)
    assert.deepStrictEqual(
      lines.filter(isRow).map((line) => Number(line.slice(0, 2))),
      Array.from({ length: 40 }, (_, index) => index + 1)
    )
    for (const line of lines) assert.isAtMost(line.length, 160)
    // Nothing is cut off.
    assert.strictEqual(lines.join(" ").split("a fourth one").length, 41)
  })

  it("exits 1 when one does not hold, and says why", () => {
    const { lines, status, stdout } = run("{ 7: { ours: 3 } }")
    assert.strictEqual(lines.at(-1), "39 of 40")
    assert.strictEqual(status, 1)
    assert.match(
      lines.find((line) => line.startsWith("07"))!,
      /FAILS/
    )
    assert.include(stdout, "not zero: expected 3 to equal +0")
  })

  it("exits 1 when a wrong variant is not caught, breaks otherwise, or is caught for another reason", () => {
    const { lines, status, stdout } = run(`{
      1: { wrong: { "one system": ["not zero", 0] } },
      2: { wrong: {} },
      3: { wrong: { "one system": ["not one", 1] } },
      4: { scenario: (subject: number) => (subject === 0 ? Effect.void : Effect.fail(new Error("broken"))) }
    }`)
    assert.strictEqual(lines.at(-1), "36 of 40")
    assert.strictEqual(status, 1)
    for (const why of [
      "the variant that errs as one system does was not caught",
      "a scenario that no wrong variant fails proves nothing",
      'the variant "one system" was caught for another reason',
      'the variant "one system" broke for another reason'
    ]) {
      assert.include(stdout, why)
    }
  })

  it("exits 1 when one is missing, stands twice or has no number of the list", () => {
    const missing = run("{ 12: null }")
    assert.strictEqual(missing.lines.at(-1), "39 of 40")
    assert.strictEqual(missing.status, 1)
    assert.match(
      missing.lines.find((line) => line.startsWith("12"))!,
      /\(no test\)/
    )
    for (const [change, says] of [
      ["{ 12: { number: 13 } }", "two tests carry number 13"],
      ["{ 12: { number: 41 } }", "there is no number 41"]
    ] as const) {
      const { status, stderr } = run(change)
      assert.strictEqual(status, 1)
      assert.include(stderr, says)
    }
  })

  it("exits 1 when a file of the suite cannot even be read", () => {
    writeFileSync(join(project, "test/conformance/Broken.test.ts"), "const = 1")
    const { lines, status, stderr } = run("{}")
    assert.strictEqual(lines.at(-1), "40 of 40")
    assert.strictEqual(status, 1)
    assert.include(stderr, "Broken.test.ts")
  })
})
