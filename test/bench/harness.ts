/**
 * Measures subjects together: in every round each of them runs for a short while, in an order shuffled anew, so that
 * whatever the machine does meanwhile meets all of them alike. A ratio is that of two costs of the same round, and what
 * counts is the median of the rounds.
 *
 * The cost is processor time and not time by the clock, because neighbours on the machine take the latter and not the
 * former. It is that of the whole process, so the collector's threads count for whoever made the garbage: before each
 * slice the young generation is emptied.
 */
import type { Comparison, Effort, Measured, Subject } from "./cases.js"
import { median, pairedRatio, randomFrom, shuffled } from "./statistics.js"

/** Nanoseconds a call of each subject, a value a round. */
export const measure = async (
  subjects: ReadonlyArray<Subject>,
  effort: Effort
): Promise<Map<Subject, ReadonlyArray<number>>> => {
  const random = randomFrom(effort.seed)
  const calls = new Map<Subject, number>()
  for (const subject of subjects) calls.set(subject, await callsIn(subject, effort))
  const costs = new Map(subjects.map((subject) => [subject, [] as Array<number>]))
  for (let round = 0; round < effort.rounds; round++) {
    for (const subject of shuffled(subjects, random)) costs.get(subject)!.push(await cost(subject, calls.get(subject)!))
  }
  return costs
}

/** The ratios of comparisons that are measured together. */
export const compare = async (
  comparisons: ReadonlyArray<Comparison>,
  effort: Effort
): Promise<ReadonlyArray<Measured>> => {
  const subjects = new Set(
    comparisons.flatMap(({ floor, ours, theirs }) =>
      floor === undefined ? [ours, ...theirs] : [ours, ...theirs, floor]
    )
  )
  const costs = await measure([...subjects], effort)
  return comparisons.map(({ floor, ours, theirs }) => {
    const against = theirs.map((one) => ({
      ratio: pairedRatio(costs.get(ours)!, costs.get(one)!),
      theirs: median(costs.get(one)!)
    }))
    const worst = against.reduce((a, b) => (b.ratio > a.ratio ? b : a))
    return { ...worst, ours: median(costs.get(ours)!), floor: floor === undefined ? null : median(costs.get(floor)!) }
  })
}

const cost = async (subject: Subject, calls: number): Promise<number> => {
  const run = await subject.prepare(calls)
  collect("minor")
  const before = process.cpuUsage()
  await run()
  const { system, user } = process.cpuUsage(before)
  return ((system + user) * 1_000) / calls
}

/** How many calls take about so long, found out while warming up: until the compiler has had its say, all are slow. */
const callsIn = async (subject: Subject, { slice, warmUp }: Effort): Promise<number> => {
  let calls = 64
  for (let spent = 0; ;) {
    const nanos = (await cost(subject, calls)) * calls
    spent += nanos
    const fitting = Math.max(1, Math.round((calls * slice * 1e6) / nanos))
    if (spent > warmUp * 1e6) return fitting
    calls = Math.min(fitting, calls * 2)
  }
}

/** Collects garbage; without `--expose-gc`, with which `npm run bench` starts, it is left to the collector. */
export const collect = (type: "minor" | "major"): void => {
  globalThis.gc?.(type === "minor")
}
