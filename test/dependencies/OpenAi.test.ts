import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Fault } from "../../src/drill/standins/Fault.js"
import { Coaching, openai } from "./support.js"

const reasonOf = (error: { readonly _tag: string; readonly reason?: string }): string =>
  error._tag === "OpenAiError" ? (error.reason ?? "") : error._tag

describe("OpenAi", () => {
  for (const api of ["responses", "chat"]) {
    it.scopedLive(`${api}: asks with a strict schema and gives back what the model made of it`, () =>
      Effect.gen(function* () {
        const rig = yield* openai({ OPENAI_API: api, OPENAI_MODEL: "a/model" })
        assert.deepStrictEqual(yield* rig.call, {
          strengths: ["A sentence for strengths 1.", "A sentence for strengths 2."],
          level: "low"
        })
        const path = api === "responses" ? "/v1/responses" : "/v1/chat/completions"
        const [request] = (yield* rig.standIn.requests).filter((request) => request.path === path)
        const body: unknown = JSON.parse(request?.body ?? "")
        if (api === "responses") {
          assert.deepInclude(body, { model: "a/model", store: false, instructions: "Coach.", input: "{}" })
          assert.nestedPropertyVal(body, "text.format.strict", true)
        } else {
          assert.nestedPropertyVal(body, "response_format.json_schema.strict", true)
          assert.notProperty(body, "store")
        }
      })
    )

    it.scopedLive(`${api}: a refusal and an answer cut short are typed, asked for once, and no outage`, () =>
      Effect.gen(function* () {
        const rig = yield* openai({ OPENAI_API: api })
        yield* rig.standIn.reply("refusal")
        assert.strictEqual(reasonOf(yield* Effect.flip(rig.call)), "refused")
        assert.lengthOf(yield* rig.health.getRecentErrors(), 0)
        yield* rig.standIn.reply("incomplete")
        assert.strictEqual(reasonOf(yield* Effect.flip(rig.call)), "incomplete")
        assert.strictEqual((yield* rig.dependency.breaker.status).failures, 0)
        assert.lengthOf(
          (yield* rig.standIn.requests).filter(({ method }) => method === "POST"),
          2
        )
      })
    )

    it.scopedLive(`${api}: a text that is not what the schema asks for counts against the breaker`, () =>
      Effect.gen(function* () {
        const rig = yield* openai({
          OPENAI_API: api,
          OPENAI_CIRCUIT_FAILURE_THRESHOLD: "10"
        })
        for (const text of [`{"strengths":[]}`, "Certainly! Here is"]) {
          yield* rig.standIn.reply({ text })
          const error = yield* Effect.flip(rig.call)
          assert.strictEqual(reasonOf(error), "unusable-answer")
          assert.notInclude(error.message, "Certainly")
        }
        assert.strictEqual((yield* rig.dependency.breaker.status).failures, 6)
      })
    )
  }

  it.scopedLive("an empty account is told apart from a full minute: never retried, and no outage", () =>
    Effect.gen(function* () {
      const rig = yield* openai()
      yield* rig.standIn.inject(Fault.ErrorStatus({ status: 429, code: "insufficient_quota", retryAfter: "30" }), {
        path: rig.path
      })
      for (let call = 0; call < 6; call++) {
        assert.strictEqual(reasonOf(yield* Effect.flip(rig.call)), "insufficient-quota")
      }
      assert.lengthOf(
        (yield* rig.standIn.requests).filter(({ method }) => method === "POST"),
        6
      )
      assert.strictEqual((yield* rig.dependency.breaker.status).state, "closed")
    })
  )

  it.scopedLive("without a key it says so, asks nobody, and counts nothing", () =>
    Effect.gen(function* () {
      const rig = yield* openai({ OPENAI_API_KEY: "" })
      const error = yield* Effect.flip(rig.call)
      assert.strictEqual(reasonOf(error), "not-configured")
      assert.include(error.message, "OPENAI_API_KEY is not set")
      assert.isFalse(rig.dependency.configured)
      assert.lengthOf(yield* rig.standIn.requests, 0)
      assert.lengthOf(yield* rig.health.getRecentErrors(), 0)
    })
  )

  it.scopedLive("the probe asks for the model that is configured, and a missing one is down with the reason", () =>
    Effect.gen(function* () {
      const rig = yield* openai({ OPENAI_MODEL: "gpt-5-mini" })
      yield* rig.health.probeNow("openai")
      assert.strictEqual((yield* rig.dependency.lastProbe)?.status, "up")
      assert.strictEqual((yield* rig.standIn.requests)[0]?.path, "/v1/models/gpt-5-mini")
      yield* rig.standIn.inject(Fault.ErrorStatus({ status: 404 }))
      yield* Effect.repeatN(rig.health.probeNow("openai"), 1)
      const probe = yield* rig.dependency.lastProbe
      assert.strictEqual(probe?.status, "down")
      assert.include(probe?.message ?? "", "model_not_found")
    })
  )

  it.scopedLive("what the answer holds beyond the schema is left out, and a limit of tokens is passed on", () =>
    Effect.gen(function* () {
      const rig = yield* openai()
      yield* rig.standIn.reply({ text: JSON.stringify({ strengths: [], level: "high", surprise: 1 }) })
      const answer = yield* rig.service.structured({
        operation: "coaching",
        name: "coaching",
        schema: Coaching,
        instructions: "",
        input: "",
        maxOutputTokens: 500
      })
      assert.deepStrictEqual(answer, { strengths: [], level: "high" })
      const [request] = (yield* rig.standIn.requests).filter(({ method }) => method === "POST")
      assert.propertyVal(JSON.parse(request?.body ?? ""), "max_output_tokens", 500)
    })
  )
})
