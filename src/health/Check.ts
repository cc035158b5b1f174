/**
 * What is known about one health check, and what that means now: pure functions over plain data, with the time passed in.
 *
 * Three things speak about a dependency, and the worst of them is shown:
 *
 * 1. the last probe, damped by `downAfter` and `upAfter` so that one lost packet need not turn the status;
 * 2. its age: a result that was not renewed in time is stale (degraded), and twice that time later it counts as down,
 *    because a monitor that stopped looking knows nothing;
 * 3. the circuit, which is what real calls experienced: open is down and half-open degraded, whatever a probe says, since
 *    a cheap probe that passes while calls fail is the usual lie. A closed circuit proves nothing (perhaps nobody called)
 *    and therefore never improves what the probe says.
 *
 * @since 0.1.0
 */

/**
 * `unavailable` means that nobody can know: not configured, or not checked yet.
 *
 * @since 0.1.0
 * @category models
 */
export type CheckStatus = "up" | "degraded" | "down" | "unavailable"

/**
 * `unhealthy`: a critical check is down. `degraded`: anything else is not up.
 *
 * @since 0.1.0
 * @category models
 */
export type OverallStatus = "healthy" | "degraded" | "unhealthy"

/**
 * Who reads: everyone, or somebody who may see what a check says in its own words.
 *
 * @since 0.1.0
 * @category models
 */
export type Audience = "operator" | "public"

/**
 * What a check answers. An effect that succeeds with nothing is `up`; one that fails, dies or hangs is `down`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckOutcome {
  readonly status: "up" | "degraded" | "down"
  readonly message?: string | undefined
}

/**
 * A check as the health endpoint shows it. `responseTime` is that of the last probe in milliseconds, `since` the time
 * (ISO 8601) from which the status holds.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckResult {
  readonly status: CheckStatus
  readonly responseTime?: number
  readonly message?: string
  readonly since: string
}

/**
 * What the monitor reads of a circuit breaker; a `CircuitBreaker.Status` is one.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitView {
  readonly state: "closed" | "open" | "half-open"
  readonly mode?: "auto" | "forced-open" | "forced-closed" | undefined
  readonly failures?: number | undefined
  readonly openedAt?: string | undefined
  readonly retryAfterSeconds?: number | undefined
}

/**
 * A moment on both clocks: `millis` is monotonic and decides, `wall` (milliseconds since 1970) is only shown.
 *
 * @since 0.1.0
 * @category models
 */
export interface Moment {
  readonly millis: number
  readonly wall: number
}

/**
 * How a check is judged. Times in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rules {
  readonly configured: boolean
  /** Age from which a result is stale; from twice that age on it counts as down. */
  readonly staleAfter: number
  /** Consecutive bad probes that turn a passing check down. */
  readonly downAfter: number
  /** Consecutive good probes that turn a check that is down up again. */
  readonly upAfter: number
  /** The worst status this check may show. */
  readonly worst: "down" | "degraded"
}

/**
 * The memory of one check.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckState {
  readonly status: CheckStatus
  readonly message: string | undefined
  /** Whether `message` was written by the check itself and may name what only an operator should see. */
  readonly internal: boolean
  readonly responseTime: number | undefined
  readonly since: Moment
  readonly observedAt: Moment
  /** Consecutive probes that contradict `status`. */
  readonly against: number
}

/**
 * What one probe found.
 *
 * @since 0.1.0
 * @category models
 */
export interface Observation extends CheckOutcome {
  readonly internal: boolean
  readonly responseTime?: number | undefined
}

/**
 * A check that was registered and has not been run.
 *
 * @since 0.1.0
 * @category constructors
 */
export const initial = (rules: Rules, now: Moment): CheckState => ({
  status: "unavailable",
  message: rules.configured ? "not checked yet" : "not configured",
  internal: false,
  responseTime: undefined,
  since: now,
  observedAt: now,
  against: 0
})

/**
 * Takes in what a probe found.
 *
 * @since 0.1.0
 * @category transitions
 */
export const observe = (rules: Rules, state: CheckState, found: Observation, now: Moment): CheckState => {
  const turns = (found.status === "down") !== (state.status === "down") && state.status !== "unavailable"
  const against = turns ? state.against + 1 : 0
  const needed = found.status === "down" ? rules.downAfter : rules.upAfter
  const held = turns && against < needed
  const status = held ? state.status : found.status
  return {
    status,
    message: held ? heldMessage(found, against, needed) : found.message,
    internal: found.internal,
    responseTime: found.responseTime,
    since: status === state.status ? state.since : now,
    observedAt: now,
    against: held ? against : 0
  }
}

/**
 * What a check means now, in the words for an operator, or without what only an operator should see.
 *
 * @since 0.1.0
 * @category accessors
 */
export const read = (
  rules: Rules,
  state: CheckState,
  circuit: CircuitView | undefined,
  now: Moment,
  audience: Audience
): CheckResult => {
  const message = state.internal && audience === "public" ? publicMessage(state.status) : state.message
  const probed: Verdict = { status: state.status, message, since: state.since.wall }
  const verdict = rules.configured ? worst(worst(probed, byAge(rules, state, now)), byCircuit(circuit, state)) : probed
  const status = verdict.status === "down" ? rules.worst : verdict.status
  return {
    status,
    ...(state.responseTime === undefined ? {} : { responseTime: state.responseTime }),
    ...(verdict.message === undefined ? {} : { message: verdict.message }),
    since: new Date(verdict.since).toISOString()
  }
}

/**
 * The status of the whole.
 *
 * @since 0.1.0
 * @category accessors
 */
export const overall = (
  checks: ReadonlyArray<{ readonly critical: boolean; readonly result: CheckResult }>
): OverallStatus =>
  checks.some(({ critical, result }) => critical && result.status === "down")
    ? "unhealthy"
    : checks.every(({ result }) => result.status === "up")
      ? "healthy"
      : "degraded"

interface Verdict {
  readonly status: CheckStatus
  readonly message: string | undefined
  readonly since: number
}

const severity: Record<CheckStatus, number> = { up: 0, unavailable: 1, degraded: 2, down: 3 }

// On a tie both speak: "connection refused; the circuit is open, next try in 12 s".
const worst = (a: Verdict, b: Verdict | undefined): Verdict => {
  if (b === undefined || severity[b.status] < severity[a.status]) return a
  if (severity[b.status] > severity[a.status]) return b
  const messages = [a.message, b.message].filter((message) => message !== undefined)
  return { status: a.status, message: messages.join("; "), since: Math.min(a.since, b.since) }
}

const byAge = (rules: Rules, state: CheckState, now: Moment): Verdict | undefined => {
  const age = now.millis - state.observedAt.millis
  if (age < rules.staleAfter) return undefined
  const seconds = Math.round(age / 1000)
  const last = state.status === "unavailable" ? "no result yet" : `last result: ${state.status}`
  const failing = age >= 2 * rules.staleAfter
  return {
    status: failing ? "down" : "degraded",
    message: `not checked for ${seconds} s (${last}): the monitor has stopped`,
    since: state.observedAt.wall + (failing ? 2 : 1) * rules.staleAfter
  }
}

const byCircuit = (circuit: CircuitView | undefined, state: CheckState): Verdict | undefined => {
  if (circuit === undefined || circuit.state === "closed") return undefined
  const opened = circuit.openedAt === undefined ? NaN : Date.parse(circuit.openedAt)
  const since = Number.isNaN(opened) ? state.since.wall : opened
  if (circuit.state === "half-open") {
    return { status: "degraded", message: "the circuit is half-open: the next calls decide", since }
  }
  if (circuit.mode === "forced-open") return { status: "down", message: "an operator opened the circuit", since }
  const after = circuit.failures === undefined || circuit.failures === 0 ? "" : ` after ${circuit.failures} failures`
  const next =
    circuit.retryAfterSeconds === undefined
      ? ""
      : `; next try in ${Math.max(1, Math.ceil(circuit.retryAfterSeconds))} s`
  return { status: "down", message: `the circuit is open${after}${next}`, since }
}

const heldMessage = (found: Observation, count: number, needed: number): string =>
  found.status === "down"
    ? `${count} of ${needed} failed checks before this counts as down${found.message === undefined ? "" : `: ${found.message}`}`
    : `${count} of ${needed} good checks before this counts as up`

const publicMessage = (status: CheckStatus): string | undefined =>
  status === "down" ? "the check failed" : status === "degraded" ? "the check reports a problem" : undefined
