/**
 * How many retries a dependency can be asked to bear, as plain data: a share of the calls that began within the last
 * window, plus a reserve. The rule is that of Finagle's `RetryBudget`.
 *
 * The window slides in slices, so that memory is bounded whatever the traffic. A call counts for at most one window and a
 * retry for at least one, so that no window, wherever it begins, sees more retries granted than its calls allow.
 *
 * @since 0.1.0
 */

/** What stays the same over the life of a budget. */
export interface Limits {
  /** How many retries each call pays for. */
  readonly ratio: number
  /** How many retries a window has without any call. */
  readonly reserve: number
  /** The length of a slice, the tenth part of the window, in milliseconds. */
  readonly slice: number
}

/** What began within some time. */
interface Count {
  readonly calls: number
  readonly retries: number
}

/** The slices before the current one that still count, and how much that is together. */
interface Past extends Count {
  /** The number of the current slice. */
  readonly until: number
  /** Newest first. */
  readonly counts: ReadonlyArray<Count>
}

/** What began within the current slice, and all that is before it: a call changes no more than a number. */
export interface State extends Count {
  readonly past: Past
  /** Retries that were not granted, since the budget was made. */
  readonly refused: number
}

/** What is in the window now. */
export interface Balance extends Count {
  /** How many retries would be granted now. */
  readonly available: number
}

/** Into how many slices the window is cut. */
export const slices = 10

export const initial: State = {
  past: { until: -Infinity, counts: [], calls: 0, retries: 0 },
  calls: 0,
  retries: 0,
  refused: 0
}

/** A call began: it pays for a part of a retry. */
export const deposit = (limits: Limits, before: State, now: number): State => {
  const { calls, past, refused, retries } = advance(limits, before, now)
  return { past, calls: calls + 1, retries, refused }
}

/** Charges a retry, when there is enough for it. */
export const withdraw = (limits: Limits, before: State, now: number): [granted: boolean, State] => {
  const state = advance(limits, before, now)
  return balanceOf(limits, state).available >= 1
    ? [true, { ...state, retries: state.retries + 1 }]
    : [false, { ...state, refused: state.refused + 1 }]
}

/**
 * Takes back the charge of a retry that never began. It is the oldest charge that goes: it would have been forgotten
 * first, so that what is left counts for no less long than it should. Nothing happens when all of them are forgotten.
 */
export const refund = (limits: Limits, before: State, now: number): State => {
  const state = advance(limits, before, now)
  const { past } = state
  const oldest = past.counts.findLastIndex(({ retries }) => retries > 0)
  if (oldest === -1) return state.retries === 0 ? state : { ...state, retries: state.retries - 1 }
  const counts = past.counts.map(({ calls, retries }, index) => ({
    calls,
    retries: index === oldest ? retries - 1 : retries
  }))
  return { ...state, past: { ...past, counts, retries: past.retries - 1 } }
}

/** What is in the window at this time. */
export const balance = (limits: Limits, state: State, now: number): Balance =>
  balanceOf(limits, advance(limits, state, now))

const balanceOf = (limits: Limits, state: State): Balance => {
  const calls = state.past.calls + state.calls
  const retries = state.past.retries + state.retries
  return { calls, retries, available: Math.max(0, allowed(limits, calls) - retries) }
}

/** 100 calls at 0.29 each are 29 retries, and not the 28.999999999999996 of binary fractions. */
const rounding = 1e-9

const allowed = ({ ratio, reserve }: Limits, calls: number): number => Math.floor(ratio * calls + reserve + rounding)

/** Moves the window on to the present. */
const advance = (limits: Limits, state: State, now: number): State => {
  const until = Math.floor(now / limits.slice)
  const passed = until - state.past.until
  // A clock that went back changes nothing.
  if (passed <= 0) return state
  const idle = Array.from({ length: Math.min(passed, slices + 1) - 1 }, (): Count => ({ calls: 0, retries: 0 }))
  const latest: Count = { calls: state.calls, retries: state.retries }
  const counts = [...idle, latest, ...state.past.counts].slice(0, slices)
  // Together with the current slice, calls count in one slice less than retries.
  const past = { until, counts, calls: sum(counts.slice(0, slices - 1), "calls"), retries: sum(counts, "retries") }
  return { past, calls: 0, retries: 0, refused: state.refused }
}

const sum = (counts: ReadonlyArray<Count>, field: keyof Count): number =>
  counts.reduce((total, count) => total + count[field], 0)
