/**
 * Subscriptions, checkouts and Stripe's events as rows. The effects run inside `Database.call` and
 * `Database.transaction`.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { UserId } from "../calls/Wire.js"
import type { PlanId, PurchasablePlanId } from "./Wire.js"

type Sql<A> = Effect.Effect<A, SqlError, SqlClient.SqlClient>

const now = Effect.map(DateTime.now, DateTime.toDateUtc)

export interface Checkout {
  /** Doubles as Stripe's idempotency key: one row is one purchase, however often it is sent. */
  readonly id: string
  readonly session: Option.Option<{ readonly sessionId: string; readonly url: string }>
}

interface CheckoutRow {
  readonly id: string
  readonly session_id: string | null
  readonly url: string | null
}

const checkoutOf = (row: CheckoutRow): Checkout => ({
  id: row.id,
  session:
    row.session_id === null || row.url === null
      ? Option.none()
      : Option.some({ sessionId: row.session_id, url: row.url })
})

/**
 * The user's checkout of this plan: the one made within `window` (a double click), else a new one under `id`. Two clicks
 * at once wait for one another.
 */
export const openCheckout = (
  id: string,
  user: UserId,
  plan: PurchasablePlanId,
  window: Duration.Duration
): Sql<Checkout> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const at = yield* DateTime.now
    yield* sql`select pg_advisory_xact_lock(hashtextextended(${user}, 1))`
    const [recent] = yield* sql<CheckoutRow>`
      select id, session_id, url from checkouts
      where user_id = ${user} and plan = ${plan} and created_at > ${DateTime.toDateUtc(DateTime.subtractDuration(at, window))}
      order by created_at desc limit 1`
    if (recent !== undefined) return checkoutOf(recent)
    yield* sql`insert into checkouts (id, user_id, plan, created_at) values (${id}, ${user}, ${plan}, ${DateTime.toDateUtc(at)})`
    return { id, session: Option.none() }
  })

export const saveSession = (id: string, session: { readonly sessionId: string; readonly url: string }): Sql<void> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.asVoid(sql`update checkouts set session_id = ${session.sessionId}, url = ${session.url} where id = ${id}`)
  )

/** Keeps the event before anything is done with it; a repeated delivery changes nothing. */
export const receive = (event: { readonly id: string; readonly type: string; readonly payload: string }): Sql<void> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      insert into stripe_events (id, type, payload, received_at)
      values (${event.id}, ${event.type}, ${event.payload}::jsonb, ${yield* now})
      on conflict (id) do nothing`
  })

/** Takes the event for handling, held against every other delivery of it; `false` when it has been handled. */
export const claim = (id: string): Sql<boolean> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`select id from stripe_events where id = ${id} and applied_at is null for update`
    return rows.length > 0
  })

/** The event is dealt with; `reason` says why nothing could be done with it. */
export const settle = (id: string, reason: string | null): Sql<void> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`update stripe_events set applied_at = ${yield* now}, reason = ${reason} where id = ${id}`
  })

/** Whether Stripe has told us already that a subscription has ended: deliveries come in any order. */
export const hasEnded = (subscription: string): Sql<boolean> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`
      select id from stripe_events
      where type = 'customer.subscription.deleted' and payload->'data'->'object'->>'id' = ${subscription}`
    return rows.length > 0
  })

/**
 * The subscription that an event which has not been applied takes the place of: the user would go on paying for it.
 */
export const replacedBy = (event: string, user: string, subscription: string): Sql<Option.Option<string>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ readonly id: string }>`
      select stripe_subscription_id as id from subscriptions
      where user_id = ${user} and stripe_subscription_id <> ${subscription}
        and exists (select 1 from stripe_events where id = ${event} and applied_at is null)`
    return Option.fromNullable(row?.id)
  })

export const putOnPlan = (user: string, plan: PlanId, subscription: string | null): Sql<void> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      insert into subscriptions (user_id, plan, stripe_subscription_id, updated_at)
      values (${user}, ${plan}, ${subscription}, ${yield* now})
      on conflict (user_id) do update set plan = excluded.plan,
        stripe_subscription_id = excluded.stripe_subscription_id, updated_at = excluded.updated_at`
  })

/** Puts whoever holds the subscription back to `free`; `false` when nobody does. */
export const endSubscription = (subscription: string): Sql<boolean> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`
      update subscriptions set plan = 'free', stripe_subscription_id = null, updated_at = ${yield* now}
      where stripe_subscription_id = ${subscription} returning user_id`
    return rows.length > 0
  })
