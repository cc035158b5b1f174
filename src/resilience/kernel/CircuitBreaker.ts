/**
 * Decides whether a dependency that has been failing may be called: the circuit breaker as a pure state machine.
 *
 * - **closed**: calls pass; `failureThreshold` failures in a row open the circuit.
 * - **open**: calls are rejected until the open time is over.
 * - **half-open**: at most `halfOpenMaxCalls` calls at a time pass as probes; the first success closes the circuit, the
 *   first failure opens it again. A probe holds its place on a lease: one that shows no result in time counts as failed.
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
import type { Outcome } from "./Outcome.js"

export interface Settings {
  readonly failureThreshold: number
  readonly resetTimeout: number
  readonly halfOpenMaxCalls: number
  readonly resetTimeoutMultiplier: number
  readonly maxResetTimeout: number
  readonly probeTimeout: number
  readonly healOnProbe: boolean
}

/** `opens` counts the openings in a row that the growth of the open time is computed from. */
interface Closed {
  readonly _tag: "closed"
  readonly since: number
  readonly failures: number
  readonly opens: number
}

interface Open {
  readonly _tag: "open"
  readonly since: number
  readonly failures: number
  readonly opens: number
}

interface HalfOpen {
  readonly _tag: "half-open"
  readonly failures: number
  readonly opens: number
  readonly probes: ReadonlyArray<Probe>
}

/** A place in the half-open state; its identity is the object itself. */
export interface Probe {
  readonly leasedUntil: number
}

export type Automatic = Closed | Open | HalfOpen

/** What an operator decided. It lies over the automatic state, which goes on underneath. */
export type Mode = "auto" | "forced-open" | "forced-closed"

/** Why the circuit is as it is. */
export type Reason =
  | "failures"
  | "reset-timeout"
  | "probe-succeeded"
  | "probe-failed"
  | "probe-lease-over"
  | "healthy"
  | "throttled"
  | "hold-off-over"
  | "forced-open"
  | "forced-closed"
  | "released"

export interface State {
  readonly settings: Settings
  readonly mode: Mode
  readonly automatic: Automatic
  readonly generation: number
  /** The dependency asked to be left alone until then. */
  readonly heldUntil: number | undefined
  readonly reason: Reason | undefined
  /** Results that came back in another generation than the one they were admitted in. */
  readonly late: number
}

export interface Permit {
  readonly generation: number
  readonly probe: Probe | undefined
}

export type Refusal = "open" | "half-open-full" | "forced-open" | "throttled"

export interface Admitted {
  readonly _tag: "Admitted"
  readonly permit: Permit
}

export interface Rejected {
  readonly _tag: "Rejected"
  readonly reason: Refusal
  readonly retryAfter: number | undefined
}

export type Decision = Admitted | Rejected

/** The longest time that a dependency can ask to be left alone: a misread header must not switch it off for a day. */
export const longestHoldOff = 60_000

export const initial = (settings: Settings): State => ({
  settings,
  mode: "auto",
  automatic: { _tag: "closed", since: 0, failures: 0, opens: 0 },
  generation: 0,
  heldUntil: undefined,
  reason: undefined,
  late: 0
})

/** Whether calls pass whatever the time is: the one question that a healthy dependency's call costs. */
export const passesFreely = (state: State): boolean =>
  state.automatic._tag === "closed" && state.mode === "auto" && state.heldUntil === undefined

/** Whether the success of a call with this permit would change nothing. */
export const isUntroubled = (state: State, permit: Permit): boolean =>
  state.automatic._tag === "closed" && state.automatic.failures === 0 && state.generation === permit.generation

/**
 * Asks to let a call through. `lease` is how long the call can take by its own limit: a probe is never leased for less,
 * so that a probe which its own timeout would end is not given up before that.
 */
export const admit = (state: State, now: number, lease = 0): readonly [Decision, State] => {
  if (state.mode === "forced-open") return [rejected("forced-open", undefined), state]
  if (state.mode === "forced-closed") return [admitted(state.generation, undefined), state]
  const current = advance(state, now)
  if (isHeld(current, now)) {
    return [rejected("throttled", Math.max(current.heldUntil - now, remaining(current, now))), current]
  }
  const automatic = current.automatic
  switch (automatic._tag) {
    case "closed":
      return [admitted(current.generation, undefined), current]
    case "open":
      return [rejected("open", remaining(current, now)), current]
    case "half-open": {
      if (automatic.probes.length >= current.settings.halfOpenMaxCalls) {
        return [rejected("half-open-full", undefined), current]
      }
      const probe: Probe = { leasedUntil: now + Math.max(current.settings.probeTimeout, lease) }
      return [
        admitted(current.generation, probe),
        { ...current, automatic: { ...automatic, probes: [...automatic.probes, probe] } }
      ]
    }
  }
}

/** Gives a permit back with what became of its call. Safe to call again: the second time changes no decision. */
export const settle = (state: State, permit: Permit, outcome: Outcome, now: number): State => {
  const says = outcome !== "ignored" && outcome !== "interrupted"
  if (permit.generation !== state.generation) return says ? late(state, now) : state
  const automatic = state.automatic
  switch (automatic._tag) {
    case "closed":
      if (!says) return state
      if (outcome !== "failure") {
        return automatic.failures === 0 ? state : { ...state, automatic: { ...automatic, failures: 0 } }
      }
      return automatic.failures + 1 >= state.settings.failureThreshold
        ? open(state, now, "failures")
        : { ...state, automatic: { ...automatic, failures: automatic.failures + 1 } }
    case "open":
      // Only a forced-closed circuit lets calls through here; they say nothing to the state underneath.
      return state
    case "half-open": {
      const probe = permit.probe
      if (probe === undefined || !automatic.probes.includes(probe)) return state
      // Some lease is over, though nobody has looked since: the circuit is open again, this result is late.
      if (advance(state, now).generation !== state.generation) return says ? late(state, now) : state
      if (!says) {
        return { ...state, automatic: { ...automatic, probes: automatic.probes.filter((other) => other !== probe) } }
      }
      return outcome === "failure" ? open(state, now, "probe-failed") : close(state, now)
    }
  }
}

/** An operator opens the circuit, closes it, or gives it back to the automatic. */
export const force = (state: State, mode: Mode): State =>
  state.mode === mode ? state : { ...state, mode, reason: mode === "auto" ? "released" : mode }

/** Leaves the dependency alone for a while, at most `longestHoldOff`; counts neither as failure nor as success. */
export const holdOff = (state: State, duration: number, now: number): State => {
  const until = now + Math.min(duration, longestHoldOff)
  return until > Math.max(now, state.heldUntil ?? 0) ? { ...state, heldUntil: until, reason: "throttled" } : state
}

/** A background probe succeeded: with `healOnProbe` the next caller need not wait for the open time to be over. */
export const healthy = (state: State, now: number): State => {
  const current = advance(state, now)
  return state.settings.healOnProbe && current.automatic._tag === "open" ? halfOpen(current, "healthy") : state
}

/** Other settings for the same history: counters, probes, modes and times go on. What is over stays over. */
export const reconfigure = (state: State, settings: Settings, now: number): State =>
  advance({ ...advance(state, now), settings }, now)

/** The state as it is now, for people: what a caller would meet, the operator's decision and hold-offs included. */
export interface View {
  readonly state: Automatic["_tag"]
  readonly failures: number
  readonly probesInUse: number
  /** Milliseconds until another call can pass, where the clock alone decides that. */
  readonly retryAfter: number | undefined
}

export const view = (state: State, now: number): View => {
  const { automatic, heldUntil } = advance(state, now)
  const [decision] = admit(state, now)
  return {
    state:
      state.mode === "forced-open"
        ? "open"
        : state.mode === "forced-closed"
          ? "closed"
          : heldUntil !== undefined
            ? "open"
            : automatic._tag,
    failures: automatic.failures,
    probesInUse: automatic._tag === "half-open" ? automatic.probes.length : 0,
    retryAfter: decision._tag === "Rejected" ? decision.retryAfter : undefined
  }
}

/** How long ago the automatic opened, when that is why calls are rejected now; else zero. */
export const openFor = (state: State, now: number): number =>
  state.mode === "auto" && state.heldUntil === undefined && state.automatic._tag === "open"
    ? now - state.automatic.since
    : 0

/** What time alone has done: hold-offs end, leases run out, the open time is over. */
export const advance = (state: State, now: number): State => {
  let current = state
  if (current.heldUntil !== undefined && current.heldUntil <= now) {
    current = { ...current, heldUntil: undefined, reason: "hold-off-over" }
  }
  if (current.automatic._tag === "half-open" && current.automatic.probes.length > 0) {
    const over = Math.min(...current.automatic.probes.map((probe) => probe.leasedUntil))
    if (over <= now) current = open(current, over, "probe-lease-over")
  }
  if (current.automatic._tag === "open" && remaining(current, now) <= 0) current = halfOpen(current, "reset-timeout")
  return current
}

const admitted = (generation: number, probe: Probe | undefined): Decision => ({
  _tag: "Admitted",
  permit: { generation, probe }
})

const rejected = (reason: Refusal, retryAfter: number | undefined): Decision => ({
  _tag: "Rejected",
  reason,
  retryAfter
})

/** Advanced, so that what time has done meanwhile is told with its own reason. */
const late = (state: State, now: number): State => ({ ...advance(state, now), late: state.late + 1 })

const isHeld = (state: State, now: number): state is State & { readonly heldUntil: number } =>
  state.heldUntil !== undefined && state.heldUntil > now

const remaining = (state: State, now: number): number =>
  state.automatic._tag === "open" ? state.automatic.since + openTime(state.settings, state.automatic.opens) - now : 0

/** Saturates: the power may be infinite, the cap is not. */
const openTime = (settings: Settings, opens: number): number =>
  Math.min(settings.maxResetTimeout, settings.resetTimeout * settings.resetTimeoutMultiplier ** (opens - 1))

const next = (state: State, automatic: Automatic, reason: Reason): State => ({
  ...state,
  automatic,
  reason,
  generation: state.generation + 1
})

const open = (state: State, now: number, reason: Reason): State => {
  const { automatic, settings } = state
  // A circuit that stayed closed for one reset timeout has healed: its open time starts small again.
  const healed = automatic._tag === "closed" && now - automatic.since >= settings.resetTimeout
  return next(
    state,
    { _tag: "open", since: now, failures: automatic.failures + 1, opens: healed ? 1 : automatic.opens + 1 },
    reason
  )
}

const halfOpen = (state: State, reason: Reason): State =>
  next(
    state,
    { _tag: "half-open", failures: state.automatic.failures, opens: state.automatic.opens, probes: [] },
    reason
  )

const close = (state: State, now: number): State =>
  next(state, { _tag: "closed", since: now, failures: 0, opens: state.automatic.opens }, "probe-succeeded")
