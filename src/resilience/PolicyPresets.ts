/**
 * Options for the two kinds of dependency that nearly everyone has. They turn on jitter, so that callers do not come back
 * all at once, and nothing that delays healing. Whatever is given takes the place of the preset's own.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Options } from "./PolicyOptions.js"

/**
 * For a company's API over HTTP: at most 8 seconds an attempt and 15 in all, 3 attempts after 1 and 2 seconds. Who needs
 * it: callers of any API whose usual answer takes less than a second or two.
 *
 * @since 0.1.0
 * @category presets
 */
export const http = (options: Options): Options =>
  preset({ deadline: "15 seconds", attemptTimeout: "8 seconds", initialDelay: "1 second" }, options)

/**
 * For a database near by: at most 5 seconds an attempt and 8 in all, 3 attempts after 100 and 200 milliseconds. Who needs
 * it: servers whose database is restarted or fails over while they run.
 *
 * @since 0.1.0
 * @category presets
 */
export const database = (options: Options): Options =>
  preset({ deadline: "8 seconds", attemptTimeout: "5 seconds", initialDelay: "100 millis" }, options)

interface Preset {
  readonly deadline: Duration.DurationInput
  readonly attemptTimeout: Duration.DurationInput
  readonly initialDelay: Duration.DurationInput
}

const preset = (own: Preset, options: Options): Options => {
  const deadline = options.deadline ?? own.deadline
  return {
    ...options,
    deadline,
    // A deadline that was made shorter makes the preset's attempts shorter, too.
    attemptTimeout: options.attemptTimeout ?? Duration.min(own.attemptTimeout, deadline),
    // Half of each delay is certain: a caller who was just turned away does not come back at once.
    retry: { initialDelay: own.initialDelay, jitter: "equal", ...options.retry }
  }
}
