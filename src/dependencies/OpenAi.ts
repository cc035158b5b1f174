/**
 * OpenAI, as far as we use it: text in, an instance of a schema out. It speaks the Responses API, or Chat Completions
 * for gateways that have only that (`OPENAI_API`).
 *
 * Errors are read by their code, because a status says too little: of two answers with status 429 one passes in seconds
 * (`rate_limit_exceeded`), the other when somebody has paid (`insufficient_quota`), which no retry helps and which is no
 * outage.
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
import type { HealthMonitor } from "../health/HealthMonitor.js"
import type { CircuitBreakers } from "../resilience/CircuitBreakers.js"
import type { Rejection } from "../resilience/Rejection.js"
import type { Dependencies } from "./Dependencies.js"
import * as Dependency from "./Dependency.js"
import { Settings } from "./Settings.js"
import * as StrictSchema from "./StrictSchema.js"
import * as UpstreamFailure from "./UpstreamFailure.js"
import * as UpstreamHttp from "./UpstreamHttp.js"

/**
 * Beside the common ones:
 *
 * - `insufficient-quota`: the account has no money or has reached its own limit.
 * - `refused`: the model declined to answer.
 * - `incomplete`: the answer stopped before its end, for its length or a content filter.
 *
 * @since 0.1.0
 * @category errors
 */
export type OpenAiReason = "insufficient-quota" | "refused" | "incomplete"

/**
 * @since 0.1.0
 * @category errors
 */
export class OpenAiError extends Data.TaggedError("OpenAiError")<UpstreamFailure.UpstreamFailure<OpenAiReason>> {
  override get message(): string {
    return UpstreamFailure.describe(this)
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface StructuredRequest<A, I> {
  /** What it is for, as it is named in errors and logs. */
  readonly operation: string
  /** Names the schema towards the model: letters, digits, `_` and `-`. */
  readonly name: string
  /**
   * What is wanted. It becomes a strict JSON schema, in which every key is required: use `NullOr` for what can be
   * missing.
   */
  readonly schema: Schema.Schema<A, I>
  readonly instructions: string
  readonly input: string
  /** The most tokens to generate, reasoning included. Default: the model's own limit. */
  readonly maxOutputTokens?: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface OpenAiShape {
  readonly dependency: Dependency.Dependency
  /** Asks the model. Nothing is stored at OpenAI, and asking twice does no harm, so failures are retried. */
  readonly structured: <A, I>(request: StructuredRequest<A, I>) => Effect.Effect<A, OpenAiError | Rejection>
}

/**
 * @since 0.1.0
 * @category services
 */
export class OpenAi extends Context.Tag("@dialdrill/selfheal/dependencies/OpenAi")<OpenAi, OpenAiShape>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  OpenAiShape,
  Dependency.DependencyConfigurationError,
  Settings | CircuitBreakers | Dependencies | HealthMonitor | Scope.Scope
> = Effect.gen(function* () {
  const settings = (yield* Settings).openai
  const { key, model, policy } = settings
  const http =
    key === undefined
      ? undefined
      : yield* UpstreamHttp.make({
          baseUrl: settings.baseUrl,
          key,
          credential: { header: "authorization", prefix: "Bearer " },
          requestIdHeader: "x-request-id",
          connectTimeout: policy.attemptTimeout
        })

  const sending =
    (operation: string): Send =>
    (request, answer) =>
      http === undefined
        ? Effect.fail(new OpenAiError(UpstreamFailure.notConfigured("openai", operation, "OPENAI_API_KEY")))
        : Effect.mapError(http.send(request, answer), (problem) => errorOf(operation, problem))

  const dependency = yield* Dependency.make({
    name: "openai",
    critical: false,
    configured: key !== undefined,
    policy,
    // Costs nothing, and proves the key and the model.
    probe: Effect.asVoid(sending("probe")(HttpClientRequest.get(`/models/${encodeURIComponent(model)}`), Model)),
    fallback: "coaching by rules"
  })

  const ask = settings.api === "responses" ? askResponses : askChat
  const structured: OpenAiShape["structured"] = (request) => {
    const { name, operation, schema } = request
    const attempt = Effect.suspend(() =>
      ask(sending(operation), { ...request, model, format: { name, strict: true, schema: StrictSchema.make(schema) } })
    ).pipe(
      Effect.flatMap((reply) => textOf(operation, reply)),
      Effect.flatMap(Schema.decode(Schema.parseJson(schema))),
      Effect.mapError((error) =>
        error._tag === "OpenAiError"
          ? error
          : failure(operation, "unusable-answer", "the model's text is not what the schema asks for")
      )
    )
    return http === undefined ? attempt : dependency.call(operation, attempt, { idempotent: true })
  }

  return { dependency, structured }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  OpenAi,
  Dependency.DependencyConfigurationError,
  Settings | CircuitBreakers | Dependencies | HealthMonitor
> = Layer.scoped(OpenAi, make)

type Send = <A, I>(
  request: HttpClientRequest.HttpClientRequest,
  answer: Schema.Schema<A, I>
) => Effect.Effect<A, OpenAiError>

interface Prompt {
  readonly model: string
  readonly instructions: string
  readonly input: string
  readonly format: { readonly name: string; readonly strict: true; readonly schema: object }
  readonly maxOutputTokens?: number
}

/** What the model said, whichever API brought it. */
interface Reply {
  readonly text: string | undefined
  readonly refusal: string | undefined
  /** Why it stopped before its end. */
  readonly incomplete: string | undefined
  /** The code of a generation that failed, although the answer has status 200. */
  readonly failed: string | undefined
}

const optionalText = Schema.optional(Schema.NullOr(Schema.String))

const Model = Schema.Struct({ id: Schema.String })

const ResponsesAnswer = Schema.Struct({
  status: optionalText,
  incomplete_details: Schema.optional(Schema.NullOr(Schema.Struct({ reason: optionalText }))),
  error: Schema.optional(Schema.NullOr(Schema.Struct({ code: optionalText }))),
  // Reasoning and tools are items of other types and without this content.
  output: Schema.Array(
    Schema.Struct({
      content: Schema.optional(
        Schema.NullOr(Schema.Array(Schema.Struct({ type: Schema.String, text: optionalText, refusal: optionalText })))
      )
    })
  )
})

const askResponses = (send: Send, prompt: Prompt): Effect.Effect<Reply, OpenAiError> =>
  send(
    HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post("/responses"), {
      model: prompt.model,
      instructions: prompt.instructions,
      input: prompt.input,
      text: { format: { type: "json_schema", ...prompt.format } },
      ...(prompt.maxOutputTokens === undefined ? {} : { max_output_tokens: prompt.maxOutputTokens }),
      // What users say in their calls is not kept by OpenAI.
      store: false
    }),
    ResponsesAnswer
  ).pipe(
    Effect.map(({ error, incomplete_details, output, status }) => {
      const parts = output.flatMap((item) => item.content ?? [])
      const texts = parts.filter((part) => part.type === "output_text").map((part) => part.text ?? "")
      return {
        text: texts.length === 0 ? undefined : texts.join(""),
        refusal: parts.find((part) => part.type === "refusal")?.refusal ?? undefined,
        incomplete: status === "incomplete" ? (incomplete_details?.reason ?? "unknown") : undefined,
        failed: status === "failed" || status === "cancelled" ? (error?.code ?? status) : undefined
      }
    })
  )

const ChatAnswer = Schema.Struct({
  choices: Schema.Array(
    Schema.Struct({
      finish_reason: optionalText,
      message: Schema.Struct({ content: optionalText, refusal: optionalText })
    })
  )
})

const askChat = (send: Send, prompt: Prompt): Effect.Effect<Reply, OpenAiError> =>
  send(
    HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post("/chat/completions"), {
      model: prompt.model,
      messages: [
        { role: "system", content: prompt.instructions },
        { role: "user", content: prompt.input }
      ],
      response_format: { type: "json_schema", json_schema: prompt.format },
      ...(prompt.maxOutputTokens === undefined ? {} : { max_completion_tokens: prompt.maxOutputTokens })
    }),
    ChatAnswer
  ).pipe(
    Effect.map(({ choices: [choice] }) => {
      const finish = choice?.finish_reason
      return {
        text: choice?.message.content ?? undefined,
        refusal: choice?.message.refusal ?? undefined,
        incomplete: finish === "length" || finish === "content_filter" ? finish : undefined,
        failed: undefined
      }
    })
  )

const textOf = (operation: string, reply: Reply): Effect.Effect<string, OpenAiError> => {
  if (reply.failed !== undefined) {
    return Effect.fail(failure(operation, "unavailable", "the generation failed at OpenAI", reply.failed))
  }
  if (reply.refusal !== undefined) {
    return Effect.fail(failure(operation, "refused", "the model declined to answer"))
  }
  if (reply.incomplete !== undefined) {
    return Effect.fail(failure(operation, "incomplete", "the answer stopped before its end", reply.incomplete))
  }
  return reply.text === undefined
    ? Effect.fail(failure(operation, "unusable-answer", "the answer has no text"))
    : Effect.succeed(reply.text)
}

const verdictOf = (reason: OpenAiReason | UpstreamFailure.CommonReason): UpstreamFailure.Verdict => {
  switch (reason) {
    case "insufficient-quota":
    case "incomplete":
      return UpstreamFailure.refusal
    case "refused":
      return { ...UpstreamFailure.refusal, isExpected: true }
    default:
      return UpstreamFailure.verdicts[reason]
  }
}

/** A failure that OpenAI tells in an answer with status 200. */
const failure = (operation: string, reason: OpenAiError["reason"], detail: string, code?: string): OpenAiError =>
  new OpenAiError({
    service: "openai",
    operation,
    reason,
    detail,
    status: 200,
    code,
    requestId: undefined,
    retryAfter: undefined,
    ...verdictOf(reason)
  })

const errorOf = (operation: string, problem: UpstreamFailure.Problem): OpenAiError =>
  new OpenAiError(
    UpstreamFailure.judge<OpenAiReason>({
      service: "openai",
      operation,
      problem,
      verdictOf,
      read: ({ body, status }) => {
        const error = UpstreamFailure.field(body, "error")
        const code = UpstreamFailure.textField(error, "code") ?? UpstreamFailure.textField(error, "type")
        return {
          reason: unpaid.has(code ?? "") ? "insufficient-quota" : UpstreamFailure.reasonOfStatus(status),
          code,
          message: UpstreamFailure.textField(error, "message")
        }
      }
    })
  )

/** Codes that mean the account's money or its own limit; they come with status 429 or 403. */
const unpaid: ReadonlySet<string> = new Set([
  "insufficient_quota",
  "credit_balance_exhausted",
  "billing_hard_limit_reached",
  "billing_not_active",
  "spend_limit_reached"
])
