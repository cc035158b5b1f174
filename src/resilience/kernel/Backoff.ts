/**
 * How long to wait before the next attempt: exponential growth up to a cap, with the jitters of the AWS Architecture
 * Blog ("Exponential Backoff And Jitter"). Saturating: for every attempt the result is a whole number of milliseconds
 * between zero and the cap, never NaN or infinite.
 *
 * @since 0.1.0
 */

/**
 * - `none`: the exponential itself.
 * - `full`: anywhere between zero and the exponential; spreads best.
 * - `equal`: half of the exponential, plus anywhere up to the other half; never near zero.
 * - `decorrelated`: anywhere between the initial delay and three times the previous delay.
 *
 * @since 0.1.0
 * @category models
 */
export type Jitter = "none" | "full" | "equal" | "decorrelated"

/**
 * How delays grow; times are in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backoff {
  readonly initialDelay: number
  readonly maxDelay: number
  readonly multiplier: number
  readonly jitter: Jitter
}

/**
 * The delay after the failure of the given attempt (the first is 1). `previous` is the delay before that attempt,
 * `random` a number in [0, 1).
 */
export const delayAfter = (backoff: Backoff, attempt: number, previous: number, random: number): number => {
  const { initialDelay, maxDelay, multiplier, jitter } = backoff
  // Zero times an overflowed power would be NaN.
  if (initialDelay === 0) return 0
  const exponential = Math.min(maxDelay, initialDelay * multiplier ** (attempt - 1))
  switch (jitter) {
    case "none":
      return Math.round(exponential)
    case "full":
      return Math.round(exponential * random)
    case "equal":
      return Math.round(exponential * (0.5 + random / 2))
    case "decorrelated": {
      const ceiling = Math.max(initialDelay, previous * 3)
      return Math.round(Math.min(maxDelay, initialDelay + (ceiling - initialDelay) * random))
    }
  }
}
