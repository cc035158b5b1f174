/**
 * Decides which changes are worth a message, and when: pure functions over what was last told about each subject.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type { CheckResult, OverallStatus } from "./Check.js"

/**
 * A change to tell. `subject` is what changed (`health` or `circuit:<name>`), `from` what was last told about it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Alert {
  readonly type: "health" | "circuit"
  readonly subject: string
  readonly severity: "critical" | "warning" | "resolved"
  readonly from: string
  readonly to: string
  readonly message: string
}

/**
 * What was told, and what is waiting to be told, of each subject.
 *
 * @since 0.1.0
 * @category models
 */
export interface AlertBook {
  readonly subjects: ReadonlyMap<string, Subject>
}

interface Subject {
  /** The state that the receiver believes in. */
  readonly told: string
  /** When it was told, in monotonic milliseconds. */
  readonly at: number
  readonly waiting: Alert | undefined
}

/**
 * Nothing told yet: everything is believed to be well.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty: AlertBook = { subjects: new Map() }

/**
 * The alert of a change of the whole, which names the checks that are not up.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ofStatus = (
  change: { readonly from: OverallStatus; readonly to: OverallStatus },
  checks: { readonly [name: string]: CheckResult }
): Alert => {
  const reasons = Object.entries(checks)
    .filter(([, { status }]) => status !== "up")
    .map(([name, { message, status }]) => `${name} is ${status}${message === undefined ? "" : ` (${message})`}`)
  return {
    type: "health",
    subject: "health",
    severity: change.to === "healthy" ? "resolved" : change.to === "degraded" ? "warning" : "critical",
    from: change.from,
    to: change.to,
    message: `Health is ${change.to}${reasons.length === 0 ? "" : `: ${reasons.join(", ")}`}`
  }
}

/**
 * The alert of a circuit that opened or closed. Half-open is a step on the way and not told.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ofCircuit = (transition: {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly reason?: string | undefined
}): Option.Option<Alert> => {
  const { from, name, reason, to } = transition
  if (to !== "open" && to !== "closed") return Option.none()
  return Option.some({
    type: "circuit",
    subject: `circuit:${name}`,
    severity: to === "closed" ? "resolved" : "warning",
    from,
    to,
    message: `The circuit of ${name} is ${to}${reason === undefined ? "" : ` (${reason})`}`
  })
}

/**
 * Takes in a change: it waits to be told, in place of an older one about the same subject.
 *
 * @since 0.1.0
 * @category transitions
 */
export const note = (book: AlertBook, alert: Alert): AlertBook => {
  const { at, told } = book.subjects.get(alert.subject) ?? { told: well[alert.type], at: -Infinity }
  // What came back to the state that was told need not be told.
  const waiting = alert.to === told ? undefined : { ...alert, from: told }
  return { subjects: new Map(book.subjects).set(alert.subject, { told, at, waiting }) }
}

/**
 * The changes whose time has come, and the book in which they are told.
 *
 * @since 0.1.0
 * @category transitions
 */
export const takeDue = (
  book: AlertBook,
  minInterval: number,
  now: number
): readonly [ReadonlyArray<Alert>, AlertBook] => {
  const due: Array<Alert> = []
  const subjects = new Map<string, Subject>()
  for (const [name, subject] of book.subjects) {
    if (subject.waiting === undefined || now - subject.at < minInterval) {
      subjects.set(name, subject)
    } else {
      due.push(subject.waiting)
      subjects.set(name, { told: subject.waiting.to, at: now, waiting: undefined })
    }
  }
  return [due, { subjects }]
}

/**
 * Milliseconds until the next waiting change is due; `undefined` when none waits.
 *
 * @since 0.1.0
 * @category accessors
 */
export const nextDue = (book: AlertBook, minInterval: number, now: number): number | undefined => {
  const waits = [...book.subjects.values()]
    .filter(({ waiting }) => waiting !== undefined)
    .map(({ at }) => Math.max(0, at + minInterval - now))
  return waits.length === 0 ? undefined : Math.min(...waits)
}

const well = { health: "healthy", circuit: "closed" }
