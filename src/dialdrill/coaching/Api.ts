/** The routes of coaching. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { DependencyUnavailable } from "../../http/HttpErrors.js"
import { Authentication } from "../../http/Identity.js"
import { CallNotFound } from "../calls/Errors.js"
import { CallId } from "../calls/Wire.js"
import { CallNotScored, NoCoachingYet } from "./Errors.js"
import { Coaching } from "./Wire.js"

const path = Schema.Struct({ id: CallId })

export class CoachingApi extends HttpApiGroup.make("coaching")
  .add(
    HttpApiEndpoint.post("coach", "/api/calls/:id/coaching")
      .setPath(path)
      .addSuccess(Coaching)
      .addError(CallNotFound)
      .addError(CallNotScored)
      .addError(DependencyUnavailable)
  )
  .add(
    HttpApiEndpoint.get("stored", "/api/calls/:id/coaching")
      .setPath(path)
      .addSuccess(Coaching)
      .addError(CallNotFound)
      .addError(NoCoachingYet)
      .addError(DependencyUnavailable)
  )
  .middleware(Authentication) {}
