/**
 * How what happens in a call moves the prospect's mood: one table of stimuli, weighed by temperament.
 *
 * @since 0.1.0
 */
import type { Temperament } from "./Personality.js"
import type { Mood } from "./State.js"

/**
 * What each stimulus does to patience, trust and interest before temperament weighs it.
 *
 * @since 0.1.0
 * @category models
 */
export const effects = {
  greeted: { patience: 2, trust: 2, interest: 0 },
  introduced: { patience: 1, trust: 4, interest: 1 },
  askedPermission: { patience: 6, trust: 5, interest: 0 },
  askedOpenly: { patience: 2, trust: 5, interest: 4 },
  askedSpecifically: { patience: 1, trust: 2, interest: 2 },
  askedClosed: { patience: -1, trust: 0, interest: 0 },
  askedTooMuch: { patience: -5, trust: -2, interest: -2 },
  acknowledged: { patience: 2, trust: 3, interest: 1 },
  apologised: { patience: 4, trust: 1, interest: 0 },
  metThePain: { patience: 4, trust: 5, interest: 12 },
  showedBenefit: { patience: 1, trust: 1, interest: 5 },
  pitchedBlindly: { patience: -6, trust: -3, interest: -2 },
  gaveProof: { patience: 1, trust: 5, interest: 4 },
  answeredMe: { patience: 3, trust: 4, interest: 4 },
  dodgedMe: { patience: -6, trust: -6, interest: -3 },
  settledObjection: { patience: 8, trust: 8, interest: 8 },
  ignoredObjection: { patience: -9, trust: -9, interest: -6 },
  pushed: { patience: -8, trust: -6, interest: -3 },
  tooLong: { patience: -18, trust: -3, interest: -8 },
  repeated: { patience: -16, trust: -4, interest: -6 },
  wasRude: { patience: -35, trust: -30, interest: -15 },
  saidNothing: { patience: -12, trust: -2, interest: -3 }
} as const satisfies Readonly<Record<string, Mood>>

/**
 * Something that moves the mood.
 *
 * @since 0.1.0
 * @category models
 */
export type Stimulus = keyof typeof effects

const bounded = (value: number): number => Math.min(100, Math.max(0, value))

/** Pleasing somebody who is pleased already does little: at 40 a good thing counts in full, at 100 not at all. */
const room = (value: number): number => Math.min(1.2, (100 - value) / 60)

/**
 * The mood after the stimuli, in order: warmth multiplies what is good, harshness what is bad.
 *
 * @since 0.1.0
 * @category combinators
 */
export const feel = (mood: Mood, temperament: Temperament, stimuli: ReadonlyArray<Stimulus>): Mood =>
  stimuli.reduce<Mood>((before, stimulus) => {
    const moved = (value: number, change: number): number =>
      bounded(value + change * (change > 0 ? temperament.warmth * room(value) : temperament.harshness))
    const { patience, trust, interest } = effects[stimulus]
    return {
      patience: moved(before.patience, patience),
      trust: moved(before.trust, trust),
      interest: moved(before.interest, interest)
    }
  }, mood)

/**
 * The mood after another turn has gone by, whatever was said in it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const tire = (mood: Mood, temperament: Temperament): Mood => ({
  ...mood,
  patience: bounded(mood.patience - temperament.drain)
})
