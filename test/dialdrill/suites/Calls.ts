/** The routes of calls: what each answers when all is well, and every way in which the user can be in the wrong. */
import { assert, describe, it } from "vitest"
import { Fault } from "../../../src/drill/standins/Fault.js"
import { run, transcript, until, type App } from "../support/App.js"

const nobody = "00000000-0000-4000-8000-000000000000"

export const calls = (app: () => App): void => {
  describe("POST /api/calls", () => {
    it("starts a voice call with the signed URL of a conversation", async () => {
      const user = app().user()
      const { body, headers, status } = await user.post("/api/calls", { personality: "walt" })
      assert.strictEqual(status, 201)
      const { id, signedUrl, startedAt, ...rest } = body
      assert.deepStrictEqual(rest, {
        mode: "voice",
        personality: "walt",
        status: "active",
        opening: null,
        degraded: []
      })
      assert.match(id, /^[\da-f-]{36}$/)
      assert.match(signedUrl, /^ws:\/\/.*agent_id=agent_1/)
      assert.closeTo(Date.parse(startedAt), Date.now(), 60_000)
      assert.include(headers.get("content-type"), "application/json")
    })

    it("takes no body for a call to whoever picks up", async () => {
      const { body, status } = await app().user().post("/api/calls")
      assert.strictEqual(status, 201)
      assert.isNotEmpty(body.personality)
    })

    it("refuses a second call with 409 and the id of the first", async () => {
      const user = app().user()
      const { id } = await user.start()
      const { body, status } = await user.post("/api/calls", {})
      assert.strictEqual(status, 409)
      assert.strictEqual(body.code, "active-call-exists")
      assert.strictEqual(body.existingCallId, id)
      assert.strictEqual(body.instance, "/api/calls")
      assert.isNotEmpty(body.requestId)
    })

    it("lets one of two starts at the same moment win, and names it to the other", async () => {
      const user = app().user()
      const replies = await Promise.all([user.post("/api/calls", {}), user.post("/api/calls", {})])
      const won = replies.find(({ status }) => status === 201)
      const lost = replies.find(({ status }) => status === 409)
      assert.strictEqual(lost?.body.existingCallId, won?.body.id)
    })

    it("refuses a personality that does not exist with 400 and says where", async () => {
      const { body, headers, status } = await app().user().post("/api/calls", { personality: "nobody" })
      assert.strictEqual(status, 400)
      assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/)
      assert.deepInclude(body.issues[0], { path: ["personality"] })
      assert.isNotEmpty(body.issues[0].message)
    })

    it("is simulated for the one call for which ElevenLabs has no line free, which is no failure", async () => {
      const { elevenlabs } = app()
      const busy = Fault.ErrorStatus({ status: 429, code: "too_many_concurrent_requests" })
      await run(elevenlabs.inject(busy, { path: "/v1/convai", times: 1 }))
      const call = await app().user().start()
      assert.strictEqual(call.mode, "simulated")
      assert.isNull(call.signedUrl)
      assert.isNotEmpty(call.opening)
      assert.deepInclude(call.degraded[0], { service: "elevenlabs", reason: "busy", message: "Using simulated mode" })
      const { body } = await app().get("/api/status")
      const { circuitBreaker } = body.dependencies.find(({ name }: { name: string }) => name === "elevenlabs")
      assert.deepInclude(circuitBreaker, { state: "closed", failures: 0 })
      assert.strictEqual((await app().user().start()).mode, "voice")
    })

    it(
      "answers 402 with the plans that have more once the month's calls are used up",
      { timeout: 120_000 },
      async () => {
        const user = app().user()
        for (let n = 0; n < 20; n++) {
          const { id } = await user.start()
          assert.strictEqual((await user.post(`/api/calls/${id}/complete`, {})).status, 200)
        }
        const { body, status } = await user.post("/api/calls", {})
        assert.strictEqual(status, 402)
        assert.strictEqual(body.code, "plan-limit")
        assert.deepStrictEqual(
          body.plans.map(({ id }: { id: string }) => id),
          ["starter", "pro"]
        )
        assert.include(body.detail, "Starter")
        assert.include(body.detail, "Pro")
        const { body: billing } = await user.get("/api/billing")
        assert.deepInclude(billing, { callsUsed: 20, callsRemaining: 0 })
      }
    )
  })

  describe("POST /api/calls/{id}/simulate", () => {
    it("goes on with a voice call in simulated mode, and answers the same when asked again", async () => {
      const user = app().user()
      const voice = await user.start("daniel")
      const { body, status } = await user.post(`/api/calls/${voice.id}/simulate`)
      assert.strictEqual(status, 200)
      assert.deepInclude(body, {
        id: voice.id,
        mode: "simulated",
        signedUrl: null,
        personality: "daniel",
        status: "active",
        startedAt: voice.startedAt
      })
      assert.isNotEmpty(body.opening)
      assert.deepInclude(body.degraded[0], { service: "elevenlabs", message: "Using simulated mode" })
      const again = await user.post(`/api/calls/${voice.id}/simulate`)
      assert.deepStrictEqual(again.body, body)
      await user.post(`/api/calls/${voice.id}/turns`, { text: "Hello, do you have a minute?" })
      assert.deepStrictEqual((await user.post(`/api/calls/${voice.id}/simulate`)).body, body)
    })

    it("refuses a completed call with 409", async () => {
      const user = app().user()
      const { id } = await user.completed()
      const { body, status } = await user.post(`/api/calls/${id}/simulate`)
      assert.strictEqual(status, 409)
      assert.strictEqual(body.code, "call-completed")
    })
  })

  describe("POST /api/calls/{id}/turns", () => {
    const simulated = async (user: ReturnType<App["user"]>): Promise<string> => {
      const { id } = await user.start()
      await user.post(`/api/calls/${id}/simulate`)
      return id
    }

    it("refuses a voice call with 409 and names the way out", async () => {
      const user = app().user()
      const { id } = await user.start()
      const { body, status } = await user.post(`/api/calls/${id}/turns`, { text: "Hello?" })
      assert.strictEqual(status, 409)
      assert.strictEqual(body.code, "voice-call")
      assert.strictEqual(body.simulate, `/api/calls/${id}/simulate`)
      assert.include(body.detail, body.simulate)
      assert.strictEqual((await user.post(body.simulate)).status, 200)
    })

    it("answers what the prospect says and counts the user's turns", async () => {
      const user = app().user()
      const id = await simulated(user)
      const first = await user.post(`/api/calls/${id}/turns`, { text: "Hello, this is Sam. Do you have a minute?" })
      assert.strictEqual(first.status, 200)
      assert.deepStrictEqual(Object.keys(first.body).sort(), ["ended", "reply", "turn"])
      assert.isNotEmpty(first.body.reply)
      assert.deepInclude(first.body, { turn: 1, ended: false })
      const second = await user.post(`/api/calls/${id}/turns`, { text: "How do you build your reports?" })
      assert.strictEqual(second.body.turn, 2)
    })

    it("puts two turns of the same moment one after the other", async () => {
      const user = app().user()
      const id = await simulated(user)
      const say = (text: string) => user.post(`/api/calls/${id}/turns`, { text })
      const replies = await Promise.all([say("Hello there, this is Sam."), say("Do you have a minute for me?")])
      assert.deepStrictEqual(replies.map(({ body }) => body.turn).sort(), [1, 2])
      const { body } = await user.get(`/api/calls/${id}`)
      assert.strictEqual(body.transcript.filter(({ role }: { role: string }) => role === "user").length, 2)
    })

    it("says so when the prospect has hung up, and names what is left to do", async () => {
      const user = app().user()
      const id = await simulated(user)
      const monologue = "our product is the best and it does everything for everyone ".repeat(60).slice(0, 3900)
      const ended = await until(
        async () => (await user.post(`/api/calls/${id}/turns`, { text: monologue })).body.ended,
        (ended) => ended === true
      )
      assert.isTrue(ended)
      const { body, status } = await user.post(`/api/calls/${id}/turns`, { text: "Are you there?" })
      assert.strictEqual(status, 409)
      assert.strictEqual(body.code, "call-ended")
      assert.strictEqual(body.complete, `/api/calls/${id}/complete`)
    })

    it("refuses a completed call with 409", async () => {
      const user = app().user()
      const id = await simulated(user)
      await user.post(`/api/calls/${id}/complete`, {})
      const { body, status } = await user.post(`/api/calls/${id}/turns`, { text: "One more thing." })
      assert.strictEqual(status, 409)
      assert.strictEqual(body.code, "call-completed")
    })

    it.each([{}, { text: "" }, { text: 7 }, { text: "x".repeat(4001) }, []])("refuses %j with 400", async (sent) => {
      const user = app().user()
      const id = await simulated(user)
      const { body, status } = await user.post(`/api/calls/${id}/turns`, sent)
      assert.strictEqual(status, 400)
      assert.isNotEmpty(body.issues)
    })

    it("keeps a text that the database could not hold as it is", async () => {
      const user = app().user()
      const id = await simulated(user)
      const { status } = await user.post(`/api/calls/${id}/turns`, {
        text: "Hello\u0000 there \ud800, do you hear me?"
      })
      assert.strictEqual(status, 200)
      const { body } = await user.get(`/api/calls/${id}`)
      assert.strictEqual(body.transcript[1].text, "Hello\ufffd there \ufffd, do you hear me?")
    })
  })

  describe("POST /api/calls/{id}/complete", () => {
    it("scores a transcript and answers a second completion with the first one's result", async () => {
      const user = app().user()
      const { id } = await user.start()
      const { body, status } = await user.post(`/api/calls/${id}/complete`, { transcript, durationSeconds: 95 })
      assert.strictEqual(status, 200)
      assert.deepInclude(body, { id, status: "completed", degraded: [] })
      assert.isAbove(body.score.overall, 0)
      assert.deepStrictEqual(
        body.score.categories.map(({ category }: { category: string }) => category),
        ["opening", "discovery", "objections", "clarity", "closing"]
      )
      assert.strictEqual(Object.keys(body.analytics).length, 13)
      const again = await user.post(`/api/calls/${id}/complete`, { transcript: [{ role: "user", text: "Bye." }] })
      assert.strictEqual(again.status, 200)
      assert.deepStrictEqual(again.body, body)
      assert.deepStrictEqual((await user.post(`/api/calls/${id}/complete`)).body, body)
    })

    it("gives two completions of the same moment one result", async () => {
      const user = app().user()
      const { id } = await user.start()
      const complete = (said: ReadonlyArray<object>) => user.post(`/api/calls/${id}/complete`, { transcript: said })
      const [one, other] = await Promise.all([complete(transcript), complete(transcript.slice(0, 2))])
      assert.deepStrictEqual(one.body, other.body)
    })

    it("uses the turns of a simulated call when no transcript comes", async () => {
      for (const sent of [undefined, {}, { transcript: [] }]) {
        const user = app().user()
        const { id } = await user.start()
        await user.post(`/api/calls/${id}/simulate`)
        await user.post(`/api/calls/${id}/turns`, { text: transcript[1].text })
        const { body } = await user.post(`/api/calls/${id}/complete`, sent)
        assert.isAbove(body.score.overall, 0)
        assert.deepStrictEqual(body.degraded, [])
      }
    })

    it("cannot score a voice call without a transcript, and says why", async () => {
      for (const sent of [undefined, {}, { transcript: [] }]) {
        const user = app().user()
        const { id } = await user.start()
        const { body, status } = await user.post(`/api/calls/${id}/complete`, sent)
        assert.strictEqual(status, 200)
        assert.isNull(body.score)
        assert.strictEqual(body.degraded.length, 1)
        assert.deepInclude(body.degraded[0], { reason: "no-transcript", retryAfterSeconds: null })
        assert.deepStrictEqual((await user.get(`/api/calls/${id}`)).body.degraded, body.degraded)
      }
    })

    it("scores a transcript of one word 0, with the reason", async () => {
      const user = app().user()
      const { id } = await user.start()
      const { body } = await user.post(`/api/calls/${id}/complete`, { transcript: [{ role: "user", text: "Hello" }] })
      assert.strictEqual(body.score.overall, 0)
      assert.match(body.score.categories[0].feedback, /Nothing to score/)
    })

    it.each([
      [{ transcript: "all of it" }, ["transcript"]],
      [{ transcript: [{ role: "caller", text: "Hi" }] }, ["transcript", 0, "role"]],
      [{ transcript: [{ role: "user" }] }, ["transcript", 0, "text"]],
      [{ durationSeconds: -1 }, ["durationSeconds"]]
    ])("refuses %j with 400 and says where", async (sent, path) => {
      const user = app().user()
      const { id } = await user.start()
      const { body, status } = await user.post(`/api/calls/${id}/complete`, sent)
      assert.strictEqual(status, 400)
      assert.deepInclude(
        body.issues.map((issue: { path: ReadonlyArray<unknown> }) => issue.path.map(String)),
        path.map(String)
      )
      assert.strictEqual((await user.get(`/api/calls/${id}`)).body.status, "active")
    })
  })

  describe("GET /api/calls", () => {
    it("lists the user's calls, newest first, and shows one with all that is known of it", async () => {
      const user = app().user()
      const first = await user.completed()
      const second = await user.start("victoria")
      const { body, status } = await user.get("/api/calls")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(
        body.calls.map(({ id, status }: { id: string; status: string }) => [id, status]),
        [
          [second.id, "active"],
          [first.id, "completed"]
        ]
      )
      const { body: one } = await user.get(`/api/calls/${first.id}`)
      assert.deepStrictEqual(one.transcript, transcript)
      assert.strictEqual(one.score.overall, body.calls[1].overall)
      assert.isNull(body.calls[0].overall)
    })

    it("is empty for a new user", async () => {
      assert.deepStrictEqual((await app().user().get("/api/calls")).body, { calls: [] })
    })

    it("says who can be called", async () => {
      const { body } = await app().get("/api/personalities")
      assert.isAtLeast(body.personalities.length, 3)
    })
  })

  describe("another user's call, and one that does not exist", () => {
    const routes: ReadonlyArray<[string, string, object?]> = [
      ["GET", ""],
      ["POST", "/simulate"],
      ["POST", "/turns", { text: "Hello" }],
      ["POST", "/complete", { transcript }],
      ["POST", "/coaching"],
      ["GET", "/coaching"]
    ]
    it.each(routes)("%s /api/calls/{id}%s answers 404", async (method, path, body) => {
      const stranger = app().user()
      const { id } = await app().user().start()
      for (const named of [id, nobody, "nope", "%00"]) {
        const url = `/api/calls/${named}${path}`
        const reply = method === "GET" ? await stranger.get(url) : await stranger.post(url, body)
        assert.strictEqual(reply.status, 404, `${url}: ${JSON.stringify(reply.body)}`)
        assert.strictEqual(reply.body.code, "call-not-found")
      }
      // To the database these were answers: its circuit counts none, and its errors list none.
      const { body: status } = await app().get("/api/status")
      const { circuitBreaker } = status.dependencies.find((one: { name: string }) => one.name === "database")
      assert.deepInclude(circuitBreaker, { state: "closed", failures: 0 })
      assert.deepStrictEqual((await app().get("/api/errors?service=database")).body.errors, [])
    })
  })
}
