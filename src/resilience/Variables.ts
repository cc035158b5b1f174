/**
 * Numbers, durations and rates as people write them into environment variables. Every mistake is collected, so that one
 * message names each variable, what is wrong with its value, and a value that would do.
 *
 * A variable that is set to nothing counts as not set: that is how compose files and shells leave things out.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import { longestDelay } from "./OptionsReader.js"

/**
 * Names and values, as in `process.env`.
 *
 * @since 0.1.0
 * @category models
 */
export type Variables = Readonly<Record<string, string | undefined>>

/**
 * One mistake.
 *
 * @since 0.1.0
 * @category models
 */
export interface Problem {
  readonly variable: string
  /** Ends the sentence "VARIABLE ...", without a full stop. */
  readonly problem: string
  /** A value that would do, or advice where there is none. */
  readonly example: string | undefined
}

/**
 * So many calls in so much time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rate {
  readonly limit: number
  readonly interval: Duration.Duration
}

/**
 * The readers. Each gives the default back where the value cannot be used, so that reading goes on; `refuse` adds a
 * mistake that only shows when values are compared.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reader {
  /** The text of a variable without blanks around it; `undefined` when it is not set. */
  readonly get: (variable: string) => string | undefined
  readonly isSet: (variable: string) => boolean
  readonly count: (variable: string, otherwise: number) => number
  /** A number of at least 1, as a multiplier. */
  readonly factor: (variable: string, otherwise: number) => number
  readonly duration: (variable: string, otherwise: Duration.DurationInput) => Duration.Duration
  readonly rate: (variable: string) => Rate | undefined
  /** What `parse` makes of the text, or a mistake: the value is not `expected`, but `example` would be. */
  readonly read: <A>(
    variable: string,
    otherwise: A,
    parse: (value: string) => A | undefined,
    expected: string,
    example: string
  ) => A
  readonly refuse: (problem: Problem) => void
  readonly problems: ReadonlyArray<Problem>
}

/**
 * Reads variables and collects what is wrong with them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const reader = (variables: Variables): Reader => {
  const problems: Array<Problem> = []
  const get = (variable: string): string | undefined => {
    const value = variables[variable]?.trim()
    return value === "" ? undefined : value
  }
  const read: Reader["read"] = (variable, otherwise, parse, expected, example) => {
    const value = get(variable)
    if (value === undefined) return otherwise
    const parsed = parse(value)
    if (parsed !== undefined) return parsed
    problems.push({ variable, problem: `is ${quote(value.slice(0, 80))}, which is not ${expected}`, example })
    return otherwise
  }
  return {
    get,
    isSet: (variable) => get(variable) !== undefined,
    read,
    problems,
    refuse: (problem) => void problems.push(problem),
    count: (variable, otherwise) =>
      read(variable, otherwise, parseCount, "a whole number of at least 1", String(otherwise)),
    factor: (variable, otherwise) =>
      read(variable, otherwise, parseFactor, "a number of at least 1", String(otherwise)),
    duration: (variable, otherwise) =>
      read(variable, Duration.decode(otherwise), parseDuration, "a duration from 1 ms to 24 days", format(otherwise)),
    rate: (variable) =>
      read<Rate | undefined>(
        variable,
        undefined,
        parseRate,
        "a rate (strict, normal, loose, hourly, or so many in a time)",
        "60/1m"
      )
  }
}

/**
 * A mistake in one line.
 *
 * @since 0.1.0
 * @category accessors
 */
export const describe = ({ example, problem, variable }: Problem): string =>
  example === undefined ? `${variable} ${problem}` : `${variable} ${problem}; for example ${variable}=${quote(example)}`

/**
 * `2 seconds`, `2s`, `500ms`, `1.5 minutes`, `1h`: at least a millisecond and at most 24 days, which is as short and as
 * long as a timer of this platform can wait.
 *
 * @since 0.1.0
 * @category parsers
 */
export const parseDuration = (value: string): Duration.Duration | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(value)
  const unit = units.get(match?.[2]?.toLowerCase() ?? "")
  if (match === null || unit === undefined) return undefined
  const millis = Number(match[1]) * unit
  return millis >= 1 && millis <= longestDelay ? Duration.millis(millis) : undefined
}

/**
 * A preset of the rate limits by name, or `100/60s`: so many in so much time.
 *
 * @since 0.1.0
 * @category parsers
 */
export const parseRate = (value: string): Rate | undefined => {
  const preset = presets.get(value)
  if (preset !== undefined) return preset
  const [limit, interval, ...rest] = value.split("/")
  const count = parseCount(limit?.trim() ?? "")
  const duration = parseDuration(interval?.trim() ?? "")
  return rest.length === 0 && count !== undefined && duration !== undefined
    ? { limit: count, interval: duration }
    : undefined
}

/**
 * A duration as one would write it into a variable.
 *
 * @since 0.1.0
 * @category accessors
 */
export const format = (duration: Duration.DurationInput): string => {
  const millis = Duration.toMillis(duration)
  return millis % 1000 === 0 ? `${millis / 1000} ${millis === 1000 ? "second" : "seconds"}` : `${millis}ms`
}

/**
 * Mistakes for variables that begin like one of ours and are none: a misspelt limit that is silently ignored would be
 * missed only when it is needed.
 *
 * @param families what the names that are all ours begin with
 * @since 0.1.0
 * @category accessors
 */
export const unknown = (
  variables: Variables,
  families: ReadonlyArray<string>,
  known: ReadonlyArray<string>
): ReadonlyArray<Problem> =>
  Object.keys(variables)
    .filter((name) => families.some((family) => name.startsWith(family)) && !known.includes(name))
    .sort()
    .map((variable) => ({
      variable,
      problem: `is not a variable of this program; the nearest is ${nearest(variable, known)}`,
      example: undefined
    }))

const units: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, ["ms", "milli", "millis", "millisecond", "milliseconds"]],
      [1000, ["s", "sec", "secs", "second", "seconds"]],
      [60_000, ["m", "min", "mins", "minute", "minutes"]],
      [3_600_000, ["h", "hour", "hours"]],
      [86_400_000, ["d", "day", "days"]]
    ] as const
  ).flatMap(([millis, names]) => names.map((name) => [name, millis] as const))
)

const presets: ReadonlyMap<string, Rate> = new Map([
  ["strict", { limit: 10, interval: Duration.minutes(1) }],
  ["normal", { limit: 100, interval: Duration.minutes(1) }],
  ["loose", { limit: 1000, interval: Duration.minutes(1) }],
  ["hourly", { limit: 1000, interval: Duration.hours(1) }]
])

const parseCount = (value: string): number | undefined => {
  const count = /^\d+$/.test(value) ? Number(value) : NaN
  return Number.isSafeInteger(count) && count >= 1 ? count : undefined
}

const parseFactor = (value: string): number | undefined => {
  const factor = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN
  return Number.isFinite(factor) && factor >= 1 ? factor : undefined
}

const quote = (value: string): string => JSON.stringify(value)

const nearest = (name: string, known: ReadonlyArray<string>): string =>
  known.reduce(
    (best, candidate) => (distance(name, candidate) < distance(name, best) ? candidate : best),
    known[0] ?? ""
  )

/** Levenshtein's distance: how many letters have to change. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
