/**
 * Reads the options of a policy. Every mistake is collected, so that one message names all of them and what to change.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** JavaScript's timers cannot wait longer than this (about 24.8 days); Effect's sleep would wait for ever. */
export const longestDelay = 2 ** 31 - 1

/** JavaScript's maps cannot hold more entries than this; one more is an exception where it is added. */
export const largestMap = 2 ** 24

/**
 * A list of mistakes, and the readers that add to it. A reader always gives a usable number back, so that reading goes on.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = () => {
  const problems: Array<string> = []
  const refuse = (problem: string): void => {
    problems.push(problem)
  }
  return {
    problems,
    refuse,

    /** Whole milliseconds, rounded up and at least `min`: a timer cuts fractions off, and would wake too early. */
    duration: (name: string, input: Duration.DurationInput, min: number): number => {
      const millis = toMillis(input)
      if (millis >= min && millis <= longestDelay) return Math.ceil(millis)
      const atLeast = min === 0 ? "zero" : `${min} ms`
      refuse(`${name} is ${show(input)}; give a duration of at least ${atLeast} and at most 24 days`)
      return Math.max(min, 1)
    },

    /** How long one may wait, in milliseconds; `Infinity` is without end. To let no one wait is said in another way. */
    wait: (name: string, input: Duration.DurationInput): number => {
      const millis = toMillis(input)
      if (millis > 0) return millis
      refuse(`${name} is ${show(input)}; give a duration longer than nothing`)
      return 1
    },

    /** Whole milliseconds as they are, at least 1: of a time that is counted with, and not waited for. */
    period: (name: string, input: Duration.DurationInput): number => {
      const millis = toMillis(input)
      if (Number.isSafeInteger(millis) && millis >= 1) return millis
      refuse(`${name} is ${show(input)}; give a whole number of milliseconds, at least 1`)
      return 1
    },

    /** A whole number, at least `min` and at most `max`. */
    count: (name: string, input: number, min: number, max = Infinity): number => {
      if (Number.isSafeInteger(input) && input >= min && input <= max) return input
      const atMost = max === Infinity ? "" : ` and at most ${max}`
      refuse(`${name} is ${show(input)}; give a whole number of at least ${min}${atMost}`)
      return Math.max(min, 1)
    },

    /** A finite number, at least `min`. */
    factor: (name: string, input: number, min: number): number => {
      if (Number.isFinite(input) && input >= min) return input
      refuse(`${name} is ${show(input)}; give a number of at least ${min}`)
      return Math.max(min, 1)
    },

    /** One of the words that there are: they come from configuration, where no compiler reads them. */
    choice: <const A extends string>(name: string, input: unknown, words: readonly [A, ...ReadonlyArray<A>]): A => {
      const word = words.find((one) => one === input)
      if (word === undefined) refuse(`${name} is ${show(input)}; give one of ${words.map(show).join(", ")}`)
      return word ?? words[0]
    },

    /** A name that is not empty. */
    name: (input: string): string => {
      if (input.trim() === "") refuse('name is empty; give the name of the dependency, such as "openai"')
      return input
    }
  }
}

/**
 * Milliseconds, NaN where the duration cannot be read. (Duration.decode turns negative numbers and NaN into zero without a
 * word, and throws on an unreadable string.)
 *
 * @since 0.1.0
 * @category conversions
 */
export const toMillis = (input: Duration.DurationInput): number => {
  if (typeof input === "number") return input
  if (typeof input === "bigint" && input < 0n) return Number.NaN
  return Option.match(Duration.decodeUnknown(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })
}

const show = (input: unknown): string =>
  typeof input === "string"
    ? `"${input}"`
    : Duration.isDuration(input)
      ? Duration.format(input)
      : Array.isArray(input)
        ? `[${input.join(", ")}]`
        : String(input)
