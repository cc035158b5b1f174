/**
 * Takes the README's two pictures, `docs/images/degraded.png` and `healed.png`: the result of a practice call while
 * OpenAI fails, and the same page, never reloaded, after it has healed. Run with `npm run screenshots`.
 */
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { Fault } from "../../src/drill/standins/Fault.js"
import * as ElevenLabsStandIn from "../../src/drill/standins/ElevenLabsStandIn.js"
import * as OpenAiStandIn from "../../src/drill/standins/OpenAiStandIn.js"
import * as StripeStandIn from "../../src/drill/standins/StripeStandIn.js"
import { launch, visit } from "../support/Browser.js"
import { ready, root, startServer } from "../support/Server.js"
import { completedCall } from "./practice/support.js"

/** What a README can carry. */
const maxBytes = 150_000

const advice = {
  strengths: [
    "You gave a reason for the call that is about her work: “home care agencies lose hours to scheduling”.",
    "You played back what she said before you asked the next question."
  ],
  improvements: ["“What would it mean to get those hours back?” is strong. Wait for her number before you move on."],
  suggestedPhrases: ["You said it costs you hours: how many, in a bad week?"],
  recommendedPractice: ["Run the next call with one rule: two follow-up questions for every answer."]
}

const shoot = Effect.gen(function* () {
  const openAi = yield* OpenAiStandIn.make()
  yield* openAi.reply({ text: JSON.stringify(advice) })
  const elevenLabs = yield* ElevenLabsStandIn.make()
  const stripe = yield* StripeStandIn.make()
  yield* openAi.inject(Fault.ErrorStatus({ status: 500 }))
  const server = yield* Effect.acquireRelease(
    Effect.promise(() =>
      startServer({
        OPENAI_API_KEY: "sk-test",
        OPENAI_BASE_URL: openAi.baseUrl,
        OPENAI_RETRY_MAX_ATTEMPTS: "1",
        OPENAI_CIRCUIT_FAILURE_THRESHOLD: "1",
        OPENAI_CIRCUIT_RESET_TIMEOUT: "30s",
        OPENAI_PROBE_INTERVAL: "1s",
        ELEVENLABS_API_KEY: "xi-test",
        ELEVENLABS_AGENT_ID: "agent_test",
        ELEVENLABS_BASE_URL: elevenLabs.baseUrl,
        STRIPE_SECRET_KEY: "sk_test_1",
        STRIPE_BASE_URL: stripe.baseUrl
      })
    ),
    (server) => Effect.promise(() => server.stop())
  )
  const browser = yield* Effect.acquireRelease(Effect.promise(launch), (browser) =>
    Effect.promise(() => browser.close())
  )
  yield* Effect.promise(async () => {
    await ready(server.url, 120_000)
    const images = join(root, "docs/images")
    mkdirSync(images, { recursive: true })
    const path = await completedCall(server.url, "demo")
    const { page } = await visit(browser, server.url, { user: "demo", path, height: 740 })
    const picture = async (name: string): Promise<void> => {
      const file = join(images, name)
      await page.screenshot({ path: file })
      const { size } = statSync(file)
      if (size > maxBytes) throw new Error(`${file} has ${size} bytes, more than ${maxBytes}`)
    }
    await page.getByText("Built-in coach").waitFor()
    await page.getByText("Reduced service").waitFor()
    await page.locator(".banner", { hasText: "Next try in" }).waitFor()
    await picture("degraded.png")
    await Effect.runPromise(openAi.heal)
    await page.getByText("AI coach", { exact: true }).waitFor()
    await page.getByText("All systems work").waitFor()
    await page.locator(".banner").waitFor({ state: "detached" })
    await picture("healed.png")
  })
})

execFileSync(process.execPath, [".tools/build.mjs"], { cwd: root, stdio: "inherit" })
await Effect.runPromise(Effect.scoped(shoot))
