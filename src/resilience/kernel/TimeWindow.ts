/**
 * The results of a circuit's calls over the last `duration`, counted in ten buckets. A result is forgotten when the
 * bucket it fell into is ten buckets old: between nine tenths of the duration and the whole of it later.
 *
 * Time passes when the window is used and not otherwise: no timer, no fibre. Whoever uses it after a pause drops every
 * bucket that is too old by then, so that nothing older than the duration ever counts. (The window of cockatiel drops
 * one bucket a call, and counts a burst that is hours old after an idle gap.)
 *
 * The window never changes; a push makes the next one. Within a bucket that is one small object.
 *
 * @since 0.1.0
 */

/** How many buckets a window has. */
export const buckets = 10

interface Counts {
  readonly calls: number
  readonly failures: number
  readonly slow: number
}

interface Bucket extends Counts {
  readonly index: number
}

/** The buckets before the current one, oldest first, with their sums. */
interface Older extends Counts {
  readonly buckets: ReadonlyArray<Bucket>
}

export interface TimeWindow extends Counts {
  readonly _tag: "time"
  /** How many milliseconds a bucket is long. */
  readonly width: number
  /** The current bucket, counted from time zero. */
  readonly index: number
  readonly older: Older
}

export const empty = (duration: number): TimeWindow => ({
  _tag: "time",
  width: duration / buckets,
  index: 0,
  calls: 0,
  failures: 0,
  slow: 0,
  older: sumOf([])
})

/** Adds a result. */
export const push = (window: TimeWindow, failed: boolean, slow: boolean, now: number): TimeWindow => {
  const current = at(window, now)
  return {
    _tag: "time",
    width: current.width,
    index: current.index,
    calls: current.calls + 1,
    failures: failed ? current.failures + 1 : current.failures,
    slow: slow ? current.slow + 1 : current.slow,
    older: current.older
  }
}

/** The window as it is at that time; the same reference within a bucket. */
export const at = (window: TimeWindow, now: number): TimeWindow => {
  const index = Math.floor(now / window.width)
  return index <= window.index ? window : rebuilt(window.width, index, all(window))
}

/** The same history in a window of another duration: what fell into a bucket counts from the bucket's beginning. */
export const resize = (window: TimeWindow, duration: number, now: number): TimeWindow => {
  const width = duration / buckets
  if (width === window.width) return window
  const moved = all(window).map((bucket) => ({ ...bucket, index: Math.floor((bucket.index * window.width) / width) }))
  return rebuilt(width, Math.floor(now / width), moved)
}

/** The current bucket included. */
const all = ({ calls, failures, index, older, slow }: TimeWindow): ReadonlyArray<Bucket> => [
  ...older.buckets,
  { index, calls: calls - older.calls, failures: failures - older.failures, slow: slow - older.slow }
]

const rebuilt = (width: number, index: number, history: ReadonlyArray<Bucket>): TimeWindow => {
  const older = sumOf(history.filter((bucket) => bucket.index > index - buckets))
  return { _tag: "time", width, index, calls: older.calls, failures: older.failures, slow: older.slow, older }
}

const sumOf = (list: ReadonlyArray<Bucket>): Older => ({
  buckets: list,
  calls: list.reduce((sum, { calls }) => sum + calls, 0),
  failures: list.reduce((sum, { failures }) => sum + failures, 0),
  slow: list.reduce((sum, { slow }) => sum + slow, 0)
})
