/**
 * What a policy says when it does not let a call through, or does not let it finish: six tagged errors, each with the
 * name of the policy, the reason, and when another try can help. They are the only errors a policy adds; the errors of
 * the protected effect pass through unwrapped.
 *
 * None of them captures a stack: building one costs about ten microseconds, and a service that rejects is busy enough.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

interface Details {
  /** The name of the policy that rejected, which is the dependency's name in an application. */
  readonly policy: string
  /** How long until another try can help; `undefined` when the policy cannot know. */
  readonly retryAfter: Duration.Duration | undefined
}

const when = (retryAfter: Duration.Duration | undefined): string =>
  retryAfter === undefined ? "" : `; try again in ${Math.max(1, Math.ceil(Duration.toSeconds(retryAfter)))} s`

/**
 * The circuit breaker keeps callers away from a dependency that fails.
 *
 * - `open`: too many calls failed; the next probe is allowed after `retryAfter`.
 * - `half-open-full`: probes are on their way and no further one is allowed.
 * - `forced-open`: an operator opened the circuit.
 * - `isolated`: somebody holds the circuit open for as long as a task of theirs takes.
 * - `throttled`: the dependency itself asked to be left alone until then.
 *
 * @since 0.1.0
 * @category errors
 */
export class CircuitOpen extends Data.TaggedError("CircuitOpen")<
  Details & { readonly reason: "open" | "half-open-full" | "forced-open" | "isolated" | "throttled" }
> {
  override get message(): string {
    return `The circuit of "${this.policy}" is open (${this.reason})${when(this.retryAfter)}`
  }
}

/**
 * The outbound rate limit is used up: at once in `reject` mode (`limit`), or because the wait would be longer than the
 * caller can wait (`wait-too-long`), or because too many are waiting already (`queue-full`). Nothing was consumed.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimited extends Data.TaggedError("RateLimited")<
  Details & { readonly reason: "limit" | "wait-too-long" | "queue-full" }
> {
  override get message(): string {
    return `The rate limit of "${this.policy}" is used up (${this.reason})${when(this.retryAfter)}`
  }
}

/**
 * All places of the bulkhead are taken and the queue is full (`queue-full`), or the place did not come in time
 * (`wait-too-long`).
 *
 * @since 0.1.0
 * @category errors
 */
export class BulkheadFull extends Data.TaggedError("BulkheadFull")<
  Details & { readonly reason: "queue-full" | "wait-too-long" }
> {
  override get message(): string {
    return `"${this.policy}" is at its limit of concurrent calls (${this.reason})${when(this.retryAfter)}`
  }
}

/**
 * One attempt took longer than its limit and was interrupted. Counts as a failure of the dependency.
 *
 * @since 0.1.0
 * @category errors
 */
export class AttemptTimeout extends Data.TaggedError("AttemptTimeout")<
  Details & {
    readonly reason: "attempt-timeout"
    readonly limit: Duration.Duration
    /**
     * The policy that set the limit has ended: it counted this and retried it if it wanted to. To a policy further out
     * it says no more than any other rejection: it counts nothing there and is not retried.
     */
    readonly settled?: true
  }
> {
  override get message(): string {
    return `An attempt at "${this.policy}" did not finish within ${Duration.format(this.limit)}`
  }
}

/**
 * The call as a whole, with its retries and waits, ran out of time, or could not have finished in the time left. The time
 * is the policy's own, or what was left of a deadline further out, as that of the request that is being answered: then
 * `owner` is another name, and `limit` is that one's.
 *
 * @since 0.1.0
 * @category errors
 */
export class DeadlineExceeded extends Data.TaggedError("DeadlineExceeded")<
  Details & {
    readonly reason: "deadline"
    /** The whole time, counted from when the owner began. */
    readonly limit: Duration.Duration
    /** Whose deadline it was. */
    readonly owner: string
  }
> {
  override get message(): string {
    const whose = this.owner === this.policy ? "" : `, the deadline of "${this.owner}"`
    return `The call of "${this.policy}" did not finish within ${Duration.format(this.limit)}${whose}${when(this.retryAfter)}`
  }
}

/**
 * The call failed and was worth another attempt, but the retry budget of the dependency is spent: more retries would only
 * add to the load on what already fails. `error` is what the last attempt failed with, `retryAfter` how long the retry
 * would have waited.
 *
 * @since 0.1.0
 * @category errors
 */
export class RetryBudgetExhausted extends Data.TaggedError("RetryBudgetExhausted")<
  Details & { readonly reason: "budget"; readonly error: unknown }
> {
  override get message(): string {
    return `The retry budget of "${this.policy}" is spent${when(this.retryAfter)}`
  }
}

/**
 * Everything a policy may add to the error channel.
 *
 * @since 0.1.0
 * @category models
 */
export type Rejection =
  CircuitOpen | RateLimited | BulkheadFull | AttemptTimeout | DeadlineExceeded | RetryBudgetExhausted

/**
 * Whether a value is one of the rejections of this library.
 *
 * @since 0.1.0
 * @category guards
 */
export const isRejection = (u: unknown): u is Rejection =>
  u instanceof CircuitOpen ||
  u instanceof RateLimited ||
  u instanceof BulkheadFull ||
  u instanceof AttemptTimeout ||
  u instanceof DeadlineExceeded ||
  u instanceof RetryBudgetExhausted

/**
 * Whether a rejection, met by a policy that did not make it, says something about the dependency: only an attempt that
 * timed out does, and only as long as no policy has dealt with it.
 *
 * @since 0.1.0
 * @category guards
 */
export const speaksOfDependency = (rejection: Rejection): boolean =>
  rejection instanceof AttemptTimeout && rejection.settled !== true

/**
 * What is to be said of a failure outside of the policy whose call it was: its timed-out attempts are settled.
 *
 * @since 0.1.0
 * @category conversions
 */
export const settle = <E>(cause: Cause.Cause<E | Rejection>): Cause.Cause<E | Rejection> =>
  Option.isSome(Cause.find(cause, unsettled))
    ? Cause.map(cause, (error) =>
        error instanceof AttemptTimeout ? stackless(() => new AttemptTimeout({ ...error, settled: true })) : error
      )
    : cause

const unsettled = (cause: Cause.Cause<unknown>): Option.Option<unknown> =>
  Cause.isFailType(cause) && isRejection(cause.error) && speaksOfDependency(cause.error)
    ? Option.some(cause)
    : Option.none()

/**
 * Builds an error without its stack: nine tenths of the cost of a rejection is the capture of frames that say nothing
 * but "a policy rejected".
 *
 * @since 0.1.0
 * @category constructors
 */
export const stackless = <E extends Error>(build: () => E): E => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return build()
  } finally {
    Error.stackTraceLimit = limit
  }
}
