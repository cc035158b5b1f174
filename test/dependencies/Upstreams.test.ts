import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Fault } from "../../src/drill/standins/Fault.js"
import { eventually } from "../support/eventually.js"
import { elevenlabs, openai, stripe, type Rig, type Start } from "./support.js"

const clients: Readonly<Record<string, Start>> = { openai, elevenlabs, stripe }

interface Expected {
  readonly fault: Fault
  readonly name?: string
  /** The reason of the client's own error, or the tag of a rejection. */
  readonly reason: string
  readonly attempts: number
  /** How many of the attempts the breaker counts. */
  readonly failures: number
}

const outage = { attempts: 3, failures: 3 }
const refusal = { attempts: 1, failures: 0 }

const matrix: ReadonlyArray<Expected> = [
  // Nothing arrives at a closed port, so the journal is empty.
  { fault: Fault.Refuse(), reason: "unreachable", attempts: 0, failures: 3 },
  { fault: Fault.Reset(), reason: "unreachable", ...outage },
  { fault: Fault.HangBeforeHeaders(), reason: "AttemptTimeout", ...outage },
  { fault: Fault.HangInsideBody(), reason: "AttemptTimeout", ...outage },
  { fault: Fault.Slow({ millis: 10_000 }), name: "Slow (beyond the limit)", reason: "AttemptTimeout", ...outage },
  { fault: Fault.Truncated(), reason: "unreachable", ...outage },
  { fault: Fault.Garbage(), reason: "unusable-answer", ...outage },
  { fault: Fault.WrongShape(), reason: "unusable-answer", ...outage },
  { fault: Fault.Oversize({ bytes: 3_000_000 }), reason: "unusable-answer", ...outage },
  { fault: Fault.HtmlError({ status: 500 }), reason: "unavailable", ...outage },
  { fault: Fault.ErrorStatus({ status: 500 }), name: "500", reason: "unavailable", ...outage },
  { fault: Fault.ErrorStatus({ status: 503 }), name: "503", reason: "unavailable", ...outage },
  { fault: Fault.ErrorStatus({ status: 429 }), name: "429", reason: "throttled", ...outage },
  { fault: Fault.ErrorStatus({ status: 401 }), name: "401", reason: "credentials", ...refusal },
  { fault: Fault.ErrorStatus({ status: 400 }), name: "400", reason: "invalid-request", ...refusal },
  {
    fault: Fault.ErrorStatus({ status: 503, retryAfter: "0.02" }),
    name: "503 with a short Retry-After",
    reason: "throttled",
    attempts: 3,
    failures: 0
  },
  {
    fault: Fault.ErrorStatus({ status: 429, retryAfter: "7" }),
    name: "429 with a long Retry-After",
    reason: "throttled",
    ...refusal
  }
]

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined

const asked = (rig: Rig) =>
  Effect.map(rig.standIn.requests, (requests) => requests.filter((request) => request.path === rig.path))

for (const [client, start] of Object.entries(clients)) {
  describe(`the client of ${client}`, () => {
    it.scopedLive("gets its answer, reuses its socket, and sends no trace headers to others", () =>
      Effect.gen(function* () {
        const rig = yield* start()
        for (let call = 0; call < 4; call++) yield* rig.call.pipe(Effect.withSpan("a request of ours"))
        const requests = yield* asked(rig)
        assert.lengthOf(requests, 4)
        for (const { headers } of yield* rig.standIn.requests) {
          assert.doesNotHaveAnyKeys(headers, ["traceparent", "tracestate", "b3", "baggage", "x-b3-traceid"])
        }
        // One for the calls, and one for the probe that runs beside them.
        assert.isAtMost(yield* rig.standIn.openSockets, 2)
      })
    )

    for (const { attempts, failures, fault, name, reason } of matrix) {
      it.scopedLive(
        `${name ?? fault._tag}: ${reason}, ${attempts} requests, ${failures} failures, no socket left`,
        () =>
          Effect.gen(function* () {
            const limit = reason === "AttemptTimeout" ? "200ms" : "5s"
            const rig = yield* start({ [`${client.toUpperCase()}_ATTEMPT_TIMEOUT`]: limit })
            yield* rig.health.probeNow(client)
            yield* rig.standIn.inject(fault, { path: rig.path })
            const error = yield* Effect.flip(rig.call)
            assert.strictEqual(field(error, "reason") === reason ? reason : field(error, "_tag"), reason)
            assert.lengthOf(yield* asked(rig), attempts)
            assert.strictEqual((yield* rig.dependency.breaker.status).failures, failures)
            if (reason !== "AttemptTimeout") {
              assert.strictEqual(field(error, "service"), client)
              assert.notInclude(String(field(error, "message")), "0123456789abcdef")
            }
            // A socket whose answer was read is kept for the next call, any other is closed. The probe may have one, too.
            const spoilt = ["unreachable", "AttemptTimeout"].includes(reason) || fault._tag === "Oversize"
            yield* eventually(rig.standIn.openSockets, (open) => open <= (spoilt ? 1 : 2))
            yield* eventually(asked(rig), (requests) => requests.every((request) => request.end !== "pending"))

            const recorded = yield* rig.health.getRecentErrors(10, client)
            assert.lengthOf(recorded, 1)
            assert.notInclude(JSON.stringify(recorded), "0123456789abcdef")
          })
      )
    }

    it.scopedLive("a caller who leaves closes the socket at once", () =>
      Effect.gen(function* () {
        const rig = yield* start()
        yield* rig.health.probeNow(client)
        yield* rig.standIn.inject(Fault.HangInsideBody(), { path: rig.path })
        const fiber = yield* Effect.fork(rig.call)
        yield* eventually(asked(rig), (requests) => requests.length === 1)
        yield* Fiber.interrupt(fiber)
        yield* eventually(asked(rig), ([request]) => request?.end === "abandoned")
        assert.strictEqual((yield* rig.dependency.breaker.status).failures, 0)
        assert.lengthOf(yield* rig.health.getRecentErrors(10, client), 0)
      })
    )

    it.scopedLive(
      "five failures open the circuit, nothing more is sent, and a healthy probe lets the next call heal it",
      () =>
        Effect.gen(function* () {
          const rig = yield* start({
            [`${client.toUpperCase()}_RETRY_MAX_ATTEMPTS`]: "1",
            [`${client.toUpperCase()}_CIRCUIT_RESET_TIMEOUT`]: "1h"
          })
          yield* rig.standIn.inject(Fault.ErrorStatus({ status: 500 }))
          for (let failure = 1; failure <= 5; failure++) {
            assert.strictEqual(field(yield* Effect.flip(rig.call), "reason"), "unavailable")
          }
          const rejected = yield* Effect.flip(rig.call)
          assert.strictEqual(field(rejected, "_tag"), "CircuitOpen")
          assert.lengthOf(yield* asked(rig), 5)
          assert.strictEqual((yield* rig.dependency.breaker.status).state, "open")

          yield* rig.standIn.heal
          yield* rig.health.probeNow(client)
          yield* rig.call
          assert.strictEqual((yield* rig.dependency.breaker.status).state, "closed")
          assert.lengthOf(yield* asked(rig), 6)
        })
    )

    it.scopedLive(
      "a dependency that asks for a minute's rest gets it, from calls and probes, and it counts as no failure",
      () =>
        Effect.gen(function* () {
          const rig = yield* start()
          yield* rig.health.probeNow(client)
          yield* rig.standIn.inject(Fault.ErrorStatus({ status: 503, retryAfter: "3600" }), { times: 1 })
          const first = yield* Effect.flip(rig.call)
          assert.deepStrictEqual(field(first, "retryAfter"), Duration.hours(1))
          const second = yield* Effect.flip(rig.call)
          assert.strictEqual(field(second, "_tag"), "CircuitOpen")
          assert.strictEqual(field(second, "reason"), "throttled")
          const hint = field(second, "retryAfter")
          assert.isTrue(Duration.isDuration(hint) && Duration.toSeconds(hint) > 55 && Duration.toSeconds(hint) <= 60)
          assert.lengthOf(yield* asked(rig), 1)
          // A probe may have been on its way when the rest began; the next ones ask nobody.
          yield* eventually(
            Effect.zipRight(rig.health.probeNow(client), rig.dependency.lastProbe),
            (probe) => probe?.status === "degraded"
          )
          yield* rig.standIn.forget
          yield* rig.health.probeNow(client)
          assert.lengthOf(yield* rig.standIn.requests, 0)
          assert.strictEqual((yield* rig.dependency.breaker.status).failures, 0)
        })
    )
  })
}
