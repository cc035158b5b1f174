/**
 * What an answer lacks. A degraded answer is a success that says so: every entry names the service that is missing,
 * why, what the user gets instead, and when another try can help. Empty when all is well.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/** Why a service could not do its part, in words that a program can compare. */
export const Reason = Schema.Literal(
  "not-configured",
  "circuit-open",
  "throttled",
  "timeout",
  "busy",
  "quota",
  "unauthorized",
  "failing",
  "no-transcript"
)
export type Reason = typeof Reason.Type

export class Degraded extends Schema.Class<Degraded>("Degraded")({
  service: Schema.String,
  reason: Reason,
  message: Schema.String,
  /** Whole seconds, at least 1; `null` when waiting does not help (a missing key, a missing transcript). */
  retryAfterSeconds: Schema.NullOr(Schema.Number)
}) {}

/** Seconds for people and headers: rounded up, never zero, so that a retry at that time is not too early. */
export const toSeconds = (duration: Duration.Duration | undefined): number | null =>
  duration === undefined ? null : Math.max(1, Math.ceil(Duration.toSeconds(duration)))
