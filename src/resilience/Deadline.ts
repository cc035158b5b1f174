/**
 * The time at which an answer is of no use any more, handed down to everything that is done for it: a call that is made
 * inside of another must not go on when nobody waits for it, and must not begin when it could not end in time.
 *
 * `within` bounds an effect and tells every policy inside how long there is; of nested deadlines the earliest wins, and
 * child fibres inherit it. A policy's own deadline does the same for the policies inside of its call.
 *
 * @example
 * ```ts
 * import { Deadline } from "@dialdrill/selfheal"
 * import * as Effect from "effect/Effect"
 *
 * declare const report: Effect.Effect<string, Error> // several calls, each behind a policy of its own
 *
 * const inTime = Deadline.within(report, "5 seconds") // Effect<string, Error | DeadlineExceeded>
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { dual } from "effect/Function"
import * as MonotonicClock from "./MonotonicClock.js"
import { DeadlineExceeded, stackless } from "./Rejection.js"
import * as Timeout from "./Timeout.js"

/**
 * A time limit with a name, which `DeadlineExceeded` then carries as its `owner`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whose deadline it is, for the error. */
  readonly name: string
  /** The longest time, from now. A duration that has no end is no deadline. */
  readonly limit: Duration.DurationInput
}

/**
 * A deadline that holds as long as its region does: from `enter` to `leave`.
 *
 * Leaving is a change of this object and not of the fibre, because setting a `FiberRef` costs a microsecond, which is half
 * of what all the rest of a policy costs. So what a fibre carries may be over; `inherited` passes over those.
 *
 * @since 0.1.0
 * @category models
 */
export interface Deadline {
  /** Whose it is. */
  readonly owner: string
  /** The whole time, in milliseconds. */
  readonly limit: number
  /** Monotonic milliseconds, as `MonotonicClock` counts them. */
  readonly endsAt: number
  readonly outer: Deadline | undefined
  left: boolean
}

// A child begins with its parent's and changes only its own.
const current: FiberRef.FiberRef<Deadline | undefined> = FiberRef.unsafeMake<Deadline | undefined>(undefined, {
  join: (parent) => parent
})

/**
 * Fails with `DeadlineExceeded` when the effect has not ended within the limit, or within a deadline further out when
 * that is earlier. The effect is interrupted first, so a region that cannot be interrupted holds the answer up. When
 * there is no time left to begin with, the effect is not begun.
 *
 * A daemon that outlives the effect is bounded by the deadline no more, but a call through a policy that it had begun by
 * then still is: fork what is to go on under `without`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const within: {
  (
    limit: Duration.DurationInput | Options
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | DeadlineExceeded, R>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    limit: Duration.DurationInput | Options
  ): Effect.Effect<A, E | DeadlineExceeded, R>
} = dual(
  2,
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options: Duration.DurationInput | Options
  ): Effect.Effect<A, E | DeadlineExceeded, R> => {
    const { limit, name } = isOptions(options) ? options : { limit: options, name: "deadline" }
    const millis = Math.ceil(Duration.toMillis(limit))
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiberRuntime<A, E | DeadlineExceeded, R>((fiber) => {
        const now = MonotonicClock.of(fiber)
        const inherited = inheritedBy(fiber)
        const deadline = earliest(name, millis, now, inherited)
        if (deadline === undefined) return restore(self)
        const bounded = restore(endingBy(self, deadline, now, name))
        return deadline === inherited ? bounded : during(deadline, bounded)
      })
    )
  }
)

/**
 * Runs an effect as if there were no deadline around it. For what must be done whoever still waits for it, as a write
 * that was accepted, or what a finalizer does through a policy when the deadline has ended what it cleans up after: the
 * policies inside keep their own limits.
 *
 * @since 0.1.0
 * @category combinators
 */
export const without = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiberRuntime((fiber) =>
      during(
        { owner: "none", limit: Infinity, endsAt: Infinity, outer: inheritedBy(fiber), left: false },
        restore(self)
      )
    )
  )

/**
 * How long there is until the earliest deadline around this: zero when it has passed, without end where there is none.
 *
 * @since 0.1.0
 * @category accessors
 */
export const remaining: Effect.Effect<Duration.Duration> = Effect.withFiberRuntime((fiber) => {
  const deadline = inheritedBy(fiber)
  return Effect.succeed(
    deadline === undefined
      ? Duration.infinity
      : Duration.millis(Math.max(0, millisLeft(deadline, MonotonicClock.of(fiber))))
  )
})

// ---------------------------------------------------------------------------------------------------------------------
// for policies, and for servers that begin a request
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The deadline that holds for what this fibre does now.
 *
 * @since 0.1.0
 * @category accessors
 */
export const inheritedBy = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Deadline | undefined => {
  let deadline = fiber.getFiberRef(current)
  while (deadline?.left === true) deadline = deadline.outer
  return deadline?.endsAt === Infinity ? undefined : deadline
}

/**
 * The inherited deadline, or a new one of so many milliseconds from now where that is earlier. A new one holds from
 * `enter` to `leave`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const earliest = (
  owner: string,
  limit: number,
  now: number,
  inherited: Deadline | undefined
): Deadline | undefined =>
  limit === Infinity || (inherited !== undefined && inherited.endsAt <= now + limit)
    ? inherited
    : { owner, limit, endsAt: now + limit, outer: inherited, left: false }

/** Uninterruptible, so that the deadline is left however the region ends. */
const during = <A, E, R>(deadline: Deadline, region: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.zipRight(
    enter(deadline),
    Effect.matchCauseEffect(region, {
      onSuccess: (a) => {
        leave(deadline)
        return Effect.succeed(a)
      },
      onFailure: (cause) => {
        leave(deadline)
        return Effect.failCause(cause)
      }
    })
  )

/**
 * Makes a deadline hold for the running fibre and the children that it forks from now on.
 *
 * @since 0.1.0
 * @category combinators
 */
export const enter = (deadline: Deadline): Effect.Effect<void> => FiberRef.set(current, deadline)

/**
 * Ends what `enter` began, for everyone: what begins in a daemon that outlives the region is not bounded by it any more.
 *
 * @since 0.1.0
 * @category combinators
 */
export const leave = (deadline: Deadline): void => {
  deadline.left = true
}

/**
 * In whole milliseconds, as timers count them: microseconds on the way must not cost an attempt its full limit.
 *
 * @since 0.1.0
 * @category accessors
 */
export const millisLeft = (deadline: Pick<Deadline, "endsAt">, now: number): number => Math.ceil(deadline.endsAt - now)

/**
 * Ends an effect at the deadline at the latest, and does not begin it after.
 *
 * @since 0.1.0
 * @category combinators
 */
export const endingBy = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  deadline: Deadline,
  now: number,
  policy: string
): Effect.Effect<A, E | DeadlineExceeded, R> => {
  const left = millisLeft(deadline, now)
  return left <= 0
    ? exceeded(deadline, policy)
    : Timeout.timeoutTo(self, { limit: left, onTimeout: () => exceeded(deadline, policy) })
}

/**
 * Makes a deadline hold for an effect that gets a fibre of its own, which costs less than `enter`: see `Timeout.Bound`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const locally = (deadline: Deadline): Timeout.Bound<never, never, never>["locally"] => [
  // What is set is a deadline, as the ref wants it; a list of refs and values cannot say so.
  current as FiberRef.FiberRef<unknown>,
  deadline
]

/**
 * The failure of a call that ran out of time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const exceeded = (deadline: Deadline, policy: string): Effect.Effect<never, DeadlineExceeded> =>
  Effect.fail(error(deadline, policy))

/**
 * Its error.
 *
 * @since 0.1.0
 * @category constructors
 */
export const error = (deadline: Deadline, policy: string, retryAfter?: Duration.Duration): DeadlineExceeded =>
  stackless(
    () =>
      new DeadlineExceeded({
        policy,
        reason: "deadline",
        limit: Duration.millis(deadline.limit),
        owner: deadline.owner,
        retryAfter
      })
  )

const isOptions = (limit: Duration.DurationInput | Options): limit is Options =>
  typeof limit === "object" && "limit" in limit
