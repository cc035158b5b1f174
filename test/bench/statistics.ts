/** The few statistics that the benchmarks need. */

/** The value in the middle; of an even number of values, halfway between the two. */
export const median = (values: ReadonlyArray<number>): number => {
  if (values.length === 0) throw new Error("there is no median of nothing")
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The median of the ratios of values that were taken together, round by round. */
export const pairedRatio = (ours: ReadonlyArray<number>, theirs: ReadonlyArray<number>): number =>
  median(ours.map((value, round) => value / theirs[round]!))

/** Numbers from 0 to 1 that are the same for the same seed (xorshift32), so that a run can be repeated in its order. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** A copy in random order (Fisher and Yates). */
export const shuffled = <A>(values: ReadonlyArray<A>, random: () => number): Array<A> => {
  const result = [...values]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[result[last], result[other]] = [result[other]!, result[last]!]
  }
  return result
}
