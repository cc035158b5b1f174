/**
 * Calls as rows. Every statement that changes a call says in its `where` what state it expects, so that two requests at
 * the same moment cannot both win; what has to read first does so in a transaction that locks the row.
 *
 * Nothing here retries, waits or degrades: the effects run inside `Database.call` and `Database.transaction`.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Coaching } from "../coaching/Wire.js"
import { Analytics, Score, Turn } from "../scoring/Wire.js"
import * as Jsonb from "../Jsonb.js"
import { Degraded } from "../Wire.js"
import * as Prospect from "./prospect/State.js"
import { CallId, Mode, Status, UserId } from "./Wire.js"

/** The most turns that a call keeps; a simulated prospect hangs up long before. */
export const maxTurns = 400

const Timestamp = Schema.DateTimeUtcFromDate

const Row = Schema.Struct({
  id: CallId,
  userId: Schema.propertySignature(UserId).pipe(Schema.fromKey("user_id")),
  mode: Mode,
  status: Status,
  personality: Schema.String,
  startedAt: Schema.propertySignature(Timestamp).pipe(Schema.fromKey("started_at")),
  completedAt: Schema.propertySignature(Schema.NullOr(Timestamp)).pipe(Schema.fromKey("completed_at")),
  durationSeconds: Schema.propertySignature(Schema.NullOr(Schema.Number)).pipe(Schema.fromKey("duration_seconds")),
  prospect: Schema.NullOr(Prospect.State),
  transcript: Schema.Array(Turn),
  score: Schema.NullOr(Score),
  analytics: Schema.NullOr(Analytics),
  degraded: Schema.Array(Degraded),
  coaching: Schema.NullOr(Coaching)
})

export type CallRow = typeof Row.Type

const columns = (sql: SqlClient.SqlClient) =>
  sql.literal(
    "id, user_id, mode, status, personality, started_at, completed_at, duration_seconds, prospect, transcript, score, analytics, degraded, coaching"
  )

// We wrote the rows ourselves: one that does not fit is a bug or a meddled-with table, not a fault to recover from.
const decode = (rows: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<CallRow>> =>
  Effect.orDie(Schema.decodeUnknown(Schema.Array(Row))(rows))

const first = (rows: ReadonlyArray<unknown>): Effect.Effect<Option.Option<CallRow>> =>
  Effect.map(decode(rows.slice(0, 1)), (decoded) => Option.fromNullable(decoded[0]))

const json = <A, I>(schema: Schema.Schema<A, I>) => {
  const encode = Schema.encodeSync(schema)
  return (value: A): string => Jsonb.stringify(encode(value))
}
const nullable =
  <A>(encode: (value: A) => string) =>
  (value: A | null): string | null =>
    value === null ? null : encode(value)

const prospectJson = nullable(json(Prospect.State))
const transcriptJson = json(Schema.Array(Turn))
const scoreJson = nullable(json(Score))
const analyticsJson = nullable(json(Analytics))
const degradedJson = json(Schema.Array(Degraded))
const coachingJson = json(Coaching)

type Sql<A> = Effect.Effect<A, SqlError, SqlClient.SqlClient>

/** Everybody who starts a call for this user waits here until the transaction ends. */
export const lockUser = (user: UserId): Sql<void> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.asVoid(sql`select pg_advisory_xact_lock(hashtextextended(${user}, 0))`)
  )

export const activeOf = (user: UserId): Sql<Option.Option<CallRow>> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.flatMap(sql`select ${columns(sql)} from calls where user_id = ${user} and status = 'active'`, first)
  )

export interface NewCall {
  readonly id: CallId
  readonly userId: UserId
  readonly mode: Mode
  readonly personality: string
  readonly startedAt: DateTime.Utc
  readonly prospect: Prospect.State | null
  readonly transcript: ReadonlyArray<Turn>
  readonly degraded: ReadonlyArray<Degraded>
}

export const insert = (call: NewCall): Sql<void> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.asVoid(sql`
      insert into calls (id, user_id, mode, status, personality, started_at, prospect, transcript, degraded)
      values (${call.id}, ${call.userId}, ${call.mode}, 'active', ${call.personality}, ${DateTime.toDateUtc(call.startedAt)},
        ${prospectJson(call.prospect)}::jsonb, ${transcriptJson(call.transcript)}::jsonb, ${degradedJson(call.degraded)}::jsonb)`)
  )

export const find = (id: CallId, user: UserId): Sql<Option.Option<CallRow>> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.flatMap(sql`select ${columns(sql)} from calls where id = ${id} and user_id = ${user}`, first)
  )

/** The same, held against every other writer until the transaction ends. */
export const findForUpdate = (id: CallId, user: UserId): Sql<Option.Option<CallRow>> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.flatMap(sql`select ${columns(sql)} from calls where id = ${id} and user_id = ${user} for update`, first)
  )

/** Newest first. */
export const list = (user: UserId, limit: number): Sql<ReadonlyArray<CallRow>> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.flatMap(
      sql`select ${columns(sql)} from calls where user_id = ${user} order by started_at desc, id limit ${limit}`,
      decode
    )
  )

/** What a simulated call is after a turn, or after a voice call has turned into one. */
export const saveConversation = (
  id: CallId,
  prospect: Prospect.State,
  transcript: ReadonlyArray<Turn>,
  degraded: ReadonlyArray<Degraded>
): Sql<void> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.asVoid(sql`
      update calls set mode = 'simulated', prospect = ${prospectJson(prospect)}::jsonb,
        transcript = ${transcriptJson(transcript)}::jsonb, degraded = ${degradedJson(degraded)}::jsonb
      where id = ${id} and status = 'active'`)
  )

export interface Completion {
  readonly completedAt: DateTime.Utc
  readonly durationSeconds: number | null
  readonly transcript: ReadonlyArray<Turn>
  readonly score: Score | null
  readonly analytics: Analytics | null
}

export const complete = (id: CallId, completion: Completion): Sql<void> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.asVoid(sql`
      update calls set status = 'completed', completed_at = ${DateTime.toDateUtc(completion.completedAt)},
        duration_seconds = ${completion.durationSeconds}, transcript = ${transcriptJson(completion.transcript)}::jsonb,
        score = ${scoreJson(completion.score)}::jsonb, analytics = ${analyticsJson(completion.analytics)}::jsonb
      where id = ${id} and status = 'active'`)
  )

/** AI coaching is kept; rules can be worked out again at any time and never replace it. */
export const saveCoaching = (id: CallId, coaching: Coaching): Sql<void> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.asVoid(sql`
      update calls set coaching = ${coachingJson(coaching)}::jsonb
      where id = ${id} and (coaching is null or coaching->>'source' = 'rules')`)
  )
