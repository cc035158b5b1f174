import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, assert, beforeEach, describe, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

describe("the build", { timeout: 60_000 }, () => {
  let project: string
  /** Gives the exit code, and what was said. */
  const build = (source: string) => {
    writeFileSync(join(project, "src", "main.ts"), source)
    const { status, stderr } = spawnSync(process.execPath, [".tools/build.mjs"], { cwd: project, encoding: "utf8" })
    return { status, stderr }
  }
  const built = () => readFileSync(join(project, "dist", "main.js"), "utf8")

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "dialdrill-build-"))
    mkdirSync(join(project, "src"))
    mkdirSync(join(project, ".tools"))
    cpSync(join(root, ".tools", "build.mjs"), join(project, ".tools", "build.mjs"))
    symlinkSync(join(root, "node_modules"), join(project, "node_modules"))
    writeFileSync(join(project, "package.json"), '{"type":"module"}')
  })
  afterEach(() => rmSync(project, { recursive: true, force: true }))

  it("follows the sources", () => {
    assert.deepStrictEqual(build("export const a: number = 1"), { status: 0, stderr: "" })
    assert.include(built(), "const a = 1")
    assert.deepStrictEqual(build("export const a: number = 2"), { status: 0, stderr: "" })
    assert.include(built(), "const a = 2")
  })

  it("leaves nothing behind when a page fails after the server has been written", () => {
    mkdirSync(join(project, "src", "web", "page"), { recursive: true })
    writeFileSync(join(project, "src", "web", "page", "main.ts"), "export const a = (")
    assert.strictEqual(build("export const a: number = 1").status, 1)
    assert.deepStrictEqual(readdirSync(project).sort(), [".tools", "node_modules", "package.json", "src"])
  })

  it("leaves nothing behind when it fails, and the last good build in place", () => {
    build("export const a: number = 1")
    const { status, stderr } = build("export const a: number = (")
    assert.strictEqual(status, 1)
    assert.match(stderr, /The build failed: .*main\.ts/s)
    assert.include(built(), "const a = 1")
    assert.deepStrictEqual(readdirSync(project).sort(), [".tools", "dist", "node_modules", "package.json", "src"])
  })
})
