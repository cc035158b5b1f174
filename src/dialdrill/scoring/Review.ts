/**
 * What a finished call is answered with: its score and its figures, from one reading.
 *
 * @since 0.1.0
 */
import { type Analytics, analyze } from "./Analytics.js"
import { read } from "./Reading.js"
import { assess, type Score } from "./Scoring.js"
import type { PracticeCall } from "./Transcript.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Review {
  readonly score: Score
  readonly analytics: Analytics
}

/**
 * Scores and measures a call. Takes about a millisecond for a real one, and a fifth of a second for the longest that the
 * wire format lets in; never fails.
 *
 * @since 0.1.0
 * @category scoring
 */
export const review = (call: PracticeCall): Review => {
  const reading = read(call)
  return { score: assess(call, reading).score, analytics: analyze(call, reading) }
}
