/**
 * An outbound rate limit: how often we call a dependency, so that it has no reason to turn us away. At most `limit` calls
 * start in any window of `interval`, wherever the window begins. Permits come back by the clock; there is no fibre and
 * nothing to close.
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
import * as Ref from "effect/Ref"
import type { Admission, Gate, Permit } from "./Gate.js"
import { through } from "./Gate.js"
import * as Kernel from "./kernel/RateLimiter.js"
import * as MonotonicClock from "./MonotonicClock.js"
import { RateLimited, type Rejection, stackless } from "./Rejection.js"
import * as Waiting from "./Waiting.js"

/**
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
  readonly problem: string
}> {
  override get message(): string {
    return `Rate limiter "${this.limiter}": ${this.problem}`
  }
}

/** A knock means "look again": the waiter was served, or is now first in line and has to watch the clock. */
type Door = Queue.Queue<void>

/**
 * Makes a rate limiter.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<RateLimiter, RateLimiterConfigurationError> =>
  Effect.gen(function* () {
    const problem = problemOf(options)
    if (problem !== undefined) {
      return yield* new RateLimiterConfigurationError({ limiter: options.name, problem })
    }
    const { limit, mode, name } = options
    const interval = Duration.toMillis(options.interval)
    const limits: Kernel.Limits = { permits: limit, interval, maxQueued: options.maxQueued ?? limit }
    const maxWait =
      mode === "reject" ? 0 : options.maxWait === undefined ? interval : Duration.toMillis(options.maxWait)
    const ref = yield* Ref.make<Kernel.State<Door>>(Kernel.initial)
    const noDoor = yield* Queue.sliding<void>(1)

    const reject = (reason: RateLimited["reason"], retryAfter: number): Effect.Effect<never, RateLimited> =>
      Effect.suspend(() =>
        Effect.fail(
          stackless(() => new RateLimited({ policy: name, reason, retryAfter: Duration.millis(Math.ceil(retryAfter)) }))
        )
      )

    /**
     * One step of the machine at the current time; knocks at the doors of all whom it concerns. Waiters step too, and a
     * waiter who is interrupted between the two would leave those it has served asleep.
     */
    const step = <A>(
      decide: (state: Kernel.State<Door>, now: number) => [A, Kernel.Served<Door>, Kernel.State<Door>]
    ): Effect.Effect<A> =>
      Effect.uninterruptible(
        Effect.flatMap(MonotonicClock.now, (now) =>
          Effect.flatMap(
            Ref.modify(ref, (state): [[A, ReadonlyArray<Door>], Kernel.State<Door>] => {
              const [decision, served, next] = decide(state, now)
              return [[decision, Kernel.concerned(state, next, served)], next]
            }),
            ([decision, doors]) =>
              doors.length === 0
                ? Effect.succeed(decision)
                : Effect.as(
                    Effect.forEach(doors, (door) => Queue.offer(door, undefined), { discard: true }),
                    decision
                  )
          )
        )
      )

    const permitOf = (ticket: number, cost: number): Permit => {
      const refund = step((state, now) => [undefined, ...Kernel.refund(limits, state, ticket, cost, now)])
      return (_, started) => (started === false ? refund : Effect.void)
    }

    /** Sleeps until served. Only the first in line looks at the clock, and serves with its own step all who are due. */
    const served = (ticket: number, door: Door): Effect.Effect<void> =>
      Effect.flatMap(
        step((state, now) => {
          const [others, next] = Kernel.advance(limits, state, now)
          return [Kernel.sleepOf(limits, next, ticket, now), others, next]
        }),
        (millis) =>
          millis === 0
            ? Effect.void
            : Effect.zipRight(
                millis === Infinity ? Queue.take(door) : Effect.raceFirst(Queue.take(door), Waiting.sleep(millis)),
                served(ticket, door)
              )
      )

    /** Leaves the queue and tells how long it would have taken; `undefined` when the call was already served. */
    const resign = (ticket: number, cost: number): Effect.Effect<number | undefined> =>
      step((state, now) => {
        const [others, next] = Kernel.advance(limits, state, now)
        if (Kernel.sleepOf(limits, next, ticket, now) === 0) return [undefined, others, next]
        const [more, left] = Kernel.leave(limits, next, ticket, now)
        return [Kernel.waitOf(limits, left, cost, now), [...others, ...more], left]
      })

    const wait = (
      ticket: number,
      cost: number,
      patience: number,
      door: Door,
      admission: Admission
    ): Effect.Effect<Permit, RateLimited | Rejection> =>
      Effect.matchCauseEffect(Waiting.atMost(patience, served(ticket, door), admission), {
        onSuccess: (end) =>
          end === "over"
            ? Effect.succeed(permitOf(ticket, cost))
            : Effect.flatMap(resign(ticket, cost), (left) =>
                // Due at the very instant at which the wait became too long: served.
                left === undefined ? Effect.succeed(permitOf(ticket, cost)) : reject("wait-too-long", left)
              ),
        onFailure: (cause) =>
          Effect.flatMap(resign(ticket, cost), (left) =>
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
        return Effect.flatMap(
          step((state, now) => Kernel.admit(limits, state, cost, noDoor, now, 0)),
          (decision) => {
            if (decision._tag === "Taken") return Effect.succeed(permitOf(decision.ticket, cost))
            if (mode === "reject" && decision._tag === "Refused") return reject("limit", decision.retryAfter)
            return Effect.flatMap(Queue.sliding<void>(1), (door) => queue(cost, patience, door, admission))
          }
        )
      }

    const queue = (
      cost: number,
      patience: number,
      door: Door,
      admission: Admission
    ): Effect.Effect<Permit, RateLimited | Rejection> =>
      Effect.flatMap(
        step((state, now) => Kernel.admit(limits, state, cost, door, now, patience)),
        (decision) => {
          switch (decision._tag) {
            case "Taken":
              return Effect.succeed(permitOf(decision.ticket, cost))
            case "Refused":
              return reject(decision.reason, decision.retryAfter)
            case "Queued":
              return wait(decision.ticket, cost, patience, door, admission)
          }
        }
      )

    const status = step((state, now): [Status, Kernel.Served<Door>, Kernel.State<Door>] => {
      const [others, next] = Kernel.advance(limits, state, now)
      return [{ inUse: next.semaphore.inUse, queued: next.semaphore.queue.size, limit }, others, next]
    })

    const withCost: RateLimiter["withCost"] = (cost) =>
      Number.isSafeInteger(cost) && cost >= 1 && cost <= limit
        ? Effect.succeed({ name, admit: admit(cost), withCost, status })
        : new RateLimiterConfigurationError({
            limiter: name,
            problem: `a call costs ${cost}; it must be a whole number from 1 to the limit of ${limit}, or it could never pass`
          })

    return { name, admit: admit(1), withCost, status }
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

const problemOf = (options: Options): string | undefined => {
  const { interval, limit, maxQueued, maxWait, mode } = options
  const millis = Duration.toMillis(interval)
  if (!Number.isSafeInteger(limit) || limit < 1) return `limit is ${limit}; it must be a whole number of at least 1`
  if (!(millis > 0 && Number.isFinite(millis))) return "interval must be longer than nothing and shorter than for ever"
  if (maxQueued !== undefined && (!Number.isSafeInteger(maxQueued) || maxQueued < 1)) {
    return `maxQueued is ${maxQueued}; it must be a whole number of at least 1 (to let no one wait, use mode "reject")`
  }
  if (mode === "reject" && (maxWait !== undefined || maxQueued !== undefined)) {
    return `maxWait and maxQueued belong to mode "wait"; leave them out or change the mode`
  }
  return undefined
}
