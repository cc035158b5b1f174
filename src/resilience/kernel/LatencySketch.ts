/**
 * Quantiles of the recent latencies in constant memory, as plain data: two histograms that take turns. What is recorded
 * goes into the current one; when its window is over it becomes the previous one, and the one before that is forgotten.
 * So a quantile speaks of the last one to two windows, whatever the traffic.
 *
 * The buckets are whole milliseconds up to 20 ms and grow by at most a tenth from there, up to one hour: a quantile is
 * never below the true one (nearest rank) of latencies within that range, and above it by less than a millisecond or
 * less than a tenth, whichever is more. The relative error that logarithmic buckets guarantee is that of DDSketch
 * (Masson, Rim and Lee, VLDB 2019); the turns are those of HdrHistogram's recorders.
 *
 * @since 0.1.0
 */

/** How many latencies fell into each bucket. */
interface Histogram {
  readonly total: number
  readonly counts: ReadonlyArray<number>
}

/** The sketch; `startedAt` is when the current window began, in monotonic milliseconds. */
export interface Sketch {
  readonly windowMillis: number
  readonly startedAt: number
  readonly current: Histogram
  readonly previous: Histogram
}

const hour = 3_600_000

/** The longest latency that each bucket holds, in milliseconds: 1 to 20, 22, 24, 26, 28, 30, 33, ... one hour. */
export const bounds: ReadonlyArray<number> = (() => {
  const all = [1]
  for (let last = 1; last < hour; all.push(last)) last = Math.min(hour, Math.max(last + 1, Math.floor(last * 1.1)))
  return all
})()

/** 0.55 of 100 calls are 55, and not the 55.00000000000001 of binary fractions. */
const rounding = 1e-9

const nothing: Histogram = { total: 0, counts: bounds.map(() => 0) }

/** A sketch without latencies. */
export const empty = (windowMillis: number, now: number): Sketch => ({
  windowMillis,
  startedAt: now,
  current: nothing,
  previous: nothing
})

/** Records a latency in milliseconds. Above one hour it counts as one hour. */
export const record = (sketch: Sketch, latency: number, now: number): Sketch => {
  const turned = turn(sketch, now)
  const { counts, total } = turned.current
  const bucket = bucketOf(latency)
  return { ...turned, current: { total: total + 1, counts: counts.with(bucket, counts[bucket]! + 1) } }
}

/**
 * The latency, in whole milliseconds, within which at least the part `q` of the calls ended; `q` above 0 and at most 1.
 * `undefined` when fewer than `atLeast` latencies are known, which is at least one.
 */
export const quantile = (sketch: Sketch, q: number, atLeast: number, now: number): number | undefined => {
  const { current, previous } = turn(sketch, now)
  const known = current.total + previous.total
  const rank = Math.ceil(q * known - rounding)
  let seen = 0
  return known < atLeast ? undefined : bounds.find((_, i) => (seen += current.counts[i]! + previous.counts[i]!) >= rank)
}

/** Lets time do its work. */
const turn = (sketch: Sketch, now: number): Sketch => {
  const windows = Math.floor((now - sketch.startedAt) / sketch.windowMillis)
  if (windows < 1) return sketch
  return {
    windowMillis: sketch.windowMillis,
    startedAt: sketch.startedAt + windows * sketch.windowMillis,
    current: nothing,
    previous: windows === 1 ? sketch.current : nothing
  }
}

/** The first bucket that holds the latency, by halving. */
const bucketOf = (latency: number): number => {
  let low = 0
  let high = bounds.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (latency <= bounds[middle]!) high = middle
    else low = middle + 1
  }
  return low
}
