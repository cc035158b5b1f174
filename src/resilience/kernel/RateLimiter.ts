/**
 * An outbound rate limit is a semaphore whose permits the clock gives back: each one `interval` after it was taken, and
 * never earlier. So in no window of that length, wherever it begins, do more than `limit` calls start (an exact sliding
 * log; fixed windows and token buckets let twice as many through around an edge).
 *
 * Nothing here runs by itself: every function first returns what is due at `now`.
 *
 * @since 0.1.0
 */
import * as Queue from "./Queue.js"
import * as Semaphore from "./Semaphore.js"

/** `interval` in milliseconds. */
export interface Limits extends Semaphore.Limits {
  readonly interval: number
}

/** Permits on their way back. */
interface Return {
  readonly ticket: number
  readonly permits: number
  readonly at: number
}

export interface State<out W> {
  readonly semaphore: Semaphore.State<W>
  /** Sorted by `at`. */
  readonly returns: Queue.Queue<Return>
}

/** `wait` and `retryAfter` in milliseconds. */
export type Admission =
  | { readonly _tag: "Taken"; readonly ticket: number }
  | { readonly _tag: "Queued"; readonly ticket: number; readonly wait: number }
  | { readonly _tag: "Refused"; readonly reason: "wait-too-long" | "queue-full"; readonly retryAfter: number }

/** Those whom a step served, beside the one who made it. */
export type Served<W> = ReadonlyArray<Semaphore.Waiter<W>>

export const initial: State<never> = { semaphore: Semaphore.initial, returns: Queue.empty }

/** Returns the permits that are due and serves those who wait for them. */
export const advance = <W>(limits: Limits, state: State<W>, now: number): [Served<W>, State<W>] => {
  let { returns } = state
  let due = 0
  for (let first = Queue.head(returns); first !== undefined && first.at <= now; first = Queue.head(returns)) {
    due += first.permits
    returns = Queue.tail(returns)
  }
  if (due === 0) return [[], state]
  const [served, semaphore] = Semaphore.settle(limits, state.semaphore, due)
  return [served, { semaphore, returns: lent(limits, returns, served, now) }]
}

/**
 * Takes permits, or joins the queue when they come within `patience` milliseconds as far as can be known now: later
 * refunds and callers who give up shorten the wait, and only a call that starts late (`restart`) makes it longer. A
 * refused caller leaves no trace.
 */
export const admit = <W>(
  limits: Limits,
  before: State<W>,
  permits: number,
  door: W,
  now: number,
  patience: number
): [Admission, Served<W>, State<W>] => {
  const [served, state] = advance(limits, before, now)
  if (Semaphore.isFree(limits, state.semaphore, permits)) {
    const ticket = state.semaphore.nextTicket
    const returns = lent(limits, state.returns, [{ ticket, permits }], now)
    return [{ _tag: "Taken", ticket }, served, { semaphore: Semaphore.take(state.semaphore, permits), returns }]
  }
  const wait = waitOf(limits, state, permits, now)
  if (wait > patience) return [refused("wait-too-long", wait), served, state]
  const [admission, semaphore] = Semaphore.admit(limits, state.semaphore, permits, door)
  if (admission._tag === "Full") return [refused("queue-full", wait), served, state]
  return [{ _tag: "Queued", ticket: admission.ticket, wait }, served, { ...state, semaphore }]
}

/** Takes back a call that never started. Nothing happens when the clock has already given its permits back. */
export const refund = <W>(
  limits: Limits,
  before: State<W>,
  ticket: number,
  permits: number,
  now: number
): [Served<W>, State<W>] => {
  const [due, state] = advance(limits, before, now)
  const returns = Queue.remove(state.returns, (item) => item.ticket === ticket)
  if (returns === state.returns) return [due, state]
  const [served, semaphore] = Semaphore.settle(limits, state.semaphore, permits)
  return [[...due, ...served], { semaphore, returns: lent(limits, returns, served, now) }]
}

/**
 * A call that was admitted earlier starts only now: its permits come back that much later. `false`, and nothing happens,
 * when the clock has already given them back.
 */
export const restart = <W>(
  limits: Limits,
  before: State<W>,
  ticket: number,
  permits: number,
  now: number
): [boolean, Served<W>, State<W>] => {
  const [due, state] = advance(limits, before, now)
  const returns = Queue.remove(state.returns, (item) => item.ticket === ticket)
  if (returns === state.returns) return [false, due, state]
  return [true, due, { ...state, returns: lent(limits, returns, [{ ticket, permits }], now) }]
}

/** Takes a waiter out of the queue. Nothing happens when it has left or was served. */
export const leave = <W>(limits: Limits, before: State<W>, ticket: number, now: number): [Served<W>, State<W>] => {
  const [due, state] = advance(limits, before, now)
  const [served, semaphore] = Semaphore.leave(limits, state.semaphore, ticket)
  return [[...due, ...served], { semaphore, returns: lent(limits, state.returns, served, now) }]
}

/** How long a waiter has to sleep: 0 when served, `Infinity` when another one is first and will see to it. */
export const sleepOf = <W>(limits: Limits, state: State<W>, ticket: number, now: number): number => {
  const first = Queue.head(state.semaphore.queue)
  if (first === undefined || first.ticket > ticket) return 0
  if (first.ticket < ticket) return Infinity
  return untilFree(limits, state, first.permits, now)
}

/**
 * Those who have to hear of a step: all who were served, and whoever is first in line now if permits came or went, since
 * the first in line watches the clock for everyone.
 */
export const concerned = <W>(before: State<W>, after: State<W>, served: Served<W>): ReadonlyArray<W> => {
  const first = Queue.head(after.semaphore.queue)
  const stirred =
    first !== undefined &&
    (first.ticket !== Queue.head(before.semaphore.queue)?.ticket || before.returns !== after.returns)
  const doors = served.map((waiter) => waiter.door)
  return stirred ? [...doors, first.door] : doors
}

/** When a newcomer would be served, behind everyone who waits. In milliseconds from now. */
export const waitOf = <W>(limits: Limits, state: State<W>, permits: number, now: number): number =>
  state.semaphore.queue.size === 0
    ? untilFree(limits, state, permits, now)
    : played(limits, state, [...Queue.items(state.semaphore.queue), { permits }], now)

/** When the waiter with this ticket will be served; 0 when it was. In milliseconds from now. */
export const waitOfTicket = <W>(limits: Limits, state: State<W>, ticket: number, now: number): number =>
  played(
    limits,
    state,
    [...Queue.items(state.semaphore.queue)].filter((waiter) => waiter.ticket <= ticket),
    now
  )

/** Plays the future forward: everyone in the line is served in turn. */
const played = <W>(
  limits: Limits,
  state: State<W>,
  line: ReadonlyArray<{ readonly permits: number }>,
  now: number
): number => {
  const returns: Array<Omit<Return, "ticket">> = [...Queue.items(state.returns)]
  let free = limits.permits - state.semaphore.inUse
  let next = 0
  let at = now
  for (const { permits } of line) {
    for (; free < permits; next++) {
      // There is one: all permits come back, and nobody asks for more than there are.
      const due = returns[next]!
      free += due.permits
      at = Math.max(at, due.at)
    }
    free -= permits
    returns.push({ permits, at: at + limits.interval })
  }
  return at - now
}

const untilFree = <W>(limits: Limits, state: State<W>, permits: number, now: number): number => {
  let free = limits.permits - state.semaphore.inUse
  let at = now
  for (const due of Queue.items(state.returns)) {
    if (free >= permits) break
    free += due.permits
    at = due.at
  }
  return Math.max(0, at - now)
}

const lent = (
  limits: Limits,
  returns: Queue.Queue<Return>,
  served: ReadonlyArray<{ readonly ticket: number; readonly permits: number }>,
  now: number
): Queue.Queue<Return> =>
  served.reduce(
    (queue, { ticket, permits }) => Queue.push(queue, { ticket, permits, at: now + limits.interval }),
    returns
  )

const refused = (reason: "wait-too-long" | "queue-full", retryAfter: number): Admission => ({
  _tag: "Refused",
  reason,
  retryAfter
})
