import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { elevenlabs, openai, stripe, type Start } from "./support.js"

/** A tracer that keeps what spans are told. */
const collecting = (told: Map<string, unknown>): Tracer.Tracer =>
  Tracer.make({
    span: (name, parent, context, links, startTime, kind) => ({
      _tag: "Span",
      name,
      spanId: "0123456789abcde0",
      traceId: "0123456789abcde00123456789abcde0",
      parent,
      context,
      links,
      kind,
      sampled: true,
      status: { _tag: "Started", startTime },
      attributes: told,
      end: () => {},
      attribute: (key, value) => void told.set(key, value),
      event: () => {},
      addLinks: () => {}
    }),
    context: (run) => run()
  })

const clients: Readonly<Record<string, Start>> = { openai, elevenlabs, stripe }

describe("UpstreamHttp", () => {
  for (const [client, start] of Object.entries(clients)) {
    it.scopedLive(`a call of ${client} is traced, without its key and without telling the upstream`, () =>
      Effect.gen(function* () {
        const told = new Map<string, unknown>()
        const rig = yield* start()
        yield* rig.call.pipe(Effect.withTracer(collecting(told)))
        assert.strictEqual(told.get("http.response.status_code"), 200)
        assert.notInclude(JSON.stringify([...told].map(([key, value]) => [key, String(value)])), '0123456789abcdef"')
        assert.include([...told.values()].map(String), "<redacted>")
        const [request] = (yield* rig.standIn.requests).filter(({ path }) => path === rig.path)
        assert.notProperty(request?.headers, "traceparent")
        assert.notProperty(request?.headers, "b3")
      })
    )
  }
})
