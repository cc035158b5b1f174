/** The client against an OpenAI that nobody here wrote. */
import { LLMock } from "@copilotkit/aimock"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Coaching, openai } from "./support.js"

const coaching: typeof Coaching.Type = { strengths: ["You asked."], level: "high" }

const aimock = Effect.acquireRelease(
  Effect.promise(async () => {
    const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent" })
    mock.onMessage(/.*/, { content: JSON.stringify(coaching) })
    const url = await mock.start()
    return { mock, url }
  }),
  ({ mock }) => Effect.promise(() => mock.stop())
)

const chaos = (url: string, config: Readonly<Record<string, number>>) =>
  Effect.promise(async () => {
    const response = await fetch(`${url}/__aimock/chaos`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(config)
    })
    assert.isTrue(response.ok, await response.text())
  })

describe("OpenAi against aimock", () => {
  for (const api of ["responses", "chat"]) {
    it.scopedLive(`${api}: the answer of an independent server is understood`, () =>
      Effect.gen(function* () {
        const { url } = yield* aimock
        const rig = yield* openai({ OPENAI_API: api, OPENAI_BASE_URL: `${url}/v1` })
        assert.deepStrictEqual(yield* rig.call, coaching)
      })
    )

    const modes: ReadonlyArray<readonly [string, Readonly<Record<string, number>>, ReadonlyArray<string>]> = [
      ["drops", { dropRate: 1 }, ["unavailable"]],
      ["malformed answers", { malformedRate: 1 }, ["unusable-answer"]],
      ["disconnects", { disconnectRate: 1 }, ["unreachable"]],
      ["rate limits", { rateLimitRate: 1 }, ["throttled"]],
      ["latency", { latencyMs: 5000 }, ["attempt-timeout"]]
    ]
    for (const [name, config, reasons] of modes) {
      it.scopedLive(`${api}: ${name} are typed, and it heals`, () =>
        Effect.gen(function* () {
          const { url } = yield* aimock
          const rig = yield* openai({
            OPENAI_API: api,
            OPENAI_BASE_URL: `${url}/v1`,
            OPENAI_ATTEMPT_TIMEOUT: config["latencyMs"] === undefined ? "5s" : "500ms",
            OPENAI_RETRY_MAX_ATTEMPTS: "2"
          })
          yield* chaos(url, config)
          assert.include(reasons, (yield* Effect.flip(rig.call)).reason)
          yield* chaos(url, { dropRate: 0, malformedRate: 0, disconnectRate: 0, rateLimitRate: 0, latencyMs: 0 })
          // A rate limit comes with a wish for rest, which is obeyed.
          const { retryAfterSeconds } = yield* rig.dependency.breaker.status
          if (retryAfterSeconds !== undefined) yield* rig.dependency.breaker.force("close")
          assert.deepStrictEqual(yield* rig.call, coaching)
        })
      )
    }
  }
})
