/**
 * What the answers of every feature have in common on the wire.
 *
 * A degraded answer is a success that says what it lacks: every entry names the service that is missing, why, what the
 * user gets instead, and when another try can help. Empty when all is well.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * Why a service could not do its part, in words that a program can compare.
 *
 * @since 0.1.0
 * @category schemas
 */
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

/**
 * @since 0.1.0
 * @category models
 */
export type Reason = typeof Reason.Type

/**
 * What one answer lacks. `retryAfterSeconds` is at least 1; `null` when waiting does not help (a missing key, a missing
 * transcript).
 *
 * @since 0.1.0
 * @category schemas
 */
export const Degraded = Schema.Struct({
  service: Schema.String,
  reason: Reason,
  message: Schema.String,
  retryAfterSeconds: Schema.NullOr(Schema.Number)
}).annotations({ identifier: "Degraded" })

/**
 * @since 0.1.0
 * @category models
 */
export type Degraded = typeof Degraded.Type

/**
 * Seconds for people and headers: rounded up, never zero, so that a retry at that time is not too early.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toSeconds = (duration: Duration.Duration | undefined): number | null =>
  duration === undefined ? null : Math.max(1, Math.ceil(Duration.toSeconds(duration)))
