/**
 * When each turn of a call was spoken, as far as the transcript says, and the longest run of one speaker.
 *
 * Three cases, and every number that depends on time says which one it came from: both times of every turn are known
 * (`measured`); every start is known and missing ends are filled in from the words, at the speaker's own pace, and the
 * next start (`estimated`); or there is no timeline, and only the words are left.
 *
 * @since 0.1.0
 */
import { anyOf } from "./Phrases.js"
import { countWords, type PracticeCall, type Role, type Turn } from "./Transcript.js"

/**
 * A turn with words in it, by the clock.
 *
 * @since 0.1.0
 * @category models
 */
export interface Span {
  readonly turn: number
  readonly role: Role
  readonly words: number
  readonly start: number
  readonly end: number
  /** A murmur of at most two words that takes no turn: "mm-hm", "right". */
  readonly backchannel: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Timeline {
  readonly basis: "measured" | "estimated"
  /** By start time. */
  readonly spans: ReadonlyArray<Span>
}

/** The usual speed of conversation, where the speaker's own is not known. */
const usualWordsPerMinute = 150

/**
 * The timeline of a call; `undefined` when a turn with words has no usable start or ends before it starts.
 *
 * @since 0.1.0
 * @category constructors
 */
export const of = (call: PracticeCall): Timeline | undefined => {
  const spoken = spokenTurns(call)
  if (spoken.length === 0 || !spoken.every(({ turn }) => isTimed(turn))) return undefined
  const sorted = spoken.sort((a, b) => a.start - b.start)
  const pace = { user: ownPace(sorted, "user"), agent: ownPace(sorted, "agent") }
  const spans = sorted.map(({ turn, index, words, start }, position): Span => {
    const next = sorted[position + 1]?.start ?? (isTime(call.durationSeconds) ? call.durationSeconds : Infinity)
    const guess = Math.max(start, Math.min(next, start + (words / pace[turn.role]) * 60))
    const end = turn.endSeconds ?? guess
    return { turn: index, role: turn.role, words, start, end, backchannel: isBackchannel(turn.text, words) }
  })
  return { basis: spoken.every(({ turn }) => turn.endSeconds !== undefined) ? "measured" : "estimated", spans }
}

/**
 * The longest run of one speaker: gaps under one second and the other side's murmurs do not end it. Without a timeline
 * its seconds come from its words at `usualWordsPerMinute`. `undefined` when the speaker said nothing.
 *
 * @since 0.1.0
 * @category accessors
 */
export const longestRun = (
  call: PracticeCall,
  role: Role
): { readonly seconds: number; readonly firstTurn: number; readonly basis: "measured" | "estimated" } | undefined => {
  const timeline = of(call)
  const runs = runsOf(timeline?.spans ?? untimed(call), role)
  let longest: Span | undefined
  for (const run of runs) {
    if (longest === undefined || run.end - run.start > longest.end - longest.start) longest = run
  }
  return longest === undefined
    ? undefined
    : { seconds: longest.end - longest.start, firstTurn: longest.turn, basis: timeline?.basis ?? "estimated" }
}

const runsOf = (spans: ReadonlyArray<Span>, role: Role): ReadonlyArray<Span> => {
  const runs: Array<Span> = []
  let open: Span | undefined
  // The end of whatever was heard last in the run, murmurs included.
  let heardUntil = 0
  for (const span of spans) {
    if (span.role !== role) {
      if (open !== undefined && span.backchannel) heardUntil = Math.max(heardUntil, span.end)
      else open = undefined
      continue
    }
    const goesOn = open !== undefined && span.start - heardUntil < 1
    if (goesOn) runs.pop()
    open = open !== undefined && goesOn ? { ...open, end: Math.max(open.end, span.end) } : span
    runs.push(open)
    heardUntil = open.end
  }
  return runs
}

/** The turns laid end to end at the usual pace; murmurs take no time. */
const untimed = (call: PracticeCall): ReadonlyArray<Span> => {
  let clock = 0
  return spokenTurns(call).map(({ turn, index, words }) => {
    const backchannel = isBackchannel(turn.text, words)
    const start = clock
    if (!backchannel) clock += (words / usualWordsPerMinute) * 60
    return { turn: index, role: turn.role, words, start, end: clock, backchannel }
  })
}

const spokenTurns = (call: PracticeCall) =>
  call.transcript
    .map((turn, index) => ({ turn, index, words: countWords(turn.text), start: turn.startSeconds ?? 0 }))
    .filter(({ words }) => words > 0)

/**
 * Whether a number can be seconds of a call: from 0 to a day.
 *
 * @since 0.1.0
 * @category guards
 */
export const isTime = (seconds: number | undefined): seconds is number =>
  seconds !== undefined && seconds >= 0 && seconds <= 86_400

const isTimed = ({ endSeconds, startSeconds }: Turn): boolean =>
  isTime(startSeconds) && (endSeconds === undefined || (isTime(endSeconds) && endSeconds >= startSeconds))

const ownPace = (
  spoken: ReadonlyArray<{ readonly turn: Turn; readonly words: number; readonly start: number }>,
  role: Role
): number => {
  let words = 0
  let seconds = 0
  for (const { turn, words: said, start } of spoken) {
    if (turn.role !== role || turn.endSeconds === undefined) continue
    words += said
    seconds += turn.endSeconds - start
  }
  return seconds > 0 ? (words / seconds) * 60 : usualWordsPerMinute
}

const isBackchannel = (text: string, words: number): boolean => words <= 2 && !text.includes("?") && murmur.test(text)

const murmur = anyOf(
  "m+-?h*m+",
  "uh-?huh",
  "yeah",
  "yep",
  "yes",
  "right",
  "okay",
  "ok",
  "sure",
  "i see",
  "got it",
  "wow",
  "really"
)
