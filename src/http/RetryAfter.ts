/**
 * Reads what an answer says about another attempt: when to come back, or not to come back at all.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Pushback } from "../resilience/Retryable.js"

/**
 * The headers of an answer, by their names in lower case.
 *
 * @since 0.1.0
 * @category models
 */
export type Headers = Readonly<Record<string, string | undefined>>

/**
 * The wait that `Retry-After` asks for (RFC 9110, section 10.2.3): a number of seconds, or a date, which is measured
 * against the answer's own `Date` where it has one, so that a wrong clock on either side does no harm. A date that has
 * passed asks for no wait. Whole milliseconds, never negative; `undefined` without the header, and when it cannot be read.
 *
 * Beyond the RFC, seconds may have a fraction, as some servers send them, and `retry-after-ms`, which OpenAI sends, is
 * the more exact one of the two.
 *
 * @param now wall-clock milliseconds, for an answer without `Date`
 * @since 0.1.0
 * @category parsers
 */
export const read = (headers: Headers, now: number): Duration.Duration | undefined => {
  const millis = number(headers["retry-after-ms"])
  if (millis !== undefined) return wait(millis)
  const value = headers["retry-after"]
  const seconds = number(value)
  if (seconds !== undefined) return wait(seconds * 1000)
  const until = date(value)
  return until === undefined ? undefined : wait(until - (date(headers["date"]) ?? now))
}

/**
 * The same, after what gRPC has to say (`grpc-retry-pushback-ms`, proposal A6): milliseconds to wait, or a number that is
 * negative or cannot be read, which asks for no further attempt.
 *
 * Who needs it: clients of services behind a gRPC gateway, as `Retry.Options.retryAfter`.
 *
 * @since 0.1.0
 * @category parsers
 */
export const pushback = (headers: Headers, now: number): Pushback | undefined => {
  const value = headers["grpc-retry-pushback-ms"]
  if (value === undefined) return read(headers, now)
  const millis = number(value)
  return millis === undefined ? "never" : wait(millis)
}

const wait = (millis: number): Duration.Duration => Duration.millis(Math.max(0, Math.ceil(millis)))

const number = (value: string | undefined): number | undefined =>
  value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined

// `Date.parse` alone would read a date into almost anything, "12" and "soon 5" included.
const shapes = [
  /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  // The two obsolete ones, of RFC 850 and of asctime, which every recipient has to read.
  /^[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/
]

const date = (value: string | undefined): number | undefined => {
  const text = value?.trim()
  if (text === undefined || !shapes.some((shape) => shape.test(text))) return undefined
  // All three are in Greenwich's time; the last one does not say so.
  const millis = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`)
  return Number.isNaN(millis) ? undefined : millis
}
