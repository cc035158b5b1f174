/**
 * Remembers a few numbers for each of very many clients, and in which order they were last heard of, in some 50 bytes a
 * client: what a limiter in memory costs when someone sends a million different keys.
 *
 * A `Map` finds the slot of a client. The numbers and the order lie in one typed array, a record a slot, so that a
 * request touches few cache lines and leaves nothing to collect. (A `Map` keeps an order too, when each request inserts
 * its client anew; but then it rebuilds itself over and over, which made each
 * request twenty times as slow with a million clients.)
 *
 * Mutable, and private to whoever made it. Every operation takes constant time, averaged over the growth.
 *
 * @since 0.1.0
 */

/**
 * A client's place, valid until the client is removed. 0 is nobody's: it closes the circle of the order, after the newest
 * client and before the oldest.
 *
 * @since 0.1.0
 * @category models
 */
export type Slot = number

/**
 * @since 0.1.0
 * @category models
 */
export interface ClientTable {
  readonly size: () => number
  /** Where a client is; `undefined` when it is unknown. */
  readonly find: (key: string) => Slot | undefined
  readonly read: (slot: Slot) => ReadonlyArray<number>
  readonly write: (slot: Slot, row: ReadonlyArray<number>) => void
  /** Makes a client the newest. */
  readonly touch: (slot: Slot) => void
  /** Enters an unknown client as the newest; when the table is full, the oldest makes room. */
  readonly add: (key: string, row: ReadonlyArray<number>) => void
  readonly remove: (slot: Slot) => void
  /** The client next newer than this one; of 0 the oldest. 0 when there is none. */
  readonly newer: (slot: Slot) => Slot
}

const nobody: Slot = 0

/** Records for so many slots are there from the start; then their number doubles, up to what can be needed. */
const firstCapacity = 16

/**
 * A table of at most `maxClients`, each with `width` numbers.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (width: number, maxClients: number): ClientTable => {
  /** The client's numbers, then one number whose two halves are the links to the next older and next newer client. */
  const recordSize = width + 1
  const slots = new Map<string, Slot>()
  let keys: Array<string | undefined> = []
  let numbers = new Float64Array(0)
  let links = new Int32Array(0)
  /** Slots that have been used at some time, and those of them that are free again, linked by `newer`. */
  let used = 1
  let free = nobody

  const olderLink = (slot: Slot): number => 2 * (slot * recordSize + width)
  const newerLink = (slot: Slot): number => olderLink(slot) + 1
  const older = (slot: Slot): Slot => links[olderLink(slot)] ?? nobody
  const newer = (slot: Slot): Slot => links[newerLink(slot)] ?? nobody
  const join = (slot: Slot, next: Slot): void => {
    links[newerLink(slot)] = next
    links[olderLink(next)] = slot
  }

  const grow = (capacity: number): void => {
    const larger = new Float64Array(capacity * recordSize)
    larger.set(numbers)
    numbers = larger
    links = new Int32Array(larger.buffer)
    const known = keys
    keys = Array.from({ length: capacity }, (_, slot) => known[slot])
  }
  grow(Math.min(firstCapacity, maxClients + 1))

  const freeSlot = (): Slot => {
    const slot = free
    if (slot !== nobody) {
      free = newer(slot)
      return slot
    }
    if (used === keys.length) grow(Math.min(2 * used, maxClients + 1))
    return used++
  }
  const append = (slot: Slot): void => {
    join(older(nobody), slot)
    join(slot, nobody)
  }
  const write = (slot: Slot, row: ReadonlyArray<number>): void => {
    for (let i = 0; i < width; i++) numbers[slot * recordSize + i] = row[i] ?? 0
  }
  const remove = (slot: Slot): void => {
    const key = keys[slot]
    if (key === undefined) return
    slots.delete(key)
    keys[slot] = undefined
    join(older(slot), newer(slot))
    links[newerLink(slot)] = free
    free = slot
  }

  return {
    size: () => slots.size,
    find: (key) => slots.get(key),
    read: (slot) => {
      // Of the right size from the start: an array that grows takes room for many.
      // oxlint-disable-next-line unicorn/no-new-array
      const row = new Array<number>(width)
      for (let i = 0; i < width; i++) row[i] = numbers[slot * recordSize + i] ?? 0
      return row
    },
    write,
    touch: (slot) => {
      if (newer(slot) === nobody) return
      join(older(slot), newer(slot))
      append(slot)
    },
    add: (key, row) => {
      if (slots.size >= maxClients) remove(newer(nobody))
      const slot = freeSlot()
      slots.set(key, slot)
      keys[slot] = key
      write(slot, row)
      append(slot)
    },
    remove,
    newer
  }
}
