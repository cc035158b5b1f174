/** Answers the routes of coaching. */
import * as Effect from "effect/Effect"
import { group } from "../../http/HttpApiRoutes.js"
import { withResilience } from "../../http/WithResilience.js"
import { DialDrillApi } from "../Api.js"
import { currentUserId } from "../CurrentUserId.js"
import { unavailable } from "../UnavailableProblem.js"
import { CoachingService } from "./CoachingService.js"

export const layerCoaching = group(DialDrillApi, "coaching", (handlers) =>
  Effect.map(CoachingService, (coaching) =>
    handlers
      .handle(
        "coach",
        withResilience(
          ({ path }) =>
            Effect.flatMap(currentUserId, (user) => coaching.coach(user, path.id)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          { rateLimitConfig: "COACHING" }
        )
      )
      .handle(
        "stored",
        withResilience(
          ({ path }) =>
            Effect.flatMap(currentUserId, (user) => coaching.stored(user, path.id)).pipe(
              Effect.catchTag("StorageUnavailable", unavailable)
            ),
          { rateLimitConfig: "READ" }
        )
      )
  )
)
