/**
 * A signal is one thing that a good or a bad call shows: its name, what it is worth, how to find it, and what to tell the
 * rep. A category of the rubric is a table of them.
 *
 * Merits have positive points and together make 10; faults have negative points and take away from that. A finder tells
 * the share of the points that a call earns and the words that prove it.
 *
 * @since 0.1.0
 */
import type { Reading } from "./Reading.js"
import { type Quote, quoteOf, type Sentence } from "./Transcript.js"

/**
 * `share` is 0 (not seen) to 1 (fully seen). For a merit the evidence shows it; where the merit is an absence ("few
 * fillers"), the evidence is what was there nevertheless.
 *
 * @since 0.1.0
 * @category models
 */
export interface Found {
  readonly share: number
  readonly evidence: ReadonlyArray<Quote>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Signal<Name extends string = string> {
  readonly name: Name
  readonly points: number
  readonly find: (reading: Reading) => Found
  /** Said when it shows. Faults have their reproach here. */
  readonly shown: string
  /** Said when a merit is missing; faults need none. */
  readonly missing?: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Category<Id extends string = string, Name extends string = string> {
  readonly category: Id
  readonly weight: number
  readonly signals: ReadonlyArray<Signal<Name>>
  /** A score and the reason for it where the signals do not apply. */
  readonly instead?: (reading: Reading) => { readonly score: number; readonly feedback: string } | undefined
  /** The share of the points that the call can earn at most, and the reason, where there is too little to judge. */
  readonly limit?: (reading: Reading) => { readonly share: number; readonly feedback: string } | undefined
}

/** The quotes that one signal may show; three make the point. */
const quotesPerSignal = 3

/**
 * Some of these sentences pass; `times` of them earn the full share.
 *
 * @since 0.1.0
 * @category finders
 */
export const count =
  (
    sentences: (reading: Reading) => ReadonlyArray<Sentence>,
    passes: (sentence: Sentence) => boolean,
    times = 1
  ): Signal["find"] =>
  (reading) => {
    const found = sentences(reading).filter(passes)
    return { share: Math.min(1, found.length / times), evidence: quotes(found) }
  }

/**
 * One of the phrases is said; `times` times earn the full share.
 *
 * @since 0.1.0
 * @category finders
 */
export const said = (
  sentences: (reading: Reading) => ReadonlyArray<Sentence>,
  phrases: RegExp,
  times = 1
): Signal["find"] => count(sentences, ({ plain }) => phrases.test(plain), times)

/**
 * The rep says the phrases rarely: a full share up to `good` per 100 words, none from `bad` on, in proportion between.
 *
 * @since 0.1.0
 * @category finders
 */
export const rarely =
  (hits: (sentence: Sentence) => number, good: number, bad: number): Signal["find"] =>
  (reading) => {
    const offenders = reading.rep.filter((sentence) => hits(sentence) > 0)
    const rate = (offenders.reduce((sum, sentence) => sum + hits(sentence), 0) / Math.max(1, reading.repWords)) * 100
    return { share: fading(rate, good, bad), evidence: quotes(offenders) }
  }

/**
 * 1 up to `good`, 0 from `bad` on, in proportion between.
 *
 * @since 0.1.0
 * @category finders
 */
export const fading = (value: number, good: number, bad: number): number =>
  Math.max(0, Math.min(1, (bad - value) / (bad - good)))

/**
 * @since 0.1.0
 * @category conversions
 */
export const quotes = (sentences: ReadonlyArray<Sentence>): ReadonlyArray<Quote> =>
  sentences.slice(0, quotesPerSignal).map((sentence) => quoteOf(sentence))
