/**
 * A stand-in for ElevenLabs: the signed URL of a conversation and the subscription (which the health probe reads), with
 * that API's two shapes of error: `{ detail: { status, message } }`, and a list of problems for a request that it does
 * not understand.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import * as StandIn from "./StandIn.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The only key that is accepted; every non-empty one without it. */
  readonly apiKey?: string
  /** The only agent that exists; every `agent_...` without it. */
  readonly agentId?: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ElevenLabsStandIn extends StandIn.StandIn {
  /** What `ELEVENLABS_BASE_URL` is set to. */
  readonly baseUrl: string
}

/**
 * Starts an ElevenLabs on a free port.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<ElevenLabsStandIn, never, Scope.Scope> => {
  let serial = 0
  const answer = (exchange: StandIn.Exchange): StandIn.Answer => {
    const key = exchange.headers["xi-api-key"]
    if (key === undefined || key === "" || (options.apiKey !== undefined && key !== options.apiKey)) {
      return error(401, "invalid_api_key")
    }
    if (exchange.method !== "GET") return { status: 405, body: { detail: "Method Not Allowed" } }
    switch (exchange.path) {
      case "/v1/convai/conversation/get-signed-url": {
        const agent = exchange.query.get("agent_id")
        if (agent === null) return unprocessable("agent_id")
        const known = options.agentId === undefined ? agent.startsWith("agent_") : agent === options.agentId
        if (!known) return error(404, "document_not_found")
        serial += 1
        const host = exchange.headers["host"] ?? "127.0.0.1"
        const signature = `conversation_signature=cvtkn_${serial}`
        return ok({ signed_url: `ws://${host}/v1/convai/conversation?agent_id=${agent}&${signature}` })
      }
      case "/v1/user/subscription":
        return ok({
          tier: "creator",
          character_count: 1200,
          character_limit: 100000,
          can_extend_character_limit: true,
          next_character_count_reset_unix: 1_790_000_000,
          status: "active"
        })
      default:
        return { status: 404, body: { detail: "Not Found" } }
    }
  }
  return Effect.map(StandIn.make({ name: "elevenlabs", answer, error }), (standIn) => ({
    ...standIn,
    baseUrl: standIn.url
  }))
}

const requestId = (): string => Crypto.randomUUID()

const ok = (body: unknown): StandIn.Answer => ({
  status: 200,
  headers: { "request-id": requestId(), "current-concurrent-requests": "1", "maximum-concurrent-requests": "5" },
  body
})

const unprocessable = (parameter: string): StandIn.Answer => ({
  status: 422,
  headers: { "request-id": requestId() },
  body: { detail: [{ type: "missing", loc: ["query", parameter], msg: "Field required", input: null }] }
})

const error = (status: number, code: string | undefined): StandIn.Answer => {
  const messages: Record<string, string> = {
    invalid_api_key: "Invalid API key",
    quota_exceeded: "This request exceeds your quota.",
    too_many_concurrent_requests:
      "Too many concurrent requests. Your current subscription is associated with a maximum.",
    system_busy: "We are currently experiencing heavy traffic.",
    document_not_found: "The requested agent was not found."
  }
  const usual: Record<number, string> = { 401: "invalid_api_key", 404: "document_not_found", 429: "system_busy" }
  const chosen = code ?? usual[status] ?? (status >= 500 ? "internal_server_error" : "invalid_request")
  return {
    status,
    headers: { "request-id": requestId() },
    body: { detail: { status: chosen, message: messages[chosen] ?? "Something went wrong." } }
  }
}
