/**
 * The last `size` results of a circuit's calls, as one bit each: did the call fail, was it slow? A window of ten
 * thousand results takes 1.3 kB, and the rates over it are known at any time because the totals are kept.
 *
 * The window never changes; a push makes the next one. The word of 32 results that is being filled is a number in the
 * header, so that a push makes one small object; the array is copied when a word is full, and only if the word differs
 * from what stood there.
 *
 * @since 0.1.0
 */

export interface CountWindow {
  readonly _tag: "count"
  /** How many results it holds at most. */
  readonly size: number
  /** How many results it holds, and what they were. */
  readonly calls: number
  readonly failures: number
  readonly slow: number
  /** The place of the next result, where the oldest one stands once the window is full. */
  readonly next: number
  /** The words that `next` lies in: newer than those in the arrays. */
  readonly failureWord: number
  readonly slowWord: number
  readonly failureWords: Int32Array
  /** Only where slow calls are counted. */
  readonly slowWords: Int32Array | undefined
}

export const empty = (size: number, countsSlow: boolean): CountWindow => ({
  _tag: "count",
  size,
  calls: 0,
  failures: 0,
  slow: 0,
  next: 0,
  failureWord: 0,
  slowWord: 0,
  failureWords: new Int32Array((size + 31) >>> 5),
  slowWords: countsSlow ? new Int32Array((size + 31) >>> 5) : undefined
})

/** Adds a result; a full window loses its oldest one. */
export const push = (window: CountWindow, failed: boolean, slow: boolean): CountWindow => {
  // Full of good results it is the same wherever it begins: a dependency that is well costs no memory.
  if (!failed && !slow && window.calls === window.size && window.failures + window.slow === 0) return window
  const { failureWords, next: place, size, slowWords } = window
  const bit = 1 << place
  const failureWord = failed ? window.failureWord | bit : window.failureWord & ~bit
  const slowWord = slow && slowWords !== undefined ? window.slowWord | bit : window.slowWord & ~bit
  const next = place + 1 === size ? 0 : place + 1
  // Both words change by at most this one bit, and what it was before is what falls out of the window.
  const failures = window.failures + bitOf(failureWord, place) - bitOf(window.failureWord, place)
  const slows = window.slow + bitOf(slowWord, place) - bitOf(window.slowWord, place)
  const filled = (next & 31) === 0
  const storedFailures = filled ? stored(failureWords, place >>> 5, failureWord) : failureWords
  const storedSlows = filled && slowWords !== undefined ? stored(slowWords, place >>> 5, slowWord) : slowWords
  return {
    _tag: "count",
    size,
    calls: window.calls === size ? size : window.calls + 1,
    failures,
    slow: slows,
    next,
    failureWord: filled ? wordAt(storedFailures, next >>> 5) : failureWord,
    slowWord: filled && storedSlows !== undefined ? wordAt(storedSlows, next >>> 5) : slowWord,
    failureWords: storedFailures,
    slowWords: storedSlows
  }
}

/** The same history in a window of another size: the newest results that fit. */
export const resize = (window: CountWindow, size: number, countsSlow: boolean): CountWindow => {
  if (size === window.size && countsSlow === (window.slowWords !== undefined)) return window
  let resized = empty(size, countsSlow)
  for (let age = Math.min(window.calls, size); age >= 1; age--) {
    const place = (window.next - age + window.size) % window.size
    resized = push(
      resized,
      isSet(window, window.failureWords, window.failureWord, place),
      window.slowWords !== undefined && isSet(window, window.slowWords, window.slowWord, place)
    )
  }
  return resized
}

const isSet = (window: CountWindow, words: Int32Array, current: number, place: number): boolean =>
  bitOf(place >>> 5 === window.next >>> 5 ? current : wordAt(words, place >>> 5), place) === 1

/** JavaScript shifts by the lowest five bits of a number: a place need not be cut to its place in the word. */
const bitOf = (word: number, place: number): number => (word >>> place) & 1

/** An index that the size of the window bounds: there is a word. */
const wordAt = (words: Int32Array, index: number): number => words[index]!

const stored = (words: Int32Array, index: number, word: number): Int32Array => {
  if (words[index] === word) return words
  const copy = words.slice()
  copy[index] = word
  return copy
}
