/** The start page: whom to call, and what to do when the plan's calls are used up. */
import type { Plan } from "../../dialdrill/billing/Wire.js"
import type { StartedCall } from "../../dialdrill/calls/Wire.js"
import { ask, type Problem } from "./api.js"
import { toast } from "./banners.js"
import { el, muted, show } from "./dom.js"
import { face, type Person } from "./people.js"
import { offers } from "./side.js"

interface Chosen {
  readonly people: ReadonlyArray<Person>
  readonly onStarted: (call: typeof StartedCall.Encoded) => void
  /** The user is on another call already. */
  readonly onExisting: (id: string) => void
}

const card = (person: Person, index: number): HTMLElement =>
  el(
    "label",
    { class: "person" },
    el("input", { type: "radio", name: "personality", value: person.id, checked: index === 0 }),
    el(
      "span",
      { class: "who" },
      face(person.name),
      el("span", {}, el("strong", {}, person.name), el("small", {}, `${person.title}, ${person.company}`)),
      el("span", { class: "badge" }, person.difficulty)
    ),
    el("span", {}, person.description)
  )

const limitReached = (problem: Problem, plans: ReadonlyArray<typeof Plan.Encoded>): HTMLElement =>
  el(
    "section",
    { class: "limit", tabindex: -1, "aria-labelledby": "limit" },
    el("h2", { id: "limit" }, "This month’s calls are used up"),
    el("p", {}, problem.detail),
    offers(plans, false)
  )

export const choose = ({ onExisting, onStarted, people }: Chosen): HTMLElement => {
  const notice = el("div", {})
  const submit = el("button", { type: "submit" }, "Start the call")
  const form = el(
    "form",
    {},
    el("fieldset", { class: "people" }, el("legend", {}, "Who picks up?"), ...people.map(card)),
    submit
  )

  const start = async (): Promise<void> => {
    submit.disabled = true
    submit.textContent = "Dialling…"
    const body = { personality: String(new FormData(form).get("personality")) }
    const answer = await ask<typeof StartedCall.Encoded>("/api/calls", { body })
    submit.disabled = false
    submit.textContent = "Start the call"
    if (answer.ok) return onStarted(answer.value)
    const { existingCallId, plans } = answer.problem
    if (typeof existingCallId === "string") return onExisting(existingCallId)
    if (!Array.isArray(plans)) return toast(answer.problem.detail)
    const panel = limitReached(answer.problem, plans)
    show(notice, panel)
    panel.focus()
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    void start()
  })
  return el(
    "div",
    {},
    el("h1", {}, "Your next call"),
    muted("Open, discover, handle what comes, and agree on a next step."),
    notice,
    form
  )
}
