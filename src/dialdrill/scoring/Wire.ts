/**
 * The JSON of `POST /api/score`, and of the transcripts, scores and figures that other routes carry.
 *
 * The rules behind it know English only. `evidence` is a list of quotes, each a verbatim part of the text of the turn
 * whose index (from 0) it names, with the name of the signal that it shows.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The most turns of a transcript.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxTurns = 1_000

/**
 * The most characters of one turn.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxTurnCharacters = 20_000

/**
 * The most characters of all turns together: four hours of talk.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxTranscriptCharacters = 200_000

const Seconds = Schema.Number.pipe(Schema.finite(), Schema.nonNegative(), Schema.lessThanOrEqualTo(86_400)).annotations(
  {
    description: "Seconds, at most a day"
  }
)

/**
 * One turn; `user` is the rep who practises, `agent` the prospect.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Turn = Schema.Struct({
  role: Schema.Literal("user", "agent"),
  text: Schema.String.pipe(Schema.maxLength(maxTurnCharacters)),
  startSeconds: Schema.optionalWith(Seconds, { exact: true }),
  endSeconds: Schema.optionalWith(Seconds, { exact: true }),
  interrupted: Schema.optionalWith(Schema.Boolean, { exact: true })
}).annotations({ identifier: "Turn" })

/**
 * @since 0.1.0
 * @category models
 */
export type Turn = typeof Turn.Type

/**
 * A whole transcript, bounded in turns and characters. It may be empty, which scores 0.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Transcript = Schema.Array(Turn).pipe(
  Schema.maxItems(maxTurns),
  Schema.filter(
    (turns) =>
      turns.reduce((sum, { text }) => sum + text.length, 0) <= maxTranscriptCharacters ||
      `a transcript has at most ${maxTranscriptCharacters} characters in all`
  )
)

/**
 * @since 0.1.0
 * @category schemas
 */
export const ScoreRequest = Schema.Struct({
  transcript: Transcript,
  durationSeconds: Schema.optionalWith(Seconds, { exact: true })
}).annotations({ identifier: "ScoreRequest" })

/**
 * @since 0.1.0
 * @category schemas
 */
export const Evidence = Schema.Struct({
  turn: Schema.NonNegativeInt,
  quote: Schema.String,
  signal: Schema.String
}).annotations({ identifier: "Evidence" })

const Points = Schema.Number.pipe(Schema.between(0, 10)).annotations({ description: "0 to 10, one decimal" })

/**
 * @since 0.1.0
 * @category schemas
 */
export const CategoryScore = Schema.Struct({
  category: Schema.Literal("opening", "discovery", "objections", "clarity", "closing"),
  score: Points,
  weight: Schema.Number,
  evidence: Schema.Array(Evidence),
  feedback: Schema.String
}).annotations({ identifier: "CategoryScore" })

/**
 * @since 0.1.0
 * @category schemas
 */
export const Score = Schema.Struct({
  overall: Points,
  rubricVersion: Schema.String,
  categories: Schema.Array(CategoryScore)
}).annotations({ identifier: "Score" })

/**
 * @since 0.1.0
 * @category models
 */
export type Score = typeof Score.Type

/**
 * @since 0.1.0
 * @category schemas
 */
export const Metric = Schema.Struct({
  value: Schema.NullOr(Schema.Number).annotations({ description: "null exactly when basis is unavailable" }),
  unit: Schema.String,
  basis: Schema.Literal("measured", "estimated", "unavailable")
}).annotations({ identifier: "Metric" })

/**
 * @since 0.1.0
 * @category schemas
 */
export const Analytics = Schema.Struct({
  talkRatio: Metric,
  pace: Metric,
  fillers: Metric,
  longestMonologue: Metric,
  longestProspectStory: Metric,
  questions: Metric,
  interactivity: Metric,
  patience: Metric,
  interruptions: Metric,
  silenceOverlap: Metric,
  objections: Metric,
  nextStep: Metric,
  opening: Metric
}).annotations({ identifier: "Analytics" })

/**
 * @since 0.1.0
 * @category models
 */
export type Analytics = typeof Analytics.Type

/**
 * @since 0.1.0
 * @category schemas
 */
export const ScoreAnswer = Schema.Struct({ score: Score, analytics: Analytics }).annotations({
  identifier: "ScoreAnswer"
})
