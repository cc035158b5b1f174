/**
 * The JSON of `POST` and `GET /api/calls/{id}/coaching`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Degraded } from "../Wire.js"

/**
 * What the rep is told, whoever says it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Advice = Schema.Struct({
  strengths: Schema.Array(Schema.String),
  improvements: Schema.Array(Schema.String),
  suggestedPhrases: Schema.Array(Schema.String),
  recommendedPractice: Schema.Array(Schema.String)
})

/**
 * `rules` is the local fallback; `pending` says that an AI coaching may still come; `message` is for the user.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Coaching = Schema.Struct({
  source: Schema.Literal("openai", "rules"),
  pending: Schema.Boolean,
  ...Advice.fields,
  message: Schema.optionalWith(Schema.String, { exact: true }),
  degraded: Schema.Array(Degraded)
}).annotations({ identifier: "Coaching" })

/**
 * @since 0.1.0
 * @category models
 */
export type Coaching = typeof Coaching.Type
