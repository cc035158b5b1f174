/**
 * New identifiers. A service, so that a test can foretell them; random enough that a fleet never makes one twice, which
 * Effect's seedable `Random` does not promise.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"

export class Ids extends Context.Reference<Ids>()("@dialdrill/selfheal/dialdrill/Ids", {
  defaultValue: (): { readonly uuid: Effect.Effect<string> } => ({ uuid: Effect.sync(() => randomUUID()) })
}) {}
