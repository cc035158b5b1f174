/** What a call was worth: the score with its evidence, the metrics with what they rest on, and the coaching. */
import type { CallDetails } from "../../dialdrill/calls/Wire.js"
import type { Coaching } from "../../dialdrill/coaching/Wire.js"
import { ask } from "./api.js"
import { degrade, healed } from "./banners.js"
import { el, show } from "./dom.js"

type Details = typeof CallDetails.Encoded
type Advice = typeof Coaching.Encoded

const title = (camelCase: string): string => {
  const words = camelCase.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const scoreCard = (score: NonNullable<Details["score"]>): HTMLElement =>
  el(
    "div",
    {},
    el(
      "div",
      { class: "overall" },
      el("div", { class: "figure" }, score.overall.toFixed(1), el("small", {}, " / 10")),
      el("p", { class: "muted" }, `Five categories, scored by rubric ${score.rubricVersion} from what you said.`)
    ),
    ...score.categories.map((category) =>
      el(
        "section",
        { class: "category" },
        el("header", {}, el("h3", {}, title(category.category)), el("span", {}, `${category.score.toFixed(1)} / 10`)),
        el("meter", {
          min: 0,
          max: 10,
          low: 4,
          high: 7,
          optimum: 10,
          value: category.score,
          "aria-label": title(category.category)
        }),
        el("p", {}, category.feedback),
        ...category.evidence.slice(0, 3).map((evidence) => el("blockquote", {}, `“${evidence.quote}”`))
      )
    )
  )

const metrics = (analytics: NonNullable<Details["analytics"]>): HTMLElement =>
  el(
    "section",
    { class: "panel" },
    el("h2", {}, "Voice and conversation"),
    el(
      "table",
      {},
      el(
        "tbody",
        {},
        ...Object.entries(analytics).map(([name, metric]) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, title(name)),
            el("td", {}, metric.value === null ? "–" : `${metric.value} ${metric.unit}`),
            el("td", {}, el("span", { class: "badge" }, metric.basis))
          )
        )
      )
    )
  )

const list = (heading: string, items: ReadonlyArray<Node | string>): HTMLElement | false =>
  items.length > 0 && el("div", {}, el("h3", {}, heading), el("ul", {}, ...items.map((item) => el("li", {}, item))))

const advice = (coaching: Advice): ReadonlyArray<HTMLElement | false> => [
  el("p", {}, el("span", { class: "badge" }, coaching.source === "openai" ? "AI coach" : "Built-in coach")),
  list("What worked", coaching.strengths),
  list("What to change", coaching.improvements),
  list("Say instead", coaching.suggestedPhrases),
  list("Practise next", coaching.recommendedPractice)
]

export interface Result {
  readonly node: HTMLElement
  /** Asks for the coaching again, when what failed may have healed. */
  readonly refresh: () => void
  readonly leave: () => void
}

export const result = (call: Details): Result => {
  const box = el("div", {}, el("p", { class: "muted" }, "Your coach is reading the call…"))
  let timer: ReturnType<typeof setTimeout> | undefined
  let gone = false
  let settled = false

  const coach = async (): Promise<void> => {
    clearTimeout(timer)
    const answer = await ask<Advice>(`/api/calls/${call.id}/coaching`, { method: "POST" })
    if (gone) return
    if (!answer.ok) {
      const seconds = answer.problem.retryAfterSeconds
      show(box, el("p", { class: "muted" }, answer.problem.detail))
      if (seconds !== undefined) timer = setTimeout(() => void coach(), seconds * 1000)
      return
    }
    show(box, ...advice(answer.value))
    degrade("coaching", answer.value.degraded)
    settled = !answer.value.pending
    if (answer.value.pending) {
      const seconds = answer.value.degraded[0]?.retryAfterSeconds ?? 10
      timer = setTimeout(() => void coach(), seconds * 1000)
    }
  }

  degrade("call", call.degraded)
  const said = call.transcript.length > 0
  if (said) void coach()
  const node = el(
    "div",
    {},
    el("h1", {}, "How it went"),
    call.score ? scoreCard(call.score) : el("p", {}, "There is no transcript of this call, so it has no score."),
    said && el("section", { class: "panel" }, el("h2", {}, "Coaching"), box),
    call.analytics && metrics(call.analytics),
    el(
      "details",
      { class: "panel" },
      el("summary", {}, "What was said"),
      el(
        "div",
        { class: "talk" },
        ...call.transcript.map((turn) =>
          el("p", { class: turn.role }, el("b", {}, turn.role === "user" ? "You" : "Prospect"), turn.text)
        )
      )
    ),
    el("p", { class: "panel row" }, el("a", { class: "button", href: "#/" }, "Practise again"))
  )
  return {
    node,
    refresh: () => {
      if (said && !settled) void coach()
    },
    leave: () => {
      gone = true
      clearTimeout(timer)
      healed("coaching")
      healed("call")
    }
  }
}
