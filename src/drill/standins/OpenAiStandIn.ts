/**
 * A stand-in for OpenAI: the models, responses and chat-completions endpoints as they are on the wire, with the
 * checks whose absence would hide a mistake of ours (key, model, strictness of the schema). It answers a strict schema
 * with an instance of that schema.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import { sampleOf, strictnessProblem } from "./JsonSchemaSample.js"
import * as StandIn from "./StandIn.js"

/**
 * What the model says: an instance of the schema (default), a text, a refusal, or an answer that stops for its length.
 *
 * @since 0.1.0
 * @category models
 */
export type Reply = "instance" | "refusal" | "incomplete" | { readonly text: string }

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The only key that is accepted; any `sk-...` without it. */
  readonly apiKey?: string
  /** The models that exist; every name without it. */
  readonly models?: ReadonlyArray<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface OpenAiStandIn extends StandIn.StandIn {
  /** What `OPENAI_BASE_URL` is set to. */
  readonly baseUrl: string
  readonly reply: (reply: Reply) => Effect.Effect<void>
}

/**
 * Starts an OpenAI on a free port.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<OpenAiStandIn, never, Scope.Scope> =>
  Effect.gen(function* () {
    let reply: Reply = "instance"
    let serial = 0

    const answer = (exchange: StandIn.Exchange): StandIn.Answer => {
      serial += 1
      const bearer = /^Bearer (.+)$/.exec(exchange.headers["authorization"] ?? "")?.[1]
      if (
        bearer === undefined ||
        !(options.apiKey === undefined ? bearer.startsWith("sk-") : bearer === options.apiKey)
      )
        return error(401, "invalid_api_key")

      const model = /^\/v1\/models\/(.+)$/.exec(exchange.path)?.[1]
      if (exchange.method === "GET" && model !== undefined) {
        return knows(model)
          ? ok({ id: model, object: "model", created: 1_754_000_000, owned_by: "system" })
          : error(404, "model_not_found")
      }
      if (exchange.method === "POST" && exchange.path === "/v1/responses") return generate(exchange, responses)
      if (exchange.method === "POST" && exchange.path === "/v1/chat/completions") return generate(exchange, chat)
      return {
        status: 404,
        headers: { "x-request-id": requestId() },
        body: { error: body(`Invalid URL (${exchange.method} ${exchange.path})`, "invalid_request_error", null) }
      }
    }

    const knows = (model: string): boolean => options.models === undefined || options.models.includes(model)

    const generate = (exchange: StandIn.Exchange, dialect: Dialect): StandIn.Answer => {
      const request = parse(exchange.body)
      if (request === undefined) return invalid("We could not parse the JSON body of your request.", null)
      const model = request["model"]
      if (typeof model !== "string") return invalid("Missing required parameter: 'model'.", "model")
      if (!knows(model)) return error(404, "model_not_found")
      if (request[dialect.input] === undefined)
        return invalid(`Missing required parameter: '${dialect.input}'.`, dialect.input)
      const format = dialect.format(request)
      const problem = format?.strict === true ? strictnessProblem(format.schema) : undefined
      if (problem !== undefined)
        return invalid(
          `Invalid schema for response_format '${format?.name ?? ""}': ${problem}`,
          dialect.formatParameter
        )
      const text =
        typeof reply === "object"
          ? reply.text
          : format === undefined
            ? "Hello."
            : JSON.stringify(sampleOf(format.schema))
      return ok(dialect.answer({ model, serial, text, reply, request }))
    }

    const standIn = yield* StandIn.make({ name: "openai", answer, error })
    return {
      ...standIn,
      baseUrl: `${standIn.url}/v1`,
      reply: (next) =>
        Effect.sync(() => {
          reply = next
        })
    }
  })

interface Format {
  readonly name: string
  readonly strict: boolean
  readonly schema: unknown
}

interface Generation {
  readonly model: string
  readonly serial: number
  readonly text: string
  readonly reply: Reply
  readonly request: Readonly<Record<string, unknown>>
}

/** Where the two generating endpoints differ. */
interface Dialect {
  readonly input: "input" | "messages"
  readonly formatParameter: string
  readonly format: (request: Readonly<Record<string, unknown>>) => Format | undefined
  readonly answer: (generation: Generation) => unknown
}

const responses: Dialect = {
  input: "input",
  formatParameter: "text.format.schema",
  format: (request) => formatFrom(at(at(request, "text"), "format")),
  answer: ({ model, serial, text, reply, request }) => {
    const incomplete = reply === "incomplete"
    return {
      id: `resp_${serial}`,
      object: "response",
      created_at: 1_754_000_000,
      status: incomplete ? "incomplete" : "completed",
      error: null,
      incomplete_details: incomplete ? { reason: "max_output_tokens" } : null,
      instructions: request["instructions"] ?? null,
      max_output_tokens: request["max_output_tokens"] ?? null,
      model,
      output: [
        // Reasoning models put such an item before the message; a client must not take it for the answer.
        { type: "reasoning", id: `rs_${serial}`, summary: [] },
        {
          type: "message",
          id: `msg_${serial}`,
          status: incomplete ? "incomplete" : "completed",
          role: "assistant",
          content: [
            reply === "refusal"
              ? { type: "refusal", refusal: "I'm sorry, I cannot assist with that request." }
              : { type: "output_text", annotations: [], logprobs: [], text: incomplete ? half(text) : text }
          ]
        }
      ],
      parallel_tool_calls: true,
      store: request["store"] ?? true,
      temperature: 1,
      text: request["text"] ?? { format: { type: "text" } },
      tool_choice: "auto",
      tools: [],
      usage: {
        input_tokens: 120,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 80,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 200
      },
      metadata: {}
    }
  }
}

const chat: Dialect = {
  input: "messages",
  formatParameter: "response_format",
  format: (request) => formatFrom(at(at(request, "response_format"), "json_schema")),
  answer: ({ model, serial, text, reply }) => ({
    id: `chatcmpl-${serial}`,
    object: "chat.completion",
    created: 1_754_000_000,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: reply === "refusal" ? null : reply === "incomplete" ? half(text) : text,
          refusal: reply === "refusal" ? "I'm sorry, I cannot assist with that request." : null,
          annotations: []
        },
        logprobs: null,
        finish_reason: reply === "incomplete" ? "length" : "stop"
      }
    ],
    usage: { prompt_tokens: 120, completion_tokens: 80, total_tokens: 200 },
    system_fingerprint: null
  })
}

const half = (text: string): string => text.slice(0, Math.ceil(text.length / 2))

const at = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && key in value ? Reflect.get(value, key) : undefined

const formatFrom = (value: unknown): Format | undefined => {
  const schema = at(value, "schema")
  return schema === undefined
    ? undefined
    : { name: String(at(value, "name")), strict: at(value, "strict") === true, schema }
}

const parse = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    // Cast: an object that JSON.parse made has string keys.
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const requestId = (): string => `req_${Crypto.randomUUID()}`

const ok = (body: unknown): StandIn.Answer => ({
  status: 200,
  headers: {
    "x-request-id": requestId(),
    "openai-version": "2020-10-01",
    "openai-processing-ms": "12",
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms"
  },
  body
})

const body = (message: string, type: string, code: string | null, param: string | null = null) => ({
  message,
  type,
  param,
  code
})

const invalid = (message: string, param: string | null): StandIn.Answer => ({
  status: 400,
  headers: { "x-request-id": requestId() },
  body: {
    error: body(message, "invalid_request_error", param === "text.format.schema" ? "invalid_json_schema" : null, param)
  }
})

/** The errors as OpenAI words them: a message, a type, and the code that decides what a client should do. */
const error = (status: number, code: string | undefined): StandIn.Answer => {
  const known: Record<string, readonly [message: string, type: string]> = {
    invalid_api_key: [
      "Incorrect API key provided: sk-****. You can find your API key in your settings.",
      "invalid_request_error"
    ],
    model_not_found: ["The model does not exist or you do not have access to it.", "invalid_request_error"],
    rate_limit_exceeded: ["Rate limit reached for requests. Please try again later.", "requests"],
    slow_down: ["Your request rate rose too quickly. Please slow down.", "requests"],
    insufficient_quota: [
      "You exceeded your current quota, please check your plan and billing details.",
      "insufficient_quota"
    ],
    server_is_overloaded: ["The server is currently overloaded. Please try again later.", "server_error"]
  }
  const usual: Record<number, string> = {
    401: "invalid_api_key",
    404: "model_not_found",
    429: "rate_limit_exceeded",
    503: "server_is_overloaded"
  }
  const chosen = code ?? usual[status] ?? null
  const [message, type] = (chosen === null ? undefined : known[chosen]) ?? [
    status >= 500
      ? "The server had an error while processing your request. Sorry about that!"
      : "The request was refused.",
    status >= 500 ? "server_error" : "invalid_request_error"
  ]
  return { status, headers: { "x-request-id": requestId() }, body: { error: body(message, type, chosen) } }
}
