/** What can keep a call from being coached, each with the status and the words of its HTTP problem. */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"

/** There is nothing to coach from: the call is not completed, or it has no transcript. */
export class CallNotScored extends Schema.TaggedError<CallNotScored>()(
  "CallNotScored",
  { id: Schema.String },
  HttpApiSchema.annotations({ status: 409 })
) {
  override get message(): string {
    return "This call has no score yet. Complete it, with its transcript, and ask again."
  }
}

/** Nobody has asked for the coaching of this call. */
export class NoCoachingYet extends Schema.TaggedError<NoCoachingYet>()(
  "NoCoachingYet",
  { id: Schema.String },
  HttpApiSchema.annotations({ status: 404 })
) {
  override get message(): string {
    return "This call has not been coached yet. POST to the same address to have it coached."
  }
}
