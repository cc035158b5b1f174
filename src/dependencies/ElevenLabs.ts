/**
 * ElevenLabs, as far as we use it: the signed URL under which a browser talks to our agent. The conversation itself goes
 * from the browser to ElevenLabs and past us.
 *
 * Its errors have to be read by their own status word: 401 `quota_exceeded` is no problem with the key, and 429
 * `too_many_concurrent_requests` is the plan's limit of simultaneous use, not an outage.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { CheckOutcome } from "../health/Check.js"
import type { HealthMonitor } from "../health/HealthMonitor.js"
import type { CircuitBreakers } from "../resilience/CircuitBreakers.js"
import type { Rejection } from "../resilience/Rejection.js"
import type { Dependencies } from "./Dependencies.js"
import * as Dependency from "./Dependency.js"
import { Settings } from "./Settings.js"
import * as UpstreamFailure from "./UpstreamFailure.js"
import * as UpstreamHttp from "./UpstreamHttp.js"

/**
 * Beside the common ones:
 *
 * - `quota-exceeded`: the characters of this month are used up.
 * - `too-many-concurrent-requests`: as many conversations as the plan allows are going on.
 *
 * @since 0.1.0
 * @category errors
 */
export type ElevenLabsReason = "quota-exceeded" | "too-many-concurrent-requests"

/**
 * @since 0.1.0
 * @category errors
 */
export class ElevenLabsError extends Data.TaggedError("ElevenLabsError")<
  UpstreamFailure.UpstreamFailure<ElevenLabsReason>
> {
  override get message(): string {
    return UpstreamFailure.describe(this)
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ElevenLabsShape {
  readonly dependency: Dependency.Dependency
  /** A new `wss:` address for one conversation with the agent. Asking twice does no harm, so failures are retried. */
  readonly getSignedUrl: Effect.Effect<string, ElevenLabsError | Rejection>
}

/**
 * @since 0.1.0
 * @category services
 */
export class ElevenLabs extends Context.Tag("@dialdrill/selfheal/dependencies/ElevenLabs")<
  ElevenLabs,
  ElevenLabsShape
>() {}

/**
 * Configured when there are both a key and an agent: without an agent there is nobody to talk to.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  ElevenLabsShape,
  Dependency.DependencyConfigurationError,
  Settings | CircuitBreakers | Dependencies | HealthMonitor | Scope.Scope
> = Effect.gen(function* () {
  const { agentId, baseUrl, key, policy } = (yield* Settings).elevenlabs
  const http =
    key === undefined || agentId === undefined
      ? undefined
      : yield* UpstreamHttp.make({
          baseUrl,
          key,
          credential: { header: "xi-api-key" },
          requestIdHeader: "request-id",
          connectTimeout: policy.attemptTimeout
        })

  const send = <A, I>(
    operation: string,
    request: HttpClientRequest.HttpClientRequest,
    answer: Schema.Schema<A, I>
  ): Effect.Effect<A, ElevenLabsError> =>
    http === undefined
      ? Effect.fail(notConfigured(operation, key === undefined ? "ELEVENLABS_API_KEY" : "ELEVENLABS_AGENT_ID"))
      : Effect.mapError(http.send(request, answer), (problem) => errorOf(operation, problem))

  const dependency = yield* Dependency.make({
    name: "elevenlabs",
    critical: false,
    configured: http !== undefined,
    policy,
    // Proves the key, and tells early that the month's characters run out.
    probe: Effect.map(send("probe", HttpClientRequest.get("/v1/user/subscription"), Subscription), outcomeOf),
    fallback: "simulated calls"
  })

  const attempt = Effect.map(
    send(
      "signed-url",
      HttpClientRequest.setUrlParam(
        HttpClientRequest.get("/v1/convai/conversation/get-signed-url"),
        "agent_id",
        agentId ?? ""
      ),
      SignedUrl
    ),
    (answer) => answer.signed_url
  )
  return {
    dependency,
    getSignedUrl: http === undefined ? attempt : dependency.call("signed-url", attempt, { idempotent: true })
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  ElevenLabs,
  Dependency.DependencyConfigurationError,
  Settings | CircuitBreakers | Dependencies | HealthMonitor
> = Layer.scoped(ElevenLabs, make)

// What the browser will open; anything else than a WebSocket's address would be a broken answer.
const SignedUrl = Schema.Struct({ signed_url: Schema.String.pipe(Schema.pattern(/^wss?:\/\//)) })

const Subscription = Schema.Struct({
  character_count: Schema.optional(Schema.NullOr(Schema.Number)),
  character_limit: Schema.optional(Schema.NullOr(Schema.Number))
})

/** From this share of the month's characters on, health says so. */
const quotaWarning = 0.9

const outcomeOf = ({ character_count: used, character_limit: limit }: typeof Subscription.Type): CheckOutcome => {
  if (typeof used !== "number" || typeof limit !== "number" || limit <= 0) return { status: "up" }
  const share = used / limit
  return share < quotaWarning
    ? { status: "up" }
    : { status: "degraded", message: `${Math.floor(share * 100)} % of this month's characters are used` }
}

const verdictOf = (reason: ElevenLabsReason | UpstreamFailure.CommonReason): UpstreamFailure.Verdict =>
  reason === "quota-exceeded" || reason === "too-many-concurrent-requests"
    ? UpstreamFailure.refusal
    : UpstreamFailure.verdicts[reason]

const notConfigured = (operation: string, variable: string): ElevenLabsError =>
  new ElevenLabsError(UpstreamFailure.notConfigured("elevenlabs", operation, variable))

const errorOf = (operation: string, problem: UpstreamFailure.Problem): ElevenLabsError =>
  new ElevenLabsError(
    UpstreamFailure.judge<ElevenLabsReason>({
      service: "elevenlabs",
      operation,
      problem,
      verdictOf,
      read: ({ body, status }) => {
        // A request that it does not understand is answered with a list of problems instead of this object.
        const detail = UpstreamFailure.field(body, "detail")
        const code = UpstreamFailure.textField(detail, "status")
        const reason =
          code === "quota_exceeded"
            ? "quota-exceeded"
            : code === "too_many_concurrent_requests"
              ? "too-many-concurrent-requests"
              : UpstreamFailure.reasonOfStatus(status)
        return { reason, code, message: UpstreamFailure.textField(detail, "message") }
      }
    })
  )
