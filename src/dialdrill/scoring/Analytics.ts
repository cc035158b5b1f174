/**
 * Thirteen figures about a call, each with the honesty of its source.
 *
 * `measured` comes from the times of the turns or the interruption flags; `estimated` from the words, by rules of thumb
 * for English or with missing times filled in; `unavailable` means that the call does not tell, and the value is `null`.
 * No figure is ever made up.
 *
 * @since 0.1.0
 */
import { fillersIn } from "./Clarity.js"
import { nextStepParts } from "./Closing.js"
import { isRecovered } from "./Objections.js"
import { Opening } from "./Opening.js"
import { isQuestion } from "./Questions.js"
import { read, type Reading } from "./Reading.js"
import * as Timeline from "./Timeline.js"
import type { PracticeCall } from "./Transcript.js"

/**
 * Where a figure comes from.
 *
 * @since 0.1.0
 * @category models
 */
export type Basis = "measured" | "estimated" | "unavailable"

/**
 * A figure; `value` is `null` exactly when it is unavailable.
 *
 * @since 0.1.0
 * @category models
 */
export interface Metric {
  readonly value: number | null
  readonly unit: string
  readonly basis: Basis
}

/**
 * @since 0.1.0
 * @category models
 */
export type MetricName = keyof typeof definitions

/**
 * @since 0.1.0
 * @category models
 */
export type Analytics = { readonly [Name in MetricName]: Metric }

interface Subject {
  readonly call: PracticeCall
  readonly reading: Reading
  readonly timeline: Timeline.Timeline | undefined
}

type Figure = { readonly value: number; readonly basis: "measured" | "estimated" } | undefined

interface Definition {
  readonly unit: string
  readonly decimals: number
  readonly figure: (subject: Subject) => Figure
}

/**
 * The figures of a call. Never fails, whatever the call is. Who has read the call already can say so.
 *
 * @since 0.1.0
 * @category analytics
 */
export const analyze = (call: PracticeCall, reading: Reading = read(call)): Analytics => {
  const subject: Subject = { call, reading, timeline: Timeline.of(call) }
  const metric = ({ decimals, figure, unit }: Definition): Metric => {
    const found = figure(subject)
    return found === undefined || !Number.isFinite(found.value)
      ? { value: null, unit, basis: "unavailable" }
      : { value: rounded(found.value, decimals), unit, basis: found.basis }
  }
  // The keys are those of the table, which is what the type says.
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [name, metric(definition)])
  ) as Analytics
}

/** Benchmarks beside each are published vendor figures, for the reader; they do not enter the computation. */
const definitions = {
  /** The rep's share of all speech, silence excluded. Without times: of all words. Good: 35 to 50. */
  talkRatio: {
    unit: "percent",
    decimals: 1,
    figure: ({ reading, timeline }) => {
      if (timeline === undefined) {
        return share(reading.repWords, reading.repWords + reading.prospectWords, "estimated")
      }
      const rep = spoken(timeline, "user")
      return share(rep, rep + spoken(timeline, "agent"), timeline.basis)
    }
  },
  /**
   * The rep's words per minute of own speech. With starts only: until the next turn starts, which includes the pause, so
   * it is a lower bound. Good: 140 to 160.
   */
  pace: {
    unit: "words per minute",
    decimals: 0,
    figure: ({ timeline }) => (timeline === undefined ? undefined : paceOf(timeline))
  },
  /** Fillers per 100 words of the rep. Good: up to 2; poor: over 10. */
  fillers: {
    unit: "per 100 words",
    decimals: 1,
    figure: ({ reading }) =>
      share(
        reading.rep.reduce((sum, sentence) => sum + fillersIn(sentence), 0),
        reading.repWords,
        "estimated"
      )
  },
  /** The rep's longest run, over gaps under 1 s and murmurs. Without times: its words at 150 a minute. Good: under 75. */
  longestMonologue: { unit: "seconds", decimals: 1, figure: ({ call }) => runOf(call, "user") },
  /** The same of the prospect. Good: over 60. */
  longestProspectStory: { unit: "seconds", decimals: 1, figure: ({ call }) => runOf(call, "agent") },
  /** What the rep asked. Good: 11 to 14 in half an hour of discovery. */
  questions: {
    unit: "count",
    decimals: 0,
    figure: ({ reading }) =>
      reading.repWords === 0 ? undefined : { value: reading.rep.filter(isQuestion).length, basis: "estimated" }
  },
  /** Changes of speaker per minute of the call. */
  interactivity: {
    unit: "switches per minute",
    decimals: 1,
    figure: ({ call, timeline }) => {
      const roles = call.transcript.filter(({ text }) => text.trim() !== "").map(({ role }) => role)
      const switches = roles.filter((role, index) => index > 0 && role !== roles[index - 1]).length
      const seconds = durationOf(call, timeline)
      return seconds === undefined || roles.length === 0
        ? undefined
        : { value: switches / (seconds / 60), basis: timeline?.basis ?? "estimated" }
    }
  },
  /** The median of the rep's pauses before answering; below 0, the rep starts before the prospect ends. Good: 0.5 to 2. */
  patience: {
    unit: "seconds",
    decimals: 1,
    figure: ({ timeline }) => {
      if (timeline?.basis !== "measured") return undefined
      const gaps = answers(timeline).map(([prospect, rep]) => rep.start - prospect.end)
      return gaps.length === 0 ? undefined : { value: median(gaps), basis: "measured" }
    }
  },
  /**
   * How often the rep cut the prospect off: the prospect's turn is flagged, or the rep starts at least 0.2 s before it
   * ends with more than a murmur. Good: 0 or 1 in five minutes.
   */
  interruptions: {
    unit: "count",
    decimals: 0,
    figure: ({ call, timeline }) => {
      const prospect = call.transcript.filter(({ role, text }) => role === "agent" && text.trim() !== "")
      const flagged = prospect.some(({ interrupted }) => interrupted !== undefined)
      const timed = timeline?.basis === "measured"
      if (prospect.length === 0 || (!flagged && !timed)) return undefined
      const cut = new Set<number>()
      for (const [index, { interrupted, role }] of call.transcript.entries()) {
        if (role === "agent" && interrupted === true) cut.add(index)
      }
      if (timed) {
        for (const [prospect, rep] of answers(timeline)) {
          // A hair under 0.2, for times that are sums of decimal fractions.
          if (!rep.backchannel && prospect.end - rep.start >= 0.2 - 1e-9) cut.add(prospect.turn)
        }
      }
      return { value: cut.size, basis: "measured" }
    }
  },
  /** The share of the call in which not exactly one of the two spoke: silence plus overlap. */
  silenceOverlap: {
    unit: "percent",
    decimals: 1,
    figure: ({ call, timeline }) => {
      const seconds = durationOf(call, timeline)
      return timeline?.basis !== "measured" || seconds === undefined
        ? undefined
        : share(Math.max(0, seconds - aloneSeconds(timeline)), seconds, "measured")
    }
  },
  /** The share of the prospect's objections that the rep got over; unavailable when none came up. Good: over 85. */
  objections: {
    unit: "percent recovered",
    decimals: 1,
    figure: ({ reading: { objections } }) =>
      share(objections.filter(isRecovered).length, objections.length, "estimated")
  },
  /** How many of the three parts of a next step the rep said at the end: the ask, its date, who does what. */
  nextStep: {
    unit: "of 3",
    decimals: 0,
    figure: ({ reading }) => {
      const mine = reading.ending.filter(({ role }) => role === "user")
      const parts = Object.values(nextStepParts).filter((part) => mine.some(({ plain }) => part.test(plain)))
      return reading.repWords === 0 ? undefined : { value: parts.length, basis: "estimated" }
    }
  },
  /** How many of the three parts of an opening came in the first 30 s: greeting, permission or reason, value. */
  opening: {
    unit: "of 3",
    decimals: 0,
    figure: ({ reading }) => {
      const parts = openingParts.filter((names) =>
        Opening.signals.some(({ find, name }) => names.includes(name) && find(reading).share > 0)
      )
      return reading.repWords === 0 ? undefined : { value: parts.length, basis: "estimated" }
    }
  }
} as const satisfies Record<string, Definition>

const openingParts: ReadonlyArray<ReadonlyArray<string>> = [["greeting"], ["permission", "reason"], ["value"]]

/**
 * The names of the metrics, in their fixed order.
 *
 * @since 0.1.0
 * @category constants
 */
export const metricNames: ReadonlyArray<MetricName> = Object.keys(definitions) as ReadonlyArray<MetricName> // ditto

const share = (part: number, whole: number, basis: "measured" | "estimated"): Figure =>
  whole > 0 ? { value: (part / whole) * 100, basis } : undefined

const spoken = ({ spans }: Timeline.Timeline, role: "user" | "agent"): number =>
  spans.reduce((sum, span) => sum + (span.role === role ? span.end - span.start : 0), 0)

const runOf = (call: PracticeCall, role: "user" | "agent"): Figure => {
  const run = Timeline.longestRun(call, role)
  return run === undefined ? undefined : { value: run.seconds, basis: run.basis }
}

const paceOf = (timeline: Timeline.Timeline): Figure => {
  let words = 0
  let seconds = 0
  for (const [index, span] of timeline.spans.entries()) {
    if (span.role !== "user") continue
    const end = timeline.basis === "measured" ? span.end : timeline.spans[index + 1]?.start
    if (end === undefined) continue
    words += span.words
    seconds += end - span.start
  }
  return seconds >= shortest ? { value: words / (seconds / 60), basis: timeline.basis } : undefined
}

/** Seconds. A rate over less says nothing, and over next to nothing it is a number that nobody can read. */
const shortest = 1

/** The stated duration, or the end of the last turn; `undefined` when neither is known or long enough for a rate. */
const durationOf = ({ durationSeconds }: PracticeCall, timeline: Timeline.Timeline | undefined): number | undefined => {
  const end = timeline?.spans.reduce((last, span) => Math.max(last, span.end), 0) ?? 0
  const seconds = Math.max(end, Timeline.isTime(durationSeconds) ? durationSeconds : 0)
  return seconds >= shortest ? seconds : undefined
}

/** Each turn of the prospect with the turn of the rep that follows it. */
const answers = ({ spans }: Timeline.Timeline): ReadonlyArray<readonly [prospect: Timeline.Span, rep: Timeline.Span]> =>
  spans.flatMap((span, index) => {
    const next = spans[index + 1]
    return span.role === "agent" && next?.role === "user" ? [[span, next] as const] : []
  })

/** The seconds in which exactly one of the two speaks, by sweeping over the starts and ends. */
const aloneSeconds = ({ spans }: Timeline.Timeline): number => {
  const edges = spans
    .flatMap(({ end, role, start }) => [
      { at: start, role, step: 1 },
      { at: end, role, step: -1 }
    ])
    .sort((a, b) => a.at - b.at)
  const speaking = { user: 0, agent: 0 }
  let alone = 0
  let last = 0
  for (const { at, role, step } of edges) {
    if (speaking.user > 0 !== speaking.agent > 0) alone += at - last
    speaking[role] += step
    last = at
  }
  return alone
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

const rounded = (value: number, decimals: number): number => {
  const scale = 10 ** decimals
  // Adding 0 turns -0 into 0, which JSON cannot tell apart and `Object.is` can.
  return Math.round(value * scale) / scale + 0
}
