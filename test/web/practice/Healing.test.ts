import type { Browser, Page } from "playwright-core"
import * as Effect from "effect/Effect"
import { afterAll, afterEach, assert, beforeAll, it } from "vitest"
import * as ElevenLabsStandIn from "../../../src/drill/standins/ElevenLabsStandIn.js"
import { Fault } from "../../../src/drill/standins/Fault.js"
import * as OpenAiStandIn from "../../../src/drill/standins/OpenAiStandIn.js"
import type { StandIn } from "../../../src/drill/standins/StandIn.js"
import * as StripeStandIn from "../../../src/drill/standins/StripeStandIn.js"
import { launch, visit, type Visit } from "../../support/Browser.js"
import { describeWithBrowser } from "../../support/BrowserSuite.js"
import { ready, request, startServer, type RunningServer } from "../../support/Server.js"
import { cleanup, completedCall, finish, lines, opened, say, start } from "./support.js"

/** Quick to fail and quick to look again, so that a test sees in seconds what takes a minute by default. */
const quick = (dependency: string): Record<string, string> => ({
  [`${dependency}_RETRY_MAX_ATTEMPTS`]: "1",
  [`${dependency}_CIRCUIT_FAILURE_THRESHOLD`]: "2",
  [`${dependency}_CIRCUIT_RESET_TIMEOUT`]: "3s",
  [`${dependency}_PROBE_INTERVAL`]: "1s"
})

describeWithBrowser("the practice page while dependencies fail and heal", { timeout: 180_000 }, () => {
  const forAll = cleanup()
  const forEach = cleanup()
  let server: RunningServer
  let browser: Browser
  let openAi: OpenAiStandIn.OpenAiStandIn
  let elevenLabs: ElevenLabsStandIn.ElevenLabsStandIn
  let stripe: StripeStandIn.StripeStandIn

  beforeAll(async () => {
    openAi = await opened(forAll, OpenAiStandIn.make())
    elevenLabs = await opened(forAll, ElevenLabsStandIn.make())
    stripe = await opened(forAll, StripeStandIn.make())
    server = await startServer({
      OPENAI_API_KEY: "sk-test",
      OPENAI_BASE_URL: openAi.baseUrl,
      ELEVENLABS_API_KEY: "xi-test",
      ELEVENLABS_AGENT_ID: "agent_test",
      ELEVENLABS_BASE_URL: elevenLabs.baseUrl,
      STRIPE_SECRET_KEY: "sk_test_1",
      STRIPE_BASE_URL: stripe.baseUrl,
      ...quick("OPENAI"),
      ...quick("ELEVENLABS"),
      ...quick("STRIPE")
    })
    forAll.add(() => server.stop())
    await ready(server.url, 90_000)
    browser = await launch()
    forAll.add(() => browser.close())
  }, 120_000)
  afterEach(async () => {
    await forEach.run()
    for (const standIn of [openAi, elevenLabs, stripe]) await heal(standIn)
  })
  afterAll(forAll.run)

  const visitor = async (options: Visit) => {
    const visited = await visit(browser, server.url, options)
    forEach.add(visited.close)
    return visited
  }
  const heal = (standIn: StandIn) => Effect.runPromise(standIn.heal)
  const inject = (standIn: StandIn, fault: Fault, path = "") => Effect.runPromise(standIn.inject(fault, { path }))

  /** Until the server itself knows that all is well again, so that a test starts from there. */
  const wellAgain = async (service: string) => {
    const until = performance.now() + 90_000
    for (;;) {
      const { body } = await request(server.url, "/api/health?detailed=true")
      if (body.checks[service].status === "up") return
      assert.isBelow(performance.now(), until, `${service} did not heal: ${JSON.stringify(body.checks[service])}`)
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }

  const banner = (page: Page, text: string) => page.locator(".banner.warn", { hasText: text })
  const aiUnavailable = "AI coaching temporarily unavailable"

  const faults: ReadonlyArray<readonly [how: string, fault: Fault, path: string]> = [
    ["answers 500", Fault.ErrorStatus({ status: 500 }), ""],
    ["hangs", Fault.HangBeforeHeaders(), ""],
    ["fails where its health check does not see it", Fault.ErrorStatus({ status: 500 }), "/v1/responses"]
  ]
  for (const [how, fault, path] of faults) {
    it(`shows the rules' coaching while OpenAI ${how}, and the AI's when it has healed, with no reload`, async () => {
      await wellAgain("openai")
      await inject(openAi, fault, path)
      const user = `openai ${how}`.replaceAll(/\W/g, "-")
      const { complaints, page } = await visitor({ user, path: await completedCall(server.url, user) })
      let loads = 0
      page.on("load", () => (loads += 1))
      await page.getByText("Built-in coach").waitFor()
      await banner(page, aiUnavailable).waitFor()
      await banner(page, "Next try in").waitFor()

      await heal(openAi)
      await page.getByText("AI coach", { exact: true }).waitFor()
      await banner(page, aiUnavailable).waitFor({ state: "detached" })
      await page.getByText("All systems work").waitFor()
      assert.strictEqual(await page.getByText("Built-in coach").count(), 0)
      assert.strictEqual(loads, 0)
      assert.deepStrictEqual(complaints(), [])
    })
  }

  it("opens the voice line on the click and not before, and offers simulated mode when it fails", async () => {
    await wellAgain("elevenlabs")
    const { complaints, page } = await visitor({ user: "voice" })
    const lines: Array<string> = []
    page.on("websocket", (socket) => lines.push(socket.url()))
    await start(page)
    await page.getByText("Voice", { exact: true }).waitFor()
    const speak = page.getByRole("button", { name: "Start speaking" })
    await speak.waitFor()
    assert.deepStrictEqual(lines, [])

    await speak.click()
    await page.getByText("The voice line could not be opened. You can go on in simulated mode.").waitFor()
    assert.strictEqual(lines.length, 1)
    assert.isTrue(lines[0]?.startsWith(elevenLabs.baseUrl.replace("http", "ws")))

    await page.keyboard.press("Enter")
    await banner(page, "Using simulated mode").waitFor()
    await page.getByText("Simulated", { exact: true }).waitFor()
    await say(page, "Hi Maya, this is Sam from Brightline. Did I catch you at a bad time?")
    await finish(page)
    assert.deepStrictEqual(
      complaints().filter((text) => !text.startsWith("WebSocket connection to 'ws://127.0.0.1:")),
      []
    )
  })

  it("scores what was spoken", async () => {
    await wellAgain("elevenlabs")
    const { complaints, page } = await visitor({ user: "spoken" })
    let pongs = 0
    let chunks = 0
    await page.routeWebSocket(/\/v1\/convai\/conversation/, (line) => {
      const tell = (message: object) => line.send(JSON.stringify(message))
      line.onMessage((data) => {
        const message = JSON.parse(String(data))
        if (message.type === "pong") pongs += 1
        if ("user_audio_chunk" in message) chunks += 1
        if (message.type === "conversation_initiation_client_data") {
          tell({ type: "ping", ping_event: { event_id: 1 } })
          tell({ type: "audio", audio_event: { audio_base_64: Buffer.alloc(640).toString("base64"), event_id: 2 } })
          tell({ type: "agent_response", agent_response_event: { agent_response: "Hello, Maya speaking." } })
          tell({ type: "user_transcript", user_transcription_event: { user_transcript: lines[0] } })
        }
        if (chunks === 3) line.close({ code: 1000 })
      })
    })
    await page.reload()
    await start(page)
    await page.getByRole("button", { name: "Start speaking" }).click()
    await page.getByText("Hello, Maya speaking.").waitFor()
    await page.getByText("The conversation is over.").waitFor()
    assert.strictEqual(pongs, 1)
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "How it went" }).waitFor()
    await page.getByText("Your voice call with Maya Torres").waitFor()
    await page.locator("blockquote", { hasText: "Sam from Brightline" }).first().waitFor()
    assert.deepStrictEqual(complaints(), [])
  })

  it("says that a call is simulated because ElevenLabs fails, until it has healed", async () => {
    await wellAgain("elevenlabs")
    await inject(elevenLabs, Fault.ErrorStatus({ status: 500 }))
    const { complaints, page } = await visitor({ user: "simulated" })
    await start(page)
    await banner(page, "Using simulated mode").waitFor()
    await say(page, "Hi Maya, do you have a minute?")
    await page.getByText("Reduced service").waitFor()
    await heal(elevenLabs)
    await banner(page, "Using simulated mode").waitFor({ state: "detached" })
    await say(page, "What does your current process look like?")
    assert.deepStrictEqual(complaints(), [])
  })

  it("goes to Stripe to buy a plan, and says so while Stripe is down", async () => {
    await wellAgain("stripe")
    const { page } = await visitor({ user: "buyer" })
    await inject(stripe, Fault.ErrorStatus({ status: 500 }))
    const choose = page.getByRole("button", { name: "Choose Pro" })
    await choose.click()
    await page.locator(".toast", { hasText: "temporarily unavailable" }).waitFor()
    await banner(page, "Buying a plan is temporarily unavailable").waitFor()
    await heal(stripe)
    await banner(page, "Buying a plan is temporarily unavailable").waitFor({ state: "detached" })
    await choose.click()
    await page.waitForURL(`${stripe.baseUrl}/c/pay/**`)
    await page.goto(`${server.url}/?checkout=success`)
    await page.getByText("Your plan changes as soon as the payment is confirmed.").waitFor()
  })
})
