/**
 * Who holds how many permits and who waits for some, as plain data. Strictly first come, first served: a newcomer never
 * passes someone who waits, even when permits are free, because a caller who needs several would otherwise wait for
 * ever under a stream of callers who need one.
 *
 * @since 0.1.0
 */
import * as Queue from "./Queue.js"

/** What stays the same over the life of a semaphore. */
export interface Limits {
  readonly permits: number
  readonly maxQueued: number
}

/** Someone who waits. `ticket` numbers only grow, so the queue is always sorted by them. */
export interface Waiter<out W> {
  readonly ticket: number
  readonly permits: number
  /** How the shell reaches the waiter. */
  readonly door: W
}

export interface State<out W> {
  readonly inUse: number
  readonly nextTicket: number
  readonly queue: Queue.Queue<Waiter<W>>
}

/** `taken` at once, `queued` under that ticket, or `full`: the queue is at its bound and nothing changed. */
export type Admission =
  | { readonly _tag: "Taken"; readonly ticket: number }
  | { readonly _tag: "Queued"; readonly ticket: number }
  | { readonly _tag: "Full" }

const full: Admission = { _tag: "Full" }

export const initial: State<never> = { inUse: 0, nextTicket: 0, queue: Queue.empty }

/** Whether a newcomer would get `permits` at once. */
export const isFree = <W>(limits: Limits, state: State<W>, permits: number): boolean =>
  state.queue.size === 0 && state.inUse + permits <= limits.permits

/** Takes permits that are free, under the next ticket. */
export const take = <W>(state: State<W>, permits: number): State<W> => ({
  inUse: state.inUse + permits,
  nextTicket: state.nextTicket + 1,
  queue: state.queue
})

/** Takes permits when nobody waits and they are free, else joins the queue when it has room. */
export const admit = <W>(limits: Limits, state: State<W>, permits: number, door: W): [Admission, State<W>] => {
  const ticket = state.nextTicket
  if (isFree(limits, state, permits)) {
    return [{ _tag: "Taken", ticket }, take(state, permits)]
  }
  if (state.queue.size >= limits.maxQueued) return [full, state]
  const queue = Queue.push(state.queue, { ticket, permits, door })
  return [
    { _tag: "Queued", ticket },
    { inUse: state.inUse, nextTicket: ticket + 1, queue }
  ]
}

/** Gives permits back and hands them to those who waited longest. */
export const settle = <W>(
  limits: Limits,
  state: State<W>,
  permits: number
): [served: ReadonlyArray<Waiter<W>>, State<W>] => serve(limits, state, state.inUse - permits, state.queue)

/** A ticket that was queued and has not left is served exactly when everyone still queued came after it. */
export const isQueued = <W>(state: State<W>, ticket: number): boolean => {
  const first = Queue.head(state.queue)
  return first !== undefined && first.ticket <= ticket
}

/** Takes a waiter out of the queue; those behind who now fit are served. Nobody moves when it has left or was served. */
export const leave = <W>(
  limits: Limits,
  state: State<W>,
  ticket: number
): [served: ReadonlyArray<Waiter<W>>, State<W>] =>
  serve(
    limits,
    state,
    state.inUse,
    Queue.remove(state.queue, (waiter) => waiter.ticket === ticket)
  )

const serve = <W>(
  limits: Limits,
  { nextTicket }: State<W>,
  inUse: number,
  queue: Queue.Queue<Waiter<W>>
): [served: ReadonlyArray<Waiter<W>>, State<W>] => {
  const served: Array<Waiter<W>> = []
  for (let first = Queue.head(queue); first !== undefined; first = Queue.head(queue)) {
    if (inUse + first.permits > limits.permits) break
    inUse += first.permits
    queue = Queue.tail(queue)
    served.push(first)
  }
  return [served, { inUse, nextTicket, queue }]
}
