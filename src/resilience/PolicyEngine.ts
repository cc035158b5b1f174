/**
 * What passes each call of a policy through its steps. Everything that the options decide is decided when the policy is
 * made; a call costs one mask, a few readings of the clock and, where its time is bounded, a fibre for each attempt.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Deadline from "./Deadline.js"
import * as Gate from "./Gate.js"
import type { Outcome } from "./kernel/Outcome.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as Outcomes from "./Outcomes.js"
import * as PolicyEvents from "./PolicyEvents.js"
import { type Call, describe, type Settings } from "./PolicyOptions.js"
import { BulkheadFull, RateLimited, type Rejection, settle } from "./Rejection.js"
import * as Retry from "./Retry.js"
import * as RetryDriver from "./RetryDriver.js"
import * as Timeout from "./Timeout.js"

/**
 * A policy, ready for calls.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  readonly name: string
  /** Passes an effect through the policy, which adds its rejections to the errors. */
  readonly protect: <A, E, R>(self: Effect.Effect<A, E, R>, call?: Call) => Effect.Effect<A, E | Rejection, R>
  /** What was built, outside in, for logs, docs and tests. */
  readonly describe: string
}

/** One call on its way. */
interface Run extends Timeout.Caller {
  /** The earliest deadline that holds for it. */
  readonly until: Deadline.Deadline | undefined
  /** The same where it is the policy's own, and the call has to be told. */
  readonly own: Deadline.Deadline | undefined
  readonly hedged: boolean
  readonly observer: PolicyEvents.Observer | undefined
}

type Restore = Gate.Admission["restore"]

/**
 * Makes a policy from what its options said.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (settings: Settings): Effect.Effect<Policy> => {
  const { name, onEvent } = settings
  const observe =
    onEvent === undefined
      ? Effect.succeed(undefined)
      : PolicyEvents.observers({ policy: name, outcomeOf: outcomesOf(settings), onEvent })
  return Effect.map(observe, (observe) => ({
    name,
    protect: protectWith(settings, observe),
    describe: describe(settings)
  }))
}

const protectWith = (
  settings: Settings,
  observe: ((start: number) => PolicyEvents.Observer) | undefined
): Policy["protect"] => {
  const { attemptTimeout, breaker, bulkhead, deadline, hedge, name, rateLimiter, retry, retryBudget } = settings
  const attempt = attemptThrough(settings)
  const schedule = retry === undefined || retry.maxAttempts === 1 ? undefined : Retry.scheduleOf(retry)
  // Hedges do not pay for themselves: they are told that the call has.
  const paid = retryBudget ?? hedge?.budget
  const breakerAlone =
    Math.min(deadline, attemptTimeout) === Infinity && !(rateLimiter ?? bulkhead ?? retry ?? hedge ?? observe)

  /** The attempts from the second on. */
  const retried = <A, E, R>(
    first: Cause.Cause<E | Rejection>,
    self: Effect.Effect<A, E, R>,
    run: Run,
    schedule: Retry.Driver<unknown>["schedule"]
  ): Effect.Effect<A, E | Rejection, R> => {
    const again = (number: number) => Effect.uninterruptibleMask((restore) => attempt(self, run, number, restore))
    return RetryDriver.retried(
      again,
      { schedule, budget: retryBudget, inTime: inTimeFor(run), before: run.observer?.retry },
      first
    )
  }

  const end = <A, E>(exit: Exit.Exit<A, E | Rejection>, { observer, own }: Run): Effect.Effect<A, E | Rejection> => {
    if (own !== undefined) Deadline.leave(own)
    return observer === undefined ? exit : Effect.zipRight(observer.ended(exit), exit)
  }

  return <A, E, R>(self: Effect.Effect<A, E, R>, call?: Call): Effect.Effect<A, E | Rejection, R> => {
    const idempotent = call?.idempotent === true
    const retries = idempotent ? schedule : undefined
    const hedged = idempotent && hedge !== undefined

    return Effect.withFiberRuntime<A, E | Rejection, R>((caller, { runtimeFlags }) => {
      const inherited = Deadline.inheritedBy(caller)
      if (breakerAlone && inherited === undefined) {
        return Effect.catchAllCause(breaker === undefined ? self : breaker.execute(self), (cause) =>
          Effect.failCause(settle(cause))
        )
      }

      return Effect.uninterruptibleMask((restore) => {
        const now = MonotonicClock.of(caller)
        const until = Deadline.earliest(name, deadline, now, inherited)
        const own = until === inherited ? undefined : until
        const run: Run = { caller, runtimeFlags, until, own, hedged, observer: observe?.(now) }
        paid?.unsafeDeposit(now)

        const first = attempt(self, run, 1, restore)
        if (Gate.hasEnded(first) && Exit.isSuccess(first)) return end(first, run)
        const attempts =
          retries === undefined
            ? first
            : Effect.catchAllCause(first, (cause) => restore(retried(cause, self, run, retries)))
        return Effect.matchCauseEffect(attempts, {
          onSuccess: (a) => end(Exit.succeed(a), run),
          onFailure: (cause) => end(Exit.failCause(settle(withTimeOwned(cause, run, name))), run)
        })
      })
    })
  }
}

/** A retry that could not begin before the deadline is not worth the wait. */
const inTimeFor = ({ until }: Run) =>
  until === undefined
    ? undefined
    : ({ delay }: Retry.Scheduled<unknown>) =>
        Effect.map(MonotonicClock.now, (now) => now + Duration.toMillis(delay) < until.endsAt)

/** A gate says that the place did not come in time; where it was the deadline's time, the deadline is to be named. */
const withTimeOwned = <E>(
  cause: Cause.Cause<E | Rejection>,
  { caller, until }: Run,
  name: string
): Cause.Cause<E | Rejection> => {
  if (until === undefined || Deadline.millisLeft(until, MonotonicClock.of(caller)) > 0) return cause
  const error = Option.getOrUndefined(Cause.failureOption(cause))
  return error instanceof RateLimited || error instanceof BulkheadFull
    ? Cause.map(cause, (one) => (one === error ? Deadline.error(until, name, error.retryAfter) : one))
    : cause
}

/**
 * One attempt: through the gates, and bounded by its own limit or the time left, whichever is shorter. To be asked for in a
 * step of the caller, masked; one that need not wait has ended when it comes back.
 */
const attemptThrough = (settings: Settings) => {
  const { attemptTimeout, breaker, bulkhead, hedge, name, rateLimiter } = settings
  const queues = [rateLimiter, bulkhead].filter((gate) => gate !== undefined)
  const gates = breaker === undefined ? queues : [...queues, breaker]
  const pointless = breaker?.opened ?? Effect.never
  const looked = queues.length === 0 ? undefined : breaker
  const whileClosed = breaker === undefined ? undefined : Effect.map(breaker.status, ({ state }) => state === "closed")
  const tooSlow = Timeout.exceeded({ name, limit: attemptTimeout })
  const alwaysSame = { limit: attemptTimeout, onTimeout: () => tooSlow }

  // On a tie the attempt's own limit wins: the dependency was given all the time that it is meant to have.
  const boundOf = ({ caller, own, until }: Run): Timeout.BoundOr<never, Rejection, never> => {
    if (until === undefined) return alwaysSame
    // The time left is that of the moment: an attempt may have queued, and a hedge begins later than its attempt.
    const left = Deadline.millisLeft(until, MonotonicClock.of(caller))
    if (left <= 0) return Deadline.exceeded(until, name)
    const locally = own === undefined ? undefined : Deadline.locally(own)
    return attemptTimeout <= left
      ? { limit: attemptTimeout, onTimeout: () => tooSlow, locally }
      : { limit: left, onTimeout: () => Deadline.exceeded(until, name), locally }
  }

  return <A, E, R>(
    self: Effect.Effect<A, E, R>,
    run: Run,
    number: number,
    restore: Restore
  ): Effect.Effect<A, E | Rejection, R> => {
    type Made = Effect.Effect<A, E | Rejection, R>
    const { caller, hedged, observer, until } = run
    const left = until === undefined ? Infinity : Deadline.millisLeft(until, MonotonicClock.of(caller))
    if (until !== undefined && left <= 0) return Deadline.exceeded(until, name)

    const limit = Math.min(attemptTimeout, left)
    const isBounded = limit !== Infinity
    const make = (call: Made): Made => {
      if (hedged && hedge !== undefined) {
        const once = isBounded ? Timeout.boundedBy(call, () => boundOf(run)) : call
        return restore(hedge.execute(once, { deposited: true, allowed: whileClosed }))
      }
      return isBounded ? Timeout.begin(call, boundOf(run), run) : restore(call)
    }
    const begin = (call: Made): Made => {
      if (observer === undefined) return make(call)
      const made = Effect.suspend(() => make(call))
      return observer.attempt(made, number)
    }

    const walk = () =>
      Gate.walk(gates, self, {
        restore,
        until: until === undefined ? Infinity : until.endsAt,
        callLimit: isBounded ? limit : undefined,
        pointless,
        begin
      })
    return looked === undefined || looked.passesFreely() ? walk() : Effect.flatMap(looked.look, walk)
  }
}

/** How the outcome of an attempt is told: as the breaker counts it, where there is one. */
const outcomesOf = ({ breaker }: Settings): ((exit: Exit.Exit<unknown, unknown>) => Effect.Effect<Outcome>) =>
  breaker?.outcomeOf ?? ((exit) => Effect.sync(() => Outcomes.ofExit(exit, Outcomes.everyError)))
