/**
 * What a simulated prospect carries from one turn to the next: plain data that survives JSON, with a schema for whoever
 * reads it back from a database. It holds numbers, names of topics and objections, and short slots of letters and
 * digits, never the caller's text: nothing in it can upset a JSON column, and it stays under twelve kilobytes.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Slots, Topic } from "./Understanding.js"

const topic: Schema.Schema<Topic> = Schema.Literal(
  "budget",
  "decision",
  "impact",
  "timing",
  "team",
  "pain",
  "goal",
  "tool"
)

const slots: Schema.Schema<Slots> = Schema.partialWith(
  Schema.Struct({
    caller: Schema.String,
    from: Schema.String,
    competitor: Schema.String,
    when: Schema.String,
    number: Schema.String,
    promise: Schema.String,
    buzzword: Schema.String,
    topic: Schema.String,
    concern: Schema.String
  }),
  { exact: true }
)

/**
 * How the prospect feels, each from 0 to 100: patience ends the call at 0, trust opens facts, interest earns meetings.
 *
 * @since 0.1.0
 * @category models
 */
export const Mood = Schema.Struct({ patience: Schema.Number, trust: Schema.Number, interest: Schema.Number })

/**
 * @since 0.1.0
 * @category models
 */
export type Mood = typeof Mood.Type

/**
 * The four steps of handling an objection: acknowledge it, ask about it, answer it, confirm that the answer holds.
 *
 * @since 0.1.0
 * @category models
 */
export const Steps = Schema.Struct({
  acknowledged: Schema.Boolean,
  asked: Schema.Boolean,
  answered: Schema.Boolean,
  confirmed: Schema.Boolean
})

/**
 * @since 0.1.0
 * @category models
 */
export type Steps = typeof Steps.Type

/**
 * What the prospect remembers of the call. Objections are remembered by id.
 *
 * @since 0.1.0
 * @category models
 */
export const Memory = Schema.Struct({
  asked: Schema.Array(topic),
  learned: Schema.Array(topic),
  raised: Schema.Array(Schema.String),
  settled: Schema.Array(Schema.String),
  /** Objections that the caller would not deal with; they come back when a next step is proposed. */
  dropped: Schema.Array(Schema.String),
  /** The objection on the table. */
  open: Schema.NullOr(Schema.Struct({ id: Schema.String, steps: Steps, ignored: Schema.Number })),
  /** The turn in which an objection was last raised, and an own question last asked. */
  objectedAt: Schema.Number,
  wonderedAt: Schema.Number,
  /** Points of value shown, see `Bar.value`. */
  value: Schema.Number,
  greeted: Schema.Boolean,
  permission: Schema.Boolean,
  /** Turns in a row that only asked, and that never asked. */
  onlyAsked: Schema.Number,
  neverAsked: Schema.Number,
  refusals: Schema.Number,
  repetitions: Schema.Number,
  rudeness: Schema.Number,
  /** Turns that could not be understood at all. */
  lost: Schema.Number,
  /** What the prospect has just asked and expects an answer to: an own question by its number, or a day. */
  pending: Schema.NullOr(Schema.Union(Schema.Number, Schema.Literal("day"))),
  /** The prospect has agreed to meet and only a day is missing. */
  willing: Schema.Boolean,
  /** The caller has proposed a day, `slots.when`, to which the prospect has not agreed yet. */
  offered: Schema.Boolean,
  /** Fingerprints of the caller's last turns, by which a repetition is noticed. */
  turns: Schema.Array(Schema.Array(Schema.Number)),
  slots
})

/**
 * @since 0.1.0
 * @category models
 */
export type Memory = typeof Memory.Type

/**
 * How a call ended: with a next step, politely without one, or with the prospect hanging up.
 *
 * @since 0.1.0
 * @category models
 */
export const Outcome = Schema.Literal("agreed", "parted", "hung-up")

/**
 * @since 0.1.0
 * @category models
 */
export type Outcome = typeof Outcome.Type

/**
 * The prospect between two turns.
 *
 * @since 0.1.0
 * @category models
 */
export const State = Schema.Struct({
  personality: Schema.String,
  seed: Schema.Number,
  /** Turns of the caller so far. */
  turn: Schema.Number,
  mood: Mood,
  memory: Memory,
  /** Hashes of the lines already spoken. */
  said: Schema.Array(Schema.Number),
  outcome: Schema.NullOr(Outcome)
})

/**
 * @since 0.1.0
 * @category models
 */
export type State = typeof State.Type

/**
 * The memory of somebody who has just picked up the phone.
 *
 * @since 0.1.0
 * @category constructors
 */
export const blank: Memory = {
  asked: [],
  learned: [],
  raised: [],
  settled: [],
  dropped: [],
  open: null,
  objectedAt: 0,
  wonderedAt: 0,
  value: 0,
  greeted: false,
  permission: false,
  onlyAsked: 0,
  neverAsked: 0,
  refusals: 0,
  repetitions: 0,
  rudeness: 0,
  lost: 0,
  pending: null,
  willing: false,
  offered: false,
  turns: [],
  slots: {}
}
