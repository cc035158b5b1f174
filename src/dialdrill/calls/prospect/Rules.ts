/**
 * What a prospect does next: a list of rules in the order in which a person would notice things, from "nobody is
 * there" through "that is rude" and "you want a meeting" down to "go on". A rule answers with moves, best first; a
 * move that has no unspoken line left is passed over. Rules know moods and memories but no personality: the words, and
 * how much it takes, are in `personalities/`.
 *
 * @since 0.1.0
 */
import { roll } from "./Chance.js"
import type { Stimulus } from "./Mood.js"
import {
  afterthought,
  cue,
  leave,
  moves,
  object,
  raise,
  reaction,
  WARM,
  wonder,
  type Move,
  type Scene
} from "./Moves.js"
import type { Cue, Objection, Personality } from "./Personality.js"
import type { Memory, State } from "./State.js"
import type { Heard, Topic } from "./Understanding.js"

type Rule = (scene: Scene) => ReadonlyArray<Move>

/** No practice call goes on for longer; at two sentences a turn this is a quarter of an hour. */
const MAX_TURNS = 60

/** How often a next step can be refused, and how often a turn can be lost on the line. */
const MAX_REFUSALS = 4
const MAX_LOST_TURNS = 3

// --- Things that end a call or stop it -------------------------------------------------------------------------------

const nobodyThere: Rule = (scene) => {
  const { heard, state } = scene
  if (heard.kind === "speech") return []
  const words = heard.kind === "silence" ? "silence" : "foreign"
  return state.memory.lost < MAX_LOST_TURNS
    ? [...moves(cue(scene, words)), ...leave(scene, "leavesSilence")]
    : leave(scene, "leavesSilence")
}

const rudeness: Rule = (scene) => {
  const { heard, state } = scene
  if (heard.acts.has("abusive") || (heard.acts.has("rude") && state.memory.rudeness > 1)) {
    return leave(scene, "leavesRude")
  }
  return heard.acts.has("rude") ? moves(cue(scene, "rude")) : []
}

const monologue: Rule = (scene) => {
  const { annoys, ends } = scene.who.temperament.monologue
  const { words } = scene.heard
  return words >= ends
    ? leave(scene, "leavesMonologue")
    : words >= annoys
      ? [...moves(cue(scene, "interrupt")), ...leave(scene, "leavesMonologue")]
      : []
}

const repetition: Rule = (scene) =>
  !scene.repeated
    ? []
    : scene.state.memory.repetitions > 1
      ? leave(scene, "leavesRepetition")
      : moves(cue(scene, "repeat"))

const timeGone: Rule = (scene) =>
  scene.timeIsUp || scene.state.turn >= MAX_TURNS ? leave(scene, "leavesTime", "parted") : []

const patienceGone: Rule = (scene) => (scene.state.mood.patience <= 0 ? leave(scene, "leavesImpatient") : [])

const goodbye: Rule = (scene) =>
  scene.heard.acts.has("goodbye") && scene.heard.questions.length === 0 && !scene.heard.acts.has("proposal")
    ? leave(scene, scene.state.mood.trust >= WARM ? "leavesKindly" : "leavesCoolly", "parted")
    : []

// --- The objection on the table --------------------------------------------------------------------------------------

const challenged: Rule = (scene) => {
  const { challenge, state, heard } = scene
  const { open, dropped } = state.memory
  if (challenge === undefined || open === null) return []
  const { objection, verdict } = challenge
  // Whoever passes over an objection to ask something else gets the answer, and the objection again.
  const aside = (answer(scene)[0]?.beats ?? []).map((beat) => ({ ...beat, optional: true }))
  switch (verdict) {
    case "explained":
      return [...moves({ lines: objection.explain }), ...answer(scene), ...moves(cue(scene, "yourTurn"))]
    case "halfway":
      return moves(cue(scene, "halfway"))
    case "acknowledged":
      return moves(cue(scene, "goOn"))
    case "ignored": {
      const pushes = heard.acts.has("proposal")
      const refusals = state.memory.refusals + (pushes ? 1 : 0)
      if (refusals >= MAX_REFUSALS) return leave(scene, "leavesPushed")
      const feelings: ReadonlyArray<Stimulus> = pushes ? ["ignoredObjection", "pushed"] : ["ignoredObjection"]
      const insist = { lines: objection.insist, memory: { refusals, open: { ...open, ignored: 1 } }, feelings }
      const giveUp = cue(scene, "dropped", {
        slots: { concern: objection.concern },
        memory: { refusals, open: null, dropped: isMomentary(objection) ? dropped : [...dropped, objection.id] },
        feelings
      })
      return [...(open.ignored === 0 ? moves(...aside, insist) : []), ...moves(...aside, giveUp)]
    }
    case "settled":
      return []
  }
}

/** An objection to the moment of the call passes with it; any other one is kept for later. */
const isMomentary = ({ fits }: Objection): boolean => fits.every((occasion) => occasion === "opening")

// --- The next step ---------------------------------------------------------------------------------------------------

/**
 * What a next step still lacks, in the order in which a prospect would say so.
 *
 * @since 0.1.0
 * @category combinators
 */
export const lacking = (
  { bar }: Personality,
  { memory, mood }: State
): "closure" | "discovery" | "value" | "trust" | "objections" | null =>
  memory.open !== null || memory.dropped.length > 0
    ? "closure"
    : memory.learned.length < bar.facts
      ? "discovery"
      : memory.value < bar.value || mood.interest < bar.interest
        ? "value"
        : mood.trust < bar.trust
          ? "trust"
          : memory.settled.length < bar.settled
            ? "objections"
            : null

/** The last objection to a day that is on the table has just been settled: no need to be asked again. */
const comesRound = ({ who, state, challenge }: Scene): boolean =>
  challenge?.verdict === "settled" && state.memory.offered && lacking(who, state) === null

const nextStep: Rule = (scene) => {
  const { who, state, heard } = scene
  const { memory } = state
  const day = heard.slots.when !== undefined || memory.offered
  if (!heard.acts.has("proposal") && !(memory.willing && day) && !comesRound(scene)) return []

  const refuse = (name: Cue): ReadonlyArray<Move> =>
    memory.refusals + 1 >= MAX_REFUSALS
      ? leave(scene, "leavesPushed")
      : [
          ...moves(
            reaction(scene),
            cue(scene, name, { memory: { refusals: memory.refusals + 1 }, feelings: ["pushed"] })
          ),
          ...leave(scene, "leavesPushed")
        ]
  const agree: ReadonlyArray<Move> = day
    ? moves(reaction(scene), cue(scene, "agree")).map((move) => ({ ...move, ends: "agreed" }))
    : [
        ...moves(reaction(scene), cue(scene, "askDay", { memory: { willing: true, pending: "day" } })),
        ...leave(scene, "leavesVague", "parted")
      ]

  switch (lacking(who, state)) {
    case "closure": {
      const [id, ...others] = memory.dropped
      const objection = who.objections.find((one) => one.id === id)
      const reopened = objection && { ...raise(scene, objection).memory, raised: memory.raised, dropped: others }
      return objection === undefined || reopened === undefined
        ? []
        : moves(cue(scene, "reopen", { slots: { concern: objection.concern }, memory: reopened }))
    }
    case "discovery":
      return refuse("refuseDiscovery")
    case "value":
      return refuse("refuseValue")
    case "trust":
      return refuse("refuseTrust")
    case "objections": {
      const objection = object(scene, "nextStep")
      return objection ? moves(reaction(scene), objection) : agree
    }
    case null:
      return agree
  }
}

// --- Opening and courtesies ------------------------------------------------------------------------------------------

const guardUp = (scene: Scene): ReadonlyArray<Move> => {
  const objection = roll(scene.state, "guard") < scene.who.temperament.guard ? object(scene, "opening") : undefined
  return objection ? moves(objection) : []
}

const permission: Rule = (scene) =>
  !scene.heard.acts.has("permission")
    ? []
    : [
        ...(scene.before.memory.permission ? [] : guardUp(scene)),
        ...moves(cue(scene, scene.state.mood.patience >= 45 ? "granted" : "grudging")),
        ...moves(cue(scene, "grudging"))
      ]

const greeting: Rule = (scene) => {
  const { heard, before } = scene
  const greets = heard.acts.has("greeting") || heard.acts.has("introduction")
  return greets && !before.memory.greeted && heard.questions.length === 0 && heard.claims < 15
    ? [
        ...(heard.acts.has("introduction") ? guardUp(scene) : []),
        ...moves(cue(scene, heard.acts.has("smallTalk") ? "smallTalk" : "welcome"))
      ]
    : []
}

const smallTalk: Rule = (scene) => (scene.heard.acts.has("smallTalk") ? moves(cue(scene, "smallTalk")) : [])

// --- Money, competitors, questions -----------------------------------------------------------------------------------

const price: Rule = (scene) => {
  const { heard, state } = scene
  const money = heard.acts.has("price") || heard.questions.some(({ topic }) => topic === "budget")
  if (!money) return []
  if (state.memory.value > 0) return heard.acts.has("price") ? moves(reaction(scene), cue(scene, "fairPrice")) : []
  const objection = object(scene, "price")
  return objection ? moves(reaction(scene), objection) : []
}

const competitor: Rule = (scene) => {
  const name = scene.heard.slots.competitor
  const news = name === undefined || name !== scene.before.memory.slots.competitor
  if (!scene.heard.acts.has("competitor") || !news || reaction(scene)) return []
  const objection = object(scene, "competitor")
  return [
    ...(name === undefined ? [] : moves(cue(scene, "competitor"), objection && { ...objection, optional: true })),
    ...(objection ? moves(objection) : [])
  ]
}

const topicNames: Readonly<Record<Topic, string>> = {
  budget: "our budget",
  decision: "who decides here",
  impact: "what it costs us",
  timing: "our calendar",
  team: "our headcount",
  pain: "our problems",
  goal: "our plans",
  tool: "what we use"
}

const answer: Rule = (scene) => {
  const { who, state, heard } = scene
  const question = heard.questions.findLast(({ topic }) => topic !== null)
  const topic = question?.topic
  if (question === undefined || topic == null) return []
  if (state.memory.onlyAsked >= 5 && state.memory.onlyAsked % 4 === 1) return moves(cue(scene, "interrogated"))

  const fact = who.facts[topic]
  const slots = { topic: topicNames[topic] }
  const asked = { asked: [...new Set([...state.memory.asked, topic])] }
  const learned = { ...asked, learned: [...new Set([...state.memory.learned, topic])] }
  const lead = heard.questions.length >= 3 ? cue(scene, "manyQuestions", { optional: true }) : reaction(scene)
  const told = moves(
    lead,
    { lines: fact.told, order: "given", memory: learned },
    lead ? wonder(scene) : afterthought(scene, "questions")
  )
  const again = moves(lead, cue(scene, "again", { slots }), wonder(scene))

  if (state.mood.trust < fact.trust) return moves(lead, cue(scene, "guarded", { slots, memory: asked }))
  return question.kind === "closed" && !state.memory.learned.includes(topic)
    ? [...moves(lead, { lines: fact.brief, memory: asked }), ...told]
    : [...told, ...again]
}

const dodged: Rule = (scene) => {
  const { before, heard } = scene
  const evades = heard.questions.length > 0 && heard.claims === 0 && !heard.acts.has("acknowledgement")
  return typeof before.memory.pending === "number" && evades
    ? moves(cue(scene, "dodged", { feelings: ["dodgedMe"] }))
    : []
}

const deflection: Rule = (scene) =>
  scene.heard.questions.length > 0 ? moves(reaction(scene), cue(scene, "deflect"), wonder(scene)) : []

// --- Statements ------------------------------------------------------------------------------------------------------

const pitch: Rule = (scene) => {
  const { who, state, heard } = scene
  if (!heard.acts.has("benefit") && heard.claims < 8) return []
  const { memory } = state
  const lead = reaction(scene)
  const objection = object(scene, "pitch")
  // Who has just been reassured does not object in the same breath.
  if (lead) return relieved(scene)
  return [
    ...(meets(who, memory, heard) ? moves(cue(scene, "tied"), wonder(scene)) : []),
    ...(memory.neverAsked >= 3 && memory.learned.length < who.bar.facts ? moves(cue(scene, "unasked")) : []),
    ...(objection && roll(state, "pitch") < (memory.learned.length === 0 ? 0.7 : 0.4) ? moves(objection) : []),
    ...moves(cue(scene, "pitched"), wonder(scene))
  ]
}

const relieved: Rule = (scene) => {
  const lead = reaction(scene)
  return lead ? moves({ ...lead, optional: false }, wonder(scene)) : []
}

const gratitude: Rule = (scene) =>
  scene.heard.acts.has("thanks") && scene.heard.claims < 3 ? moves(cue(scene, "thanks"), wonder(scene)) : []

const lull: Rule = (scene) => {
  const objection = object(scene, "lull")
  return objection && roll(scene.state, "lull") < 0.5 ? moves(objection) : []
}

const listening: Rule = (scene) => {
  const warm = scene.state.mood.interest >= WARM
  return [...moves(cue(scene, warm ? "warm" : "cool"), wonder(scene)), ...moves(cue(scene, warm ? "cool" : "warm"))]
}

/** Everything has been said: whoever still talks goes round in circles, and a person would end the call. */
const nothingLeft: Rule = (scene) => leave(scene, "leavesTime", "parted")

/**
 * Whether a benefit meets a problem of this prospect that the caller has been told about.
 *
 * @since 0.1.0
 * @category predicates
 */
export const meets = (who: Personality, memory: Memory, heard: Heard): boolean =>
  heard.acts.has("benefit") &&
  (memory.learned.includes("pain") || memory.learned.includes("impact")) &&
  heard.tokens.some((token) => who.pain.some((stem) => token.startsWith(stem)))

/**
 * All rules, in order. The last one always has a move.
 *
 * @since 0.1.0
 * @category rules
 */
export const rules: ReadonlyArray<Rule> = [
  timeGone,
  nobodyThere,
  rudeness,
  monologue,
  repetition,
  patienceGone,
  goodbye,
  challenged,
  nextStep,
  permission,
  greeting,
  dodged,
  competitor,
  price,
  answer,
  smallTalk,
  pitch,
  deflection,
  relieved,
  gratitude,
  lull,
  listening,
  nothingLeft
]
