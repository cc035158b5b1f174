import { afterEach, assert, it } from "vitest"
import { launch, visit } from "../support/Browser.js"
import { describeWithBrowser } from "../support/BrowserSuite.js"
import { startServer } from "../support/Server.js"
import { cleanup } from "./practice/support.js"

describeWithBrowser("the API documentation", { timeout: 180_000 }, () => {
  const opened = cleanup()
  afterEach(opened.run)

  it("shows every feature with nothing from any other host", async () => {
    const server = await startServer()
    opened.add(() => server.stop())
    const browser = await launch()
    opened.add(() => browser.close())
    const { complaints, page } = await visit(browser, server.url, { path: "/docs", user: "reader" })
    await page.getByText("Sales-call practice that goes on").first().waitFor({ timeout: 60_000 })
    await page.getByText("/api/calls").first().waitFor()
    assert.deepStrictEqual(complaints(), [])
  })
})
