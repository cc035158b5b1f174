/** The routes of coaching. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { DependencyUnavailable } from "../../http/HttpErrors.js"
import { Authentication } from "../../http/Identity.js"
import { CallPath } from "../calls/CallPath.js"
import { CallNotFound } from "../calls/Errors.js"
import { CallNotScored, NoCoachingYet } from "./Errors.js"
import { Coaching } from "./Wire.js"

export class CoachingApi extends HttpApiGroup.make("coaching")
  .add(
    HttpApiEndpoint.post("coach", "/api/calls/:id/coaching")
      .setPath(CallPath)
      .addSuccess(Coaching)
      .addError(CallNotFound)
      .addError(CallNotScored)
      .addError(DependencyUnavailable)
  )
  .add(
    HttpApiEndpoint.get("stored", "/api/calls/:id/coaching")
      .setPath(CallPath)
      .addSuccess(Coaching)
      .addError(CallNotFound)
      .addError(NoCoachingYet)
      .addError(DependencyUnavailable)
  )
  .middleware(Authentication) {}
