/**
 * What makes one simulated prospect different from another: how quickly the mood turns, what is true in the company,
 * which objections there are, and every sentence that this person can say. A personality is data; `Rules.ts` is the
 * behaviour that all of them share.
 *
 * A line may hold slots such as `{competitor}`: it can be spoken only once the caller has given the slot its value.
 *
 * @since 0.1.0
 */
import type { Lines } from "./Speech.js"
import type { Theme, Topic } from "./Understanding.js"

/**
 * How a prospect takes things. All mood figures are on a scale from 0 to 100.
 *
 * @since 0.1.0
 * @category models
 */
export interface Temperament {
  /** Where the mood stands when the phone is picked up. */
  readonly start: { readonly patience: number; readonly trust: number; readonly interest: number }
  /** Multiplies what the caller does well. */
  readonly warmth: number
  /** Multiplies what the caller does badly. */
  readonly harshness: number
  /** Patience that every turn costs, however good. */
  readonly drain: number
  /**
   * Length of one turn, in words. At a normal 150 words a minute a cold call's listener is lost after 30-40 s (75-100
   * words), and 75 s (about 190 words) is the longest monologue of good discovery calls.
   */
  readonly monologue: { readonly annoys: number; readonly ends: number }
  /** How likely, 0 to 1, an opening objection meets the caller's first sentences. */
  readonly guard: number
  /** How many objections come up unprovoked in one call; those that the caller provokes come on top. */
  readonly appetite: number
}

/**
 * What a next step costs. All of it has to be met.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bar {
  /** Facts that the caller found out, of eight. */
  readonly facts: number
  /** Points of value: 1 for a benefit after discovery, 2 when it meets this prospect's problem, 1 more for proof. */
  readonly value: number
  /** Objections handled to the end. */
  readonly settled: number
  readonly trust: number
  readonly interest: number
}

/**
 * Something true about the prospect's company, told only when asked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fact {
  /** The trust below which the question is turned away. */
  readonly trust: number
  /** The answer to an open or specific question; the next line, when asked again, goes deeper. */
  readonly told: Lines
  /** The short answer that a yes-or-no question gets: it gives nothing away. */
  readonly brief: Lines
}

/**
 * When an objection can come up: at the start of the call, when a pitch, a price or a competitor is mentioned, after
 * many questions, in a lull, or when the caller asks for a next step.
 *
 * @since 0.1.0
 * @category models
 */
export type Occasion = "opening" | "pitch" | "price" | "competitor" | "questions" | "lull" | "nextStep"

/**
 * One objection and its whole life: raised, explained when asked about, insisted on when ignored, settled.
 *
 * @since 0.1.0
 * @category models
 */
export interface Objection {
  readonly id: string
  /** What an answer would have to be about. */
  readonly theme: Theme
  /** How the prospect refers to it later, as in "we never settled {concern}". */
  readonly concern: string
  readonly fits: ReadonlyArray<Occasion>
  readonly raise: Lines
  readonly explain: Lines
  readonly insist: Lines
  readonly settle: Lines
}

/**
 * A question of the prospect's own, a buying signal, and what the caller's answer to it gets.
 *
 * @since 0.1.0
 * @category models
 */
export interface Curiosity {
  readonly ask: string
  readonly heard: string
}

/**
 * What the prospect can be about to say, apart from facts, objections and own questions. The names that begin with
 * `leaves` end the call.
 *
 * @since 0.1.0
 * @category models
 */
export type Cue =
  | "greeting"
  | "welcome"
  | "granted"
  | "grudging"
  | "smallTalk"
  | "guarded"
  | "again"
  | "deflect"
  | "manyQuestions"
  | "interrogated"
  | "unasked"
  | "fairPrice"
  | "competitor"
  | "tied"
  | "pitched"
  | "goOn"
  | "yourTurn"
  | "halfway"
  | "dropped"
  | "reopen"
  | "dodged"
  | "interrupt"
  | "repeat"
  | "rude"
  | "silence"
  | "foreign"
  | "thanks"
  | "askDay"
  | "agree"
  | "refuseDiscovery"
  | "refuseValue"
  | "refuseTrust"
  | "warm"
  | "cool"
  | "leavesMonologue"
  | "leavesRepetition"
  | "leavesRude"
  | "leavesImpatient"
  | "leavesPushed"
  | "leavesVague"
  | "leavesSilence"
  | "leavesTime"
  | "leavesKindly"
  | "leavesCoolly"

/**
 * What the practice page shows before a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Profile {
  readonly id: string
  readonly name: string
  readonly title: string
  readonly company: string
  readonly description: string
  readonly difficulty: "easy" | "medium" | "hard"
}

/**
 * A simulated prospect, complete.
 *
 * @since 0.1.0
 * @category models
 */
export interface Personality extends Profile {
  readonly temperament: Temperament
  readonly bar: Bar
  /** Names of what is in use there: to hear one is no news, to hear it compared provokes an objection. */
  readonly tools: ReadonlyArray<string>
  /** Beginnings of words that tie a benefit to this prospect's own problem. */
  readonly pain: ReadonlyArray<string>
  readonly facts: Readonly<Record<Topic, Fact>>
  readonly objections: ReadonlyArray<Objection>
  readonly curiosities: ReadonlyArray<Curiosity>
  readonly lines: Readonly<Record<Cue, Lines>>
}
