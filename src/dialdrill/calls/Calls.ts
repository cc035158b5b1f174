/**
 * Practice calls: start one, talk, complete it, look back. A call needs the database and nothing else: without a voice
 * service it is a simulated one, and says so. That is why no error of ElevenLabs is left in these signatures.
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { Database } from "../../dependencies/Database.js"
import { purchasable } from "../billing/Wire.js"
import { usageOf } from "../billing/Usage.js"
import type { Degraded } from "../Wire.js"
import { Ids } from "../Ids.js"
import { review } from "../scoring/Review.js"
import type { Turn } from "../scoring/Wire.js"
import { orStorageUnavailable, type StorageUnavailable } from "../Unavailable.js"
import { Writes } from "../Writes.js"
import * as Repo from "./CallsRepo.js"
import { ActiveCallExists, CallCompleted, CallEnded, CallNotFound, PlanLimitReached, VoiceCall } from "./Errors.js"
import * as Prospect from "./prospect/Prospect.js"
import type { State as ProspectState } from "./prospect/State.js"
import { Voice } from "./Voice.js"
import {
  CallId,
  type CallDetails,
  type CallSummary,
  type CompletedCall,
  type StartedCall,
  type TurnReply,
  type UserId
} from "./Wire.js"

export interface Conversation {
  readonly transcript?: ReadonlyArray<Turn> | undefined
  readonly durationSeconds?: number | undefined
}

export interface CallsShape {
  /** Voice when the voice service answers, simulated when it does not. */
  readonly start: (
    user: UserId,
    personality: string
  ) => Effect.Effect<StartedCall, ActiveCallExists | PlanLimitReached | StorageUnavailable>
  /** Goes on with an active voice call in simulated mode; the same answer when it is simulated already. */
  readonly simulate: (
    user: UserId,
    id: CallId
  ) => Effect.Effect<StartedCall, CallNotFound | CallCompleted | StorageUnavailable>
  /** Says something to the simulated prospect. */
  readonly say: (
    user: UserId,
    id: CallId,
    text: string
  ) => Effect.Effect<TurnReply, CallNotFound | CallCompleted | CallEnded | VoiceCall | StorageUnavailable>
  /** Scores and stores the call, once: a second completion returns the first one's result. */
  readonly complete: (
    user: UserId,
    id: CallId,
    conversation: Conversation
  ) => Effect.Effect<CompletedCall, CallNotFound | StorageUnavailable>
  /** The newest hundred calls. */
  readonly list: (user: UserId) => Effect.Effect<ReadonlyArray<CallSummary>, StorageUnavailable>
  readonly get: (user: UserId, id: CallId) => Effect.Effect<CallDetails, CallNotFound | StorageUnavailable>
}

export class Calls extends Context.Tag("@dialdrill/selfheal/dialdrill/Calls")<Calls, CallsShape>() {}

/** Nobody reads further back than this on one page. */
const listed = 100

const noTranscript: Degraded = {
  service: "elevenlabs",
  reason: "no-transcript",
  message: "No transcript of the voice call was received, so it could not be scored",
  retryAfterSeconds: null
}

/** What a completed call's result lacks. */
const lacks = (row: { readonly transcript: ReadonlyArray<Turn> }): ReadonlyArray<Degraded> =>
  row.transcript.length === 0 ? [noTranscript] : []

const completed = (row: Pick<Repo.CallRow, "id" | "transcript" | "score" | "analytics">): CompletedCall => ({
  id: row.id,
  status: "completed",
  score: row.score,
  analytics: row.analytics,
  degraded: lacks(row)
})

const summary = (row: Repo.CallRow): CallSummary => ({
  id: row.id,
  mode: row.mode,
  personality: row.personality,
  status: row.status,
  startedAt: row.startedAt,
  completedAt: row.completedAt,
  overall: row.score?.overall ?? null
})

const details = (row: Repo.CallRow): CallDetails => ({
  id: row.id,
  mode: row.mode,
  personality: row.personality,
  status: row.status,
  startedAt: row.startedAt,
  completedAt: row.completedAt,
  durationSeconds: row.durationSeconds,
  transcript: row.transcript,
  score: row.score,
  analytics: row.analytics,
  degraded: row.status === "completed" ? [...row.degraded, ...lacks(row)] : row.degraded
})

const started = (row: Repo.NewCall, signedUrl: string | null): StartedCall => ({
  id: row.id,
  mode: row.mode,
  signedUrl,
  personality: row.personality,
  status: "active",
  startedAt: row.startedAt,
  opening: row.mode === "simulated" ? (row.transcript[0]?.text ?? null) : null,
  degraded: row.degraded
})

const found = (id: CallId) =>
  Effect.flatMap(
    Option.match({
      onNone: () => Effect.fail(new CallNotFound({ id })),
      onSome: (row: Repo.CallRow) => Effect.succeed(row)
    })
  )

const pickUp = (personality: string): Effect.Effect<readonly [ReadonlyArray<Turn>, ProspectState]> =>
  Effect.map(Random.nextIntBetween(0, 2 ** 31), (seed) => {
    const [greeting, state] = Prospect.open(personality, seed)
    return [[{ role: "agent", text: greeting }], state]
  })

const make = Effect.gen(function* () {
  const database = yield* Database
  const orUnavailable = orStorageUnavailable(database.dependency)
  const voice = yield* Voice
  const writes = yield* Writes
  const ids = yield* Ids

  /** Fails when the user may not start a call now. */
  const admit = (user: UserId) =>
    Effect.gen(function* () {
      const active = yield* Repo.activeOf(user)
      if (Option.isSome(active)) return yield* new ActiveCallExists({ existingCallId: active.value.id })
      const { callsUsed, plan } = yield* usageOf(user)
      if (callsUsed < plan.callsPerMonth) return
      const plans = purchasable.filter((offer) => offer.callsPerMonth > plan.callsPerMonth)
      return yield* new PlanLimitReached({ plan: plan.name, callsPerMonth: plan.callsPerMonth, plans })
    })

  const start: CallsShape["start"] = (user, personality) =>
    Effect.gen(function* () {
      // Asked first, so that a user who may not call costs the voice service nothing.
      yield* database.call("calls.admit", admit(user), { idempotent: true })
      const line = yield* Effect.catchTag(voice.line, "VoiceUnavailable", (error) => Effect.succeed(error.fallback))
      const [transcript, prospect] = line.mode === "simulated" ? yield* pickUp(personality) : [[], null]
      const call: Repo.NewCall = {
        id: CallId.make(yield* ids.uuid),
        userId: user,
        mode: line.mode,
        personality,
        startedAt: yield* DateTime.now,
        prospect,
        transcript,
        degraded: line.degraded
      }
      yield* writes.accepted(
        database.transaction(
          "calls.start",
          Repo.lockUser(user).pipe(Effect.zipRight(admit(user)), Effect.zipRight(Repo.insert(call)))
        )
      )
      return started(call, line.signedUrl)
    }).pipe(orUnavailable)

  const simulate: CallsShape["simulate"] = (user, id) =>
    Effect.gen(function* () {
      const row = yield* found(id)(Repo.findForUpdate(id, user))
      if (row.status === "completed") return yield* new CallCompleted({ id })
      if (row.mode === "simulated") return started(row, null)
      const [transcript, prospect] = yield* pickUp(row.personality)
      const call = { ...row, mode: "simulated" as const, prospect, transcript, degraded: [voice.givenUp] }
      yield* Repo.saveConversation(id, prospect, transcript, call.degraded)
      return started(call, null)
    }).pipe(
      (change) => database.transaction("calls.simulate", change, { idempotent: true }),
      writes.accepted,
      orUnavailable
    )

  const say: CallsShape["say"] = (user, id, text) =>
    Effect.gen(function* () {
      const row = yield* found(id)(Repo.findForUpdate(id, user))
      if (row.status === "completed") return yield* new CallCompleted({ id })
      if (row.prospect === null) return yield* new VoiceCall({ simulate: `/api/calls/${id}/simulate` })
      if (row.prospect.outcome !== null || row.transcript.length >= Repo.maxTurns) {
        return yield* new CallEnded({ complete: `/api/calls/${id}/complete` })
      }
      const elapsed = DateTime.distanceDuration(row.startedAt, yield* DateTime.now)
      const { plan } = yield* usageOf(user)
      const timeIsUp = Duration.toSeconds(elapsed) > plan.maxCallSeconds
      const { ended, reply, state } = Prospect.respond(row.prospect, text, { timeIsUp })
      const transcript: ReadonlyArray<Turn> = [
        ...row.transcript,
        { role: "user", text },
        { role: "agent", text: reply }
      ]
      yield* Repo.saveConversation(id, state, transcript, row.degraded)
      return { reply, turn: state.turn, ended }
    }).pipe((change) => database.transaction("calls.say", change), writes.accepted, orUnavailable)

  const complete: CallsShape["complete"] = (user, id, conversation) =>
    Effect.gen(function* () {
      const row = yield* found(id)(Repo.findForUpdate(id, user))
      if (row.status === "completed") return completed(row)
      const now = yield* DateTime.now
      const given = conversation.transcript ?? []
      const transcript = given.length > 0 ? given : row.transcript
      const { analytics, score } =
        transcript.length === 0
          ? { analytics: null, score: null }
          : review({ transcript, durationSeconds: conversation.durationSeconds })
      const completion: Repo.Completion = {
        completedAt: now,
        durationSeconds: conversation.durationSeconds ?? null,
        transcript,
        score,
        analytics
      }
      yield* Repo.complete(id, completion)
      return completed({ ...row, ...completion })
    }).pipe(
      (change) => database.transaction("calls.complete", change, { idempotent: true }),
      writes.accepted,
      orUnavailable
    )

  return Calls.of({
    start,
    simulate,
    say,
    complete,
    list: (user) =>
      orUnavailable(
        Effect.map(database.call("calls.list", Repo.list(user, listed), { idempotent: true }), (rows) =>
          rows.map(summary)
        )
      ),
    get: (user, id) =>
      orUnavailable(
        Effect.map(database.call("calls.get", found(id)(Repo.find(id, user)), { idempotent: true }), details)
      )
  })
})

export const layer: Layer.Layer<Calls, never, Database | Voice | Writes> = Layer.effect(Calls, make)
