/**
 * The words of a practice call, turn by turn, and the cutting of them into words and sentences that can be quoted.
 *
 * Everything that scores or measures a call works on sentences of at most {@link maxSentenceCharacters} characters. That
 * makes every quote readable, and it bounds each regular expression of the rubric: however a pattern backtracks, it
 * never sees more than one such sentence, so the cost of a hostile text grows with its length and no faster.
 *
 * @since 0.1.0
 */

/**
 * Who speaks: `user` is the sales rep who practises, `agent` the prospect (a voice agent, or the simulated one).
 *
 * @since 0.1.0
 * @category models
 */
export type Role = "user" | "agent"

/**
 * One turn. Times are seconds since the start of the call; `interrupted` says that the other side cut this turn off,
 * and its presence (even `false`) says that interruptions were watched for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Turn {
  readonly role: Role
  readonly text: string
  readonly startSeconds?: number | undefined
  readonly endSeconds?: number | undefined
  readonly interrupted?: boolean | undefined
}

/**
 * A finished call: its turns in order and, when known, how long it took.
 *
 * @since 0.1.0
 * @category models
 */
export interface PracticeCall {
  readonly transcript: ReadonlyArray<Turn>
  readonly durationSeconds?: number | undefined
}

/**
 * Words out of a transcript: `quote` is a verbatim part of the text of turn number `turn`, counted from 0.
 *
 * @since 0.1.0
 * @category models
 */
export interface Quote {
  readonly turn: number
  readonly quote: string
}

/**
 * A sentence of a turn. `text` is verbatim; `plain` is the same length with straight apostrophes, for matching.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sentence {
  readonly turn: number
  readonly role: Role
  readonly text: string
  readonly plain: string
  readonly words: number
}

/**
 * No sentence is longer; a longer one is cut at a space.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxSentenceCharacters = 400

// Both are linear: the two classes of a word are disjoint, and the look-behind of a boundary is at most two characters.
const word = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu
const boundary = /(?<=[.!?…]["'”’)]?)\s+|\n+/gu

/**
 * The number of words of a text; punctuation, symbols and emoji are none, `don't` and `follow-up` are one.
 *
 * @since 0.1.0
 * @category accessors
 */
export const countWords = (text: string): number => text.match(word)?.length ?? 0

/**
 * The sentences of one turn, in order, without the blank space between them and without those that have no words.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sentencesOf = (turn: Turn, index: number): ReadonlyArray<Sentence> =>
  pieces(turn.text)
    .map((text) => ({
      turn: index,
      role: turn.role,
      text,
      plain: text.replace(/[‘’]/g, "'"),
      words: countWords(text)
    }))
    .filter(({ words }) => words > 0)

/**
 * The sentence as a quote, at most `limit` characters of it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const quoteOf = (sentence: Sentence, limit = maxSentenceCharacters): Quote => ({
  turn: sentence.turn,
  quote: sentence.text.slice(0, cutBefore(sentence.text, 0, limit)).trimEnd()
})

const pieces = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const take = (from: number, to: number) => {
    let start = from
    while (start < to) {
      const end = to - start <= maxSentenceCharacters ? to : Math.min(to, cutBefore(text, start, maxSentenceCharacters))
      const piece = text.slice(start, end).trim()
      if (piece !== "") found.push(piece)
      start = end
    }
  }
  let start = 0
  for (const match of text.matchAll(boundary)) {
    take(start, match.index)
    start = match.index + match[0].length
  }
  take(start, text.length)
  return found
}

/** Where to cut so that at most `limit` characters follow `start`: at a space, and never inside a surrogate pair. */
const cutBefore = (text: string, start: number, limit: number): number => {
  const end = start + limit
  if (end >= text.length) return text.length
  const space = text.slice(start, end).search(/\s\S*$/)
  if (space > 0) return start + space
  const code = text.charCodeAt(end - 1)
  return code >= 0xd800 && code <= 0xdbff ? end - 1 : end
}
