/** Answers the route of scoring. */
import * as Effect from "effect/Effect"
import { group } from "../../http/HttpApiRoutes.js"
import { withResilience } from "../../http/WithResilience.js"
import { DialDrillApi } from "../Api.js"
import { review } from "./Review.js"

export const layerScoring = group(DialDrillApi, "scoring", (handlers) =>
  handlers.handle(
    "score",
    withResilience(({ payload }) => Effect.sync(() => review(payload)), {
      rateLimitConfig: "READ"
    })
  )
)
