/**
 * An outbound rate limit: how often we call a dependency, so that it has no reason to turn us away. At most `limit` calls
 * pass in any window of `interval`, wherever the window begins, and start then, unless they have to wait further in, as
 * in the queue of a policy's bulkhead. Permits come back by the clock; there is no fibre and nothing to close.
 *
 * A call over the limit is rejected, or waits in order of arrival when it can be served in time; when it cannot, it
 * fails at once and says after which time it would have been served. A rejected call, a caller who gives up waiting and
 * a call that an inner gate turned away have consumed nothing.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { RateLimiter } from "@dialdrill/selfheal"
 *
 * const program = Effect.gen(function* () {
 *   const limiter = yield* RateLimiter.make({ name: "openai", limit: 500, interval: "1 minute", mode: "wait" })
 *   return yield* RateLimiter.withRateLimiter(Effect.succeed("a completion"), limiter)
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Admission, Gate, Permit } from "./Gate.js"
import { through } from "./Gate.js"
import * as OptionsReader from "./OptionsReader.js"
import * as RateLimiterState from "./RateLimiterState.js"
import { RateLimited, type Rejection, stackless } from "./Rejection.js"
import * as Reservation from "./Reservation.js"
import * as Waiting from "./Waiting.js"

/**
 * How many calls may start in how much time, and what happens to those over the limit. Options that contradict each other
 * fail with `RateLimiterConfigurationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Named in rejections and status. */
  readonly name: string
  /** How many calls (or how much cost) may start per interval; a whole number of at least 1. */
  readonly limit: number
  readonly interval: Duration.DurationInput
  /** What happens to a call over the limit: `reject` it, or let it `wait` if it can be served in time. */
  readonly mode: "reject" | "wait"
  /** How long one may wait. Default: the interval; a caller with a deadline never waits beyond it. */
  readonly maxWait?: Duration.DurationInput | undefined
  /** How many may wait. Default: the limit. */
  readonly maxQueued?: number | undefined
}

/**
 * Cost spent within the last interval, calls that wait, and the limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  readonly inUse: number
  readonly queued: number
  readonly limit: number
}

/**
 * A gate at which every call costs 1.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimiter extends Gate<RateLimited> {
  /** The same limiter as a gate at which every call costs this much. A cost above the limit could never pass. */
  readonly withCost: (cost: number) => Effect.Effect<RateLimiter, RateLimiterConfigurationError>
  /**
   * Takes a place for a call that starts later: at once when the limit allows, else when its turn comes. Fails as a call
   * would. For a caller who must know the wait before it commits: to tell a user when a job will start, or to do
   * something else in the meantime.
   *
   * The place is given back when it is cancelled or the scope closes before the call has started.
   */
  readonly reserve: Effect.Effect<Reservation.Reservation, RateLimited, Scope.Scope>
  readonly status: Effect.Effect<Status>
}

/**
 * The options of a rate limiter contradict each other or mean nothing; `message` says which and what to change.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimiterConfigurationError extends Data.TaggedError("RateLimiterConfigurationError")<{
  readonly limiter: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Rate limiter "${this.limiter}": ${this.problems.join("; ")}`
  }
}

/**
 * Makes a rate limiter.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<RateLimiter, RateLimiterConfigurationError> =>
  Effect.gen(function* () {
    const problems = problemsOf(options)
    if (problems.length > 0) return yield* new RateLimiterConfigurationError({ limiter: options.name, problems })
    const { limit, mode, name } = options
    const interval = Duration.toMillis(options.interval)
    const maxWait =
      mode === "reject" ? 0 : options.maxWait === undefined ? interval : Duration.toMillis(options.maxWait)
    const state = yield* RateLimiterState.make({ permits: limit, interval, maxQueued: options.maxQueued ?? limit })
    const noDoor = yield* Queue.sliding<void>(1)

    const reject = (reason: RateLimited["reason"], retryAfter: number): Effect.Effect<never, RateLimited> =>
      Effect.suspend(() =>
        Effect.fail(
          stackless(() => new RateLimited({ policy: name, reason, retryAfter: Duration.millis(Math.ceil(retryAfter)) }))
        )
      )

    const permitOf = (ticket: number, cost: number): Permit => {
      const refund = state.refund(ticket, cost)
      return (_, started) => (started === false ? refund : Effect.void)
    }

    const wait = (
      ticket: number,
      cost: number,
      patience: number,
      door: RateLimiterState.Door,
      admission: Admission
    ): Effect.Effect<Permit, RateLimited | Rejection> =>
      Effect.matchCauseEffect(Waiting.atMost(patience, state.served(ticket, door), admission), {
        onSuccess: (end) =>
          end === "over"
            ? Effect.succeed(permitOf(ticket, cost))
            : Effect.flatMap(state.resign(ticket, cost), (left) =>
                // Due at the very instant at which the wait became too long: served.
                left === undefined ? Effect.succeed(permitOf(ticket, cost)) : reject("wait-too-long", left)
              ),
        onFailure: (cause) =>
          Effect.flatMap(state.resign(ticket, cost), (left) =>
            Effect.zipRight(
              left === undefined ? permitOf(ticket, cost)(Exit.failCause(cause), false) : Effect.void,
              Effect.failCause(cause)
            )
          )
      })

    const admit =
      (cost: number): RateLimiter["admit"] =>
      (admission) => {
        const patience = Math.min(maxWait, admission.patience)
        // Most calls need not wait, and a door costs more than all the rest: first asked without one.
        return Effect.flatMap(state.admit(cost, 0, noDoor), (decision) => {
          if (decision._tag === "Taken") return Effect.succeed(permitOf(decision.ticket, cost))
          if (mode === "reject" && decision._tag === "Refused") return reject("limit", decision.retryAfter)
          return Effect.flatMap(Queue.sliding<void>(1), (door) => queue(cost, patience, door, admission))
        })
      }

    const queue = (
      cost: number,
      patience: number,
      door: RateLimiterState.Door,
      admission: Admission
    ): Effect.Effect<Permit, RateLimited | Rejection> =>
      Effect.flatMap(state.admit(cost, patience, door), (decision) => {
        switch (decision._tag) {
          case "Taken":
            return Effect.succeed(permitOf(decision.ticket, cost))
          case "Refused":
            return reject(decision.reason, decision.retryAfter)
          case "Queued":
            return wait(decision.ticket, cost, patience, door, admission)
        }
      })

    const reserve = (cost: number): RateLimiter["reserve"] =>
      Reservation.make({
        state,
        cost,
        patience: maxWait,
        reject: (reason, retryAfter) => reject(mode === "reject" ? "limit" : reason, retryAfter)
      })

    const status = Effect.map(state.look, (now): Status => ({ ...now, limit }))
    const gate = (cost: number): RateLimiter => ({ name, admit: admit(cost), reserve: reserve(cost), withCost, status })

    const withCost: RateLimiter["withCost"] = (cost) =>
      Number.isSafeInteger(cost) && cost >= 1 && cost <= limit
        ? Effect.succeed(gate(cost))
        : new RateLimiterConfigurationError({
            limiter: name,
            problems: [
              `a call costs ${cost}; it must be a whole number from 1 to the limit of ${limit}, or it could never pass`
            ]
          })

    return gate(1)
  })

/**
 * A rate limiter as a layer, for the tag of your choice.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <I>(
  tag: Context.Tag<I, RateLimiter>,
  options: Options
): Layer.Layer<I, RateLimiterConfigurationError> => Layer.effect(tag, make(options))

/**
 * Runs an effect under a rate limit.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withRateLimiter: {
  (limiter: RateLimiter): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | RateLimited, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, limiter: RateLimiter): Effect.Effect<A, E | RateLimited, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, limiter: RateLimiter): Effect.Effect<A, E | RateLimited, R> =>
    // Other rejections enter a gate only through `Admission.pointless`, which a limiter on its own does not have.
    through([limiter])(self) as Effect.Effect<A, E | RateLimited, R>
)

const problemsOf = ({ interval, limit, maxQueued, maxWait, mode, name }: Options): ReadonlyArray<string> => {
  const read = OptionsReader.make()
  read.name(name)
  read.count("limit", limit, 1)
  if (read.wait("interval", interval) === Infinity) read.refuse("interval is without end; give how long a call counts")
  if (mode === "reject") {
    if (maxWait !== undefined || maxQueued !== undefined) {
      read.refuse('maxWait and maxQueued belong to mode "wait"; leave them out or change the mode')
    }
  } else {
    // To let no one wait is what mode "reject" is for.
    if (maxQueued !== undefined) read.count("maxQueued", maxQueued, 1)
    if (maxWait !== undefined) read.wait("maxWait", maxWait)
  }
  return read.problems
}
