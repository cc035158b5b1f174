/**
 * Callers for the prospect's tests: scripted ones that do one thing wrong, and a skilled one that looks at the call and
 * does the next right thing, as a trainer would.
 */
import { open, respond, type Response } from "../../../../src/dialdrill/calls/prospect/Prospect.js"
import { all } from "../../../../src/dialdrill/calls/prospect/personalities/index.js"
import type { State } from "../../../../src/dialdrill/calls/prospect/State.js"
import type { Theme } from "../../../../src/dialdrill/calls/prospect/Understanding.js"

export interface Call {
  readonly greeting: string
  readonly turns: ReadonlyArray<{ readonly said: string; readonly reply: string; readonly state: State }>
  readonly state: State
}

/** Says whatever `next` comes up with, until the prospect ends the call or `next` has nothing more to say. */
export const talk = (
  personality: string,
  seed: number,
  next: (state: State, turn: number) => string | undefined,
  between: (state: State) => State = (state) => state
): Call => {
  const [greeting, first] = open(personality, seed)
  const turns: Array<Call["turns"][number]> = []
  let state = first
  for (let turn = 0; turn < 200; turn++) {
    const said = next(state, turn)
    if (said === undefined) break
    const response: Response = respond(between(state), said)
    state = response.state
    turns.push({ said, reply: response.reply, state })
    if (response.ended) break
  }
  return { greeting, turns, state }
}

export const script =
  (lines: ReadonlyArray<string>) =>
  (_: State, turn: number): string | undefined =>
    lines[turn]

export const repliesOf = (call: Call): ReadonlyArray<string> => [call.greeting, ...call.turns.map(({ reply }) => reply)]

export const sentencesOf = (text: string): ReadonlyArray<string> => text.split(/(?<=[.!?]) /)

const questions = [
  "How do you handle that today?",
  "What's the most frustrating part of it for you?",
  "How much time or money does that cost you?",
  "If you had a magic wand, what would you improve first?"
]

const benefits: Readonly<Record<string, readonly [string, string, string]>> = {
  maya: [
    "We stop exactly those double-booked visits: the carer swaps a shift on her phone. One customer went from ten hours a week to two.",
    "And the handover is automatic, so nobody has to repair the schedule in the evening.",
    "One agency your size reduced missed visits to zero."
  ],
  walt: [
    "We catch every missed call and book the job while you're on the truck. One of our customers saves thirty jobs a season.",
    "And the whiteboard is on each phone, which means fewer drives to an empty house.",
    "It also sends each customer a reminder, so you never find a locked door."
  ],
  daniel: [
    "We fix stale records: the rep dictates the update in the car. One customer went from 18% forecast error to 6%.",
    "And your analysts save the cleaning, because each record is checked when it is entered.",
    "Teams like yours report in an hour, and it stops the shadow spreadsheets."
  ],
  victoria: [
    "We cut the days between delivery and invoice: the driver takes a photo. One customer went from eight days to one.",
    "And disputes drop, which means less cash on the street and fewer clerks with boxes.",
    "A carrier we know gets paid a week faster since then."
  ]
}

const answers: Readonly<Record<Theme, string>> = {
  price: "It pays for itself: what you save in the first month is more than the price",
  incumbent: "You keep what you already use, and ours works alongside what you currently have",
  time: "I need one minute, and then you decide whether to call back later",
  trust: "Two customers of your size will speak to you, and you can cancel the trial at any time",
  authority: "I would involve everyone together and prepare a one-page summary so you decide together",
  need: "Others told us the same, because the problem only shows once you count what you miss",
  effort: "Our people do the setup and the training in two days, so it is simple on your side",
  security: "All data is encrypted and hosted here, it works offline, and each access is in the audit log",
  email: "I am happy to send a short page with specific information that is useful to you"
}

const courtesies = [
  "I understand, that's a fair point.",
  "I hear you, thanks for telling me.",
  "That makes sense, of course."
]

const explorations: ReadonlyArray<(concern: string) => string> = [
  (concern) => `What is it about ${concern} that worries you most?`,
  (concern) => `Can you tell me more about ${concern}, and where it comes from?`,
  (concern) => `Why does ${concern} matter so much to all of you?`
]

const prefixes = [
  "The way it goes:",
  "Others began exactly where you are, and what they found out is short:",
  "Let me be open with you now, without any decoration, in plain words:"
]

/** Acknowledges and asks, then answers and confirms; discovers before offering; proposes a day. */
export const skilled = (state: State, turn: number): string => {
  const who = all.find(({ id }) => id === state.personality)!
  const { open, pending, learned, value } = state.memory
  const courtesy = courtesies[turn % courtesies.length]!
  const objection = who.objections.find(({ id }) => id === open?.id)
  const settled = state.memory.settled.length
  if (open && objection) {
    const ask = explorations[settled % explorations.length]!
    return open.steps.asked
      ? `${courtesy} ${prefixes[settled % prefixes.length]} ${answers[objection.theme]}. Does that help with ${objection.id}?`
      : `${courtesy} ${ask(objection.concern)}`
  }
  if (turn === 0) return `Hi ${who.name.split(" ")[0]}, this is Tom from Acme. Did I catch you at a bad time?`
  if (typeof pending === "number") {
    return `Good question, number ${pending}. Usually it takes about two weeks, and one of our people stays with you for ${who.curiosities[pending]!.ask.toLowerCase().replace("?", "")}.`
  }
  const question = questions[learned.length]
  if (question !== undefined) return `${courtesy} ${question} I'm curious, call it item ${turn}.`
  if (value < 4) return benefits[who.id]![value === 0 ? 0 : turn % 2 === 0 ? 1 : 2]
  return state.memory.offered
    ? `So, coming back to it in turn ${turn}, shall we say Thursday at 10 am?`
    : "Would you be open to a short demo on Thursday at 10 am?"
}

export const ids: ReadonlyArray<string> = all.map(({ id }) => id)
