/**
 * How a line becomes a sentence: one that has not been spoken in this call, whose slots are all known, and if possible
 * one that takes up what the caller has just said.
 *
 * @since 0.1.0
 */
import { hash, pick } from "./Chance.js"
import type { Slots } from "./Understanding.js"

/**
 * Different ways to say one thing.
 *
 * @since 0.1.0
 * @category models
 */
export type Lines = ReadonlyArray<string>

/**
 * What the choice of a line depends on. `said` holds a hash for every line already spoken.
 *
 * @since 0.1.0
 * @category models
 */
export interface Speaker {
  readonly seed: number
  readonly turn: number
  readonly said: ReadonlyArray<number>
  /** Everything the caller has mentioned in this call. */
  readonly slots: Slots
  /** What the caller mentioned in this turn. */
  readonly fresh: Slots
}

const slotsOf = (line: string): ReadonlyArray<string> => Array.from(line.matchAll(/\{(\w+)\}/g), ([, name]) => name!)

const has = (slots: Slots, name: string): boolean => Object.hasOwn(slots, name)

const fill = (line: string, slots: Readonly<Record<string, string>>): string =>
  line.replace(/\{(\w+)\}/g, (slot, name: string) => slots[name] ?? slot)

/**
 * Speaks one of the lines, or `undefined` when none is left that fits. Lines that build on one another are spoken in
 * the `given` order.
 *
 * @since 0.1.0
 * @category combinators
 */
export const speak = <S extends Speaker>(
  speaker: S,
  lines: Lines,
  order: "any" | "given" = "any"
): readonly [string, S] | undefined => {
  const slots = { ...speaker.slots, ...speaker.fresh }
  const possible = lines.filter(
    (line) => !speaker.said.includes(hash(line)) && slotsOf(line).every((name) => has(slots, name))
  )
  const echoing = possible.filter((line) => slotsOf(line).some((name) => has(speaker.fresh, name)))
  const line = order === "given" ? possible[0] : pick(speaker, lines[0] ?? "", echoing.length > 0 ? echoing : possible)
  return line === undefined ? undefined : [fill(line, slots), { ...speaker, said: [...speaker.said, hash(line)] }]
}
