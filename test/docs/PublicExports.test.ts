/**
 * What the policy library exports is documented and exercised: each export says what it means, belongs to a category, and
 * is used by at least one test. Read from the sources themselves, so that nothing can be forgotten.
 */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import ts from "typescript"

interface Export {
  readonly module: string
  readonly name: string
  readonly isType: boolean
  readonly text: string
  readonly tags: ReadonlyArray<string>
}

const root = fileURLToPath(new URL("../../", import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, "utf8")

const modules = [...read("src/resilience/index.ts").matchAll(/export \* as (\w+) from "\.\/(\w+)\.js"/g)].map(
  ([, name]) => name ?? ""
)

/** What a module declares, and what it hands on from another file under its own name. */
const exportsOf = (module: string, file = module): ReadonlyArray<Export> => {
  const source = ts.createSourceFile(file, read(`src/resilience/${file}.ts`), ts.ScriptTarget.ES2022, true)
  return source.statements.flatMap((statement): ReadonlyArray<Export> => {
    if (ts.isExportDeclaration(statement)) {
      const { exportClause, moduleSpecifier } = statement
      const from = /^"\.\/(.+)\.js"$/.exec(moduleSpecifier?.getText() ?? "")?.[1]
      if (from === undefined || exportClause === undefined || !ts.isNamedExports(exportClause)) return []
      const names = exportClause.elements.map(({ name }) => name.text)
      return exportsOf(module, from).filter(({ name }) => names.includes(name))
    }
    if (!ts.canHaveModifiers(statement)) return []
    if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return []
    const docs = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc)
    const text = docs.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "").join("\n")
    const tags = docs.flatMap((doc) => doc.tags?.map(({ tagName }) => tagName.text) ?? [])
    const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
    const names = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name.getText())
      : ts.isInterfaceDeclaration(statement) ||
          ts.isTypeAliasDeclaration(statement) ||
          ts.isClassDeclaration(statement) ||
          ts.isFunctionDeclaration(statement)
        ? [statement.name?.text ?? ""]
        : []
    return names.map((name) => ({ module, name, isType, text, tags }))
  })
}

const tests = readdirSync(`${root}test`, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("docs/PublicExports"))
  .map((file) => read(`test/${file}`))

/**
 * By its module's name, imported by its own, or, an error, by its tag. A type is also used by whoever calls what takes or
 * returns it.
 */
const isUsed = ({ isType, module, name }: Export): boolean => {
  if (isType) return true
  if (name.endsWith("Error") || name.endsWith("Full")) return tests.some((test) => test.includes(name))
  const qualified = new RegExp(`\\b${module}\\.${name}\\b`)
  const imported = new RegExp(`import (type )?\\{[^}]*\\b${name}\\b[^}]*\\} from "[^"]*resilience/${module}\\.js"`)
  return tests.some((test) => qualified.test(test) || imported.test(test))
}

const named = (exports: ReadonlyArray<Export>) => exports.map(({ module, name }) => `${module}.${name}`)

/** An overloaded function is one export: what is said of one of its signatures is said of all. */
const once = (exports: ReadonlyArray<Export>): ReadonlyArray<Export> =>
  exports
    .filter(({ name }, index) => exports.findIndex((other) => other.name === name) === index)
    .map((first) => {
      const same = exports.filter(({ name }) => name === first.name)
      return { ...first, text: same.map(({ text }) => text).join(""), tags: same.flatMap(({ tags }) => tags) }
    })

describe("The public exports of the policy library", () => {
  const all = modules.flatMap((module) => once(exportsOf(module)))

  it("are many, so that this suite reads what it means to read", () => {
    assert.isAbove(modules.length, 10)
    assert.isAbove(all.length, 60)
  })

  it("say what they mean", () => {
    assert.deepStrictEqual(named(all.filter(({ text }) => text.trim() === "")), [])
  })

  it("carry their version and their category", () => {
    const bare = all.filter(({ tags }) => !tags.includes("since") || !tags.includes("category"))
    assert.deepStrictEqual(named(bare), [])
  })

  it("are used by at least one test", () => {
    assert.deepStrictEqual(named(all.filter((each) => !isUsed(each))), [])
  })

  it("live in files that a reader can hold in mind", () => {
    const long = readdirSync(`${root}src/resilience`, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .filter((file) => read(`src/resilience/${file}`).trimEnd().split("\n").length > 400)
    assert.deepStrictEqual(long, [])
  })
})
