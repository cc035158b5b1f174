/**
 * Coaching of a call: the stored one, else the coach's, else the rules'. Answers within five seconds: when the coach
 * takes longer the rules answer, and what the coach says in the end is stored for the next time.
 *
 * Callers who ask for the same call at the same time share one request, which goes on when any of them leaves.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Database } from "../../dependencies/Database.js"
import * as CallsRepo from "../calls/CallsRepo.js"
import { CallNotFound } from "../calls/Errors.js"
import type { CallId, UserId } from "../calls/Wire.js"
import { orStorageUnavailable, type CoachingUnavailable, type StorageUnavailable } from "../Unavailable.js"
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

/** The caller's patience: half a second short of the five that the route promises. */
const patience = Duration.millis(4500)
/** When the page should look again for what the coach is still working on. */
const lookAgain = Duration.seconds(5)

const make = Effect.gen(function* () {
  const database = yield* Database
  const orUnavailable = orStorageUnavailable(database.dependency)
  const coach = yield* Coach
  const underWay = yield* FiberMap.make<CallId, Coaching, CoachingUnavailable>()
  const run = yield* FiberMap.runtime(underWay)<never>()

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
    Effect.ignore(database.call("coaching.save", CallsRepo.saveCoaching(id, coaching), { idempotent: true }))

  /** Joins the request for this call, or makes it, in one step. */
  const ask = (id: CallId, call: ScoredCall): Effect.Effect<Coaching, CoachingUnavailable> =>
    Effect.suspend(() =>
      Fiber.join(
        Option.getOrElse(FiberMap.unsafeGet(underWay, id), () =>
          run(
            id,
            Effect.tap(coach.advise(call), (coaching) => save(id, coaching))
          )
        )
      )
    ).pipe(
      Effect.timeoutFail({
        duration: patience,
        onTimeout: () =>
          coach.unavailable(call, {
            reason: "timeout",
            retryAfter: lookAgain,
            degraded: { reason: "timeout", retryAfterSeconds: Duration.toSeconds(lookAgain) }
          })
      })
    )

  return CoachingService.of({
    coach: (user, id) =>
      Effect.gen(function* () {
        const row = yield* find(user, id)
        if (row.coaching?.source === "openai") return row.coaching
        if (row.score === null) return yield* new CallNotScored({ id })
        return yield* Effect.catchTag(
          ask(id, { transcript: row.transcript, score: row.score }),
          "CoachingUnavailable",
          ({ fallback }) => Effect.as(Effect.zipRight(coach.fellBack, save(id, fallback)), fallback)
        )
      }),
    stored: (user, id) =>
      Effect.flatMap(find(user, id), (row) =>
        row.coaching === null ? Effect.fail(new NoCoachingYet({ id })) : Effect.succeed(row.coaching)
      )
  })
})

export const layer: Layer.Layer<CoachingService, never, Coach | Database> = Layer.scoped(CoachingService, make)
