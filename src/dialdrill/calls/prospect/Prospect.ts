/**
 * The simulated prospect: who picks up the phone when there is no voice service. It listens, remembers, has moods and
 * objections of its own, and agrees to a next step only when the caller has earned it. Deterministic: the same seed
 * and the same words give the same call. It uses no network, no clock and no model.
 *
 * A call is a fold over the caller's turns:
 *
 * ```ts
 * const [greeting, state] = open("maya", 7)
 * const { reply, ended, state: next } = respond(state, "Hi Maya, this is Tom from Acme. Is this a bad time?")
 * ```
 *
 * @since 0.1.0
 */
import { feel, tire, type Stimulus } from "./Mood.js"
import { progress } from "./Objections.js"
import type { Beat, Move, Scene } from "./Moves.js"
import type { Personality, Profile } from "./Personality.js"
import { all } from "./personalities/index.js"
import { meets, rules } from "./Rules.js"
import { speak } from "./Speech.js"
import { blank, type Memory, type State } from "./State.js"
import { listen, repeats, type Heard } from "./Understanding.js"

/**
 * The prospects one can call, as the practice page shows them.
 *
 * @since 0.1.0
 * @category models
 */
export const personalities: ReadonlyArray<Profile> = all.map(
  ({ id, name, title, company, description, difficulty }) => ({ id, name, title, company, description, difficulty })
)

/**
 * What a turn of the caller gets.
 *
 * @since 0.1.0
 * @category models
 */
export interface Response {
  readonly reply: string
  /** The prospect has ended the call with this reply; `state.outcome` says how. */
  readonly ended: boolean
  readonly state: State
}

/** An id that is no longer known, as in a call stored by an older version, is answered by the first personality. */
const personalityOf = (id: string): Personality => all.find((one) => one.id === id) ?? all[0]

/** How many of the caller's turns are remembered word for word. */
const REMEMBERED_TURNS = 8

/**
 * Picks up the phone. `personality` is the id of one of `personalities`; `seed` is any number, and decides everything
 * that is not decided by the caller's words.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (personality: string, seed: number): readonly [greeting: string, state: State] => {
  const who = personalityOf(personality)
  const silent: State = {
    personality: who.id,
    seed,
    turn: 0,
    mood: who.temperament.start,
    memory: blank,
    said: [],
    outcome: null
  }
  const [greeting, speaker] = speak({ ...silent, slots: {}, fresh: {} }, who.lines.greeting) ?? [who.name, silent]
  return [greeting, { ...silent, said: speaker.said }]
}

const remember = (who: Personality, before: Memory, heard: Heard, repeated: boolean): Memory => {
  const asks = heard.questions.length > 0
  const tells = heard.claims >= 4
  const unprompted = before.pending === null && before.open === null
  const benefit = heard.acts.has("benefit") && before.learned.length > 0 && !repeated
  const points = !benefit ? 0 : (meets(who, before, heard) ? 2 : 1) + (heard.acts.has("proof") ? 1 : 0)
  return {
    ...before,
    value: before.value + points,
    greeted: true,
    permission: before.permission || heard.acts.has("permission"),
    onlyAsked: asks && !tells ? before.onlyAsked + 1 : 0,
    neverAsked: asks ? 0 : before.neverAsked + (tells && unprompted ? 1 : 0),
    repetitions: before.repetitions + (repeated ? 1 : 0),
    rudeness: before.rudeness + (heard.acts.has("rude") ? 1 : 0),
    lost: before.lost + (heard.kind === "speech" ? 0 : 1),
    pending: null,
    offered: before.offered || (heard.acts.has("proposal") && heard.slots.when !== undefined),
    turns: [...before.turns, heard.fingerprint].slice(-REMEMBERED_TURNS),
    slots: { ...before.slots, ...heard.slots }
  }
}

/** What in this turn moves the mood, in the order in which it is felt. */
const stimuliIn = ({ who, before, state, heard, repeated, challenge }: Scene): ReadonlyArray<Stimulus> => {
  const { acts } = heard
  const opening = before.turn < 3
  const lastQuestion = heard.questions.at(-1)?.kind
  const informed = before.memory.learned.length > 0
  const felt: Partial<Readonly<Record<Stimulus, boolean>>> = {
    greeted: opening && acts.has("greeting"),
    introduced: opening && acts.has("introduction"),
    askedPermission: acts.has("permission") && !before.memory.permission,
    askedOpenly: lastQuestion === "open",
    askedSpecifically: lastQuestion === "specific",
    askedClosed: lastQuestion === "closed",
    askedTooMuch: heard.questions.length >= 3,
    acknowledged: acts.has("acknowledgement"),
    apologised: acts.has("apology") && before.memory.rudeness + before.memory.repetitions > 0,
    metThePain: !repeated && meets(who, before.memory, heard),
    showedBenefit: !repeated && informed && acts.has("benefit") && !meets(who, before.memory, heard),
    pitchedBlindly: !informed && state.memory.neverAsked >= 2,
    gaveProof: !repeated && informed && acts.has("proof"),
    settledObjection: challenge?.verdict === "settled",
    pushed: acts.has("pushy"),
    tooLong: heard.words >= who.temperament.monologue.annoys,
    repeated,
    wasRude: acts.has("rude") || acts.has("abusive"),
    saidNothing: heard.kind !== "speech"
  }
  // The keys of the record above are stimuli.
  return (Object.keys(felt) as Array<Stimulus>).filter((stimulus) => felt[stimulus])
}

/** Takes a turn in: what was heard is remembered, the objection on the table moves on, the mood follows. */
const takeIn = (who: Personality, before: State, text: string, timeIsUp: boolean): Scene => {
  const heard = listen(text, who.tools)
  const repeated = before.memory.turns.some((turn) => repeats(turn, heard.fingerprint))
  const memory = remember(who, before.memory, heard, repeated)
  const onTable = before.memory.open
  const objection = who.objections.find(({ id }) => id === onTable?.id)
  const handled = onTable && objection && { objection, ...progress(onTable.steps, heard, objection) }
  const settled = handled?.verdict === "settled"
  const scene: Scene = {
    who,
    before,
    state: {
      ...before,
      turn: before.turn + 1,
      memory: {
        ...memory,
        open: settled || !handled ? null : { ...onTable, steps: handled.steps },
        settled: settled ? [...memory.settled, handled.objection.id] : memory.settled
      }
    },
    heard,
    repeated,
    timeIsUp,
    challenge: handled ?? undefined
  }
  const mood = feel(tire(before.mood, who.temperament), who.temperament, stimuliIn(scene))
  return { ...scene, state: { ...scene.state, mood } }
}

interface Spoken {
  readonly words: ReadonlyArray<string>
  readonly state: State
}

/** Speaks one beat, or gives up (`undefined`) when it is needed and has no line left. */
const say = ({ who, heard }: Scene, beat: Beat, { words, state }: Spoken): Spoken | undefined => {
  const spoken = speak(
    { ...state, slots: state.memory.slots, fresh: { ...heard.slots, ...beat.slots } },
    beat.lines,
    beat.order
  )
  if (spoken === undefined) return beat.optional ? { words, state } : undefined
  const [line, { said }] = spoken
  return {
    words: [...words, line],
    state: {
      ...state,
      said,
      memory: { ...state.memory, ...beat.memory },
      mood: feel(state.mood, who.temperament, beat.feelings ?? [])
    }
  }
}

const perform = (scene: Scene, move: Move): Response | undefined => {
  const spoken = move.beats.reduce<Spoken | undefined>((sofar, beat) => sofar && say(scene, beat, sofar), {
    words: [],
    state: scene.state
  })
  return (
    spoken && {
      reply: spoken.words.join(" "),
      ended: move.ends !== undefined,
      state: { ...spoken.state, outcome: move.ends ?? null }
    }
  )
}

/**
 * What the prospect says to a turn of the caller. Total: any text of any length gets a reply, in time linear in its
 * length. No sentence is spoken twice in a call; a call that has used up everything there is to say ends politely.
 * With `timeIsUp` the prospect has to go, and says so.
 * When the call has ended already, the reply is a note in brackets and the state stays as it is.
 *
 * @since 0.1.0
 * @category combinators
 */
export const respond = (state: State, userText: string, options: { readonly timeIsUp?: boolean } = {}): Response => {
  const who = personalityOf(state.personality)
  const hungUp: Response = { reply: `[${who.name} has hung up.]`, ended: true, state }
  if (state.outcome !== null) return hungUp
  const scene = takeIn(who, state, userText, options.timeIsUp === true)
  for (const rule of rules) {
    for (const move of rule(scene)) {
      const response = perform(scene, move)
      if (response) return response
    }
  }
  return hungUp
}
