/** The route of scoring: it needs no dependency and no user, so it answers whatever else is down. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { ScoreAnswer, ScoreRequest } from "./Wire.js"

export class ScoringApi extends HttpApiGroup.make("scoring").add(
  HttpApiEndpoint.post("score", "/api/score").setPayload(ScoreRequest).addSuccess(ScoreAnswer)
) {}
