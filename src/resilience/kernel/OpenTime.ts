/**
 * How long a circuit stays open: `resetTimeout`, longer with every opening in a row where it is told to grow, and
 * shortened at random where it is told to jitter, so that a fleet whose circuits opened together does not probe together.
 *
 * @since 0.1.0
 */

export interface Rules {
  readonly resetTimeout: number
  readonly resetTimeoutMultiplier: number
  readonly maxResetTimeout: number
  /** The share of the open time that the jitter takes away at most; 0 to 1. */
  readonly resetTimeoutJitter: number
}

/**
 * Whole milliseconds, at least one. `opens` counts the openings in a row from 1; `random` is from 0 to below 1. Jitter
 * only ever shortens: it does not delay healing, and the cap stays the cap.
 */
export const of = (rules: Rules, opens: number, random: number): number => {
  // Saturates: the power may be infinite, the cap is not.
  const grown = Math.min(rules.maxResetTimeout, rules.resetTimeout * rules.resetTimeoutMultiplier ** (opens - 1))
  return Math.ceil(grown * (1 - rules.resetTimeoutJitter * random))
}
