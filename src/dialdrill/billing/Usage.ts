/**
 * How much of a plan a user has used this month. Read inside the transaction that starts a call, so that two tabs
 * cannot both take the last one.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { UserId } from "../calls/Wire.js"
import { planOf, type Plan } from "./Wire.js"

export interface Usage {
  readonly plan: Plan
  readonly callsUsed: number
  /** The first of the next month, UTC, when the count starts again. */
  readonly periodEndsAt: DateTime.Utc
}

export const usageOf = (user: UserId): Effect.Effect<Usage, SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const month = DateTime.startOf(yield* DateTime.now, "month")
    const [row] = yield* sql<{ readonly plan: string | null; readonly used: number }>`
      select
        (select plan from subscriptions where user_id = ${user}) as plan,
        (select count(*)::int from calls where user_id = ${user} and started_at >= ${DateTime.toDateUtc(month)}) as used`
    return {
      plan: planOf(row?.plan ?? undefined),
      callsUsed: row?.used ?? 0,
      periodEndsAt: DateTime.add(month, { months: 1 })
    }
  })
