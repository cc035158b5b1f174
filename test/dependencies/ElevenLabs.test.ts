import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ElevenLabsError } from "../../src/dependencies/ElevenLabs.js"
import { Fault } from "../../src/drill/standins/Fault.js"
import { elevenlabs } from "./support.js"

describe("ElevenLabs", () => {
  it.scopedLive("gets a WebSocket's address for our agent", () =>
    Effect.gen(function* () {
      const rig = yield* elevenlabs()
      assert.match(yield* rig.call, /^ws:\/\/.*agent_id=agent_1/)
      const [request] = (yield* rig.standIn.requests).filter(({ path }) => path === rig.path)
      assert.strictEqual(request?.query.get("agent_id"), "agent_1")
      assert.strictEqual(request?.headers["xi-api-key"], "xi-0123456789abcdef")
    })
  )

  const answers: ReadonlyArray<readonly [number, string, ElevenLabsError["reason"]]> = [
    [401, "quota_exceeded", "quota-exceeded"],
    [429, "too_many_concurrent_requests", "too-many-concurrent-requests"],
    [401, "invalid_api_key", "credentials"],
    [404, "document_not_found", "invalid-request"]
  ]
  for (const [status, code, reason] of answers) {
    it.scopedLive(`${status} ${code} is ${reason}: asked once, no failure`, () =>
      Effect.gen(function* () {
        const rig = yield* elevenlabs()
        yield* rig.standIn.inject(Fault.ErrorStatus({ status, code }), { path: rig.path })
        const error = yield* Effect.flip(rig.call)
        assert.deepInclude(error, { _tag: "ElevenLabsError", reason, code, status, countsAsFailure: false })
        assert.lengthOf(
          (yield* rig.standIn.requests).filter(({ path }) => path === rig.path),
          1
        )
        assert.strictEqual((yield* rig.dependency.breaker.status).failures, 0)
      })
    )
  }

  it.scopedLive("429 system_busy is retried and counts", () =>
    Effect.gen(function* () {
      const rig = yield* elevenlabs()
      yield* rig.standIn.inject(Fault.ErrorStatus({ status: 429, code: "system_busy" }), { path: rig.path, times: 2 })
      yield* rig.call
      assert.lengthOf(
        (yield* rig.standIn.requests).filter(({ path }) => path === rig.path),
        3
      )
    })
  )

  it.scopedLive("a key without an agent is not configured", () =>
    Effect.gen(function* () {
      const rig = yield* elevenlabs({ ELEVENLABS_AGENT_ID: "" })
      const error = yield* Effect.flip(rig.call)
      assert.strictEqual(error.reason, "not-configured")
      assert.include(error.message, "ELEVENLABS_AGENT_ID is not set")
      assert.isFalse(rig.dependency.configured)
    })
  )
})
