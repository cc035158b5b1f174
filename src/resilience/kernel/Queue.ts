/**
 * A first-in, first-out queue as plain immutable data: adding at the back and taking from the front cost constant time
 * on average, so that a limiter with ten thousand entries is not slower than one with ten.
 *
 * New items gather in `back`, newest first; when `front` is used up, `back` is turned around once.
 *
 * @since 0.1.0
 */
export interface Queue<out A> {
  readonly size: number
  readonly front: ReadonlyArray<A>
  /** Index of the first item of `front` that is still queued. */
  readonly start: number
  readonly back: Back<A> | undefined
}

interface Back<out A> {
  readonly item: A
  readonly older: Back<A> | undefined
}

/** The queue without items. */
export const empty: Queue<never> = { size: 0, front: [], start: 0, back: undefined }

/** The oldest item. */
export const head = <A>(queue: Queue<A>): A | undefined => queue.front[queue.start]

/** Adds at the back. */
export const push = <A>(queue: Queue<A>, item: A): Queue<A> =>
  queue.size === 0
    ? { size: 1, front: [item], start: 0, back: undefined }
    : { size: queue.size + 1, front: queue.front, start: queue.start, back: { item, older: queue.back } }

/** Drops the oldest item. */
export const tail = <A>(queue: Queue<A>): Queue<A> => {
  if (queue.size <= 1) return empty
  const start = queue.start + 1
  return start < queue.front.length
    ? { size: queue.size - 1, front: queue.front, start, back: queue.back }
    : { size: queue.size - 1, front: turned(queue.back), start: 0, back: undefined }
}

/** All items, oldest first. */
export function* items<A>(queue: Queue<A>): Generator<A, void> {
  yield* queue.front.slice(queue.start)
  yield* turned(queue.back)
}

/** Takes out the one item that `is` finds; the same queue when there is none. */
export const remove = <A>(queue: Queue<A>, is: (item: A) => boolean): Queue<A> => {
  const kept = [...items(queue)].filter((item) => !is(item))
  return kept.length === queue.size ? queue : { size: kept.length, front: kept, start: 0, back: undefined }
}

const turned = <A>(back: Back<A> | undefined): ReadonlyArray<A> => {
  const items: Array<A> = []
  for (let at = back; at !== undefined; at = at.older) items.push(at.item)
  return items.reverse()
}
