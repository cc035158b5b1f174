/**
 * The degradations, as errors. A dependency fails in its own words or with a policy's rejection; a feature's service
 * turns that into one of these four, which carry what the user gets instead, typed. So every signature shows what can
 * degrade and into what, and leaving a case out does not compile.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Dependency } from "../dependencies/Dependencies.js"
import type { Coaching } from "./coaching/Wire.js"
import { toSeconds, type Degraded, type Reason } from "./Wire.js"
import { countsAgainstBreaker, DatabaseError } from "../sql/DatabaseError.js"
import { isRejection, type Rejection } from "../resilience/Rejection.js"

interface Details {
  readonly reason: Reason
  readonly message: string
  readonly retryAfter: Duration.Duration | undefined
}

/** The database cannot be reached or does not answer. There is no fallback: what it keeps cannot be made up. */
export class StorageUnavailable extends Data.TaggedError("StorageUnavailable")<
  Details & { readonly service: "database" }
> {}

/** What a call is without a voice service. */
export interface SimulatedLine {
  readonly mode: "simulated"
  readonly signedUrl: null
  readonly degraded: ReadonlyArray<Degraded>
}

/** No voice line could be had; the call goes on in simulated mode. */
export class VoiceUnavailable extends Data.TaggedError("VoiceUnavailable")<
  Details & { readonly service: "elevenlabs"; readonly fallback: SimulatedLine }
> {}

/** The AI did not coach; the rules have. */
export class CoachingUnavailable extends Data.TaggedError("CoachingUnavailable")<
  Details & { readonly service: "openai"; readonly fallback: Coaching }
> {}

/** Nothing can be bought now. There is no fallback, and nothing else depends on it. */
export class BillingUnavailable extends Data.TaggedError("BillingUnavailable")<
  Details & { readonly service: "stripe" }
> {}

/** What the dependencies' own errors have in common. */
interface Failure {
  readonly reason: string
  readonly retryAfter?: Duration.Duration | undefined
}

export interface Why {
  readonly reason: Reason
  readonly retryAfter: Duration.Duration | undefined
  /** The same, as it is told in an answer. */
  readonly degraded: Pick<Degraded, "reason" | "retryAfterSeconds">
}

/** Reasons that waiting does not mend: somebody has to configure or pay. */
const lasting: ReadonlySet<Reason> = new Set<Reason>(["not-configured", "unauthorized", "quota"])

const reasonOfRejection = (rejection: Rejection): Reason => {
  switch (rejection._tag) {
    case "CircuitOpen":
      return rejection.reason === "throttled" ? "throttled" : "circuit-open"
    case "RateLimited":
    case "BulkheadFull":
      return "busy"
    case "AttemptTimeout":
    case "DeadlineExceeded":
      return "timeout"
    case "RetryBudgetExhausted":
      return "failing"
  }
}

/** The dependencies' own reasons that are more than "it fails". */
const reasonOfFailure: { readonly [reason: string]: Reason } = {
  "not-configured": "not-configured",
  credentials: "unauthorized",
  throttled: "throttled",
  "insufficient-quota": "quota",
  "quota-exceeded": "quota",
  "too-many-concurrent-requests": "busy",
  "pool-exhausted": "busy",
  "statement-timeout": "timeout",
  "lock-timeout": "timeout"
}

/**
 * Why a dependency did not do its part, and when another try can help: when it said so itself, else when its circuit
 * lets somebody through again, else in a second.
 */
export const whyOf = (dependency: Dependency, error: Rejection | Failure): Effect.Effect<Why> =>
  Effect.map(dependency.breaker.status, ({ retryAfterSeconds }) => {
    const reason = isRejection(error) ? reasonOfRejection(error) : (reasonOfFailure[error.reason] ?? "failing")
    const retryAfter = lasting.has(reason)
      ? undefined
      : (error.retryAfter ?? Duration.seconds(Math.max(1, retryAfterSeconds ?? 1)))
    return { reason, retryAfter, degraded: { reason, retryAfterSeconds: toSeconds(retryAfter) } }
  })

/** `mapError` where the other error has to be looked up. */
export const mapErrorEffect = <A, E, R, E2, R2>(
  self: Effect.Effect<A, E, R>,
  map: (error: E) => Effect.Effect<E2, never, R2>
): Effect.Effect<A, E2, R | R2> => Effect.flip(Effect.flatMap(Effect.flip(self), map))

const storageUnavailable =
  (database: Dependency) =>
  (error: DatabaseError | Rejection): Effect.Effect<never, StorageUnavailable> => {
    // A statement that PostgreSQL refuses while it is well is our bug: a 500 with its cause in the log, not an outage.
    if (!isRejection(error) && !countsAgainstBreaker(error) && !error.isRetryable) return Effect.die(error)
    return Effect.flatMap(whyOf(database, error), ({ reason, retryAfter }) =>
      Effect.fail(
        new StorageUnavailable({
          service: "database",
          reason,
          retryAfter,
          message: "The database is temporarily unavailable"
        })
      )
    )
  }

/** Turns every failure of the database, and of its policy, into `StorageUnavailable`; other errors pass. */
export const orStorageUnavailable =
  (database: Dependency) =>
  <A, E, R>(
    self: Effect.Effect<A, E | DatabaseError | Rejection, R>
  ): Effect.Effect<A, Exclude<E, DatabaseError | Rejection> | StorageUnavailable, R> =>
    // Cast: what the predicate takes out of the union is no longer in it, which the types of `catchIf` do not say.
    Effect.catchIf(
      self,
      (error): error is E & (DatabaseError | Rejection) => isRejection(error) || error instanceof DatabaseError,
      storageUnavailable(database)
    ) as Effect.Effect<A, Exclude<E, DatabaseError | Rejection> | StorageUnavailable, R>
