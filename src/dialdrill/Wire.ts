/**
 * What the answers of every feature have in common on the wire.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Says what this answer lacks because a dependency failed: which one, why, in words for the user, and in how many
 * seconds another try can help (`null` when nobody knows).
 *
 * @since 0.1.0
 * @category schemas
 */
export const Degraded = Schema.Struct({
  service: Schema.String,
  reason: Schema.String,
  message: Schema.String,
  retryAfterSeconds: Schema.NullOr(Schema.Number)
}).annotations({ identifier: "Degraded" })
