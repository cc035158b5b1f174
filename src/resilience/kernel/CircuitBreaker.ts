/**
 * Decides whether a dependency that has been failing may be called: the circuit breaker as a pure state machine.
 *
 * - **closed**: calls pass; a run of failures, or a rate over a window (`Window.ts`), opens the circuit.
 * - **open**: calls are rejected until the open time is over (`OpenTime.ts`).
 * - **half-open**: at most `halfOpenMaxCalls` calls at a time pass as probes, which close the circuit or open it again
 *   (`HalfOpen.ts`). By default the first result decides.
 *
 * Nothing here runs on a timer. What time alone does (`advance`) is computed whenever the state is read, so that a
 * breaker needs no fibre and cannot be stuck behind an event that never came.
 *
 * Every change of the automatic state starts a new generation. A permit remembers the generation it was given in, and a
 * result that comes back in another one is only counted as late: it can neither close a circuit nor open it, nor free
 * the place of a probe it never was (the rule of gobreaker).
 *
 * Times are monotonic milliseconds. A transition that changes nothing returns the same reference.
 *
 * @since 0.1.0
 */
import * as HalfOpen from "./HalfOpen.js"
import * as OpenTime from "./OpenTime.js"
import type { Outcome, Verdict } from "./Outcome.js"
import * as Window from "./Window.js"

export interface Settings extends Window.Rule, HalfOpen.Rules, OpenTime.Rules {
  readonly healOnProbe: boolean
}

/** `opens` counts the openings in a row that the growth of the open time is computed from. */
interface Closed {
  readonly _tag: "closed"
  readonly since: number
  readonly opens: number
}

interface Open {
  readonly _tag: "open"
  readonly since: number
  readonly failures: number
  readonly opens: number
  /** The random number that its open time is jittered by. */
  readonly random: number
}

export type Automatic = Closed | Open | HalfOpen.HalfOpen

/** What an operator decided. It lies over the automatic state, which goes on underneath. */
export type Mode = "auto" | "forced-open" | "forced-closed"

/** Why the circuit is as it is. */
export type Reason =
  | Window.Verdict
  | "reset-timeout"
  | "probe-succeeded"
  | "probe-failed"
  | "probe-lease-over"
  | "healthy"
  | "throttled"
  | "hold-off-over"
  | "forced-open"
  | "forced-closed"
  | "isolated"
  | "released"

export interface State {
  readonly settings: Settings
  readonly mode: Mode
  readonly automatic: Automatic
  /** What the closed circuit remembers of its calls; empty while it is not closed. */
  readonly window: Window.Window
  readonly generation: number
  /** The dependency asked to be left alone until then. */
  readonly heldUntil: number | undefined
  /** How many hold the circuit open, beside and above the automatic. */
  readonly handles: number
  readonly reason: Reason | undefined
  /** Results that came back in another generation than the one they were admitted in. */
  readonly late: number
  /** The random number from 0 to below 1 that the next opening takes; whoever drives the machine draws new ones. */
  readonly random: number
}

export interface Permit {
  readonly generation: number
  readonly probe: HalfOpen.Probe | undefined
  /** When the call began; `undefined` where nobody looked, and then the call is not slow. */
  readonly since: number | undefined
}

export type Refusal = "open" | "half-open-full" | "forced-open" | "isolated" | "throttled"

export interface Admitted {
  readonly _tag: "Admitted"
  readonly permit: Permit
  /** Nothing to wait for. */
  readonly retryAfter?: undefined
}

export interface Rejected {
  readonly _tag: "Rejected"
  readonly reason: Refusal
  readonly retryAfter: number | undefined
}

export type Decision = Admitted | Rejected

/** The longest time that a dependency can ask to be left alone: a misread header must not switch it off for a day. */
export const longestHoldOff = 60_000

export const initial = (settings: Settings, random = 0): State => ({
  settings,
  mode: "auto",
  automatic: { _tag: "closed", since: 0, opens: 0 },
  window: Window.empty(settings),
  generation: 0,
  heldUntil: undefined,
  handles: 0,
  reason: undefined,
  late: 0,
  random
})

/** Whether calls pass whatever the time is: the one question that a healthy dependency's call costs. */
export const passesFreely = (state: State): state is State & { readonly automatic: Closed } =>
  state.automatic._tag === "closed" && state.mode === "auto" && state.heldUntil === undefined && state.handles === 0

/** Whether a circuit made anew would be the same: closed by itself, with nothing bad remembered and nothing pending. */
export const isNeutral = (state: State, now: number): boolean => {
  const current = advance(state, now)
  return (
    passesFreely(current) &&
    opensInARow(current.automatic, current.settings, now) === 0 &&
    Window.isClean(current.window, now)
  )
}

/** A call asks to pass; `lease` is how long it may take by its own limit. Takes a place when half-open. */
export const admit = (state: State, now: number, lease = 0): readonly [Decision, State] => {
  if (state.mode === "forced-open") return [rejected("forced-open", undefined), state]
  if (state.handles > 0) return [rejected("isolated", undefined), state]
  if (state.mode === "forced-closed") return [admitted(state, undefined, now), state]
  const current = advance(state, now)
  if (current.heldUntil !== undefined) {
    return [rejected("throttled", Math.max(current.heldUntil - now, remaining(current, now))), current]
  }
  const automatic = current.automatic
  switch (automatic._tag) {
    case "closed":
      return [admitted(current, undefined, now), current]
    case "open":
      return [rejected("open", remaining(current, now)), current]
    case "half-open": {
      const lent = HalfOpen.lend(automatic, current.settings, now, lease)
      if (lent === undefined) return [rejected("half-open-full", undefined), current]
      const [probe, next] = lent
      return [admitted(current, probe, now), { ...current, automatic: next }]
    }
  }
}

/** Gives a permit back with what became of its call. Safe to call again: the second time changes no decision. */
export const settle = (state: State, permit: Permit, verdict: Verdict, now: number): State => {
  const says = verdict !== "ignored" && verdict !== "interrupted"
  if (permit.generation !== state.generation) return says ? late(state, now) : state
  const failed = verdict === "failure"
  const slow = isSlow(state.settings, now - (permit.since ?? now))
  const { automatic } = state
  if (automatic._tag === "closed") return says ? record(state, automatic, failed, slow, now) : state
  const { probe } = permit
  // Only a forced-closed circuit lets other calls than probes through; they say nothing to the state underneath.
  if (probe === undefined) return state
  // Some lease may be over though nobody has looked since: then the place is gone, or the circuit is open again.
  const current = advance(state, now)
  const half = current.automatic
  if (half._tag === "half-open" && half.probes.includes(probe)) {
    return says
      ? conclude(current, half, probe, failed || slow, now, "probe-failed")
      : { ...current, automatic: HalfOpen.giveBack(half, probe) }
  }
  // The place is gone with its lease or with the half-open circuit, or it was given back before.
  const isLate = probe.leasedUntil <= now || current.generation !== state.generation
  return says && isLate ? late(state, now) : state
}

/**
 * The same for the calls of a circuit that is closed and stays closed, which are most: they can be counted without the
 * time, whose reading costs more than all the rest. `undefined` where it takes the time to tell.
 */
export const settleAnytime = (state: State, permit: Permit, verdict: Verdict): State | undefined => {
  if (state.automatic._tag !== "closed" || permit.generation !== state.generation) return undefined
  if (verdict === "ignored" || verdict === "interrupted") return state
  if (permit.since !== undefined || state.window._tag === "time") return undefined
  const window = Window.push(state.window, verdict === "failure", false, 0)
  if (window === state.window) return state
  return Window.judge(window, state.settings) === undefined ? counted(state, window) : undefined
}

/** What a call that took so long counts as: a success that took longer than `slowCallDuration` is slow. */
export const outcomeAfter = (settings: Settings, verdict: Verdict, elapsed: number): Outcome =>
  verdict === "success" && isSlow(settings, elapsed) ? "slow" : verdict

/** An operator opens the circuit, closes it, or gives it back to the automatic. */
export const force = (state: State, mode: Mode): State =>
  state.mode === mode ? state : { ...state, mode, reason: mode === "auto" ? "released" : mode }

/** Somebody holds the circuit open, beside all others who do. */
export const isolate = (state: State): State => ({ ...state, handles: state.handles + 1, reason: "isolated" })

/** One who held the circuit open lets go. */
export const release = (state: State): State => ({ ...state, handles: state.handles - 1, reason: "released" })

/** Leaves the dependency alone for a while, at most `longestHoldOff`; counts neither as failure nor as success. */
export const holdOff = (state: State, duration: number, now: number): State => {
  const until = now + Math.min(duration, longestHoldOff)
  return until > Math.max(now, state.heldUntil ?? 0) ? { ...state, heldUntil: until, reason: "throttled" } : state
}

/** A background probe succeeded: with `healOnProbe` the next caller need not wait for the open time to be over. */
export const healthy = (state: State, now: number): State => {
  const current = advance(state, now)
  const { automatic } = current
  return state.settings.healOnProbe && automatic._tag === "open" ? halfOpen(current, automatic, "healthy") : state
}

/** Other settings for the same history: counters, probes, modes and times go on. What is over stays over. */
export const reconfigure = (state: State, settings: Settings, now: number): State => {
  const current = advance(state, now)
  const changed = { ...current, settings, window: Window.reshape(current.window, settings, now) }
  // Fewer probes may be enough now; the next one would be judged by results that had decided before.
  const decided =
    current.automatic._tag === "half-open" ? decide(changed, current.automatic, now, "probe-failed") : changed
  return advance(decided, now)
}

/** The state as it is now, for people: what a caller would meet, the operator's decision and hold-offs included. */
export interface View {
  readonly state: Automatic["_tag"]
  readonly failures: number
  readonly probesInUse: number
  /** Milliseconds until another call can pass, where the clock alone decides that. */
  readonly retryAfter: number | undefined
}

export const view = (state: State, now: number): View => {
  const current = advance(state, now)
  const { automatic, window } = current
  const [decision] = admit(current, now)
  return {
    state: shown(current),
    failures: automatic._tag === "closed" ? Window.failures(window, now) : automatic.failures,
    probesInUse: automatic._tag === "half-open" ? automatic.probes.length : 0,
    retryAfter: decision.retryAfter
  }
}

/** What a caller meets, as far as time has been let do its work. */
export const shown = ({ automatic, handles, heldUntil, mode }: State): Automatic["_tag"] => {
  if (mode === "forced-open" || handles > 0) return "open"
  if (mode === "forced-closed") return "closed"
  return heldUntil === undefined ? automatic._tag : "open"
}

/** When time alone changes the state next; `Infinity` where it does not. */
export const changesAt = (state: State): number => Math.min(state.heldUntil ?? Infinity, endsAt(state))

/** What time alone has done: hold-offs end, leases run out, the open time is over. */
export const advance = (state: State, now: number): State => {
  const next = elapse(state, now)
  return next === state ? state : advance(next, now)
}

/** The first thing of these, which happened at `changesAt`. */
export const elapse = (state: State, now: number): State => {
  const { automatic, heldUntil = Infinity } = state
  if (heldUntil <= now && heldUntil <= endsAt(state)) {
    return { ...state, heldUntil: undefined, reason: "hold-off-over" }
  }
  switch (automatic._tag) {
    case "closed":
      return state
    case "open":
      return remaining(state, now) <= 0 ? halfOpen(state, automatic, "reset-timeout") : state
    case "half-open": {
      const probe = HalfOpen.overdue(automatic, now)
      return probe === undefined
        ? state
        : conclude(state, automatic, probe, true, probe.leasedUntil, "probe-lease-over")
    }
  }
}

const admitted = ({ generation, settings }: State, probe: HalfOpen.Probe | undefined, now: number): Decision => ({
  _tag: "Admitted",
  permit: { generation, probe, since: settings.slowCallDuration === undefined ? undefined : now }
})

const rejected = (reason: Refusal, retryAfter: number | undefined): Decision => ({
  _tag: "Rejected",
  reason,
  retryAfter
})

/** Advanced, so that what time has done meanwhile is told with its own reason. */
const late = (state: State, now: number): State => ({ ...advance(state, now), late: state.late + 1 })

const isSlow = ({ slowCallDuration }: Settings, elapsed: number): boolean => elapsed > (slowCallDuration ?? Infinity)

const remaining = (state: State, now: number): number => (state.automatic._tag === "open" ? endsAt(state) - now : 0)

/** When the automatic state is over by time alone. */
const endsAt = ({ automatic, settings }: State): number => {
  switch (automatic._tag) {
    case "closed":
      return Infinity
    case "open":
      return automatic.since + OpenTime.of(settings, automatic.opens, automatic.random)
    case "half-open":
      return automatic.probes.reduce((first, { leasedUntil }) => Math.min(first, leasedUntil), Infinity)
  }
}

/** A circuit that stayed closed for one reset timeout has healed: its open time starts small again. */
const opensInARow = ({ opens, since }: Closed, { resetTimeout }: Settings, now: number): number =>
  now - since >= resetTimeout ? 0 : opens

/** The result of a call through the closed circuit. */
const record = (state: State, closed: Closed, failed: boolean, slow: boolean, now: number): State => {
  const window = Window.push(state.window, failed, slow, now)
  if (window === state.window) return state
  const verdict = Window.judge(window, state.settings)
  return verdict === undefined
    ? counted(state, window)
    : open(state, opensInARow(closed, state.settings, now), now, verdict, window.failures)
}

/** Written out, as every call of a circuit with a window comes by here: a spread takes twenty times as long. */
const counted = (state: State, window: Window.Window): State => ({
  settings: state.settings,
  mode: state.mode,
  automatic: state.automatic,
  window,
  generation: state.generation,
  heldUntil: state.heldUntil,
  handles: state.handles,
  reason: state.reason,
  late: state.late,
  random: state.random
})

/** The result of a probe. */
const conclude = (
  state: State,
  before: HalfOpen.HalfOpen,
  probe: HalfOpen.Probe,
  failed: boolean,
  now: number,
  reason: Reason
): State => decide(state, HalfOpen.conclude(before, probe, failed), now, reason)

/** What follows from the results of probes so far. */
const decide = (state: State, automatic: HalfOpen.HalfOpen, now: number, reason: Reason): State => {
  switch (HalfOpen.judge(automatic, state.settings)) {
    case "open":
      return open(state, automatic.opens, now, reason, automatic.failures + automatic.failed)
    case "close":
      return next(state, { _tag: "closed", since: now, opens: automatic.opens }, "probe-succeeded")
    case undefined:
      return { ...state, automatic }
  }
}

const next = (state: State, automatic: Automatic, reason: Reason): State => ({
  ...state,
  automatic,
  window: Window.empty(state.settings),
  reason,
  generation: state.generation + 1
})

/** Opens after so many openings in a row. */
const open = (state: State, opens: number, now: number, reason: Reason, failures: number): State =>
  next(state, { _tag: "open", since: now, failures, opens: opens + 1, random: state.random }, reason)

const halfOpen = (state: State, { failures, opens }: Open, reason: Reason): State =>
  next(state, HalfOpen.initial(failures, opens), reason)
