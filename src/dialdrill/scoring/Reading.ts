/**
 * One reading of a call that every rule of the rubric shares: its sentences by speaker, its opening and its end, the
 * questions that the rep asked, and the objections that the prospect raised with the replies they got.
 *
 * @since 0.1.0
 */
import { findObjections, type Objection } from "./ObjectionFinder.js"
import { isDiscovery } from "./Questions.js"
import * as Timeline from "./Timeline.js"
import {
  countWords,
  type PracticeCall,
  type Quote,
  quoteOf,
  type Role,
  type Sentence,
  sentencesOf
} from "./Transcript.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Reading {
  readonly call: PracticeCall
  readonly turns: ReadonlyArray<ReadonlyArray<Sentence>>
  /** What the rep said, and what the prospect said, sentence by sentence. */
  readonly rep: ReadonlyArray<Sentence>
  readonly prospect: ReadonlyArray<Sentence>
  readonly repWords: number
  readonly prospectWords: number
  /** The rep's first 30 s (by the clock, else the first `openingWords` words), always with the first turn. */
  readonly opening: ReadonlyArray<Sentence>
  /** Both sides' last fifth of the turns, at least the last six. */
  readonly ending: ReadonlyArray<Sentence>
  /** What the rep asked to learn about the prospect. */
  readonly discovery: ReadonlyArray<Sentence>
  readonly objections: ReadonlyArray<Objection>
  /** The rep's longest uninterrupted run: whole seconds of talk and its first sentence. */
  readonly longestRun: { readonly seconds: number; readonly quotes: ReadonlyArray<Quote> }
}

/** Half a minute of speech at 150 words a minute. */
const openingWords = 75

/**
 * Reads a call. Never fails, whatever the text is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const read = (call: PracticeCall): Reading => {
  const turns = call.transcript.map(sentencesOf)
  const by = (role: Role) => turns.flatMap((sentences) => sentences.filter((sentence) => sentence.role === role))
  const rep = by("user")
  const prospect = by("agent")
  const run = Timeline.longestRun(call, "user")
  return {
    call,
    turns,
    rep,
    prospect,
    repWords: total(rep),
    prospectWords: total(prospect),
    opening: openingOf(call, turns),
    ending: turns.slice(Math.min(turns.length - Math.ceil(turns.length / 5), Math.max(0, turns.length - 6))).flat(),
    discovery: rep.filter(isDiscovery),
    objections: findObjections(turns),
    longestRun: {
      seconds: run === undefined ? 0 : run.seconds,
      quotes: run === undefined ? [] : (turns[run.firstTurn] ?? []).slice(0, 1).map((sentence) => quoteOf(sentence))
    }
  }
}

const total = (sentences: ReadonlyArray<Sentence>): number => sentences.reduce((sum, { words }) => sum + words, 0)

const openingOf = (call: PracticeCall, turns: ReadonlyArray<ReadonlyArray<Sentence>>): ReadonlyArray<Sentence> => {
  const timeline = Timeline.of(call)
  let found: ReadonlyArray<Sentence> = []
  let words = 0
  for (const [index, turn] of call.transcript.entries()) {
    if (turn.role !== "user") continue
    const late = timeline === undefined ? words >= openingWords : (turn.startSeconds ?? 0) >= 30
    if (late && found.length > 0) break
    found = found.concat(turns[index] ?? [])
    words += countWords(turn.text)
  }
  return found
}
