import { afterEach, assert, it } from "vitest"
import { join } from "node:path"
import { launch, visit } from "../../support/Browser.js"
import { describeWithBrowser } from "../../support/BrowserSuite.js"
import { ready, startServer, temporary } from "../../support/Server.js"
import { cleanup, finish, lines, say, start } from "./support.js"

describeWithBrowser("the practice page while the server is gone", { timeout: 180_000 }, () => {
  const opened = cleanup()
  afterEach(opened.run)

  it("keeps what was said, says that it is offline, and goes on when the server is back", async () => {
    const folder = await temporary()
    opened.add(folder.remove)
    const env = { DATA_DIR: join(folder.path, "data") }
    const first = await startServer(env)
    opened.add(() => first.stop())
    await ready(first.url, 90_000)
    const browser = await launch()
    opened.add(() => browser.close())
    const { complaints, page } = await visit(browser, first.url, { user: "patient" })
    await start(page)
    await say(page, lines[0]!)

    await first.stop()
    await page.getByText("Offline").waitFor()
    const banner = page.locator(".banner.warn", { hasText: "The server cannot be reached." })
    await banner.waitFor()
    const input = page.getByRole("textbox", { name: "What you say" })
    await input.fill(lines[1]!)
    await page.keyboard.press("Enter")
    await page.locator(".toast", { hasText: "What you said is kept" }).waitFor()
    assert.strictEqual(await input.inputValue(), lines[1])
    await page.getByText("Practise the call before it counts.").waitFor()

    const second = await startServer({ ...env, PORT: new URL(first.url).port })
    opened.add(() => second.stop())
    await banner.waitFor({ state: "detached" })
    await page.getByText("Running on built-ins").waitFor()
    assert.strictEqual(await input.inputValue(), lines[1])
    await say(page, lines[1]!)
    assert.strictEqual(await page.locator(".talk .user").count(), 2)
    await finish(page)
    assert.deepStrictEqual(
      complaints().filter(
        (text) => !/^Failed to load resource: (net::ERR_|the server responded with a status of 503)/.test(text)
      ),
      []
    )
  })
})
