/**
 * The last good answers, for `Fallback.makeStale`: one a key, bounded in number and in age. When there are too many, the
 * one that was used longest ago goes.
 *
 * The map is mutable and private to its owner, as that of the per-client limits and for the same reason: a large
 * immutable one would be the slowest part of every call. Each use of it is one synchronous step.
 *
 * @since 0.1.0
 */

/**
 * An answer, and when the call that gave it began, in monotonic milliseconds: it can be no older than that.
 *
 * @since 0.1.0
 * @category models
 */
export interface Remembered<out A> {
  readonly value: A
  readonly at: number
}

/**
 * The last good answer of each key.
 *
 * @since 0.1.0
 * @category models
 */
export interface StaleCache<in out A> {
  /** Remembers an answer, unless a later call has answered already. */
  readonly put: (key: string, value: A, at: number) => void
  /** The last good answer, if it is not older than `maxAge`; one that is, is forgotten. */
  readonly get: (key: string, now: number) => Remembered<A> | undefined
  readonly size: () => number
}

/**
 * A cache without answers; `maxAge` in milliseconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A>(capacity: number, maxAge: number): StaleCache<A> => {
  /** In the order in which they were last used. */
  const answers = new Map<string, Remembered<A>>()

  const use = (key: string, answer: Remembered<A>): void => {
    answers.delete(key)
    answers.set(key, answer)
  }

  return {
    put: (key, value, at) => {
      const known = answers.get(key)
      use(key, known !== undefined && known.at > at ? known : { value, at })
      // What was just used stands at the end, so that there is one at the beginning.
      if (answers.size > capacity) answers.delete(answers.keys().next().value!)
    },
    get: (key, now) => {
      const known = answers.get(key)
      if (known === undefined) return undefined
      if (now - known.at > maxAge) {
        answers.delete(key)
        return undefined
      }
      use(key, known)
      return known
    },
    size: () => answers.size
  }
}
