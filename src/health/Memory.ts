/**
 * Tells when this process is about to run out of memory: its heap against V8's limit, and its resident size against the
 * limit of its container. Never more than degraded, since a restart is the operator's decision and a process that still
 * answers is better than none.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as os from "node:os"
import * as v8 from "node:v8"
import type { CheckOutcome } from "./Check.js"
import type { Registration } from "./CheckRunner.js"

/**
 * One measurement, in bytes. `containerLimit` is `undefined` where nothing limits the process.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemorySample {
  readonly heapUsed: number
  readonly heapLimit: number
  readonly rss: number
  readonly containerLimit: number | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface MemoryOptions {
  /** Takes a measurement. Default `reader`, this process. */
  readonly reader?: Effect.Effect<MemorySample, unknown> | undefined
  /** Share of V8's heap limit from which the check is degraded. Default 0.9. */
  readonly heapRatio?: number | undefined
  /** Share of the container's limit from which the check is degraded. Default 0.9. */
  readonly rssRatio?: number | undefined
}

/**
 * Measures this process.
 *
 * Node reads the limits of cgroup v1 and v2, nested ones too, and reports "none" as 0 or as a number larger than the
 * machine; both mean no limit here.
 *
 * @since 0.1.0
 * @category constructors
 */
export const reader: Effect.Effect<MemorySample> = Effect.sync(() => {
  const heap = v8.getHeapStatistics()
  const limit = process.constrainedMemory()
  return {
    heapUsed: heap.used_heap_size,
    heapLimit: heap.heap_size_limit,
    rss: process.memoryUsage.rss(),
    containerLimit: limit > 0 && limit < os.totalmem() ? limit : undefined
  }
})

/**
 * Judges a measurement.
 *
 * @since 0.1.0
 * @category accessors
 */
export const judge = (sample: MemorySample, options: MemoryOptions = {}): CheckOutcome => {
  const complaints = [
    complaint("heap", "V8's limit", sample.heapUsed, sample.heapLimit, options.heapRatio ?? 0.9),
    complaint("resident memory", "the container's limit", sample.rss, sample.containerLimit, options.rssRatio ?? 0.9)
  ].filter((message) => message !== undefined)
  return complaints.length === 0 ? { status: "up" } : { status: "degraded", message: complaints.join("; ") }
}

/**
 * The built-in check.
 *
 * @since 0.1.0
 * @category constructors
 */
export const registration = (options: MemoryOptions = {}): Registration => ({
  name: "memory",
  worst: "degraded",
  check: Effect.map(options.reader ?? reader, (sample) => judge(sample, options)),
  interval: "10 seconds",
  timeout: "1 second"
})

const complaint = (
  what: string,
  ofWhat: string,
  used: number,
  limit: number | undefined,
  ratio: number
): string | undefined => {
  if (limit === undefined || !(limit > 0) || used < limit * ratio) return undefined
  return `${what} at ${Math.round((used / limit) * 100)} % of ${ofWhat} (${megabytes(used)} of ${megabytes(limit)} MB)`
}

const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576)
