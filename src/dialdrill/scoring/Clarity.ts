/**
 * How the rep speaks: few fillers and hedges, plain and short sentences, short turns, concrete facts.
 *
 * @since 0.1.0
 */
import { anyOf } from "./Phrases.js"
import { type Category, fading, quotes, rarely, said } from "./Signal.js"
import type { Sentence } from "./Transcript.js"

// Words that are often meant count only where they are not: "like" between commas, "so," at the start, ", right?" at
// the end. "What kind of", "do you know" and "what I mean" are no fillers.
const fillers = [
  "(?<![\\p{L}\\p{N}-])(?:u+m+|u+h+(?!-)|e+r+m*|h+m+|a+h+)(?![\\p{L}\\p{N}-])",
  "(?<!(?:do|did|let|if|would|as|what|how|could|to|that)\\s)\\byou know\\b(?!\\s+(?:what|how|who|why|when|where|which|if|the|that|about|your|it|this))",
  "(?<!what\\s)\\bi mean\\b",
  "(?<!\\b(?:what|which|this|that|the|some|any|same|a|one|every|each|these|those|all)\\s)\\b(?:kind|sort) of\\b",
  "\\b(?:basically|literally|actually|honestly|obviously|essentially|or whatever|and stuff|or something)\\b",
  "(?:,\\s*like\\b(?=\\s*,)|\\blike,|\\b(?:was|is|it's|just|be),?\\s+like\\b(?=,|\\s+(?:so|really|super|you|the|a|totally)))",
  "^(?:so|well|yeah|right|okay so|and so),",
  ",\\s*(?:right|yeah|okay|you see)\\?$",
  "\\byeah,?\\s+yeah\\b"
].join("|")

const filler = new RegExp(fillers, "giu")
const fillerWithCommas = new RegExp(`(?:\\s*,)?\\s*(?:${fillers})(?:\\s*,)?`, "giu")

/**
 * The number of fillers in a sentence.
 *
 * @since 0.1.0
 * @category accessors
 */
export const fillersIn = ({ plain }: Sentence): number => plain.match(filler)?.length ?? 0

/**
 * The same words without the fillers, tidied.
 *
 * @since 0.1.0
 * @category conversions
 */
export const withoutFillers = (text: string): string => {
  // Twice, because "so," counts only at the beginning, and may get there when an "um," has gone.
  const rest = strip(strip(text.replace(/[‘’]/gu, "'")))
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

const strip = (text: string): string =>
  text
    .replace(fillerWithCommas, " ")
    .replace(/\s+/gu, " ")
    .replace(/\s(?=[,.?!;])/gu, "")
    .replace(/^[\s,.;]+|[\s,;]+$/gu, "")

const hedge = anyOf(
  "(i guess|i suppose|i hope|hopefully|maybe|perhaps|possibly|probably|not (really )?sure|kinda|sorta|i'm no expert|i don't know|i'm not certain|might be able|sort of|could maybe|i was (just )?(wondering|hoping)|if that's (ok|okay)|if you (want|like)|a little bit|i'll try|try to|not really)"
)

const jargon = anyOf(
  "(synerg(y|ies|istic)|leverag(e|es|ing)|best-in-class|best of breed|world-class|cutting-edge|cutting edge|next-gen(eration)?|next generation|paradigm|holistic(ally)?|turnkey|end-to-end|end to end|robust|scalable|seamless(ly)?|omnichannel|mission-critical|value-add|value add|game-changer|game changer|game-changing|disruptive|revolutionary|ecosystem|state-of-the-art|state of the art|ai-powered|ai-driven|digital transformation|industry-leading|low-hanging fruit|bandwidth|actionable|frictionless|bleeding edge|proprietary|ideate|core competenc(y|ies)|move the needle|thought leader(ship)?|granular|microservices|kubernetes|stakeholder alignment|unprecedented|market-leading|innovative|solutioning)"
)

const specific = anyOf(
  "[$€£]?[0-9]+([.,:][0-9]+)*(%|k|x|am|pm)?",
  "(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety|hundred|thousand|million|half|third|twice|double)",
  "for (example|instance)",
  "(monday|tuesday|wednesday|thursday|friday|january|february|march|april|june|july|august|september|october|november|december)"
)

const longSentenceWords = 32
const enoughWords = 60

/**
 * @since 0.1.0
 * @category rubric
 */
export const Clarity = {
  category: "clarity",
  weight: 1,
  // Most of its merits are the absence of a fault, and silence has no faults.
  limit: ({ repWords }) =>
    repWords >= enoughWords
      ? undefined
      : { share: repWords / enoughWords, feedback: `You said only ${repWords} words, too few to show how you speak.` },
  signals: [
    {
      name: "fluency",
      points: 3,
      find: rarely(fillersIn, 2, 9),
      shown: "You spoke with few fillers.",
      missing: "Too many fillers (um, you know, basically): pause in silence instead."
    },
    {
      name: "shortTurns",
      points: 2,
      find: (reading) => ({
        share: fading(reading.longestRun.seconds, 30, 90),
        evidence: reading.longestRun.seconds > 30 ? reading.longestRun.quotes : []
      }),
      shown: "You kept your turns short.",
      missing: "Break up your long monologues: after three sentences, ask something."
    },
    {
      name: "shortSentences",
      points: 1.5,
      find: (reading) => {
        // A turn without any full stop is the speech recognition's doing, and says nothing.
        const judged = reading.turns.filter((turn) => turn.some(({ text }) => /[.!?…]/u.test(text))).flat()
        const mine = judged.filter(({ role }) => role === "user")
        const long = mine.filter(({ words }) => words > longSentenceWords)
        const share = wordsOf(long) / Math.max(1, wordsOf(mine))
        return { share: fading(share, 0.1, 0.6), evidence: quotes(long) }
      },
      shown: "Your sentences were short enough to follow.",
      missing: "Cut your long sentences in two; one thought each."
    },
    {
      name: "confidence",
      points: 1.5,
      find: rarely(({ plain }) => (hedge.test(plain) ? 1 : 0), 0.8, 4),
      shown: "You sounded sure of what you said.",
      missing: "Drop the hedges (maybe, I guess, hopefully) and say it straight."
    },
    {
      name: "plainWords",
      points: 1,
      find: rarely(({ plain }) => (jargon.test(plain) ? 1 : 0), 0.4, 2),
      shown: "You used plain words.",
      missing: "Replace the buzzwords with what the product does for this customer."
    },
    {
      name: "specifics",
      points: 1,
      find: said(({ rep }) => rep, specific, 3),
      shown: "You were concrete, with numbers and examples.",
      missing: "Be concrete: give a number, a date or an example."
    }
  ]
} as const satisfies Category

const wordsOf = (sentences: ReadonlyArray<Sentence>): number => sentences.reduce((sum, { words }) => sum + words, 0)
