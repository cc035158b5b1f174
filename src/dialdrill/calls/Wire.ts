/**
 * A practice call: who called, in which mode, what was said, and what it was worth. The schemas are the wire format of
 * the call routes; the row in the database is in `CallsRepo.ts`.
 */
import * as Schema from "effect/Schema"
import { Analytics, Score, Turn } from "../scoring/Wire.js"
import { Degraded } from "../Wire.js"

export const CallId = Schema.UUID.pipe(Schema.brand("CallId"))
export type CallId = typeof CallId.Type

/** Who the caller is: the token's subject, or the name that a loopback user gives. */
export const UserId = Schema.String.pipe(Schema.minLength(1), Schema.maxLength(200), Schema.brand("UserId"))
export type UserId = typeof UserId.Type

/** `voice`: a conversation with an ElevenLabs agent. `simulated`: a typed one with the local prospect. */
export const Mode = Schema.Literal("voice", "simulated")
export type Mode = typeof Mode.Type

export const Status = Schema.Literal("active", "completed")
export type Status = typeof Status.Type

/** The answer to a start, and to going on in simulated mode. */
export const StartedCall = Schema.Struct({
  id: CallId,
  mode: Mode,
  /** Where the browser opens the conversation; `null` in a simulated call. Valid for minutes, so it is not stored. */
  signedUrl: Schema.NullOr(Schema.String),
  personality: Schema.String,
  status: Status,
  startedAt: Schema.DateTimeUtc,
  /** What the prospect says first; `null` in a voice call, where the agent speaks. */
  opening: Schema.NullOr(Schema.String),
  degraded: Schema.Array(Degraded)
}).annotations({ identifier: "StartedCall" })
export type StartedCall = typeof StartedCall.Type

/** One line of the list of calls. */
export const CallSummary = Schema.Struct({
  id: CallId,
  mode: Mode,
  personality: Schema.String,
  status: Status,
  startedAt: Schema.DateTimeUtc,
  completedAt: Schema.NullOr(Schema.DateTimeUtc),
  /** Overall score, 0-10; `null` while active or without a transcript. */
  overall: Schema.NullOr(Schema.Number)
}).annotations({ identifier: "CallSummary" })
export type CallSummary = typeof CallSummary.Type

/** A call with all that is known of it. */
export const CallDetails = Schema.Struct({
  id: CallId,
  mode: Mode,
  personality: Schema.String,
  status: Status,
  startedAt: Schema.DateTimeUtc,
  completedAt: Schema.NullOr(Schema.DateTimeUtc),
  durationSeconds: Schema.NullOr(Schema.Number),
  transcript: Schema.Array(Turn),
  score: Schema.NullOr(Score),
  analytics: Schema.NullOr(Analytics),
  degraded: Schema.Array(Degraded)
}).annotations({ identifier: "CallDetails" })
export type CallDetails = typeof CallDetails.Type

/** The answer to a completion; a second completion returns the first one's. */
export const CompletedCall = Schema.Struct({
  id: CallId,
  status: Schema.Literal("completed"),
  score: Schema.NullOr(Score),
  analytics: Schema.NullOr(Analytics),
  degraded: Schema.Array(Degraded)
}).annotations({ identifier: "CompletedCall" })
export type CompletedCall = typeof CompletedCall.Type

/** What the prospect answers to one turn of the user. */
export const TurnReply = Schema.Struct({
  reply: Schema.String,
  /** Number of the user's turn in this call, from 1. */
  turn: Schema.Number,
  /** The prospect has hung up, or the plan's time is over; nothing more can be said. */
  ended: Schema.Boolean
}).annotations({ identifier: "TurnReply" })
export type TurnReply = typeof TurnReply.Type

/** Whom a user can choose to call. */
export const PersonalitySummary = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  title: Schema.String,
  company: Schema.String,
  description: Schema.String,
  difficulty: Schema.String
}).annotations({ identifier: "PersonalitySummary" })
export type PersonalitySummary = typeof PersonalitySummary.Type
