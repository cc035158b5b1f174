import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  APIConnectionTimeoutError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  OpenAI
} from "openai"
import { Fault } from "../../../src/drill/standins/Fault.js"
import * as OpenAiStandIn from "../../../src/drill/standins/OpenAiStandIn.js"

const schema = {
  type: "object",
  properties: {
    strengths: { type: "array", items: { type: "string" } },
    level: { type: "string", enum: ["low", "high"] }
  },
  required: ["strengths", "level"],
  additionalProperties: false
}

const methods: ReadonlyArray<{ name: string; call: (client: OpenAI) => Promise<unknown> }> = [
  { name: "models.retrieve", call: (client) => client.models.retrieve("gpt-5-mini") },
  {
    name: "responses.create",
    call: (client) =>
      client.responses.create({
        model: "gpt-5-mini",
        input: "Coach me.",
        store: false,
        text: { format: { type: "json_schema", name: "coaching", strict: true, schema } }
      })
  },
  {
    name: "chat.completions.create",
    call: (client) =>
      client.chat.completions.create({
        model: "gpt-5-mini",
        messages: [{ role: "user", content: "Coach me." }],
        response_format: { type: "json_schema", json_schema: { name: "coaching", strict: true, schema } }
      })
  }
]

const sdk = (standIn: OpenAiStandIn.OpenAiStandIn, timeout = 10_000): OpenAI =>
  new OpenAI({ apiKey: "sk-test", baseURL: standIn.baseUrl, maxRetries: 0, timeout })

const errorOf = (call: () => Promise<unknown>): Effect.Effect<unknown> =>
  Effect.flip(Effect.tryPromise({ try: call, catch: (error) => error })).pipe(Effect.orDie)

describe("the OpenAI stand-in, judged by the official SDK", () => {
  for (const { name, call } of methods) {
    it.scopedLive(`${name} answers`, () =>
      Effect.gen(function* () {
        const standIn = yield* OpenAiStandIn.make()
        const answer = yield* Effect.promise(() => call(sdk(standIn)))
        assert.isObject(answer)
        const [exchange] = yield* standIn.requests
        assert.strictEqual(exchange?.end, "answered")
        assert.strictEqual(exchange?.status, 200)
      })
    )

    it.scopedLive(`${name} with a wrong key is an AuthenticationError`, () =>
      Effect.gen(function* () {
        const standIn = yield* OpenAiStandIn.make({ apiKey: "sk-other" })
        const error = yield* errorOf(() => call(sdk(standIn)))
        assert.instanceOf(error, AuthenticationError)
        assert.strictEqual(error.code, "invalid_api_key")
        assert.isString(error.requestID)
      })
    )

    it.scopedLive(`${name} over the rate limit is a RateLimitError that says when`, () =>
      Effect.gen(function* () {
        const standIn = yield* OpenAiStandIn.make()
        yield* standIn.inject(Fault.ErrorStatus({ status: 429, retryAfter: "7" }))
        const error = yield* errorOf(() => call(sdk(standIn)))
        assert.instanceOf(error, RateLimitError)
        assert.strictEqual(error.code, "rate_limit_exceeded")
        assert.strictEqual(error.headers?.get("retry-after"), "7")
      })
    )

    it.scopedLive(`${name} on a failing server is an InternalServerError`, () =>
      Effect.gen(function* () {
        const standIn = yield* OpenAiStandIn.make()
        yield* standIn.inject(Fault.ErrorStatus({ status: 500 }))
        const error = yield* errorOf(() => call(sdk(standIn)))
        assert.instanceOf(error, InternalServerError)
        assert.strictEqual(error.type, "server_error")
      })
    )

    it.scopedLive(`${name} without an answer is an APIConnectionTimeoutError`, () =>
      Effect.gen(function* () {
        const standIn = yield* OpenAiStandIn.make()
        yield* standIn.inject(Fault.HangBeforeHeaders())
        const error = yield* errorOf(() => call(sdk(standIn, 200)))
        assert.instanceOf(error, APIConnectionTimeoutError)
      })
    )
  }

  it.scopedLive("a structured answer is an instance of the schema, in both APIs", () =>
    Effect.gen(function* () {
      const standIn = yield* OpenAiStandIn.make()
      const client = sdk(standIn)
      const response = yield* Effect.promise(() =>
        client.responses.create({
          model: "m",
          input: "x",
          text: { format: { type: "json_schema", name: "coaching", strict: true, schema } }
        })
      )
      assert.deepStrictEqual(JSON.parse(response.output_text), {
        strengths: ["A sentence for strengths 1.", "A sentence for strengths 2."],
        level: "low"
      })
      const chat = yield* Effect.promise(() =>
        client.chat.completions.create({
          model: "m",
          messages: [{ role: "user", content: "x" }],
          response_format: { type: "json_schema", json_schema: { name: "coaching", strict: true, schema } }
        })
      )
      assert.strictEqual(chat.choices[0]?.message.content, response.output_text)
    })
  )

  it.scopedLive("a refusal and an answer that stops for its length look as they do at OpenAI", () =>
    Effect.gen(function* () {
      const standIn = yield* OpenAiStandIn.make()
      const client = sdk(standIn)
      const ask = Effect.promise(() => client.responses.create({ model: "m", input: "x" }))
      const chat = Effect.promise(() =>
        client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "x" }] })
      )
      yield* standIn.reply("refusal")
      const refused = (yield* ask).output.find((item) => item.type === "message")
      assert.strictEqual(refused?.content[0]?.type, "refusal")
      assert.isString((yield* chat).choices[0]?.message.refusal)
      yield* standIn.reply("incomplete")
      assert.strictEqual((yield* ask).incomplete_details?.reason, "max_output_tokens")
      assert.strictEqual((yield* chat).choices[0]?.finish_reason, "length")
    })
  )

  it.scopedLive("a schema that is not strict, an unknown model and an unknown path are refused", () =>
    Effect.gen(function* () {
      const standIn = yield* OpenAiStandIn.make({ models: ["gpt-5-mini"] })
      const client = sdk(standIn)
      const loose = yield* errorOf(() =>
        client.responses.create({
          model: "gpt-5-mini",
          input: "x",
          text: { format: { type: "json_schema", name: "c", strict: true, schema: { ...schema, required: ["level"] } } }
        })
      )
      assert.instanceOf(loose, BadRequestError)
      assert.strictEqual(loose.code, "invalid_json_schema")
      const unknown = yield* errorOf(() => client.models.retrieve("gpt-1"))
      assert.instanceOf(unknown, NotFoundError)
      assert.strictEqual(unknown.code, "model_not_found")
      assert.instanceOf(yield* errorOf(() => client.files.list().then((page) => page.data)), NotFoundError)
    })
  )
})
