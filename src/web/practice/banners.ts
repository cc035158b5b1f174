/**
 * What is limited right now, in the server's words, with the seconds until another try can help. A banner stays until
 * what it is about has healed or is no longer on the screen.
 */
import type { Degraded } from "../../dialdrill/Wire.js"
import { byId, el, show } from "./dom.js"

interface Banner {
  readonly message: string
  readonly until: number | undefined
}

const banners = new Map<string, Banner>()

const words = ({ until }: Banner): string => {
  if (until === undefined) return ""
  const seconds = Math.ceil((until - performance.now()) / 1000)
  return seconds > 0 ? ` Next try in ${seconds} s.` : " Trying again…"
}

const draw = (): void =>
  show(
    byId("banners"),
    ...[...banners.values()].map((banner) =>
      el("p", { class: "banner" }, `⚠ ${banner.message}`, el("span", {}, words(banner)))
    )
  )

setInterval(() => {
  if (banners.size > 0) draw()
}, 1000)

/** Shows what an answer lacks; `scope` is what on the page lacks it. */
export const degrade = (scope: string, entries: ReadonlyArray<Degraded>): void => {
  for (const key of banners.keys()) if (key.startsWith(`${scope}:`)) banners.delete(key)
  for (const entry of entries) {
    banners.set(`${scope}:${entry.service}`, {
      message: entry.message,
      until: entry.retryAfterSeconds === null ? undefined : performance.now() + entry.retryAfterSeconds * 1000
    })
  }
  draw()
}

export const healed = (scope: string): void => degrade(scope, [])

/** A message that goes by itself. */
export const toast = (message: string): void => {
  const box = el("div", { class: "toast" }, message)
  byId("toasts").append(box)
  setTimeout(() => box.remove(), 7000)
}
