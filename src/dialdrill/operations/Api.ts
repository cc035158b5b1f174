/** The routes of operators and their tools, and the score, which needs nobody. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { NotFound } from "../../http/HttpErrors.js"
import { OperatorCommand, OperatorRead } from "../../http/OperatorAccess.js"
import { CircuitBreakerStatus, ErrorEntry, Health, SystemStatus } from "./Wire.js"

/** Open to everybody, and under no limit. `detailed` is for operators; others get the quick answer. */
export class HealthApi extends HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("health", "/api/health")
    .setUrlParams(Schema.Struct({ detailed: Schema.optional(Schema.String) }))
    .addSuccess(Health)
) {}

export class OperationsApi extends HttpApiGroup.make("operations")
  .add(HttpApiEndpoint.get("status", "/api/status").addSuccess(SystemStatus))
  .add(
    HttpApiEndpoint.get("errors", "/api/errors")
      .setUrlParams(
        Schema.Struct({
          limit: Schema.optional(Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, 1000))),
          service: Schema.optional(Schema.String.pipe(Schema.maxLength(100)))
        })
      )
      .addSuccess(Schema.Struct({ errors: Schema.Array(ErrorEntry) }))
  )
  .middleware(OperatorRead) {}

/** Outside of `/api`: Prometheus scrapes it, and no limit may keep it from that. */
export class MetricsApi extends HttpApiGroup.make("metrics")
  .add(
    HttpApiEndpoint.get("metrics", "/metrics").addSuccess(
      HttpApiSchema.Text({ contentType: "text/plain; version=0.0.4; charset=utf-8" })
    )
  )
  .middleware(OperatorRead) {}

export class CircuitBreakersApi extends HttpApiGroup.make("circuit-breakers")
  .add(
    HttpApiEndpoint.post("force", "/api/circuit-breakers/:name")
      .setPath(Schema.Struct({ name: Schema.String }))
      .setPayload(
        Schema.Struct({
          action: Schema.Literal("open", "close", "auto"),
          reason: Schema.String.pipe(Schema.minLength(1), Schema.maxLength(500))
        })
      )
      .addSuccess(CircuitBreakerStatus)
      .addError(NotFound)
  )
  .middleware(OperatorCommand) {}
