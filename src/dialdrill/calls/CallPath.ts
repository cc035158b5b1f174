/**
 * The `{id}` in the address of a call. What is no id of ours names no call, so it is answered like an unknown one and not
 * as a malformed request.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CallNotFound } from "./Errors.js"
import { CallId } from "./Wire.js"

export const CallPath = Schema.Struct({ id: Schema.String })

const isCallId = Schema.is(CallId)

export const callIdOf = ({ id }: typeof CallPath.Type): Effect.Effect<CallId, CallNotFound> =>
  isCallId(id) ? Effect.succeed(id) : Effect.fail(new CallNotFound({ id: id.slice(0, 100) }))
