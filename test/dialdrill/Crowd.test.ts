/**
 * The spec's first sentence: two hundred users at once walk the whole journey while OpenAI hangs and ElevenLabs answers
 * 500. All end with a success, and afterwards nothing is held that was taken.
 */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Fault } from "../../src/drill/standins/Fault.js"
import { metric, run, start, startLimit, transcript, until, type App } from "./support/App.js"

const users = 200

const turns = [
  "Hi, this is Sam from Acme. I am calling about your weekly reports. Do you have two minutes?",
  "How do you build them today?",
  "I understand that the price matters. What would a day each week be worth to you?",
  "Shall we meet on Tuesday at ten?"
]

describe("two hundred users at once", () => {
  let app: App
  beforeAll(async () => {
    app = await start({
      // The limits and the patience of the database's policy are not the subject, and this machine may be busy.
      RATE_LIMIT_READ: "100000/60s",
      RATE_LIMIT_COACHING: "100000/60s",
      DATABASE_DEADLINE: "29s",
      DATABASE_ATTEMPT_TIMEOUT: "20s",
      OPENAI_DEADLINE: "8s",
      OPENAI_ATTEMPT_TIMEOUT: "6s"
    })
  }, startLimit)
  afterAll(() => app?.close())

  it("all end with a success while OpenAI hangs and ElevenLabs fails", { timeout: 300_000 }, async () => {
    await run(app.openai.inject(Fault.HangBeforeHeaders()))
    await run(app.elevenlabs.inject(Fault.ErrorStatus({ status: 500 })))

    const journey = async (): Promise<void> => {
      const user = app.user()
      const call = await user.start()
      assert.strictEqual(call.mode, "simulated")
      for (const [index, text] of turns.entries()) {
        const { body, status } = await user.post(`/api/calls/${call.id}/turns`, { text })
        assert.strictEqual(status, 200, JSON.stringify(body))
        assert.strictEqual(body.turn, index + 1)
        if (body.ended) break
      }
      const { body: completed, status } = await user.post(`/api/calls/${call.id}/complete`)
      assert.strictEqual(status, 200, JSON.stringify(completed))
      assert.isAbove(completed.score.overall, 0)
      assert.strictEqual((await user.post("/api/score", { transcript })).status, 200)
      const coached = await user.post(`/api/calls/${call.id}/coaching`)
      assert.strictEqual(coached.status, 200, JSON.stringify(coached.body))
      assert.strictEqual(coached.body.source, "rules")
      assert.deepInclude(coached.body.degraded[0], { service: "openai" })
      const { body: list } = await user.get("/api/calls")
      assert.strictEqual(list.calls.length, 1)
      assert.strictEqual(list.calls[0].overall, completed.score.overall)
    }
    const ended = await Promise.allSettled(Array.from({ length: users }, journey))
    const failed = ended.flatMap((one) =>
      one.status === "rejected"
        ? [`${one.reason} ${one.reason instanceof Error ? String(one.reason.cause ?? "") : ""}`]
        : []
    )
    assert.deepStrictEqual(failed, [])

    // What was asked of the upstreams on the users' behalf ends by itself, and its sockets are closed.
    await until(
      () => run(app.openai.requests),
      (requests) => requests.every(({ end }) => end !== "pending")
    )
    const { body: during } = await app.get("/api/status")
    for (const name of ["openai", "elevenlabs"]) {
      const { circuitBreaker } = during.dependencies.find((one: { name: string }) => one.name === name)
      assert.notStrictEqual(circuitBreaker.state, "closed")
    }

    await run(app.openai.heal)
    await run(app.elevenlabs.heal)
    const healed = async (): Promise<boolean> => {
      const user = app.user()
      const { mode } = await user.start()
      return mode === "voice"
    }
    await until(healed, (voice) => voice, 120_000)
    const coach = app.user()
    const { id } = await coach.completed()
    await until(
      () => coach.post(`/api/calls/${id}/coaching`),
      ({ body }) => body.source === "openai",
      120_000
    )
    const { body: status } = await until(
      () => app.get("/api/status"),
      ({ body }) =>
        body.dependencies.every(
          ({ circuitBreaker }: { circuitBreaker: { state: string; probesInUse: number } }) =>
            circuitBreaker.state === "closed" && circuitBreaker.probesInUse === 0
        )
    )
    assert.isAbove(status.rateLimits.find(({ group }: { group: string }) => group === "CALLS").allowed, users * 6)

    // Permits are back: as many requests as there are permits get through at once.
    const crowd = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const user = app.user()
        const { id, mode } = await user.completed()
        return [mode, (await user.post(`/api/calls/${id}/coaching`)).body.source]
      })
    )
    for (const one of crowd) assert.deepStrictEqual(one, ["voice", "openai"])

    const { body: metrics } = await app.get("/metrics")
    const served = (status: string) => metric(metrics, "dialdrill_http_requests_total", { status })
    for (const status of ["429", "500", "503", "504"]) assert.strictEqual(served(status), 0, status)
    // A keep-alive connection or two may stay; one per user must not.
    assert.isAtMost(await run(app.openai.openSockets), 30)
    assert.isAtMost(await run(app.elevenlabs.openSockets), 15)
  })
})
