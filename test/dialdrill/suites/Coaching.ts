/** The routes of coaching, while OpenAI is well, and where its answer is none although it is well. */
import { assert, describe, it } from "vitest"
import { Fault } from "../../../src/drill/standins/Fault.js"
import { run, type App } from "../support/App.js"

export const coaching = (app: () => App): void => {
  const asked = async (): Promise<number> =>
    (await run(app().openai.requests)).filter(({ path }) => path === "/v1/responses").length

  describe("POST /api/calls/{id}/coaching", () => {
    it("asks OpenAI once, and then gives what is stored", async () => {
      const user = app().user()
      const { id } = await user.completed()
      const before = await asked()
      const { body, status } = await user.post(`/api/calls/${id}/coaching`)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(Object.keys(body).sort(), [
        "degraded",
        "improvements",
        "pending",
        "recommendedPractice",
        "source",
        "strengths",
        "suggestedPhrases"
      ])
      assert.deepInclude(body, { source: "openai", pending: false, degraded: [] })
      assert.isNotEmpty(body.strengths)
      assert.deepStrictEqual((await user.post(`/api/calls/${id}/coaching`)).body, body)
      assert.deepStrictEqual((await user.get(`/api/calls/${id}/coaching`)).body, body)
      assert.strictEqual(await asked(), before + 1)
    })

    it("shares one request to OpenAI among those who ask at the same time", async () => {
      const user = app().user()
      const { id } = await user.completed()
      const before = await asked()
      await run(app().openai.inject(Fault.Slow({ millis: 1500 }), { path: "/v1/responses", times: 1 }))
      const replies = await Promise.all(Array.from({ length: 5 }, () => user.post(`/api/calls/${id}/coaching`)))
      for (const { body } of replies) assert.deepStrictEqual(body, replies[0]?.body)
      assert.strictEqual(replies[0]?.body.source, "openai")
      assert.strictEqual(await asked(), before + 1)
    })

    it("answers by rules when the account is empty, which is no outage", async () => {
      const user = app().user()
      const { id } = await user.completed()
      const empty = Fault.ErrorStatus({ status: 429, code: "insufficient_quota" })
      const before = await asked()
      await run(app().openai.inject(empty, { path: "/v1/responses", times: 1 }))
      const { body } = await user.post(`/api/calls/${id}/coaching`)
      assert.deepInclude(body, { source: "rules", message: "AI coaching temporarily unavailable", pending: false })
      assert.deepStrictEqual(body.degraded, [
        {
          service: "openai",
          reason: "quota",
          message: "AI coaching temporarily unavailable",
          retryAfterSeconds: null
        }
      ])
      assert.strictEqual(await asked(), before + 1, "it was tried again")
      const { body: status } = await app().get("/api/status")
      const { circuitBreaker } = status.dependencies.find(({ name }: { name: string }) => name === "openai")
      assert.deepInclude(circuitBreaker, { state: "closed", failures: 0 })
      assert.deepStrictEqual((await user.get(`/api/calls/${id}/coaching`)).body, body)
      assert.strictEqual((await user.post(`/api/calls/${id}/coaching`)).body.source, "openai")
      assert.strictEqual((await user.get(`/api/calls/${id}/coaching`)).body.source, "openai")
    })

    it.each([
      ["declines to answer", "refusal"],
      ["stops before its end", "incomplete"],
      ["answers something else", { text: "Well done!" }]
    ] as const)("answers by rules when the model %s", async (_, reply) => {
      const user = app().user()
      const { id } = await user.completed()
      await run(app().openai.reply(reply))
      const { body, status } = await user.post(`/api/calls/${id}/coaching`)
      await run(app().openai.reply("instance"))
      assert.strictEqual(status, 200)
      assert.strictEqual(body.source, "rules")
      assert.isNotEmpty(body.improvements)
    })

    it("refuses a call without a score with 409", async () => {
      const user = app().user()
      const { id } = await user.start()
      const active = await user.post(`/api/calls/${id}/coaching`)
      assert.strictEqual(active.status, 409)
      assert.strictEqual(active.body.code, "call-not-scored")
      await user.post(`/api/calls/${id}/complete`)
      assert.strictEqual((await user.post(`/api/calls/${id}/coaching`)).status, 409)
    })
  })

  describe("GET /api/calls/{id}/coaching", () => {
    it("asks nobody, and answers 404 while nothing is stored", async () => {
      const user = app().user()
      const { id } = await user.completed()
      const before = await asked()
      const { body, status } = await user.get(`/api/calls/${id}/coaching`)
      assert.strictEqual(status, 404)
      assert.strictEqual(body.code, "no-coaching-yet")
      assert.strictEqual(await asked(), before)
    })
  })
}
