/** The routes of calls. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { DependencyUnavailable } from "../../http/HttpErrors.js"
import { Authentication } from "../../http/Identity.js"
import { bodyOr } from "../OptionalBody.js"
import { ScoreRequest } from "../scoring/Wire.js"
import { CallPath } from "./CallPath.js"
import { ActiveCallExists, CallCompleted, CallEnded, CallNotFound, PlanLimitReached, VoiceCall } from "./Errors.js"
import { personalities } from "./prospect/Prospect.js"
import { CallDetails, CallSummary, CompletedCall, PersonalitySummary, StartedCall, TurnReply } from "./Wire.js"

const Start = Schema.Struct({
  /** Whom to call; the first one when nobody is named. */
  personality: Schema.optional(Schema.Literal(...personalities.map((personality) => personality.id)))
})

const Say = Schema.Struct({ text: Schema.String.pipe(Schema.minLength(1), Schema.maxLength(4000)) })

export class CallsApi extends HttpApiGroup.make("calls")
  .add(
    HttpApiEndpoint.post("start", "/api/calls")
      .setPayload(bodyOr(Start, {}))
      .addSuccess(StartedCall, { status: 201 })
      .addError(ActiveCallExists)
      .addError(PlanLimitReached)
      .addError(DependencyUnavailable)
  )
  .add(
    HttpApiEndpoint.post("simulate", "/api/calls/:id/simulate")
      .setPath(CallPath)
      .addSuccess(StartedCall)
      .addError(CallNotFound)
      .addError(CallCompleted)
      .addError(DependencyUnavailable)
  )
  .add(
    HttpApiEndpoint.post("say", "/api/calls/:id/turns")
      .setPath(CallPath)
      .setPayload(Say)
      .addSuccess(TurnReply)
      .addError(CallNotFound)
      .addError(CallCompleted)
      .addError(CallEnded)
      .addError(VoiceCall)
      .addError(DependencyUnavailable)
  )
  .add(
    HttpApiEndpoint.post("complete", "/api/calls/:id/complete")
      .setPath(CallPath)
      .setPayload(bodyOr(Schema.partialWith(ScoreRequest, { exact: true }), {}))
      .addSuccess(CompletedCall)
      .addError(CallNotFound)
      .addError(DependencyUnavailable)
  )
  .add(
    HttpApiEndpoint.get("list", "/api/calls")
      .addSuccess(Schema.Struct({ calls: Schema.Array(CallSummary) }))
      .addError(DependencyUnavailable)
  )
  .add(
    HttpApiEndpoint.get("get", "/api/calls/:id")
      .setPath(CallPath)
      .addSuccess(CallDetails)
      .addError(CallNotFound)
      .addError(DependencyUnavailable)
  )
  .middleware(Authentication) {}

/** Whom one can call: no secret, so it asks for no user. */
export class PersonalitiesApi extends HttpApiGroup.make("personalities").add(
  HttpApiEndpoint.get("personalities", "/api/personalities").addSuccess(
    Schema.Struct({ personalities: Schema.Array(PersonalitySummary) })
  )
) {}
