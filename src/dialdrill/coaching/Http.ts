/** Answers the routes of coaching. */
import * as Effect from "effect/Effect"
import { group } from "../../http/HttpApiRoutes.js"
import { withResilience } from "../../http/WithResilience.js"
import { DialDrillApi } from "../Api.js"
import { callIdOf, type CallPath } from "../calls/CallPath.js"
import { currentUserId } from "../CurrentUserId.js"
import { unavailable } from "../UnavailableProblem.js"
import { CoachingService } from "./CoachingService.js"

/** Who asks, and about which call. */
const ofCall = (path: typeof CallPath.Type) => Effect.zip(currentUserId, callIdOf(path))

export const layerCoaching = group(DialDrillApi, "coaching", (handlers) =>
  Effect.map(CoachingService, (coaching) =>
    handlers
      .handle(
        "coach",
        withResilience(
          ({ path }) =>
            Effect.flatMap(ofCall(path), ([user, id]) => coaching.coach(user, id)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          { rateLimitConfig: "COACHING" }
        )
      )
      .handle(
        "stored",
        withResilience(
          ({ path }) =>
            Effect.flatMap(ofCall(path), ([user, id]) => coaching.stored(user, id)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          { rateLimitConfig: "READ" }
        )
      )
  )
)
