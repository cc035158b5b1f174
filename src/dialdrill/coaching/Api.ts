/** The routes of coaching. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { DependencyUnavailable } from "../../http/HttpErrors.js"
import { CallNotFound } from "../calls/Errors.js"
import { CallId } from "../calls/Wire.js"
import { CallNotScored, NoCoachingYet } from "./Errors.js"
import { Coaching } from "./Wire.js"

const path = Schema.Struct({ id: CallId })

/** Under the limit of the group `COACHING`: each request may cost one at OpenAI. */
export class CoachingApi extends HttpApiGroup.make("coaching").add(
  HttpApiEndpoint.post("coach", "/api/calls/:id/coaching")
    .setPath(path)
    .addSuccess(Coaching)
    .addError(CallNotFound)
    .addError(CallNotScored)
    .addError(DependencyUnavailable)
) {}

/** Under the limit of the group `READ`: asks nobody. */
export class StoredCoachingApi extends HttpApiGroup.make("stored-coaching").add(
  HttpApiEndpoint.get("stored", "/api/calls/:id/coaching")
    .setPath(path)
    .addSuccess(Coaching)
    .addError(CallNotFound)
    .addError(NoCoachingYet)
    .addError(DependencyUnavailable)
) {}
