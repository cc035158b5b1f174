/**
 * A practice call: who called, in which mode, what was said, and what it was worth. The schemas are the wire format of
 * the call routes; the row in the database is in `CallsRepo.ts`.
 */
import * as Schema from "effect/Schema"
import { Degraded } from "../Degraded.js"
import { Analytics, Score } from "../scoring/Wire.js"
import { Turn } from "../scoring/Transcript.js"

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
export class StartedCall extends Schema.Class<StartedCall>("StartedCall")({
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
}) {}

/** One line of the list of calls. */
export class CallSummary extends Schema.Class<CallSummary>("CallSummary")({
  id: CallId,
  mode: Mode,
  personality: Schema.String,
  status: Status,
  startedAt: Schema.DateTimeUtc,
  completedAt: Schema.NullOr(Schema.DateTimeUtc),
  /** Overall score, 0-10; `null` while active or without a transcript. */
  overall: Schema.NullOr(Schema.Number)
}) {}

/** A call with all that is known of it. */
export class CallDetails extends Schema.Class<CallDetails>("CallDetails")({
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
}) {}

/** The answer to a completion; a second completion returns the first one's. */
export class CompletedCall extends Schema.Class<CompletedCall>("CompletedCall")({
  id: CallId,
  status: Schema.Literal("completed"),
  score: Schema.NullOr(Score),
  analytics: Schema.NullOr(Analytics),
  degraded: Schema.Array(Degraded)
}) {}

/** What the prospect answers to one turn of the user. */
export class TurnReply extends Schema.Class<TurnReply>("TurnReply")({
  reply: Schema.String,
  /** Number of the user's turn in this call, from 1. */
  turn: Schema.Number,
  /** The prospect has hung up, or the plan's time is over; nothing more can be said. */
  ended: Schema.Boolean
}) {}

/** Whom a user can choose to call. */
export class PersonalitySummary extends Schema.Class<PersonalitySummary>("PersonalitySummary")({
  id: Schema.String,
  name: Schema.String,
  title: Schema.String,
  company: Schema.String,
  description: Schema.String,
  difficulty: Schema.String
}) {}
