import type { Browser } from "playwright-core"
import { afterAll, afterEach, assert, beforeAll, expect, it } from "vitest"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { accessibilityFaults, launch, overflow, tabTo, visit, type Visit } from "../../support/Browser.js"
import { describeWithBrowser } from "../../support/BrowserSuite.js"
import { ready, request, root, startServer, type RunningServer } from "../../support/Server.js"
import { cleanup, completedCall, finish, lines, say, start } from "./support.js"

describeWithBrowser("the practice page without any key", { timeout: 180_000 }, () => {
  let server: RunningServer
  let browser: Browser
  const opened = cleanup()

  beforeAll(async () => {
    server = await startServer()
    await ready(server.url, 90_000)
    browser = await launch()
  }, 120_000)
  afterEach(opened.run)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  const visitor = async (options: Visit) => {
    const visited = await visit(browser, server.url, options)
    opened.add(visited.close)
    return visited
  }

  it("takes a user from the choice to the score, the coaching, the past calls and the plans", async () => {
    const { complaints, page } = await visitor({ user: "journey" })
    await start(page)
    await page.getByText("Using simulated mode").waitFor()
    for (const line of lines) await say(page, line)
    await finish(page)

    const sections = page.locator(".category")
    await expect.poll(() => sections.count()).toBe(5)
    await page.getByText("“I'm calling because home care agencies lose hours to scheduling.”").first().waitFor()
    for (const section of await sections.all()) {
      const quotes = await section.locator("blockquote").allTextContents()
      assert.strictEqual(new Set(quotes).size, quotes.length, "an evidence is shown twice")
    }
    await page.getByText("Built-in coach").waitFor()
    await page.getByRole("heading", { name: "What to change" }).waitFor()
    await page.getByText("AI coaching temporarily unavailable").waitFor()
    await page.getByText("Your share of the talk").waitFor()
    await page.getByText(/This call does not tell: .*silence and overlap/).waitFor()

    const past = page.getByRole("link", { name: /Maya Torres.*\/ 10/ })
    await past.waitFor()
    await page.getByText("Free: 1 of 20 calls used this month.").waitFor()
    await page.getByText("Starter · $12 a month").waitFor()

    await page.getByRole("link", { name: "Practise again" }).click()
    await page.getByRole("button", { name: "Start the call" }).waitFor()
    await past.click()
    await page.getByRole("heading", { name: "How it went" }).waitFor()
    assert.deepStrictEqual(complaints(), [])
  })

  it("is no outage: what is not set up is said calmly, and nothing can be bought by accident", async () => {
    const { page } = await visitor({ user: "calm" })
    await page.getByText("Running on built-ins").waitFor()
    assert.strictEqual(await page.locator(".banner").count(), 0)
    await page.getByText("Plans cannot be bought on this server").waitFor()
    assert.isTrue(await page.getByRole("button", { name: "Choose Pro" }).isDisabled())
    await start(page)
    await page.locator(".banner.calm", { hasText: "Using simulated mode" }).waitFor()
    assert.strictEqual(await page.locator(".banner.warn").count(), 0)
  })

  it("works by keyboard alone, on a phone, in the dark", async () => {
    const { complaints, page } = await visitor({ user: "keyboard", width: 390, height: 844, colorScheme: "dark" })
    await page.getByRole("button", { name: "Start the call" }).waitFor()
    await page.keyboard.press("Tab")
    assert.strictEqual(await page.evaluate(() => document.activeElement?.textContent), "Skip to the call")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await tabTo(page, /Maya Torres/)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { level: 1, name: "Walt Brennan" }).waitFor()
    assert.strictEqual(await overflow(page), 0)
    for (const line of [...lines.slice(0, 2), `Look at ${"wide".repeat(60)}.`]) {
      const before = await page.locator(".talk .agent").count()
      await page.keyboard.type(line)
      await page.keyboard.press("Enter")
      await page.locator(".talk .agent", { hasNotText: /…$/ }).nth(before).waitFor()
      assert.strictEqual(await overflow(page), 0)
    }
    await tabTo(page, /Finish and score/, "Shift+Tab")
    await page.keyboard.press("Enter")
    await page.getByText("Built-in coach").waitFor()
    assert.strictEqual(await overflow(page), 0)
    await tabTo(page, /What was said/)
    await page.keyboard.press("Enter")
    await page.getByText("widewide").last().waitFor()
    assert.strictEqual(await overflow(page), 0)
    await tabTo(page, /Practise again/)
    await page.keyboard.press("Enter")
    await page.getByRole("button", { name: "Start the call" }).waitFor()
    assert.deepStrictEqual(complaints(), [])
  })

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has nothing that axe finds wrong (${colorScheme})`, async () => {
      const { page } = await visitor({ user: `axe-${colorScheme}`, colorScheme })
      await page.getByText("Plans cannot be bought on this server").waitFor()
      assert.deepStrictEqual(await accessibilityFaults(page), [])
      await start(page)
      for (const line of lines.slice(0, 2)) await say(page, line)
      assert.deepStrictEqual(await accessibilityFaults(page), [])
      await finish(page)
      await page.getByText("Built-in coach").waitFor()
      await page.getByText("What was said").click()
      assert.deepStrictEqual(await accessibilityFaults(page), [])
    })
  }

  it("goes to the score when the prospect has hung up, also after a reload", async () => {
    const { page } = await visitor({ user: "hung-up" })
    await start(page, "Victoria Chen")
    const monologue = Array.from({ length: 60 }, (_, i) => `We also have feature number ${i}, which is the best.`).join(
      " "
    )
    const over = page.getByText("Victoria Chen has left the call.")
    for (let turns = 0; turns < 12 && !(await over.isVisible()); turns++) {
      await say(page, monologue)
    }
    await over.waitFor()
    const button = page.getByRole("button", { name: "Finish and score" })
    assert.strictEqual(await button.count(), 1)
    assert.isTrue(await button.evaluate((element) => element === document.activeElement))
    await page.reload()
    await page.getByRole("textbox", { name: "What you say" }).fill("Hello?")
    await page.keyboard.press("Enter")
    await over.waitFor()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "How it went" }).waitFor()
  })

  it("goes back to the call that the user is still on", async () => {
    await request(server.url, "/api/calls", { user: "busy", body: { personality: "daniel" } })
    const { page } = await visitor({ user: "busy" })
    await page.getByRole("button", { name: "Start the call" }).click()
    await page.getByText("You are still on a call; here it is.").waitFor()
    await page.getByRole("heading", { level: 1, name: "Daniel Krause" }).waitFor()
  })

  it("shows the plans where the user looks when the month's calls are used up, and a few of many past calls", async () => {
    for (let calls = 0; calls < 20; calls++) await completedCall(server.url, "heavy")
    const { page } = await visitor({ user: "heavy" })
    await page.getByText("Free: 20 of 20 calls used this month.").waitFor()
    assert.strictEqual(await page.locator("#past li").count(), 6)
    await page.getByRole("button", { name: "All 20 calls" }).click()
    await expect.poll(() => page.locator("#past li").count()).toBe(20)
    await page.getByRole("button", { name: "Start the call" }).click()
    const notice = page.locator("#stage .limit")
    await notice.getByText("You have used all 20 calls of your Free plan this month.").waitFor()
    await notice.getByRole("button", { name: "Choose Pro" }).waitFor()
    assert.isTrue(await notice.evaluate((element) => element === document.activeElement))
    assert.deepStrictEqual(await accessibilityFaults(page), [])
  })

  it("says how a checkout ended and cleans the address", async () => {
    const cancelled = await visitor({ user: "checkout", path: "/?checkout=cancelled" })
    await cancelled.page.getByText("The checkout was cancelled; nothing was bought.").waitFor()
    assert.strictEqual(cancelled.page.url(), `${server.url}/`)
    const paid = await visitor({ user: "checkout", path: "/?checkout=success" })
    await paid.page.getByText("Thank you! Your plan changes as soon as the payment is confirmed.").waitFor()
    assert.strictEqual(paid.page.url(), `${server.url}/`)
  })

  it("says that there is no such call", async () => {
    const { page } = await visitor({ user: "lost", path: "/#/calls/00000000-0000-4000-8000-000000000000" })
    await page.getByText("There is no such call.").waitFor()
    await page.getByRole("link", { name: "Start page", exact: true }).click()
    await page.getByRole("button", { name: "Start the call" }).waitFor()
  })

  it("is under 30 kB, all files together, and forbids everything inline", async () => {
    const files = ["main.js", "main.css", "index.html", "microphone.js"]
    const sizes = await Promise.all(files.map((file) => stat(join(root, "dist/web/practice", file))))
    assert.isBelow(
      sizes.reduce((sum, { size }) => sum + size, 0),
      30_000
    )
    const { headers } = await request(server.url, "/")
    const policy = headers.get("content-security-policy") ?? ""
    assert.include(policy, "default-src 'none'")
    assert.include(policy, "script-src 'self';")
    assert.include(policy, "style-src 'self';")
    assert.notInclude(policy, "unsafe")
  })

  it("answers a browser that has the page already with 304, also behind a proxy that weakens the tag", async () => {
    const { headers } = await request(server.url, "/practice/main.js")
    const again = await request(server.url, "/practice/main.js", {
      headers: { "if-none-match": `W/${headers.get("etag")}` }
    })
    assert.strictEqual(again.status, 304)
  })
})
