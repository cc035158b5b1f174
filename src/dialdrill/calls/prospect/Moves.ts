/**
 * The parts of a reply that rules put together: beats (one line each, with what speaking it changes), moves (a whole
 * reply), and the small ones that several rules share, such as raising an objection or asking a question of one's own.
 *
 * @since 0.1.0
 */
import { hash, pick, roll } from "./Chance.js"
import type { Stimulus } from "./Mood.js"
import { objectionFor, type Verdict } from "./Objections.js"
import type { Cue, Objection, Occasion, Personality } from "./Personality.js"
import type { Lines } from "./Speech.js"
import type { Memory, Outcome, State } from "./State.js"
import type { Heard, Slots } from "./Understanding.js"

/**
 * One line to be spoken, with what speaking it changes. An optional beat without a line left is skipped.
 *
 * @since 0.1.0
 * @category models
 */
export interface Beat {
  readonly lines: Lines
  readonly optional?: boolean
  readonly order?: "given"
  readonly slots?: Slots
  readonly memory?: Partial<Memory>
  readonly feelings?: ReadonlyArray<Stimulus>
}

/**
 * A whole reply.
 *
 * @since 0.1.0
 * @category models
 */
export interface Move {
  readonly beats: ReadonlyArray<Beat>
  readonly ends?: Outcome
}

/**
 * Everything a rule can look at. `state` has already taken in the turn: the memory is updated, the mood has moved.
 *
 * @since 0.1.0
 * @category models
 */
export interface Scene {
  readonly who: Personality
  readonly before: State
  readonly state: State
  readonly heard: Heard
  readonly repeated: boolean
  /** The call may not go on, whatever was said: the caller's plan allows no more. */
  readonly timeIsUp: boolean
  /** The objection that was on the table when the caller spoke, and what became of it. */
  readonly challenge: { readonly objection: Objection; readonly verdict: Verdict } | undefined
}

/** The interest from which on the prospect takes part: asks back, and nods instead of shrugging. */
export const WARM = 50

/** The trust that it takes to ask something of one's own. */
const OPEN = 45

/**
 * One move made of beats; those that are `undefined` are left out.
 *
 * @since 0.1.0
 * @category constructors
 */
export const moves = (...beats: ReadonlyArray<Beat | undefined>): ReadonlyArray<Move> => [
  { beats: beats.filter((beat) => beat !== undefined) }
]

/**
 * A beat that speaks one of the personality's lines for a cue.
 *
 * @since 0.1.0
 * @category constructors
 */
export const cue = ({ who }: Scene, name: Cue, more?: Omit<Beat, "lines">): Beat => ({
  lines: who.lines[name],
  ...more
})

/**
 * A move that ends the call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const leave = (scene: Scene, name: Cue, ends: Outcome = "hung-up"): ReadonlyArray<Move> => [
  { beats: [cue(scene, name)], ends }
]

/**
 * A beat that puts an objection on the table.
 *
 * @since 0.1.0
 * @category constructors
 */
export const raise = ({ state }: Scene, objection: Objection): Beat => ({
  lines: objection.raise,
  memory: {
    open: {
      id: objection.id,
      steps: { acknowledged: false, asked: false, answered: false, confirmed: false },
      ignored: 0
    },
    raised: [...state.memory.raised, objection.id],
    objectedAt: state.turn
  }
})

/**
 * A beat that raises the objection which fits the occasion, if one is due.
 *
 * @since 0.1.0
 * @category constructors
 */
export const object = (scene: Scene, occasion: Occasion): Beat | undefined => {
  const objection = objectionFor(scene.who, scene.state, occasion)
  return objection && raise(scene, objection)
}

/**
 * A question of the prospect's own: asked when the mood is good, and not in every turn.
 *
 * @since 0.1.0
 * @category constructors
 */
export const wonder = ({ who, state }: Scene): Beat | undefined => {
  const { mood, memory, turn } = state
  const due =
    memory.value > 0 &&
    memory.open === null &&
    mood.interest >= WARM &&
    mood.trust >= OPEN &&
    turn - memory.wonderedAt >= 2
  const left = who.curiosities.filter(({ ask }) => !state.said.includes(hash(ask)))
  const chosen = due ? pick(state, "curiosity", left) : undefined
  return (
    chosen && {
      lines: [chosen.ask],
      optional: true,
      memory: { pending: who.curiosities.indexOf(chosen), wonderedAt: turn }
    }
  )
}

/**
 * What comes after the main point: an objection, a question of one's own, or nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const afterthought = (scene: Scene, occasion: Occasion): Beat | undefined => {
  const objection = roll(scene.state, "afterthought") < 0.6 ? object(scene, occasion) : undefined
  return objection ? { ...objection, optional: true } : wonder(scene)
}

/**
 * What the prospect owes the caller first: relief about a settled objection, or thanks for an answer.
 *
 * @since 0.1.0
 * @category constructors
 */
export const reaction = ({ who, before, heard, challenge }: Scene): Beat | undefined => {
  if (challenge?.verdict === "settled") return { lines: challenge.objection.settle, optional: true }
  const { pending } = before.memory
  const curiosity = typeof pending === "number" && heard.claims > 0 ? who.curiosities[pending] : undefined
  return curiosity && { lines: [curiosity.heard], optional: true, feelings: ["answeredMe"] }
}
