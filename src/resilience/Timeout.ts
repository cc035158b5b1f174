/**
 * Ends an attempt that takes too long: it is interrupted, and awaited until it has let go of what it held.
 *
 * The attempt runs in one fibre of its own, started in place: on the stack of its caller, with the caller's fibre refs
 * and interruptibility. An attempt that ends without suspending needs neither a timer nor the scheduler, and so costs
 * less than a fifth of `Effect.timeout`, which starts two fibres and waits. No fibre at all would be cheaper still, by
 * interrupting the caller and taking it back afterwards; but that would reach all children of the caller, and end what
 * it had forked long before.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import { dual } from "effect/Function"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as MonotonicClock from "./MonotonicClock.js"
import { AttemptTimeout, stackless } from "./Rejection.js"

/**
 * The limit of an attempt, and whose attempt it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The dependency's name, for the error. */
  readonly name: string
  /** The longest time that one attempt may take. */
  readonly limit: Duration.DurationInput
}

/**
 * Fails with `AttemptTimeout` when the effect has not ended within the limit. The effect is interrupted first, so a
 * region that cannot be interrupted holds the answer up: nothing goes on in the background.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTimeout: {
  (options: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | AttemptTimeout, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, options: Options): Effect.Effect<A, E | AttemptTimeout, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, options: Options): Effect.Effect<A, E | AttemptTimeout, R> => {
  const tooSlow = exceeded(options)
  return timeoutTo(self, { limit: options.limit, onTimeout: () => tooSlow })
})

/**
 * The failure of an attempt that took too long.
 *
 * @since 0.1.0
 * @category constructors
 */
export const exceeded = ({ limit, name }: Options): Effect.Effect<never, AttemptTimeout> =>
  Effect.suspend(() =>
    Effect.fail(
      stackless(
        () =>
          new AttemptTimeout({
            policy: name,
            reason: "attempt-timeout",
            limit: Duration.decode(limit),
            retryAfter: undefined
          })
      )
    )
  )

/**
 * How an effect is bounded.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bound<out A, out E, out R> {
  readonly limit: Duration.DurationInput
  /** What follows when the limit has ended the effect. */
  readonly onTimeout: () => Effect.Effect<A, E, R>
  /** A fibre ref that is something else for the effect: cheaper than `Effect.locally`, since the fibre is made anyway. */
  readonly locally?: readonly [ref: FiberRef.FiberRef<unknown>, value: unknown] | undefined
}

/**
 * A bound, or what is to be done in place of an effect for which there is no time.
 *
 * @since 0.1.0
 * @category models
 */
export type BoundOr<A, E, R> = Bound<A, E, R> | Effect.Effect<A, E, R>

/**
 * Goes on with `onTimeout` when the effect has not ended within the limit; otherwise ends as the effect does, with what
 * it did to fibre refs. Who is there first wins; an interruption from outside always does. Fibres that the effect forked
 * end with it; those that its caller forked are left alone.
 *
 * The time is the clock's and starts when the effect first suspends; fractions of a millisecond are rounded up.
 *
 * @since 0.1.0
 * @category combinators
 */
export const timeoutTo = <A, E, R, A2, E2, R2>(
  self: Effect.Effect<A, E, R>,
  bound: Bound<A2, E2, R2>
): Effect.Effect<A | A2, E | E2, R | R2> => boundedBy(self, () => bound)

/**
 * The same with a bound that is decided when the effect begins, or with what is to be done instead of beginning.
 *
 * @since 0.1.0
 * @category combinators
 */
export const boundedBy = <A, E, R, A2, E2, R2>(
  self: Effect.Effect<A, E, R>,
  boundOf: (caller: Fiber.RuntimeFiber<unknown, unknown>) => BoundOr<A2, E2, R2>
): Effect.Effect<A | A2, E | E2, R | R2> =>
  Effect.withFiberRuntime<A | A2, E | E2, R | R2>((caller, { runtimeFlags }) =>
    // From here on no interruption can come between two steps and leave the attempt behind.
    Effect.uninterruptible(Effect.suspend(() => begin(self, boundOf(caller), { caller, runtimeFlags })))
  )

/**
 * Who runs an effect: a fibre, and its flags as they were before it was masked, which say whether the effect can be
 * interrupted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Caller {
  readonly caller: Fiber.RuntimeFiber<unknown, unknown>
  readonly runtimeFlags: RuntimeFlags.RuntimeFlags
}

/**
 * Begins an effect in a step of its caller, who has masked itself. What ends without suspending comes back as its exit;
 * otherwise what comes back is the wait for the end, with which the caller has to go on.
 *
 * @since 0.1.0
 * @category combinators
 */
export const begin = <A, E, R, A2, E2, R2>(
  self: Effect.Effect<A, E, R>,
  bound: BoundOr<A2, E2, R2>,
  by: Caller
): Effect.Effect<A | A2, E | E2, R | R2> => {
  if (Effect.isEffect(bound)) return bound
  // With the caller's refs it inherits an interruption that waits for the mask to be lifted, and then does not begin.
  const refs = refsFor(by.caller, bound)
  const child = start(self, refs, by)
  const end = child.unsafePoll()
  return end === null ? awaited(child, refs, bound, by) : inheriting(child, refs, end)
}

const refsFor = (
  caller: Fiber.RuntimeFiber<unknown, unknown>,
  { locally }: Bound<unknown, unknown, unknown>
): FiberRefs.FiberRefs => {
  const refs = caller.getFiberRefs()
  if (locally === undefined) return refs
  const [fiberRef, value] = locally
  return FiberRefs.updateAs(refs, { fiberId: caller.id(), fiberRef, value })
}

/** Starts an attempt in place, unless too many have been: a recursion through timeouts must not exhaust the stack. */
const start = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  refs: FiberRefs.FiberRefs,
  { caller, runtimeFlags }: Caller
): Attempt<A, E> => {
  // The caller is about to run an effect that requires R: its context has it.
  const context = caller.currentContext as Context.Context<R>
  const runtime = Runtime.make({ context, runtimeFlags, fiberRefs: noRefs })
  stacked += 1
  try {
    return Runtime.runFork(runtime, Effect.catchAllCause(self, Failed.with), {
      updateRefs: () => refs,
      immediate: stacked < deepest
    })
  } finally {
    stacked -= 1
  }
}

/** The fibre of an attempt. It succeeds with the attempt's failure, too: one of its own would be logged as unhandled. */
type Attempt<A, E> = Fiber.RuntimeFiber<A | Failed<E>>

class Failed<out E> {
  constructor(readonly cause: Cause.Cause<E>) {}
  static with = <E>(cause: Cause.Cause<E>) => Effect.succeed(new Failed(cause))
}

/** How many attempts are being started on the stack at this moment: a property of the thread, as the stack itself is. */
let stacked = 0
const deepest = 64

/** Waits for an attempt that has suspended, and ends it when its time is over or when its caller leaves. */
const awaited = <A, E, A2, E2, R2>(
  child: Attempt<A, E>,
  refs: FiberRefs.FiberRefs,
  { limit, onTimeout }: Bound<A2, E2, R2>,
  { caller, runtimeFlags }: Caller
): Effect.Effect<A | A2, E | E2, R2> => {
  let endedBy: "limit" | "caller" | undefined
  const stopTimer = startTimer(caller, limit, () => {
    // Letting go may take its time: whom the caller has left is not late.
    if (endedBy !== undefined || child.unsafePoll() !== null) return
    endedBy = "limit"
    child.unsafeInterruptAsFork(caller.id())
  })
  const end = Effect.async<Ended<A, E>>((resume) => {
    child.addObserver((exit) => {
      resume(Effect.succeed(exit))
    })
  })
  const endNow = Effect.suspend(() => {
    endedBy ??= "caller"
    child.unsafeInterruptAsFork(caller.id())
    return end
  })
  const goOn = (exit: Ended<A, E>): Effect.Effect<A | A2, E | E2, R2> => {
    stopTimer()
    return endedBy === "limit" ? onTimeout() : inheriting(child, refs, exit)
  }
  return RuntimeFlags.interruptible(runtimeFlags)
    ? Effect.matchCauseEffect(Effect.interruptible(end), {
        onSuccess: goOn,
        onFailure: () => Effect.flatMap(endNow, goOn)
      })
    : Effect.flatMap(end, goOn)
}

/** How the fibre of an attempt ended; it fails only when it was interrupted. */
type Ended<A, E> = Exit.Exit<A | Failed<E>>

const noRefs = FiberRefs.empty()

/** Ends as the attempt did. To look whether it did something to fibre refs costs less than to join them. */
const inheriting = <A, E>(
  child: Attempt<A, E>,
  before: FiberRefs.FiberRefs,
  ended: Ended<A, E>
): Effect.Effect<A, E> => {
  const exit = exitOf(ended)
  for (const [ref, values] of child.getFiberRefs().locals) {
    if (values === before.locals.get(ref) || ref === FiberRef.currentRuntimeFlags) continue
    return Effect.zipRight(child.inheritAll, exit)
  }
  return exit
}

const exitOf = <A, E>(ended: Ended<A, E>): Exit.Exit<A, E> => {
  if (Exit.isFailure(ended)) return Exit.failCause(ended.cause)
  const { value } = ended
  // Only what this file made is one: no effect can have succeeded with it.
  return value instanceof Failed ? Exit.failCause(value.cause) : Exit.succeed(value)
}

/** A plain timer where time is real. Any other clock has to sleep itself, as for what is too long for a timer. */
const startTimer = (
  caller: Fiber.RuntimeFiber<unknown, unknown>,
  limit: Duration.DurationInput,
  ring: () => void
): (() => void) => {
  const millis = Math.ceil(Duration.toMillis(limit))
  const clock = MonotonicClock.clockOf(caller)
  if (MonotonicClock.isLive(clock) && millis <= longestTimer) {
    const timer = setTimeout(ring, millis)
    return () => {
      clearTimeout(timer)
    }
  }
  const sleeper = Effect.runFork(clock.sleep(Duration.millis(millis)))
  sleeper.addObserver(ring)
  return () => {
    sleeper.unsafeInterruptAsFork(caller.id())
  }
}
const longestTimer = 2 ** 31 - 1
