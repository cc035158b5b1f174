/** Who asks, as the features know users: verified by the middleware, which lets no longer name pass. */
import * as Effect from "effect/Effect"
import { CurrentUser } from "../http/Identity.js"
import { UserId } from "./calls/Wire.js"

export const currentUserId: Effect.Effect<UserId, never, CurrentUser> = Effect.map(CurrentUser, ({ id }) =>
  UserId.make(id)
)
