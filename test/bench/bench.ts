/**
 * Measures all cases, or those whose names are given, and reports; `main.ts` starts this once it is built.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import * as Breakers from "./breakers.js"
import { type Case, type Effort, full, isComparison, type Measured, quick } from "./cases.js"
import { crossCheck } from "./crosscheck.js"
import { compare, measure } from "./harness.js"
import * as Limiters from "./limiters.js"
import * as Policies from "./policies.js"
import { exitCode, judge, type Row, toJson, toTable } from "./report.js"
import { median } from "./statistics.js"
import { asyncFloor, fiberFloor } from "./subjects.js"
import { trials } from "./trials.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false } }
})
const effort = values.quick ? quick : full
const wanted = ({ name }: Case) => positionals.length === 0 || positionals.includes(name)
const say = (line: string) => process.stderr.write(`${line}\n`)

const made = await Effect.runPromise(Effect.all([Breakers.make, Policies.make, Limiters.make]))
const comparisons = made.flat().filter(wanted)
const cases: ReadonlyArray<Case> = [...comparisons, ...trials.filter(wanted)]

const measureAlone = async (one: Case, by: Effort): Promise<Measured> =>
  isComparison(one) ? (await compare([one], by))[0]! : one.measure(by)

say(`measuring ${comparisons.length} comparisons together, ${effort.rounds} rounds`)
const together = await compare(comparisons, effort)

const rows: Array<Row> = []
for (const [index, one] of cases.entries()) {
  let seed = effort.seed
  const again = () => {
    say(`${one.name} is close to its limit: once more`)
    return measureAlone(one, { ...effort, seed: ++seed })
  }
  if (!isComparison(one)) say(`measuring ${one.name}`)
  rows.push(await judge(one, together[index] ?? (await measureAlone(one, effort)), again))
}

if (values.json) {
  process.stdout.write(toJson(rows))
} else {
  say("measuring the comparisons again, by mitata")
  process.stdout.write(toTable(cases, rows, await crossCheck(comparisons, effort.slice * 10)))
  for (const [{ name }, costs] of await measure([fiberFloor, asyncFloor], effort)) {
    process.stdout.write(`under all of them: ${name}, ${Math.round(median(costs))} ns\n`)
  }
}
process.exitCode = exitCode(rows)
