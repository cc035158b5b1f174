/** The practice page: choose a prospect, talk, finish, learn. One stage at a time; the address bar says which. */
import type { CallDetails } from "../../dialdrill/calls/Wire.js"
import { ask, signIn, type Problem } from "./api.js"
import { toast } from "./banners.js"
import { callStage } from "./call.js"
import { choose } from "./choose.js"
import { byId, el, show } from "./dom.js"
import { nameOf, people } from "./people.js"
import { result } from "./result.js"
import { drawPast, drawPlans, welcomeBack } from "./side.js"
import { watch } from "./watch.js"

interface Stage {
  readonly title: string
  readonly node: HTMLElement
  /** What was missing may be there now. */
  readonly refresh?: () => void
  readonly leave?: () => void
  /** Where a keyboard should be; default the stage itself. */
  readonly focus?: () => void
}

const place = byId("stage")
const signedUrls = new Map<string, string>()
let stage: Stage | undefined
/** Answers that arrive after the user has gone elsewhere are not shown. */
let visit = 0

const enter = (next: Stage): void => {
  const isFirst = stage === undefined
  stage?.leave?.()
  stage = next
  document.title = `${next.title} · DialDrill`
  show(place, next.node)
  if (next.focus !== undefined) next.focus()
  else if (!isFirst) place.focus({ preventScroll: true })
  if (!isFirst) scrollTo(0, 0)
}

const goTo = (hash: string): void => {
  if (location.hash === hash) void route()
  else location.hash = hash
}

/** A page that cannot be shown says why, and tries again by itself when that can help. */
const stuck = (problem: Problem): void => {
  if (problem.status === 401) return enter(signInForm(problem.detail))
  const seconds = problem.status === 0 ? 3 : problem.retryAfterSeconds
  const timer = seconds === undefined ? undefined : setTimeout(() => void route(), Math.max(2, seconds) * 1000)
  enter({
    title: "Not right now",
    node: el(
      "div",
      {},
      el("h1", {}, problem.status === 404 ? "There is nothing here" : "Not right now"),
      el("p", {}, problem.detail),
      seconds !== undefined && el("p", { class: "muted" }, "This page tries again by itself."),
      el("a", { class: "button", href: "#/" }, "Start page")
    ),
    refresh: () => void route(),
    leave: () => clearTimeout(timer)
  })
}

const signInForm = (detail: string): Stage => {
  const input = el("input", { type: "password", "aria-label": "Access token", autocomplete: "off" })
  const form = el("form", { class: "say" }, input, el("button", { type: "submit" }, "Sign in"))
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    signIn(input.value.trim())
    drawAll()
  })
  return { title: "Sign in", node: el("div", {}, el("h1", {}, "Sign in"), el("p", {}, detail), form) }
}

const openStart = async (): Promise<void> => {
  const visited = visit
  const answer = await people()
  if (visited !== visit) return
  if (!answer.ok) return stuck(answer.problem)
  enter({
    title: "Your next call",
    node: choose({
      people: answer.value,
      onStarted: (call) => {
        if (call.signedUrl !== null) signedUrls.set(call.id, call.signedUrl)
        void drawPast()
        void drawPlans()
        goTo(`#/calls/${call.id}`)
      },
      onExisting: (id) => {
        toast("You are still on a call; here it is.")
        goTo(`#/calls/${id}`)
      }
    })
  })
}

const openCall = async (id: string): Promise<void> => {
  const visited = visit
  const [answer] = await Promise.all([ask<typeof CallDetails.Encoded>(`/api/calls/${id}`), people()])
  if (visited !== visit) return
  if (!answer.ok) return stuck(answer.problem)
  const call = answer.value
  const name = nameOf(call.personality)
  if (call.status === "completed") return enter({ title: `Result: ${name}`, ...result(call, name) })
  const onCompleted = () => {
    void drawPast()
    void route()
  }
  enter({
    title: `On the call: ${name}`,
    ...callStage({ call, name, signedUrl: signedUrls.get(id) ?? null, onCompleted })
  })
}

const route = async (): Promise<void> => {
  visit += 1
  const id = /^#\/calls\/([\w-]+)$/.exec(location.hash)?.[1]
  await (id === undefined ? openStart() : openCall(id))
}

const drawAll = (): void => {
  void route()
  void drawPast()
  void drawPlans()
}

addEventListener("hashchange", () => {
  // The skip link's target is a place on the page and not another page.
  if (location.hash !== `#${place.id}`) void route()
})
drawAll()
void welcomeBack()
watch({
  onChange: () => void drawPlans(),
  onHealed: () => {
    stage?.refresh?.()
    void drawPast()
  }
})
