/**
 * The second method: mitata, which times by the clock, a subject after the other. It must not collect garbage between
 * samples (`inner_gc`): it would then time single calls with everything cold, hundreds of times the cost of a warm one.
 */
import { measure } from "mitata"
import type { Comparison, Subject } from "./cases.js"

/** How many calls a sample makes, so that starting a fibre for them does not count. */
const batch = 256

/** The same ratios as those of `compare`, by the other method, where so few calls say something. */
export const crossCheck = async (
  comparisons: ReadonlyArray<Comparison>,
  millis: number
): Promise<Map<string, number>> => {
  const costs = new Map<Subject, number>()
  const costOf = async (subject: Subject): Promise<number> => {
    const known = costs.get(subject)
    if (known !== undefined) return known
    const { p50 } = await measure(await subject.prepare(batch), {
      inner_gc: false,
      min_cpu_time: millis * 1e6,
      min_samples: 8
    })
    costs.set(subject, p50 / batch)
    return p50 / batch
  }
  const ratios = new Map<string, number>()
  for (const { name, ours, theirs } of comparisons) {
    const all: Array<number> = []
    for (const one of theirs) all.push((await costOf(ours)) / (await costOf(one)))
    ratios.set(name, Math.max(...all))
  }
  return ratios
}
