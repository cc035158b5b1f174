/** Reads what the tests need out of a page of the documentation: its code blocks, tables, headings and links. */
import { readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { root } from "../../support/Server.js"

export interface Block {
  /** The name in the comment above the block, as in `<!-- sample: retry -->`. */
  readonly name: string | undefined
  readonly language: string
  readonly code: string
  readonly line: number
}

export interface Page {
  /** From the root of the project, as in `docs/self-healing.md`. */
  readonly path: string
  readonly text: string
  readonly blocks: ReadonlyArray<Block>
}

export const read = (path: string): Page => {
  const text = readFileSync(join(root, path), "utf8")
  return { path, text, blocks: blocksOf(text) }
}

/** The fenced blocks in order. A block in a list is indented, and its code is not. */
export const blocksOf = (text: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let open: { readonly indent: string; readonly language: string; readonly line: number } | undefined
  let name: string | undefined
  let code: Array<string> = []
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^( *)```(\w*)$/.exec(line)
    if (open !== undefined && fence !== null) {
      blocks.push({ name, language: open.language, code: `${code.join("\n")}\n`, line: open.line })
      open = undefined
      name = undefined
      code = []
    } else if (open !== undefined) {
      code.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line)
    } else if (fence !== null) {
      open = { indent: fence[1]!, language: fence[2]!, line: index + 1 }
    } else {
      const comment = /^<!-- \w+: ([\w-]+) -->$/.exec(line)
      // A name belongs to the very next block, with nothing but empty lines between.
      if (comment !== null) name = comment[1]
      else if (line.trim() !== "") name = undefined
    }
  }
  if (open !== undefined) throw new Error(`The block of line ${open.line} has no end`)
  return blocks
}

/** The block of that name. */
export const block = (page: Page, name: string): Block => {
  const found = page.blocks.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`${page.path} has no block named ${name}`)
  return found
}

/** The text of a section, from its heading to the next one of the same level or above. */
export const section = (page: Page, heading: string): string => {
  const lines = page.text.split("\n")
  const start = lines.findIndex((line) => /^#+ /.test(line) && titleOf(line) === heading)
  if (start === -1) throw new Error(`${page.path} has no section "${heading}"`)
  const level = /^#+/.exec(lines[start]!)![0].length
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => new RegExp(`^#{1,${level}} `).test(line))
  return rest.slice(0, end === -1 ? undefined : end).join("\n")
}

/** The rows of all tables of a text, headers left out, each as its cells. */
export const rows = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text
    .split("\n")
    .filter((line, index, lines) => line.startsWith("|") && !isRule(line) && !isRule(lines[index + 1] ?? ""))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("\\|", "|"))
    )

const isRule = (line: string): boolean => /^\|( *:?-+:? *\|)+$/.test(line)

/** What stands between backticks. */
export const codes = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)

const titleOf = (line: string): string => line.replace(/^#+ /, "").replaceAll("**", "")

/** The headings of a page as GitHub's anchors. */
export const anchors = (page: Page): ReadonlySet<string> =>
  new Set(
    withoutBlocks(page.text)
      .split("\n")
      .filter((line) => /^#+ /.test(line))
      .map((line) =>
        titleOf(line)
          .toLowerCase()
          .replace(/[^\w\- ]/g, "")
          .replaceAll(" ", "-")
      )
  )

/** Links to files of the project and to headings: the file from the root, and the anchor. */
export const links = (page: Page): ReadonlyArray<{ readonly file: string; readonly anchor: string | undefined }> => {
  const text = withoutBlocks(page.text)
  const targets = [
    ...[...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!),
    ...[...text.matchAll(/(?:src|href|srcset)="([^"]+)"/g)].map(([, target]) => target!)
  ]
  return targets
    .filter((target) => !/^\w+:/.test(target))
    .map((target) => {
      const [file = "", anchor] = target.split("#")
      return { file: file === "" ? page.path : relative(root, join(root, dirname(page.path), file)), anchor }
    })
}

const withoutBlocks = (text: string): string => text.replace(/^( *)```\w*\n[^]*?^\1```$/gm, "")
