/**
 * Where users reach this server, without a trailing slash: `PUBLIC_URL`, or the address that the listener got. An effect
 * because with `PORT=0` nobody knows it before the server listens.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

export class PublicUrl extends Context.Tag("@dialdrill/selfheal/dialdrill/PublicUrl")<
  PublicUrl,
  Effect.Effect<string>
>() {}
