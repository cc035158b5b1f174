/**
 * Headless Chromium for the suites that look at the pages. Every visitor is a user of their own in a context of their
 * own, and everything that a page should never do is written down: errors, blocked content, requests to other hosts.
 */
import { chromium, type Browser, type Page } from "playwright-core"
import axe from "axe-core"

export const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium"
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // A microphone that needs neither hardware nor somebody to allow it.
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream"
    ]
  })

export interface Visitor {
  readonly page: Page
  /** Errors, blocked content and requests to other hosts so far. */
  readonly complaints: () => ReadonlyArray<string>
  readonly close: () => Promise<void>
}

export interface Visit {
  readonly user: string
  /** The part of the address after the host. */
  readonly path?: string
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: "light" | "dark"
}

export const visit = async (browser: Browser, url: string, options: Visit): Promise<Visitor> => {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1200, height: options.height ?? 800 },
    colorScheme: options.colorScheme ?? "light",
    locale: "en-US",
    extraHTTPHeaders: { "x-user-id": options.user }
  })
  const page = await context.newPage()
  // Generous: a machine that runs every suite at once is slow, and a page that is right gets there.
  page.setDefaultTimeout(60_000)
  const complaints: Array<string> = []
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
  })
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)))
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`)) complaints.push(`asked another host: ${request.url()}`)
  })
  await page.goto(`${url}${options.path ?? "/"}`)
  return { page, complaints: () => complaints, close: () => context.close() }
}

/** What axe-core finds wrong with the page as it is now, a line each. */
export const accessibilityFaults = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(axe.source)
  // Contrast is judged when nothing moves any more.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)))
  const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run())
  return violations.flatMap(({ help, id, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`))
}

/** How many pixels the page is wider than the window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** Presses Tab (or another key) until the focused element has this text or label. */
export const tabTo = async (page: Page, name: RegExp, key = "Tab"): Promise<void> => {
  const seen: Array<string> = []
  for (let presses = 0; presses < 40; presses++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      return element?.getAttribute("aria-label") ?? element?.closest("label")?.textContent ?? element?.textContent ?? ""
    })
    if (name.test(focused) && !/^\s*Skip to/.test(focused) && focused.length < 400) return
    seen.push(focused.slice(0, 40))
    await page.keyboard.press(key)
  }
  throw new Error(`The keyboard does not reach ${name}; it saw: ${seen.join(" | ")}`)
}
