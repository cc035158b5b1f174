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
import * as Scale from "./scale.js"
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

const made = await Effect.runPromise(Effect.all([Breakers.make, Policies.make, Limiters.make, Scale.makeBreakers]))
const comparisons = made.flat().filter(wanted)
const cases: ReadonlyArray<Case> = [...comparisons, ...trials.filter(wanted)]

const effortOf = (turn: number): Effort => ({ ...effort, seed: effort.seed + turn })

/** All comparisons together, in each turn once: alone, each would be compiled for itself, which is no program's lot. */
const turns = new Map<number, ReadonlyArray<Measured>>()
const together = async (turn: number): Promise<ReadonlyArray<Measured>> => {
  const known = turns.get(turn)
  if (known !== undefined) return known
  say(`measuring ${comparisons.length} comparisons together, ${effort.rounds} rounds`)
  const measured = await compare(comparisons, effortOf(turn))
  turns.set(turn, measured)
  return measured
}

const measured = async (one: Case, turn: number): Promise<Measured> => {
  if (isComparison(one)) return (await together(turn))[comparisons.indexOf(one)]!
  say(`measuring ${one.name}`)
  return one.measure(effortOf(turn))
}

const rows: Array<Row> = []
for (const one of cases) {
  let turn = 0
  const again = () => {
    say(`${one.name} is close to its limit: once more`)
    return measured(one, ++turn)
  }
  rows.push(await judge(one, await measured(one, 0), again))
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
