/**
 * Coaching by rules: what the score of a call found, said as a coach would. Needs no network, never fails, and is what
 * the rep gets when the AI coach cannot be reached. English only, like the score.
 *
 * It speaks about the weakest part of the call and leaves the rest alone: a rep can change one thing at a time.
 *
 * @since 0.1.0
 */
import { analyze, type Analytics } from "../scoring/Analytics.js"
import { assess, type Assessment, type CategoryId, type Finding, type SignalName } from "../scoring/Scoring.js"
import type { PracticeCall, Quote } from "../scoring/Transcript.js"
import { drills, firstLines, lessons, objectionOf } from "./Lessons.js"

/**
 * What the rep is told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Advice {
  /** What went well, with the words that show it; at most three. */
  readonly strengths: ReadonlyArray<string>
  /** What to change: why, the rep's own words, and the sentence to say instead; at most four. */
  readonly improvements: ReadonlyArray<string>
  /** Further sentences to learn for the same weakness; at most five. */
  readonly suggestedPhrases: ReadonlyArray<string>
  /** What to practise next; at most three. */
  readonly recommendedPractice: ReadonlyArray<string>
}

/**
 * An improvement before it is put in words.
 *
 * @since 0.1.0
 * @category models
 */
export interface Improvement extends Quote {
  readonly category: CategoryId
  readonly signal: SignalName
  readonly why: string
  /** The objection that the rep's words answer. */
  readonly heard: string | undefined
  readonly instead: string
}

/**
 * Coaches a call.
 *
 * @since 0.1.0
 * @category coaching
 */
export const coach = (call: PracticeCall): Advice => {
  const assessment = assess(call)
  const improvements = improve(assessment)
  return {
    strengths: strengthsOf(assessment),
    improvements: improvements.map(
      ({ heard, instead, quote, why }) =>
        `${why} ${heard === undefined ? "You said" : `When you heard “${heard}”, you said`}: “${quote}” Say instead: “${instead}”`
    ),
    suggestedPhrases: phrasesFor(assessment, improvements),
    recommendedPractice: practiceFor(assessment, analyze(call, assessment.reading))
  }
}

/**
 * The improvements of a call, the most costly first.
 *
 * @since 0.1.0
 * @category coaching
 */
export const improve = (assessment: Assessment): ReadonlyArray<Improvement> => {
  const costly = weakest(assessment)
    .flatMap(({ findings, score }) => findings.map((finding) => ({ finding, score })))
    .filter(({ finding }) => finding.lost >= 0.5)
    .sort((a, b) => b.finding.lost * b.score.weight - a.finding.lost * a.score.weight)
  const improvements: Array<Improvement> = []
  for (const { finding, score } of costly) {
    const { category } = score
    const signal = finding.signal.name
    const subject = { reading: assessment.reading, finding }
    const places = lessons[signal].where(subject)
    const fresh = places.find((place) => !improvements.some(({ quote }) => quote === excerpt(place.quote)))
    const place = fresh ?? places[0]
    if (place === undefined) continue
    const { say } = lessons[signal]
    const instead = typeof say === "string" ? say : say(subject, place)
    const objection = category === "objections" ? objectionOf(assessment.reading, place) : undefined
    improvements.push({
      turn: place.turn,
      quote: excerpt(place.quote),
      category,
      signal,
      why: whyOf(finding),
      heard: objection !== undefined && objection.raised.turn < place.turn ? excerpt(objection.raised.text) : undefined,
      instead
    })
    if (improvements.length === 4) break
  }
  return improvements
}

type Judged = Assessment["findings"][number]

/** The categories to speak about: the lowest, and those within a point and a half of it that are not good either. */
const weakest = ({ findings }: Assessment): ReadonlyArray<Judged> => {
  const judged = findings.filter(({ applies }) => applies)
  const lowest = Math.min(...judged.map(({ score }) => score.score))
  return judged.filter(({ score }) => score.score === lowest || (score.score < 7 && score.score <= lowest + 1.5))
}

const whyOf = ({ signal }: Finding): string => (signal.points < 0 ? signal.shown : (signal.missing ?? signal.shown))

/** The beginning of a long quote, still verbatim. */
const excerpt = (quote: string): string =>
  quote.length <= 160 ? quote : (/^[^]{1,158}(?=\s)/u.exec(quote)?.[0] ?? quote).trimEnd()

const strengthsOf = ({ findings }: Assessment): ReadonlyArray<string> =>
  findings
    .flatMap(({ findings, score }) => findings.map((finding) => ({ finding, score })))
    .filter(({ finding, score }) => finding.signal.points > 0 && finding.share >= 0.9 && score.score >= 4)
    .sort((a, b) => b.finding.signal.points * b.score.weight - a.finding.signal.points * a.score.weight)
    .slice(0, 3)
    .map(({ finding, score }) => {
      // The evidence of clarity is what disturbed it, which praises nobody.
      const proof = score.category === "clarity" ? undefined : finding.evidence[0]
      return proof === undefined ? finding.signal.shown : `${finding.signal.shown} “${excerpt(proof.quote)}”`
    })

const phrasesFor = ({ reading }: Assessment, improvements: ReadonlyArray<Improvement>): ReadonlyArray<string> =>
  reading.rep.length === 0 ? firstLines : improvements.flatMap(({ signal }) => lessons[signal].phrases).slice(0, 5)

const practiceFor = (assessment: Assessment, analytics: Analytics): ReadonlyArray<string> => {
  const untested = assessment.findings.find(({ applies }) => !applies)
  if (assessment.findings.every(({ applies }) => !applies)) {
    return [`${untested?.score.feedback ?? ""} Start a call, say who you are and why you call, and ask one question.`]
  }
  const weak = weakest(assessment).map(({ score }) => drills[score.category])
  return [
    ...weak.slice(0, 2),
    ...habits(analytics),
    ...(untested === undefined ? [] : [untested.score.feedback])
  ].slice(0, 3)
}

/** Figures that are off by so much that they deserve practice of their own. */
const habits = (analytics: Analytics): ReadonlyArray<string> =>
  habitRules.flatMap(({ advice, metric, over }) => {
    const { basis, value } = analytics[metric]
    return value !== null && value > over ? [`${advice(value)}${basis === "estimated" ? " (estimated)" : ""}.`] : []
  })

const habitRules: ReadonlyArray<{
  readonly metric: keyof Analytics
  readonly over: number
  readonly advice: (value: number) => string
}> = [
  {
    metric: "talkRatio",
    over: 65,
    advice: (value) => `Practise silence: you had ${value} % of the talk, aim for 35 to 50`
  },
  {
    metric: "longestMonologue",
    over: 75,
    advice: (value) => `Practise stopping: your longest speech took ${Math.round(value)} s, aim for under 75`
  },
  {
    metric: "fillers",
    over: 5,
    advice: (value) => `Practise pausing: you used ${value} fillers in 100 words, aim for under 2`
  }
]
