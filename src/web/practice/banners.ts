/**
 * What is limited right now, in the server's words, with the seconds until another try can help. A banner stays until
 * what it is about has healed or is no longer on the screen.
 */
import type { Degraded } from "../../dialdrill/Wire.js"
import { byId, el } from "./dom.js"

interface Banner {
  readonly message: string
  /** `calm` is no outage: a service that this server was set up without, or good news. */
  readonly kind: "warn" | "calm"
  readonly detail: string
  /** On the page's clock. */
  readonly until: number | undefined
}

interface Shown {
  readonly node: HTMLElement
  readonly time: HTMLElement
}

const vendors: { readonly [service: string]: string } = { openai: "OpenAI", elevenlabs: "ElevenLabs" }

const scopes = new Map<string, ReadonlyArray<Banner>>()
const onScreen = new Map<string, Shown>()

const words = (banner: Banner): string => {
  if (banner.until === undefined) return banner.detail
  const seconds = Math.ceil((banner.until - performance.now()) / 1000)
  return seconds > 0 ? `Next try in ${seconds} s.` : banner.detail
}

/** The countdown is no news every second: it is there to be read, and not announced. */
const make = ({ kind, message }: Banner): Shown => {
  const time = el("span", { "aria-live": "off" })
  return { time, node: el("p", { class: `banner ${kind}` }, message, " ", time) }
}

/** One banner a message, whoever says it; those that stay are left in place, so that only news is announced. */
const draw = (): void => {
  const wanted = new Map<string, Banner>()
  for (const banner of [...scopes.values()].flat()) {
    const same = wanted.get(banner.message)
    if (same === undefined || same.until === undefined) wanted.set(banner.message, banner)
  }
  for (const [message, { node }] of onScreen) {
    if (wanted.has(message)) continue
    node.remove()
    onScreen.delete(message)
  }
  for (const [message, banner] of wanted) {
    const shown = onScreen.get(message) ?? make(banner)
    const text = words(banner)
    if (shown.time.textContent !== text) shown.time.textContent = text
    if (onScreen.has(message)) continue
    onScreen.set(message, shown)
    byId("banners").append(shown.node)
  }
}

setInterval(draw, 1000)

const put = (scope: string, banners: ReadonlyArray<Banner>): void => {
  scopes.set(scope, banners)
  draw()
}

/** Shows what an answer lacks; `scope` is what on the page lacks it, `afterwards` is said when the time to wait is over. */
export const degrade = (scope: string, entries: ReadonlyArray<Degraded>, afterwards = "Trying again…"): void =>
  put(
    scope,
    entries.map(({ message, reason, retryAfterSeconds, service }) => ({
      message,
      kind: reason === "not-configured" ? "calm" : "warn",
      detail:
        reason === "not-configured"
          ? `${vendors[service] ?? service} is not set up on this server.`
          : retryAfterSeconds === null
            ? ""
            : afterwards,
      until: retryAfterSeconds === null ? undefined : performance.now() + retryAfterSeconds * 1000
    }))
  )

export const tell = (scope: string, message: string): void =>
  put(scope, [{ message, kind: "calm", detail: "", until: undefined }])

export const healed = (scope: string): void => put(scope, [])

/** A message that goes by itself. */
export const toast = (message: string): void => {
  const box = el("div", { class: "toast" }, message)
  byId("toasts").append(box)
  setTimeout(() => box.remove(), 8000)
}
