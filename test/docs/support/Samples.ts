/** Compiles the code samples of the documentation, all in one TypeScript program, and loads them to be run. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import ts from "typescript"
import { root } from "../../support/Server.js"
import type * as Markdown from "./Markdown.js"

/** A file that exists only here; `path` is from the root, so that its relative imports mean what they mean on the page. */
export interface Source {
  readonly path: string
  readonly code: string
}

/** What is wrong with each file, by its path, with the project's own compiler options. */
export const diagnose = (sources: ReadonlyArray<Source>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root)
  // One program in memory: there is no state of an earlier build to go on from.
  delete options.incremental
  delete options.tsBuildInfoFile
  const texts = new Map(sources.map(({ code, path }) => [join(root, path), code]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (file) => texts.has(file) || fileExists(file)
  host.readFile = (file) => texts.get(file) ?? readFile(file)
  const program = ts.createProgram([...texts.keys()], options, host)
  return new Map(
    sources.map(({ path }) => {
      const file = program.getSourceFile(join(root, path))
      const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      return [path, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))]
    })
  )
}

const scratch = join(root, ".cache")

/**
 * Writes a sample where its imports resolve, and gives the file and its removal. The folder lies as deep as `docs`, so a
 * sample's `../src` stays what it is.
 */
export const place = (source: Source): { readonly file: string; readonly remove: () => void } => {
  mkdirSync(scratch, { recursive: true })
  const file = join(scratch, `sample-${process.pid}-${source.path.replaceAll("/", "-")}`)
  writeFileSync(file, source.path.includes("/") ? source.code : source.code.replaceAll('"./src/', '"../src/'))
  return { file, remove: () => rmSync(file, { force: true }) }
}

/** What a sample exports. */
export const load = async (source: Source): Promise<any> => {
  const { file, remove } = place(source)
  try {
    return await import(pathToFileURL(file).href)
  } finally {
    remove()
  }
}

/** The sample in a block of a page. */
export const sourceOf = (page: Markdown.Page, block: Markdown.Block): Source => ({
  path: page.path.replace(/[^/]*$/, `sample-${block.name}.ts`),
  code: block.code
})

/** All samples of a page: its blocks of the language `ts`. */
export const sourcesOf = (page: Markdown.Page): ReadonlyArray<Source> =>
  page.blocks.filter(({ language }) => language === "ts").map((block) => sourceOf(page, block))

/** The text of a file of the project. */
export const fileOf = (path: string): string => readFileSync(join(root, path), "utf8")
