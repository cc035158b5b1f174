/**
 * The generic cell rate algorithm (ATM Forum TM 4.0; one number per client): every request pushes the client's
 * theoretical arrival time (TAT) forward by its cost, and is allowed while that time is not further ahead of now than
 * the whole limit. So `limit` requests may come at once, and each comes back `window / limit` later; there is no window
 * edge to wait for.
 *
 * All times are whole numbers. `now` is in milliseconds since an origin of the caller's choosing; a TAT counts in units
 * of `1 / scale` milliseconds, chosen so that `window / limit` is a whole number of them: nothing is ever rounded, and a
 * limit for which ten years of such units do not fit in a double is refused. (Epoch time plus a tiny fraction is the
 * classic way to a limiter that never limits: the sum is the same double again.)
 *
 * @since 0.1.0
 */

/**
 * A limit in whole numbers, made by `configure`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limit {
  readonly limit: number
  readonly windowMillis: number
  /** Units per millisecond. */
  readonly scale: number
  /** Units by which a request of cost 1 moves the TAT. */
  readonly emission: number
  /** Units by which the TAT may be ahead of now: `limit` requests. */
  readonly tolerance: number
}

/**
 * The verdict on one request under all its limits; `limit` is the one that decided, or that is nearest.
 *
 * @since 0.1.0
 * @category models
 */
export interface Verdict {
  readonly allowed: boolean
  readonly limit: Limit
  /** Requests of cost 1 that would be allowed now. */
  readonly remaining: number
  /** Until the client has its whole limit back. */
  readonly resetAfterMillis: number
  /** Until the same request is allowed if no other comes before; 0 when it is allowed. */
  readonly retryAfterMillis: number
}

const tenYears = 10 * 365 * 24 * 3_600_000

/** Makes a limit, or says in words why it cannot be one. */
export const configure = (limit: number, windowMillis: number): Limit | string => {
  if (!Number.isSafeInteger(limit) || limit < 1) return `limit is ${limit}; it must be a whole number of at least 1`
  if (!Number.isSafeInteger(windowMillis) || windowMillis < 1 || windowMillis > tenYears) {
    return `window is ${windowMillis} ms; it must be a whole number of milliseconds, from 1 to ten years`
  }
  const divisor = greatestCommonDivisor(limit, windowMillis)
  const scale = limit / divisor
  if (!Number.isSafeInteger(scale * tenYears * 2)) {
    return `${limit} per ${windowMillis} ms cannot be counted exactly: one request is less than a clock can resolve; choose a limit that divides the window, or a smaller one`
  }
  return { limit, windowMillis, scale, emission: windowMillis / divisor, tolerance: windowMillis * scale }
}

/**
 * Judges a request of this cost, given the client's TATs (one for each limit; none for an unknown client). The request
 * counts under all limits or, when one of them is exceeded, under none: then the TATs come back as they were.
 */
export const decide = (
  limits: ReadonlyArray<Limit>,
  tats: ReadonlyArray<number>,
  now: number,
  cost: number
): [Verdict, ReadonlyArray<number>] => {
  // Plain loops, and an array of the right size from the start: anything else made this several times as slow, and it is
  // most of what a decision in memory costs.
  // oxlint-disable-next-line unicorn/no-new-array
  const after = new Array<number>(limits.length)
  let allowed = true
  let index = 0
  for (const limit of limits) {
    const tat = current(limit, tats[index], now) + cost * limit.emission
    if (tat - now * limit.scale > limit.tolerance) allowed = false
    after[index++] = tat
  }
  const next = allowed ? after : tats
  let tightest: Verdict | undefined
  index = 0
  for (const limit of limits) {
    const one = verdict(limit, current(limit, next[index++], now), now, cost, allowed)
    tightest = tightest === undefined ? one : tighter(tightest, one)
  }
  // There is one limit at least.
  return [tightest!, next]
}

/** The moment from which a client with these TATs cannot be told from an unknown one, in milliseconds. */
export const expiry = (limits: ReadonlyArray<Limit>, tats: ReadonlyArray<number>): number => {
  let latest = 0
  let index = 0
  for (const limit of limits) latest = Math.max(latest, Math.ceil((tats[index++] ?? 0) / limit.scale))
  return latest
}

/** Never in the past; never further ahead than the limit, which only a clock that was set back can make it. */
const current = (limit: Limit, tat: number | undefined, now: number): number => {
  const at = now * limit.scale
  return Math.min(Math.max(tat ?? at, at), at + limit.tolerance)
}

const verdict = (limit: Limit, tat: number, now: number, cost: number, allowed: boolean): Verdict => {
  const ahead = tat - now * limit.scale
  const excess = ahead + cost * limit.emission - limit.tolerance
  return {
    allowed,
    limit,
    remaining: Math.floor((limit.tolerance - ahead) / limit.emission),
    resetAfterMillis: Math.ceil(ahead / limit.scale),
    retryAfterMillis: allowed ? 0 : Math.max(0, Math.ceil(excess / limit.scale))
  }
}

/** The verdict that the client has to hear: the longest wait, then the fewest requests left. */
const tighter = (a: Verdict, b: Verdict): Verdict =>
  (b.retryAfterMillis - a.retryAfterMillis || a.remaining - b.remaining) > 0 ? b : a

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))
