/**
 * Options for the two kinds of dependency that nearly everyone has. They turn on jitter, so that callers do not come back
 * all at once, and nothing that delays healing. Whatever is given takes the place of the preset's own, and a deadline that
 * is shorter than the preset's shortens the preset's own attempt timeout and first delay in proportion; a longest delay
 * that is shorter than the first shortens that, too.
 *
 * @since 0.1.0
 */
import * as OptionsReader from "./OptionsReader.js"
import type { Options } from "./PolicyOptions.js"

/**
 * For a company's API over HTTP: at most 8 seconds an attempt and 15 in all, 3 attempts after 1 and 2 seconds. Who needs
 * it: callers of any API whose usual answer takes less than a second or two.
 *
 * @since 0.1.0
 * @category presets
 */
export const http = (options: Options): Options =>
  preset({ deadline: 15_000, attemptTimeout: 8_000, initialDelay: 1_000 }, options)

/**
 * For a database near by: at most 5 seconds an attempt and 8 in all, 3 attempts after 100 and 200 milliseconds. Who needs
 * it: servers whose database is restarted or fails over while they run.
 *
 * @since 0.1.0
 * @category presets
 */
export const database = (options: Options): Options =>
  preset({ deadline: 8_000, attemptTimeout: 5_000, initialDelay: 100 }, options)

/** In milliseconds. */
interface Preset {
  readonly deadline: number
  readonly attemptTimeout: number
  readonly initialDelay: number
}

const preset = (own: Preset, options: Options): Options => {
  const { attemptTimeout, deadline, retry } = options
  const part = deadline === undefined ? 1 : OptionsReader.toMillis(deadline) / own.deadline
  // A deadline that makes no sense shortens nothing: it is for `Policy.make` to refuse.
  const scale = part > 0 && part < 1 ? part : 1
  const firstDelay = Math.floor(own.initialDelay * scale)
  const longest = retry?.maxDelay === undefined ? Infinity : OptionsReader.toMillis(retry.maxDelay)
  return {
    ...options,
    deadline: deadline ?? own.deadline,
    attemptTimeout: attemptTimeout ?? Math.ceil(own.attemptTimeout * scale),
    retry: {
      ...retry,
      // Left out, it follows the longest delay down.
      initialDelay: retry?.initialDelay ?? (longest >= firstDelay ? firstDelay : undefined),
      // Half of each delay is certain: a caller who was just turned away does not come back at once.
      jitter: retry?.jitter ?? "equal"
    }
  }
}
