/** What a call was worth: the score, the coaching, the evidence, and the metrics with what they rest on. */
import type { CallDetails } from "../../dialdrill/calls/Wire.js"
import type { Coaching } from "../../dialdrill/coaching/Wire.js"
import { ask } from "./api.js"
import { degrade, healed } from "./banners.js"
import { el, muted, show } from "./dom.js"

type Details = typeof CallDetails.Encoded
type Score = NonNullable<Details["score"]>
type Analytics = NonNullable<Details["analytics"]>
type Advice = typeof Coaching.Encoded

const verdict = (overall: number): string =>
  overall >= 7 ? "A strong call." : overall >= 4 ? "Getting there." : "Room to grow."

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** One sentence often shows several things; it is quoted once, and in its longest form. */
const quotes = ({ evidence }: Score["categories"][number]): ReadonlyArray<string> => {
  const all = [...new Set(evidence.map(({ quote }) => quote))]
  return all.filter((quote) => !all.some((other) => other !== quote && other.includes(quote))).slice(0, 3)
}

const category = (scored: Score["categories"][number]): HTMLElement =>
  el(
    "section",
    { class: "category" },
    el("header", {}, el("h3", {}, capital(scored.category)), el("span", {}, `${scored.score.toFixed(1)} / 10`)),
    el("meter", {
      min: 0,
      max: 10,
      low: 4,
      high: 7,
      optimum: 10,
      value: scored.score,
      "aria-label": capital(scored.category)
    }),
    el("p", {}, scored.feedback),
    ...quotes(scored).map((quote) => el("blockquote", {}, `“${quote}”`))
  )

const overall = (score: Score): HTMLElement =>
  el(
    "div",
    { class: "overall" },
    el("div", { class: "figure" }, score.overall.toFixed(1), el("small", {}, " / 10")),
    el("div", {}, el("h2", {}, verdict(score.overall)), muted("Scored from what you said; the proof is below."))
  )

const categories = (score: Score): HTMLElement =>
  el(
    "section",
    { class: "panel" },
    el("h2", {}, "Score and evidence"),
    el("div", { class: "grid" }, ...score.categories.map(category))
  )

/** What each metric is called, and what is worth aiming for where vendors agree. */
const labels: { readonly [Name in keyof Analytics]: readonly [name: string, aim?: string] } = {
  talkRatio: ["Your share of the talk", "35–50"],
  pace: ["Your pace", "140–160"],
  fillers: ["Filler words", "up to 2"],
  longestMonologue: ["Your longest monologue", "under 75"],
  longestProspectStory: ["Prospect’s longest story", "over 60"],
  questions: ["Questions you asked"],
  interactivity: ["Changes of speaker"],
  patience: ["Pause before you answer", "0.5–2"],
  interruptions: ["Interruptions"],
  silenceOverlap: ["Silence and overlap"],
  objections: ["Objections you got over", "over 85"],
  nextStep: ["Parts of a next step"],
  opening: ["Parts of an opening"]
}

const units: { readonly [unit: string]: string } = {
  percent: "%",
  "percent recovered": "%",
  seconds: "s",
  count: "",
  "words per minute": "words/min",
  "switches per minute": "per min"
}

const metrics = (analytics: Analytics): HTMLElement => {
  // Casts: the keys of a struct's value are those of its type.
  const names = Object.keys(analytics) as ReadonlyArray<keyof Analytics>
  const known = names.filter((name) => analytics[name].value !== null)
  const unknown = names.filter((name) => analytics[name].value === null)
  return el(
    "section",
    { class: "panel" },
    el("h2", {}, "Voice and conversation"),
    el(
      "dl",
      { class: "tiles" },
      ...known.map((name) => {
        const { basis, unit, value } = analytics[name]
        const [label, aim] = labels[name]
        return el(
          "div",
          {},
          el("dt", {}, label),
          el("dd", {}, el("strong", {}, String(value)), ` ${units[unit] ?? unit}`),
          el("dd", {}, el("small", {}, basis, aim !== undefined && `, aim for ${aim}`))
        )
      })
    ),
    unknown.length > 0 &&
      muted(`This call does not tell: ${unknown.map((name) => labels[name][0].toLowerCase()).join(", ")}.`)
  )
}

const list = (heading: string, items: ReadonlyArray<string>): HTMLElement | false =>
  items.length > 0 && el("div", {}, el("h3", {}, heading), el("ul", {}, ...items.map((item) => el("li", {}, item))))

const advice = (coaching: Advice): HTMLElement =>
  el(
    "div",
    { class: "grid" },
    list("What worked", coaching.strengths),
    list("What to change", coaching.improvements),
    list("Say instead", coaching.suggestedPhrases),
    list("Practise next", coaching.recommendedPractice)
  )

interface Result {
  readonly node: HTMLElement
  /** Asks for the coaching again, when what failed may have healed. */
  readonly refresh: () => void
  readonly leave: () => void
}

/** Seconds to the next try: what the server asks for, and longer each time, so that waiting costs no limit. */
const waitFor = (hint: number | null | undefined, tries: number): number =>
  Math.min(120, Math.max(hint ?? 10, 5 * 1.5 ** tries))

export const result = (call: Details, name: string): Result => {
  const box = el("div", { "aria-live": "polite" }, muted("Your coach is reading the call…"))
  const source = el("span", { class: "badge" })
  let timer: ReturnType<typeof setTimeout> | undefined
  let tries = 0
  let state: "asking" | "waiting" | "settled" | "gone" = "waiting"

  const again = (hint: number | null | undefined): number => {
    const seconds = Math.ceil(waitFor(hint, tries))
    tries += 1
    state = "waiting"
    timer = setTimeout(() => void coach(), seconds * 1000)
    return seconds
  }

  const coach = async (): Promise<void> => {
    if (state !== "waiting") return
    clearTimeout(timer)
    state = "asking"
    const answer = await ask<Advice>(`/api/calls/${call.id}/coaching`, { method: "POST" })
    // Cast: while the answer was on its way the user may have left, which the compiler does not see.
    if ((state as string) === "gone") return
    if (!answer.ok) {
      const { detail, retryAfterSeconds, status } = answer.problem
      // Advice that is on the screen stays there.
      if (source.textContent === "") show(box, muted(detail))
      if (status === 0 || retryAfterSeconds !== undefined) again(retryAfterSeconds)
      else state = "settled"
      return
    }
    const { degraded, pending } = answer.value
    source.textContent = answer.value.source === "openai" ? "AI coach" : "Built-in coach"
    show(box, advice(answer.value))
    state = "settled"
    const seconds = pending ? again(degraded[0]?.retryAfterSeconds) : undefined
    degrade(
      "coaching",
      degraded.map((entry) => ({ ...entry, retryAfterSeconds: seconds ?? entry.retryAfterSeconds }))
    )
  }

  // How the call was made is history here; what matters is what the result lacks.
  degrade(
    "call",
    call.degraded.filter(({ reason }) => reason === "no-transcript")
  )
  const said = call.transcript.length > 0
  if (said) void coach()
  return {
    node: el(
      "div",
      {},
      el("h1", {}, "How it went"),
      el("p", { class: "muted" }, `Your ${call.mode} call with ${name}`),
      call.score ? overall(call.score) : el("p", {}, "There is no transcript of this call, so it has no score."),
      said && el("section", { class: "panel" }, el("h2", {}, "Coaching ", source), box),
      call.score && categories(call.score),
      call.analytics && metrics(call.analytics),
      el(
        "details",
        { class: "panel" },
        el("summary", {}, "What was said"),
        el(
          "div",
          { class: "talk", tabindex: 0, role: "region", "aria-label": "Transcript" },
          ...call.transcript.map((turn) =>
            el("p", { class: turn.role }, el("b", {}, turn.role === "user" ? "You" : name), turn.text)
          )
        )
      ),
      el("p", { class: "panel row" }, el("a", { class: "button", href: "#/" }, "Practise again"))
    ),
    refresh: () => {
      tries = 0
      void coach()
    },
    leave: () => {
      state = "gone"
      clearTimeout(timer)
      healed("coaching")
      healed("call")
    }
  }
}
