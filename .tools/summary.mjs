// Reads vitest's JSON report and prints the ten slowest tests and the closing count that CI looks for.
import { readFile } from "node:fs/promises"

const report = JSON.parse(await readFile(process.argv[2], "utf8"))
const tests = report.testResults.flatMap((file) =>
  file.assertionResults.map((test) => ({ name: test.fullName, milliseconds: test.duration ?? 0 }))
)
tests.sort((a, b) => b.milliseconds - a.milliseconds)
process.stdout.write("\nThe ten slowest tests:\n")
for (const test of tests.slice(0, 10)) {
  process.stdout.write(`  ${String(Math.round(test.milliseconds)).padStart(6)} ms  ${test.name}\n`)
}
// A file that fails to load has no test results of its own, and still is a failure.
const broken = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0)
process.stdout.write(`\n${report.numPassedTests} passed, ${report.numFailedTests + broken.length} failed\n`)
