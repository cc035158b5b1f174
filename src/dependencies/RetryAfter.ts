/**
 * Reads `Retry-After`: when an upstream asks to be left alone, and for how long.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * The wait that the headers ask for: `retry-after-ms` (OpenAI), `Retry-After` in seconds, or `Retry-After` as an HTTP
 * date, which is measured against the answer's own `Date` so that a wrong clock on either side does no harm.
 * `undefined` when there is none, when it cannot be read, and when it has passed: then nothing was asked for.
 *
 * @param headers names in lower case
 * @param now wall-clock milliseconds, for an answer without `Date`
 * @since 0.1.0
 * @category parsers
 */
export const read = (
  headers: Readonly<Record<string, string | undefined>>,
  now: number
): Duration.Duration | undefined => {
  const millis = number(headers["retry-after-ms"])
  if (millis !== undefined) return positive(millis)
  const value = headers["retry-after"]
  const seconds = number(value)
  if (seconds !== undefined) return positive(seconds * 1000)
  const until = date(value)
  return until === undefined ? undefined : positive(until - (date(headers["date"]) ?? now))
}

const positive = (millis: number): Duration.Duration | undefined => (millis > 0 ? Duration.millis(millis) : undefined)

const number = (value: string | undefined): number | undefined =>
  value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined

// Only what begins with the name of a day: `Date.parse` alone would also read "12" as a month.
const date = (value: string | undefined): number | undefined => {
  if (value === undefined || !/^\s*[A-Z][a-z]{2}/.test(value)) return undefined
  const millis = Date.parse(value)
  return Number.isNaN(millis) ? undefined : millis
}
