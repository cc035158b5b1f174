/**
 * The tables of DialDrill, in the order in which they came. A migration that has been released is never changed: a
 * later one is added. Runs on PostgreSQL and on the embedded database alike.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export const migrations = {
  "0001_calls": Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      create table calls (
        id uuid primary key,
        user_id text not null,
        mode text not null check (mode in ('voice', 'simulated')),
        status text not null check (status in ('active', 'completed')),
        personality text not null,
        started_at timestamptz not null,
        completed_at timestamptz,
        duration_seconds double precision,
        prospect jsonb,
        transcript jsonb not null default '[]',
        score jsonb,
        analytics jsonb,
        degraded jsonb not null default '[]',
        coaching jsonb
      )`
    // One active call a user, whatever two tabs do at the same moment.
    yield* sql`create unique index calls_one_active on calls (user_id) where status = 'active'`
    yield* sql`create index calls_by_user on calls (user_id, started_at desc)`
  }),
  "0002_billing": Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      create table subscriptions (
        user_id text primary key,
        plan text not null,
        stripe_subscription_id text,
        updated_at timestamptz not null
      )`
    yield* sql`create index subscriptions_by_stripe on subscriptions (stripe_subscription_id)`
    yield* sql`
      create table checkouts (
        id uuid primary key,
        user_id text not null,
        plan text not null,
        created_at timestamptz not null,
        session_id text,
        url text
      )`
    yield* sql`create index checkouts_by_user on checkouts (user_id, plan, created_at desc)`
    yield* sql`
      create table stripe_events (
        id text primary key,
        type text not null,
        payload jsonb not null,
        received_at timestamptz not null,
        applied_at timestamptz,
        reason text
      )`
  })
}
