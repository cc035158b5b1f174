/** Judges what was measured, and puts it into JSON or into a table. */
import type { Case, Measured } from "./cases.js"
import { isComparison } from "./cases.js"
import { median } from "./statistics.js"

/** One line of the result, as `--json` prints it. */
export interface Row {
  readonly name: string
  readonly ratio: number
  readonly limit: number
  readonly goal: number
  readonly ok: boolean
  readonly ours: number
  readonly theirs: number
  readonly floor: number | null
}

type Rule = Pick<Case, "name" | "limit" | "goal"> & { readonly higherIsBetter?: boolean | undefined }

/** Whether a ratio is within a limit, on whichever side of it the good one is. */
export const isWithin = (ratio: number, limit: number, rule: Rule): boolean =>
  rule.higherIsBetter === true ? ratio >= limit : ratio <= limit

/** Outside, but by so little that chance may have done it: less than 15 % of the limit. */
export const isClose = (ratio: number, rule: Rule): boolean =>
  !isWithin(ratio, rule.limit, rule) && Math.abs(ratio - rule.limit) < 0.15 * rule.limit

/**
 * The row of a case. What is outside its limit by a little is measured twice more, and judged by the median of the three.
 */
export const judge = async (rule: Rule, first: Measured, again: () => Promise<Measured>): Promise<Row> => {
  const all = isClose(first.ratio, rule) ? [first, await again(), await again()] : [first]
  const middle = median(all.map(({ ratio }) => ratio))
  const measured = all.find(({ ratio }) => ratio === middle)!
  return {
    name: rule.name,
    ratio: rounded(measured.ratio),
    limit: rule.limit,
    goal: rule.goal,
    ok: isWithin(measured.ratio, rule.limit, rule),
    ours: rounded(measured.ours),
    theirs: rounded(measured.theirs),
    floor: measured.floor === null ? null : rounded(measured.floor)
  }
}

/** Four digits: no measurement here is better than that. */
const rounded = (value: number): number => Number(value.toPrecision(4))

export const exitCode = (rows: ReadonlyArray<Row>): 0 | 1 => (rows.every(({ ok }) => ok) ? 0 : 1)

export const toJson = (rows: ReadonlyArray<Row>): string => `${JSON.stringify({ cases: rows }, null, 2)}\n`

/** The table for people. `crossChecks` are the ratios of the second method, where it has one. */
export const toTable = (
  cases: ReadonlyArray<Case>,
  rows: ReadonlyArray<Row>,
  crossChecks: ReadonlyMap<string, number>
): string => {
  const header = ["case", "ratio", "limit", "goal", "", "mitata", "ours", "theirs", "floor", "unit"]
  const lines = cases.map((one, index) => {
    const row = rows[index]!
    const within = (bound: number) => isWithin(row.ratio, bound, { higherIsBetter: false, ...one })
    const crossCheck = crossChecks.get(one.name)
    return [
      row.name,
      String(row.ratio),
      String(row.limit),
      String(row.goal),
      within(row.goal) ? "goal met" : row.ok ? "ok" : "OUTSIDE",
      crossCheck === undefined ? "" : crossCheck.toPrecision(3),
      withSeparators(row.ours),
      withSeparators(row.theirs),
      row.floor === null ? "" : withSeparators(row.floor),
      isComparison(one) ? "ns/call" : one.unit
    ]
  })
  const widths = header.map((title, column) => Math.max(title.length, ...lines.map((cells) => cells[column]!.length)))
  const text = [header, ...lines].map((cells) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  ")
  )
  const met = rows.filter(({ ok }) => ok).length
  return `${text.join("\n")}\n${met} of ${rows.length} within their limits\n`
}

const withSeparators = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 })
