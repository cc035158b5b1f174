/** Answers the routes of calls. */
import * as Effect from "effect/Effect"
import { group } from "../../http/HttpApiRoutes.js"
import { withResilience } from "../../http/WithResilience.js"
import { DialDrillApi } from "../Api.js"
import { currentUserId } from "../CurrentUserId.js"
import { unavailable } from "../UnavailableProblem.js"
import { callIdOf, type CallPath } from "./CallPath.js"
import { Calls } from "./Calls.js"
import { personalities } from "./prospect/Prospect.js"

/** Who picks up when nobody was asked for. */
const whoever = personalities[0]?.id ?? ""

const acts = { rateLimitConfig: "CALLS" } as const
const reads = { rateLimitConfig: "READ" } as const

/** Who asks, and about which call. */
const ofCall = (path: typeof CallPath.Type) => Effect.zip(currentUserId, callIdOf(path))

export const layerCalls = group(DialDrillApi, "calls", (handlers) =>
  Effect.map(Calls, (calls) =>
    handlers
      .handle(
        "start",
        withResilience(
          ({ payload }) =>
            Effect.flatMap(currentUserId, (user) => calls.start(user, payload.personality ?? whoever)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          acts
        )
      )
      .handle(
        "simulate",
        withResilience(
          ({ path }) =>
            Effect.flatMap(ofCall(path), ([user, id]) => calls.simulate(user, id)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          acts
        )
      )
      .handle(
        "say",
        withResilience(
          ({ path, payload }) =>
            Effect.flatMap(ofCall(path), ([user, id]) => calls.say(user, id, payload.text)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          acts
        )
      )
      .handle(
        "complete",
        withResilience(
          ({ path, payload }) =>
            Effect.flatMap(ofCall(path), ([user, id]) => calls.complete(user, id, payload)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          acts
        )
      )
      .handle(
        "list",
        withResilience(
          () =>
            Effect.flatMap(currentUserId, calls.list).pipe(
              Effect.map((list) => ({ calls: list })),
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          reads
        )
      )
      .handle(
        "get",
        withResilience(
          ({ path }) =>
            Effect.flatMap(ofCall(path), ([user, id]) => calls.get(user, id)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          reads
        )
      )
  )
)

export const layerPersonalities = group(DialDrillApi, "personalities", (handlers) =>
  handlers.handle(
    "personalities",
    withResilience(() => Effect.succeed({ personalities }), reads)
  )
)
