/**
 * Chance without luck: every "random" choice of a simulated prospect is a hash of the call's seed and of what is being
 * chosen, so that the same seed and the same words always give the same call, and no generator has to be stored.
 *
 * @since 0.1.0
 */

/**
 * A 32-bit hash of a string: FNV-1a, then MurmurHash3's finalizer, because FNV alone leaves the low bits of similar
 * strings alike, and it is the low bits that choose among three lines.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hash = (text: string): number => {
  let mixed = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x01000193)
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** What a choice depends on besides its own name. */
interface Moment {
  readonly seed: number
  readonly turn: number
}

/**
 * A number in [0, 1) that belongs to this seed, turn and question.
 *
 * @since 0.1.0
 * @category constructors
 */
export const roll = ({ seed, turn }: Moment, question: string): number => hash(`${seed}/${turn}/${question}`) / 2 ** 32

/**
 * One of the options, or `undefined` when there is none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const pick = <A>(moment: Moment, question: string, options: ReadonlyArray<A>): A | undefined =>
  options[Math.floor(roll(moment, question) * options.length)]
