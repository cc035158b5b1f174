/**
 * The life of an objection: when one can come up, and how far the caller's turn brings the one that is on the table
 * along the four steps (acknowledge, ask, answer, confirm).
 *
 * @since 0.1.0
 */
import { pick } from "./Chance.js"
import type { Objection, Occasion, Personality } from "./Personality.js"
import type { State, Steps } from "./State.js"
import type { Act, Heard, Theme } from "./Understanding.js"

/**
 * What the caller's turn does to an open objection: it is `settled`; it was asked about and gets `explained`; it has
 * an answer but is only `halfway` there; it was merely `acknowledged`; or it was `ignored`.
 *
 * @since 0.1.0
 * @category models
 */
export type Verdict = "settled" | "explained" | "halfway" | "acknowledged" | "ignored"

/** Fewer words than this may reassure, but explain nothing. */
const ANSWER_WORDS = 5

/**
 * Acts that answer an objection of this theme even when the turn does not name it: that others profit answers "why
 * should I care", but nothing answers "I have no time" except to speak of time.
 */
const convincing: Readonly<Record<Theme, ReadonlyArray<Act>>> = {
  price: ["benefit", "proof", "reasoning"],
  need: ["benefit", "proof", "reasoning"],
  incumbent: ["benefit", "reasoning"],
  trust: ["proof"],
  effort: ["proof", "reasoning"],
  security: ["reasoning"],
  authority: [],
  time: [],
  email: []
}

const stepsIn = (heard: Heard, theme: Objection["theme"]): Steps => {
  const onTheme = heard.themes.has(theme)
  const acknowledged = heard.acts.has("acknowledgement")
  const substantial = onTheme || convincing[theme].some((act) => heard.acts.has(act))
  const asks = heard.questions.length > 0 && !heard.acts.has("proposal")
  const asksForTime = theme === "time" && heard.acts.has("permission")
  const curious = heard.questions.some(({ topic }) => topic === null)
  return {
    acknowledged,
    asked: asksForTime || (asks && (onTheme || acknowledged || curious)),
    answered: heard.claims >= ANSWER_WORDS && substantial,
    confirmed: heard.acts.has("confirmation")
  }
}

const both = (before: Steps, now: Steps): Steps => ({
  acknowledged: before.acknowledged || now.acknowledged,
  asked: before.asked || now.asked,
  answered: before.answered || now.answered,
  confirmed: before.confirmed || now.confirmed
})

/**
 * The steps taken after this turn, and the verdict. An objection is settled when it has an answer and two of the other
 * three steps; a confirmation counts only once there is an answer to confirm.
 *
 * @since 0.1.0
 * @category combinators
 */
export const progress = (
  before: Steps,
  heard: Heard,
  objection: Objection
): { readonly steps: Steps; readonly verdict: Verdict } => {
  const now = stepsIn(heard, objection.theme)
  const reached = both(before, now)
  const steps = { ...reached, confirmed: reached.confirmed && reached.answered }
  const others = [steps.acknowledged, steps.asked, steps.confirmed].filter(Boolean).length
  const verdict: Verdict =
    steps.answered && others >= 2
      ? "settled"
      : now.answered
        ? "halfway"
        : now.asked
          ? "explained"
          : now.acknowledged
            ? "acknowledged"
            : "ignored"
  return { steps, verdict }
}

/** Turns that must lie between two objections, so that a call is not an obstacle course. */
const pauseBefore: Readonly<Record<Occasion, number>> = {
  opening: 0,
  price: 1,
  competitor: 1,
  nextStep: 1,
  pitch: 2,
  questions: 3,
  lull: 3
}

/** The caller asks for these by what he says, so they come on top of the prospect's appetite for objections. */
const provoked: ReadonlyArray<Occasion> = ["price", "competitor", "nextStep"]

/**
 * The objection that this occasion brings up, if any: never while another one is open, never the same twice.
 *
 * @since 0.1.0
 * @category combinators
 */
export const objectionFor = (who: Personality, state: State, occasion: Occasion): Objection | undefined => {
  const { open, raised, objectedAt } = state.memory
  const first = raised.length === 0
  const due =
    open === null &&
    (first || state.turn - objectedAt >= pauseBefore[occasion]) &&
    (provoked.includes(occasion) || raised.length < who.temperament.appetite)
  const fitting = who.objections.filter(({ id, fits }) => fits.includes(occasion) && !raised.includes(id))
  return due ? pick(state, `objection/${occasion}`, fitting) : undefined
}
