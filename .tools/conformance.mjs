// Runs the conformance suite and prints its table: what must hold, who fails it today, what the peers did in this run,
// and our result. Exits 1 unless all forty hold.
import { spawnSync } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const total = 40
const folder = await mkdtemp(join(tmpdir(), "conformance-"))
try {
  const report = join(folder, "report.json")
  const arguments_ = ["run", "test/conformance", "--reporter=json", `--outputFile=${report}`]
  const run = spawnSync("node_modules/.bin/vitest", arguments_, { stdio: ["ignore", "ignore", "inherit"] })
  const { testResults } = JSON.parse(await readFile(report, "utf8").catch(() => '{"testResults":[]}'))

  const rows = new Map()
  for (const file of testResults) {
    if (file.assertionResults.length === 0 && file.message) process.stderr.write(`${file.name}: ${file.message}\n`)
    for (const test of file.assertionResults) {
      const row = test.meta?.conformance
      if (row === undefined) continue
      const known = rows.get(row.number)
      if (known !== undefined) throw new Error(`two tests carry number ${row.number}: ${known.title}; ${row.title}`)
      rows.set(row.number, { ...row, holds: test.status === "passed", why: test.failureMessages?.[0] })
    }
  }

  const titleWidth = Math.max(...[...rows.values()].map(({ title }) => title.length), 5)
  const failingWidth = Math.max(...[...rows.values()].map(({ failing }) => failing.join(", ").length), 15)
  const line = (number, title, ours, failing, peers) =>
    process.stdout.write(`${number}  ${title.padEnd(titleWidth)}  ${ours}  ${failing.padEnd(failingWidth)}  ${peers}\n`)
  line("##", "what must hold", "ours ", "who fails it today", "measured in this run")
  for (let number = 1; number <= total; number++) {
    const row = rows.get(number)
    const label = String(number).padStart(2, "0")
    if (row === undefined) {
      line(label, "(no test)", "none ", "", "")
      continue
    }
    const peers = Object.entries(row.peers).map(([peer, result]) => `${peer} ${result}`)
    line(label, row.title, row.holds ? "holds" : "FAILS", row.failing.join(", "), peers.join(", "))
    if (!row.holds) process.stdout.write(`    ${row.why}\n`)
  }
  const holding = [...rows.values()].filter(({ holds }) => holds).length
  process.stdout.write(`${holding} of ${total}\n`)
  process.exitCode = run.status === 0 && holding === total ? 0 : 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
