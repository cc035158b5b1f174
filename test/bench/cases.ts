/** What a case of the benchmarks is: something of ours, measured beside something else, and what the ratio may be. */

/** Something whose cost a call is measured. */
export interface Subject {
  readonly name: string
  /** Gets ready to make so many calls, which costs nothing that counts; what comes back makes them. */
  readonly prepare: (calls: number) => Run | Promise<Run>
}

export type Run = () => Promise<unknown>

/** How much time a measurement may take. */
export interface Effort {
  readonly rounds: number
  /** How long one subject runs in one round, in milliseconds. */
  readonly slice: number
  /** How long it runs before, in milliseconds. */
  readonly warmUp: number
  readonly seed: number
}

export const full: Effort = { rounds: 15, slice: 20, warmUp: 800, seed: 1 }
export const quick: Effort = { rounds: 9, slice: 10, warmUp: 400, seed: 1 }

interface Bounds {
  readonly name: string
  readonly limit: number
  readonly goal: number
}

/** Costs of calls in this process, measured together with those of all other comparisons. */
export interface Comparison extends Bounds {
  readonly ours: Subject
  /** With several, the one that makes the larger ratio counts. */
  readonly theirs: ReadonlyArray<Subject>
  /** The least that anything that does the same could cost. */
  readonly floor?: Subject | undefined
}

/** Anything else that has a ratio: memory, requests per second, what needs a process of its own. */
export interface Trial extends Bounds {
  readonly unit: Unit
  /** Whether a ratio above the limit is the good side of it. */
  readonly higherIsBetter?: boolean | undefined
  readonly measure: (effort: Effort) => Promise<Measured>
}

export type Case = Comparison | Trial

export const isComparison = (one: Case): one is Comparison => "ours" in one

export type Unit = "ns/call" | "bytes" | "requests/s"

export interface Measured {
  readonly ratio: number
  readonly ours: number
  readonly theirs: number
  readonly floor: number | null
}
