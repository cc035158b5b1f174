// Runs the conformance suite and prints its table: what must hold, our result, who fails it today, and what the peers did
// in this run. Exits 1 unless all forty hold.
import { spawnSync } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const total = 40
/** Widths of the columns; with two blanks between them they fit into 160. */
const widths = { number: 2, title: 68, ours: 5, failing: 38, measured: 35 }

/** As many lines as it takes, broken between words. */
const wrapped = (text, width) => {
  const lines = [""]
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`
    if (longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

const print = (row) => {
  const columns = Object.entries(widths).map(([column, width]) => ({ width, lines: wrapped(row[column], width) }))
  const height = Math.max(...columns.map(({ lines }) => lines.length))
  for (let line = 0; line < height; line++) {
    const cells = columns.map(({ lines, width }) => (lines[line] ?? "").padEnd(width))
    process.stdout.write(`${cells.join("  ").trimEnd()}\n`)
  }
}

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = await mkdtemp(join(tmpdir(), "conformance-"))
try {
  const report = join(folder, "report.json")
  const arguments_ = ["run", "test/conformance", "--reporter=json", `--outputFile=${report}`]
  const run = spawnSync("node_modules/.bin/vitest", arguments_, { cwd: root, stdio: ["ignore", "ignore", "inherit"] })
  const { testResults } = JSON.parse(await readFile(report, "utf8").catch(() => '{"testResults":[]}'))

  const rows = new Map()
  for (const file of testResults) {
    if (file.assertionResults.length === 0 && file.message) process.stderr.write(`${file.name}: ${file.message}\n`)
    for (const test of file.assertionResults) {
      const row = test.meta?.conformance
      if (row === undefined) continue
      const { number, title } = row
      if (!(number >= 1 && number <= total)) throw new Error(`there is no number ${number}: ${title}`)
      const known = rows.get(number)
      if (known !== undefined) throw new Error(`two tests carry number ${number}: ${known.title}; ${title}`)
      rows.set(number, { ...row, holds: test.status === "passed", why: test.failureMessages?.[0] })
    }
  }

  print({
    number: "##",
    title: "what must hold",
    ours: "ours",
    failing: "who fails it today",
    measured: "measured in this run"
  })
  for (let number = 1; number <= total; number++) {
    const row = rows.get(number)
    const label = String(number).padStart(2, "0")
    if (row === undefined) {
      print({ number: label, title: "(no test)", ours: "none", failing: "", measured: "" })
      continue
    }
    const peers = Object.entries(row.peers).map(([peer, result]) => `${peer} ${result}`)
    print({
      number: label,
      title: row.title,
      ours: row.holds ? "holds" : "FAILS",
      failing: row.failing.join(", "),
      measured: peers.join(", ")
    })
    if (!row.holds) process.stdout.write(`    ${row.why}\n`)
  }
  const holding = [...rows.values()].filter(({ holds }) => holds).length
  process.stdout.write(`${holding} of ${total}\n`)
  process.exitCode = run.status === 0 && holding === total ? 0 : 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
