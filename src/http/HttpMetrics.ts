/**
 * Counts and times answers. The same series as `Metrics.recordHttpRequest`, with the tagged instruments kept instead of
 * looked up, because this runs for every request.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import { METHODS } from "node:http"
import * as Metrics from "../telemetry/Metrics.js"

/**
 * Makes a function that records an answer. Series are bounded by routes, methods and statuses of this server.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): ((sample: Metrics.HttpSample) => void) => {
  const instruments = new Map<string, (sample: Metrics.HttpSample) => void>()
  const instrument = (sample: Metrics.HttpSample) => {
    const route = sample.route ?? "unmatched"
    const requests = Metrics.httpRequests.pipe(
      Metric.tagged("route", route),
      Metric.tagged("method", METHODS.includes(sample.method) ? sample.method : "OTHER"),
      Metric.tagged("status", String(sample.status))
    )
    const duration = Metric.tagged(Metrics.httpDuration, "route", route)
    return ({ elapsedMillis }: Metrics.HttpSample) => {
      requests.unsafeUpdate(1, [])
      duration.unsafeUpdate(elapsedMillis / 1000, [])
    }
  }
  return (sample) => {
    const key = `${sample.method} ${sample.status} ${sample.route}`
    let record = instruments.get(key)
    if (record === undefined) {
      record = instrument(sample)
      instruments.set(key, record)
    }
    record(sample)
  }
}
