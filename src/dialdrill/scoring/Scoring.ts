/**
 * Scores a practice call from 0 to 10 in five categories, by rules that are data: the same call always gets the same
 * score, nothing is asked of a network, and every score shows the words that it came from.
 *
 * The rules know English only. A call in which the rep hardly spoke, or not in English, scores 0 and says so.
 *
 * @since 0.1.0
 */
import { Clarity } from "./Clarity.js"
import { Closing } from "./Closing.js"
import { Discovery } from "./Discovery.js"
import { Objections } from "./Objections.js"
import { Opening } from "./Opening.js"
import { anyOf } from "./Phrases.js"
import { read, type Reading } from "./Reading.js"
import type { Category, Found, Signal } from "./Signal.js"
import type { PracticeCall, Quote } from "./Transcript.js"

/**
 * Changes with every change of the rules that can change a score, so that stored scores can be compared.
 *
 * @since 0.1.0
 * @category constants
 */
export const rubricVersion = "english-1"

/** With fewer words of the rep there is nothing to score. */
const minimumWords = 8

/**
 * The five categories, in the order of a call.
 *
 * @since 0.1.0
 * @category rubric
 */
export const rubric = [Opening, Discovery, Objections, Clarity, Closing] as const

/**
 * @since 0.1.0
 * @category models
 */
export type CategoryId = (typeof rubric)[number]["category"]

/**
 * The name of every signal of the rubric.
 *
 * @since 0.1.0
 * @category models
 */
export type SignalName = (typeof rubric)[number]["signals"][number]["name"]

/**
 * A quote that a score rests on, and the name of the signal that it shows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Evidence extends Quote {
  readonly signal: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface CategoryScore {
  readonly category: CategoryId
  /** 0 to 10, one decimal. */
  readonly score: number
  readonly weight: number
  /** In the order of the call. */
  readonly evidence: ReadonlyArray<Evidence>
  readonly feedback: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Score {
  /** The weighted mean of the categories, 0 to 10, one decimal. */
  readonly overall: number
  readonly rubricVersion: string
  readonly categories: ReadonlyArray<CategoryScore>
}

/**
 * What became of one signal in one call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Finding extends Found {
  readonly signal: Signal<SignalName>
  /** The points that it cost, out of the category's 10. */
  readonly lost: number
}

/**
 * A score with all its findings, which coaching is made from. `applies` is false where the signals of the category
 * could not show (no objection came up, or the whole call cannot be scored).
 *
 * @since 0.1.0
 * @category models
 */
export interface Assessment {
  readonly reading: Reading
  readonly score: Score
  readonly findings: ReadonlyArray<{
    readonly score: CategoryScore
    readonly applies: boolean
    readonly findings: ReadonlyArray<Finding>
  }>
}

/**
 * Scores a call. Never fails, whatever the text is.
 *
 * @since 0.1.0
 * @category scoring
 */
export const score = (call: PracticeCall): Score => assess(call).score

/**
 * Scores a call and keeps what it found. Who has read the call already can say so.
 *
 * @since 0.1.0
 * @category scoring
 */
export const assess = (call: PracticeCall, reading: Reading = read(call)): Assessment => {
  const unscorable = reasonNotToScore(reading)
  const findings = rubric.map((category) =>
    unscorable === undefined ? judge(category, reading) : verdict(category, { score: 0, feedback: unscorable })
  )
  const categories = findings.map(({ score }) => score)
  const weights = categories.reduce((sum, { weight }) => sum + weight, 0)
  const overall = categories.reduce((sum, { score, weight }) => sum + score * weight, 0) / weights
  return { reading, findings, score: { overall: oneDecimal(overall), rubricVersion, categories } }
}

type AnyCategory = Category<CategoryId, SignalName>

const judge = (category: AnyCategory, reading: Reading): Assessment["findings"][number] => {
  const instead = category.instead?.(reading)
  if (instead !== undefined) return verdict(category, instead)
  const findings = category.signals.map((signal): Finding => {
    const found = signal.find(reading)
    return {
      ...found,
      signal,
      lost: signal.points > 0 ? signal.points * (1 - found.share) : -signal.points * found.share
    }
  })
  const limit = category.limit?.(reading)
  const points = findings.reduce((sum, { share, signal }) => sum + signal.points * share, 0) * (limit?.share ?? 1)
  const evidence = findings
    .flatMap(({ evidence, signal }) => evidence.map((quote): Evidence => ({ ...quote, signal: signal.name })))
    .sort((a, b) => a.turn - b.turn)
  return {
    applies: true,
    findings,
    score: {
      category: category.category,
      score: oneDecimal(Math.max(0, Math.min(10, points))),
      weight: category.weight,
      evidence,
      feedback: limit?.feedback ?? feedbackOn(findings)
    }
  }
}

const verdict = (
  { category, weight }: AnyCategory,
  { feedback, score }: { readonly score: number; readonly feedback: string }
): Assessment["findings"][number] => ({
  applies: false,
  findings: [],
  score: { category, score, weight, evidence: [], feedback }
})

/** The best that showed, then the two things that cost most. */
const feedbackOn = (findings: ReadonlyArray<Finding>): string => {
  const best = findings
    .filter(({ share, signal }) => signal.points > 0 && share >= 0.75)
    .sort((a, b) => b.signal.points - a.signal.points)
    .slice(0, 2)
    .map(({ signal }) => signal.shown)
  const worst = findings
    .filter(({ lost }) => lost >= 0.5)
    .sort((a, b) => b.lost - a.lost)
    .slice(0, 2)
    .map(({ signal }) => (signal.points < 0 ? signal.shown : (signal.missing ?? signal.shown)))
  return [...best, ...worst].join(" ")
}

const reasonNotToScore = ({ call, rep, repWords }: Reading): string | undefined => {
  if (call.transcript.length === 0) return "Nothing to score: the transcript is empty."
  if (repWords === 0) return "Nothing to score: you did not say a word."
  if (repWords < minimumWords) {
    return `Nothing to score: you said ${repWords === 1 ? "one word" : `${repWords} words`}, and at least ${minimumWords} are needed.`
  }
  const common = rep.reduce((sum, { plain }) => sum + (plain.match(commonWords)?.length ?? 0), 0)
  return common / repWords < 0.1
    ? "Nothing to score: these rules know English only, and this is hardly English."
    : undefined
}

// Over a third of any English speech; a tenth tells it from other languages and from noise.
const commonWords = new RegExp(
  anyOf(
    "(the|a|an|and|or|but|to|of|in|on|for|with|from|at|by|i|you|we|they|it|he|she|my|your|our|their|me|us|is|are|was|were|be|am|do|does|did|have|has|had|will|would|can|could|should|that|this|what|how|why|when|who|not|no|yes|so|if|about|just|hi|hello|hey|okay|thanks)"
  ).source,
  "giu"
)

const oneDecimal = (value: number): number => Math.round(value * 10) / 10
