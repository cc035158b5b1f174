/**
 * Coaching of a call: the stored one, else the coach's, else the rules'. Answers within five seconds: when the coach
 * takes longer the rules answer, and what the coach says in the end is stored for the next time.
 *
 * Callers who ask for the same call at the same time share one request, which goes on when any of them leaves.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Database } from "../../dependencies/Database.js"
import * as Coalesce from "../../resilience/Coalesce.js"
import * as MonotonicClock from "../../resilience/MonotonicClock.js"
import { RequestId } from "../../telemetry/RequestContext.js"
import * as CallsRepo from "../calls/CallsRepo.js"
import { CallNotFound } from "../calls/Errors.js"
import type { CallId, UserId } from "../calls/Wire.js"
import { orStorageUnavailable, type CoachingUnavailable, type StorageUnavailable } from "../Unavailable.js"
import { Writes } from "../Writes.js"
import { Coach, type ScoredCall } from "./Coach.js"
import { CallNotScored, NoCoachingYet } from "./Errors.js"
import type { Coaching } from "./Wire.js"

export interface CoachingShape {
  readonly coach: (
    user: UserId,
    id: CallId
  ) => Effect.Effect<Coaching, CallNotFound | CallNotScored | StorageUnavailable>
  /** What is stored; asks nobody. */
  readonly stored: (
    user: UserId,
    id: CallId
  ) => Effect.Effect<Coaching, CallNotFound | NoCoachingYet | StorageUnavailable>
}

export class CoachingService extends Context.Tag("@dialdrill/selfheal/dialdrill/CoachingService")<
  CoachingService,
  CoachingShape
>() {}

/** How long after the request the coach is waited for, and the keeping of the rules' advice: the route promises five. */
const patience = { coach: 4500, save: 4800 } as const
/** When the page should look again for what the coach is still working on. */
const lookAgain = Duration.seconds(5)

const make = Effect.gen(function* () {
  const database = yield* Database
  const orUnavailable = orStorageUnavailable(database.dependency)
  const coach = yield* Coach
  const writes = yield* Writes
  const context = yield* Effect.context<never>()
  // The request may outlive everyone who waits for it: what the coach says is stored for the next time.
  const underWay = yield* Effect.orDie(
    // Its options are right here: wrong ones would be a bug.
    Coalesce.make<CallId, Coaching, CoachingUnavailable>({ whenAbandoned: "finish" })
  )

  const find = (user: UserId, id: CallId) =>
    database
      .call("coaching.find", CallsRepo.find(id, user), { idempotent: true })
      .pipe(
        Effect.flatMap(
          Option.match({ onNone: () => Effect.fail(new CallNotFound({ id })), onSome: (row) => Effect.succeed(row) })
        ),
        orUnavailable
      )

  // Advice that cannot be stored is still advice: the outage is on record with the database's own policy.
  const save = (id: CallId, coaching: Coaching) =>
    Effect.ignore(
      writes.accepted(database.call("coaching.save", CallsRepo.saveCoaching(id, coaching), { idempotent: true }))
    )

  /** Joins the request for this call, or makes it. */
  const ask = (id: CallId, call: ScoredCall): Effect.Effect<Coaching, CoachingUnavailable> =>
    Effect.flatMap(RequestId, (requestId) =>
      underWay.run(
        id,
        coach.advise(call).pipe(
          Effect.tap((coaching) => save(id, coaching)),
          // Nothing else of the caller's context goes along, which ends with him.
          Effect.mapInputContext(() => Context.add(context, RequestId, requestId))
        )
      )
    )

  const late = (call: ScoredCall): CoachingUnavailable =>
    coach.unavailable(call, {
      reason: "timeout",
      retryAfter: lookAgain,
      degraded: { reason: "timeout", retryAfterSeconds: Duration.toSeconds(lookAgain) }
    })

  return CoachingService.of({
    coach: (user, id) =>
      Effect.gen(function* () {
        const start = yield* MonotonicClock.now
        const left = (of: keyof typeof patience) =>
          Effect.map(MonotonicClock.now, (now) => Duration.millis(Math.max(0, start + patience[of] - now)))
        const row = yield* find(user, id)
        if (row.coaching?.source === "openai") return row.coaching
        if (row.score === null) return yield* new CallNotScored({ id })
        const call: ScoredCall = { transcript: row.transcript, score: row.score }
        return yield* ask(id, call).pipe(
          Effect.timeoutFail({ duration: yield* left("coach"), onTimeout: () => late(call) }),
          Effect.catchTag("CoachingUnavailable", ({ fallback }) =>
            coach.fellBack.pipe(
              Effect.zipRight(left("save")),
              Effect.flatMap((time) => Effect.timeoutOption(save(id, fallback), time)),
              Effect.as(fallback)
            )
          )
        )
      }),
    stored: (user, id) =>
      Effect.flatMap(find(user, id), (row) =>
        row.coaching === null ? Effect.fail(new NoCoachingYet({ id })) : Effect.succeed(row.coaching)
      )
  })
})

export const layer: Layer.Layer<CoachingService, never, Coach | Database | Writes> = Layer.scoped(CoachingService, make)
