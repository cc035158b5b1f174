/**
 * What a turn of the caller says, as far as a listener with English rules can tell: which acts it performs (asks for
 * permission, names a price, proposes a next step), which questions it asks, and which names, numbers and days it
 * mentions. Pure, total, and linear in the text: only the first 4,000 characters are read, the patterns have bounded
 * repetitions, and nothing of the text is kept but words and short slots made of letters and digits.
 *
 * @since 0.1.0
 */
import { hash } from "./Chance.js"
import { actPatterns, brands, patterns, themePatterns, topicPatterns } from "./Patterns.js"

/**
 * What a caller can find out.
 *
 * @since 0.1.0
 * @category models
 */
export type Topic = keyof typeof topicPatterns

/**
 * What an objection, and so its answer, is about.
 *
 * @since 0.1.0
 * @category models
 */
export type Theme = keyof typeof themePatterns

/**
 * Something that a turn does.
 *
 * @since 0.1.0
 * @category models
 */
export type Act = keyof typeof actPatterns | "price" | "competitor" | "benefit" | "proposal" | "confirmation"

/**
 * A question: `open` invites to tell, `specific` asks for one datum (how many, who, when), `closed` for yes or no.
 *
 * @since 0.1.0
 * @category models
 */
export interface Question {
  readonly kind: "open" | "specific" | "closed"
  readonly topic: Topic | null
}

/**
 * What the caller mentioned, ready to be echoed. `topic` and `concern` are filled in by the prospect.
 *
 * @since 0.1.0
 * @category models
 */
export interface Slots {
  readonly caller?: string
  readonly from?: string
  readonly competitor?: string
  readonly when?: string
  readonly number?: string
  readonly promise?: string
  readonly buzzword?: string
  readonly topic?: string
  readonly concern?: string
}

/**
 * A turn, understood.
 *
 * @since 0.1.0
 * @category models
 */
export interface Heard {
  /** `silence`: no letter or digit at all. `foreign`: mostly letters that English does not use. */
  readonly kind: "speech" | "silence" | "foreign"
  /** Length in words; text without spaces counts one for every twelve characters. */
  readonly words: number
  readonly tokens: ReadonlyArray<string>
  readonly acts: ReadonlySet<Act>
  readonly themes: ReadonlySet<Theme>
  readonly questions: ReadonlyArray<Question>
  /** Words in sentences that tell something, neither a question nor a courtesy. */
  readonly claims: number
  readonly slots: Slots
  /** Hashes of the different words, at most 60, by which a repetition is noticed. */
  readonly fingerprint: ReadonlyArray<number>
}

/** How much of a turn is read. Nobody says more than this, some 700 words, before the longest patience ends. */
const READ_CHARACTERS = 4000

const normalise = (text: string): string =>
  text
    .slice(0, READ_CHARACTERS)
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[^\P{C}\n]/gu, " ")
    .replace(/\s+/g, " ")
    .trim()

const tokensOf = (text: string): ReadonlyArray<string> =>
  text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? []

const keysMatching = <K extends string>(table: Readonly<Record<K, RegExp>>, text: string): ReadonlyArray<K> =>
  // The tables are literals: their own keys are exactly K.
  (Object.keys(table) as Array<K>).filter((key) => table[key].test(text))

const kindOfQuestion = (sentence: string): Question["kind"] =>
  patterns.specificQuestion.test(sentence) ? "specific" : patterns.openQuestion.test(sentence) ? "open" : "closed"

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const capture = (pattern: RegExp, text: string): string | undefined => pattern.exec(text)?.slice(1).find(Boolean)

/** A name that is compared with, or a well-known brand; what the prospect uses anyway is no competitor. */
const competitorIn = (text: string, tools: ReadonlyArray<string>): string | undefined => {
  const spoken = ` ${tokensOf(text).join(" ")} `
  const name = capture(patterns.rival, text) ?? brands.find((brand) => spoken.includes(` ${brand.toLowerCase()} `))
  return name !== undefined && tools.includes(name) ? undefined : name
}

const whenIn = (text: string): string | undefined => {
  const day = capture(patterns.day, text)
  const time = capture(patterns.time, text)
  const name = day?.toLowerCase().replace(patterns.properDay, capitalised)
  return name === undefined ? undefined : time === undefined ? name : `${name} at ${time}`
}

const known = (slots: { readonly [K in keyof Slots]: string | undefined }): Slots =>
  Object.fromEntries(Object.entries(slots).filter(([, value]) => value !== undefined))

interface Sentence {
  readonly text: string
  readonly words: number
  readonly asks: boolean
  /** What it asks for, when that is information and not leave or assent. */
  readonly question: Question | null
  /** Tells something: neither a question nor a courtesy such as "I understand". */
  readonly claim: boolean
}

/** Questions that ask for leave or for assent, not for information. */
const formalities = [actPatterns.permission, actPatterns.smallTalk, patterns.confirmation]

/** "I understand" tells nothing; "sure, our customers save an hour a day" does, and so does what goes on for long. */
const isCourtesy = (sentence: string, words: number): boolean =>
  words <= 10 &&
  patterns.courtesy.test(sentence) &&
  ![patterns.benefit, patterns.price, actPatterns.proof, actPatterns.reasoning].some((pattern) =>
    pattern.test(sentence)
  )

const sentencesOf = (text: string): ReadonlyArray<Sentence> =>
  text
    .split(/(?<=[.!?;]) /)
    .filter((sentence) => sentence !== "")
    .map((sentence) => {
      const words = tokensOf(sentence).length
      const asks = sentence.endsWith("?") || patterns.questionStart.test(sentence)
      const formal = formalities.some((pattern) => pattern.test(sentence))
      return {
        text: sentence,
        words,
        asks,
        question:
          asks && !formal
            ? { kind: kindOfQuestion(sentence), topic: keysMatching(topicPatterns, sentence)[0] ?? null }
            : null,
        claim: !asks && !isCourtesy(sentence, words)
      }
    })

/**
 * Understands a turn. `tools` are the names of what the prospect uses today: comparing with one is an act of
 * competition like any other, but it is not echoed as news.
 *
 * @since 0.1.0
 * @category constructors
 */
export const listen = (said: string, tools: ReadonlyArray<string>): Heard => {
  const text = normalise(said)
  const tokens = tokensOf(text)
  const sentences = sentencesOf(text)
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0
  const statements = sentences.filter(({ claim }) => claim)
  const asked = sentences.flatMap(({ question }) => question ?? [])

  const competitor = competitorIn(text, tools)
  const when = whenIn(text)
  const proposes =
    sentences.some(({ text, asks }) => patterns.proposal.test(text) && (asks || patterns.offer.test(text))) ||
    (when !== undefined &&
      (asked.some(({ topic }) => topic === null || topic === "timing") || patterns.offer.test(text)))
  const prices = sentences.some(
    ({ text, question }) => question?.topic !== "impact" && question?.topic !== "budget" && patterns.price.test(text)
  )
  const benefits = statements.some(({ text, words }) => words >= 4 && patterns.benefit.test(text))

  const acts: ReadonlyArray<Act> = [
    ...keysMatching(actPatterns, text),
    ...(sentences.some(({ text, asks }) => asks && patterns.confirmation.test(text))
      ? (["confirmation"] as const)
      : []),
    ...(prices ? (["price"] as const) : []),
    ...(competitor !== undefined || patterns.rivals.test(text) || patterns.rival.test(text)
      ? (["competitor"] as const)
      : []),
    ...(benefits ? (["benefit"] as const) : []),
    ...(proposes ? (["proposal"] as const) : [])
  ]
  const caller = capture(patterns.caller, text)
  const from = capture(patterns.from, text)

  return {
    kind: tokens.length === 0 ? "silence" : letters > 0 && latin * 2 < letters ? "foreign" : "speech",
    words: Math.max(tokens.length, Math.floor(text.length / 12)),
    tokens,
    acts: new Set(acts),
    themes: new Set(keysMatching(themePatterns, text)),
    questions: asked,
    claims: statements.reduce((sum, { words }) => sum + words, 0),
    slots: known({
      caller: caller && capitalised(caller),
      from: from && capitalised(from),
      competitor: competitor === from ? undefined : competitor,
      when,
      number: capture(patterns.number, text),
      promise: capture(patterns.promise, text)?.toLowerCase(),
      buzzword: capture(patterns.buzzword, text),
      topic: undefined,
      concern: undefined
    }),
    fingerprint: Array.from(new Set(tokens), hash).slice(0, 60)
  }
}

/**
 * Whether two turns say the same: four in five of their different words are shared. Turns of fewer than three words
 * ("yes", "of course") repeat in every conversation and never count.
 *
 * @since 0.1.0
 * @category predicates
 */
export const repeats = (one: ReadonlyArray<number>, other: ReadonlyArray<number>): boolean => {
  const shared = one.filter((word) => other.includes(word)).length
  return Math.min(one.length, other.length) >= 3 && shared / (one.length + other.length - shared) >= 0.8
}
