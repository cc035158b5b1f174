/**
 * What can keep a user from doing something with a call, each with the status and the words of its HTTP problem.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Plan } from "../billing/Wire.js"

/** One call at a time: the user is still on another one, which can be opened or completed. */
export class ActiveCallExists extends Schema.TaggedError<ActiveCallExists>()(
  "ActiveCallExists",
  { existingCallId: Schema.String },
  HttpApiSchema.annotations({ status: 409 })
) {
  override get message(): string {
    return "You are still on a call. Finish it before you start another one."
  }
}

/** The plan's calls of this month are used up; `plans` are those that have more. */
export class PlanLimitReached extends Schema.TaggedError<PlanLimitReached>()(
  "PlanLimitReached",
  { plan: Schema.String, callsPerMonth: Schema.Number, plans: Schema.Array(Plan) },
  HttpApiSchema.annotations({ status: 402 })
) {
  readonly code = "plan-limit"
  override get message(): string {
    const used = `You have used all ${this.callsPerMonth} calls of your ${this.plan} plan this month.`
    if (this.plans.length === 0) return `${used} You can go on when the next month begins.`
    const offers = this.plans.map((plan) => `${plan.name} (${plan.callsPerMonth} calls a month)`).join(" or ")
    return `${used} Choose ${offers} to go on.`
  }
}

/** There is no such call, or it is another user's: the answer is the same. */
export class CallNotFound extends Schema.TaggedError<CallNotFound>()(
  "CallNotFound",
  { id: Schema.String },
  HttpApiSchema.annotations({ status: 404 })
) {
  override get message(): string {
    return "There is no such call."
  }
}

/** The call is over, so nothing more can be said in it. */
export class CallCompleted extends Schema.TaggedError<CallCompleted>()(
  "CallCompleted",
  { id: Schema.String },
  HttpApiSchema.annotations({ status: 409 })
) {
  override get message(): string {
    return "This call is completed. Start another one to go on practising."
  }
}

/** A spoken call takes no typed turns; `simulate` is where it can go on in writing. */
export class VoiceCall extends Schema.TaggedError<VoiceCall>()(
  "VoiceCall",
  { simulate: Schema.String },
  HttpApiSchema.annotations({ status: 409 })
) {
  override get message(): string {
    return `This is a voice call. POST ${this.simulate} to go on in simulated mode.`
  }
}

/** The prospect has hung up; complete the call to see what it was worth. */
export class CallEnded extends Schema.TaggedError<CallEnded>()(
  "CallEnded",
  { complete: Schema.String },
  HttpApiSchema.annotations({ status: 409 })
) {
  override get message(): string {
    return `The prospect has left this call. POST ${this.complete} to see its score.`
  }
}
