/** The practice page: choose a prospect, talk, finish, learn. One stage at a time; the address bar says which. */
import type { CallDetails, PersonalitySummary, StartedCall } from "../../dialdrill/calls/Wire.js"
import type { Degraded } from "../../dialdrill/Wire.js"
import { ask, health, signIn } from "./api.js"
import type { Health, Problem } from "./api.js"
import { degrade, healed, toast } from "./banners.js"
import { callStage } from "./call.js"
import { byId, el, show } from "./dom.js"
import { result } from "./result.js"
import { drawPast, drawPlans } from "./side.js"

const stage = byId("stage")
const signedUrls = new Map<string, string>()
let leave = (): void => {}
let refresh = (): void => {}

const enter = (node: Node, options: { readonly leave?: () => void; readonly refresh?: () => void } = {}): void => {
  leave()
  leave = options.leave ?? (() => {})
  refresh = options.refresh ?? (() => {})
  show(stage, node)
  stage.focus({ preventScroll: true })
}

const goTo = (hash: string): void => {
  if (location.hash === hash) void route()
  else location.hash = hash
}

/** A page that cannot be shown says why, and tries again by itself when that can help. */
const stuck = (problem: Problem): void => {
  if (problem.status === 401) return enter(signInForm(problem.detail))
  const seconds = problem.retryAfterSeconds ?? (problem.status === 0 ? 3 : undefined)
  const timer = seconds === undefined ? undefined : setTimeout(() => void route(), seconds * 1000)
  enter(
    el(
      "div",
      {},
      el("h1", {}, "Not right now"),
      el("p", {}, problem.detail),
      el("a", { class: "button", href: "#/" }, "Start page")
    ),
    { leave: () => clearTimeout(timer) }
  )
}

const signInForm = (detail: string): HTMLElement => {
  const input = el("input", { type: "password", "aria-label": "Access token", autocomplete: "off" })
  const form = el("form", { class: "say" }, input, el("button", { type: "submit" }, "Sign in"))
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    signIn(input.value.trim())
    void drawAll()
  })
  return el("div", {}, el("h1", {}, "Sign in"), el("p", {}, detail), form)
}

const start = async (personality: string, button: HTMLButtonElement): Promise<void> => {
  button.disabled = true
  const answer = await ask<typeof StartedCall.Encoded>("/api/calls", { body: { personality } })
  button.disabled = false
  if (answer.ok) {
    if (answer.value.signedUrl !== null) signedUrls.set(answer.value.id, answer.value.signedUrl)
    void drawPast()
    void drawPlans()
    return goTo(`#/calls/${answer.value.id}`)
  }
  const existing = answer.problem["existingCallId"]
  if (typeof existing === "string") {
    toast("You are still on a call; here it is.")
    return goTo(`#/calls/${existing}`)
  }
  toast(answer.problem.detail)
}

const choose = async (): Promise<void> => {
  const answer = await ask<{ readonly personalities: ReadonlyArray<typeof PersonalitySummary.Encoded> }>(
    "/api/personalities"
  )
  if (!answer.ok) return stuck(answer.problem)
  const cards = answer.value.personalities.map((person, index) =>
    el(
      "label",
      { class: "person" },
      el("input", { type: "radio", name: "personality", value: person.id, checked: index === 0 }),
      el("strong", {}, person.name),
      el("small", {}, `${person.title}, ${person.company}`),
      el("p", {}, person.description),
      el("span", { class: "badge" }, person.difficulty)
    )
  )
  const button = el("button", { type: "submit" }, "Start the call")
  const form = el("form", {}, el("fieldset", { class: "people" }, el("legend", {}, "Who picks up?"), ...cards), button)
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    void start(String(new FormData(form).get("personality")), button)
  })
  enter(
    el(
      "div",
      {},
      el("h1", {}, "Your next call"),
      el("p", { class: "muted" }, "Open, discover, handle what comes, and agree on a next step."),
      form
    )
  )
}

const openCall = async (id: string): Promise<void> => {
  const answer = await ask<typeof CallDetails.Encoded>(`/api/calls/${id}`)
  if (!answer.ok) return stuck(answer.problem)
  if (answer.value.status === "completed") {
    const view = result(answer.value)
    return enter(view.node, view)
  }
  const view = callStage({
    call: answer.value,
    signedUrl: signedUrls.get(id) ?? null,
    onCompleted: () => {
      void drawPast()
      void openCall(id)
    }
  })
  enter(view.node, view)
}

const route = async (): Promise<void> => {
  const id = /^#\/calls\/([\w-]+)$/.exec(location.hash)?.[1]
  await (id === undefined ? choose() : openCall(id))
}

const drawAll = async (): Promise<void> => {
  await Promise.all([route(), drawPast(), drawPlans()])
}

const limits: { readonly [service: string]: string } = {
  openai: "AI coaching temporarily unavailable",
  elevenlabs: "Using simulated mode",
  stripe: "Buying a plan is temporarily unavailable",
  database: "Calls are temporarily unavailable"
}

let lastFailing = ""

const watch = (now: Health | undefined): void => {
  const line = byId("health")
  line.dataset["status"] = now?.status ?? "unhealthy"
  line.textContent =
    now === undefined
      ? "Offline"
      : { healthy: "All systems work", degraded: "Reduced service", unhealthy: "Out of service" }[now.status]
  const failing = Object.entries(now?.checks ?? {}).filter(
    ([name, check]) => name in limits && /^(down|degraded)$/.test(check.status)
  )
  degrade(
    "health",
    failing.map(([service]): Degraded => ({
      service,
      reason: "failing",
      message: limits[service] ?? service,
      retryAfterSeconds: null
    }))
  )
  const names = failing.map(([name]) => name).join()
  if (names.length < lastFailing.length) {
    healed("call")
    refresh()
    void drawPast()
    void drawPlans()
  }
  lastFailing = names
}

const poll = async (): Promise<void> => {
  watch(await health())
  setTimeout(() => void poll(), 5000)
}

addEventListener("hashchange", () => void route())
void drawAll()
void poll()
