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
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, { limit, name }: Options): Effect.Effect<A, E | AttemptTimeout, R> => {
    const error = () => {
      const duration = Duration.decode(limit)
      return new AttemptTimeout({ policy: name, reason: "attempt-timeout", limit: duration, retryAfter: undefined })
    }
    return timeoutTo(self, { limit, onTimeout: () => Effect.fail(stackless(error)) })
  }
)

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
  options: { readonly limit: Duration.DurationInput; readonly onTimeout: () => Effect.Effect<A2, E2, R2> }
): Effect.Effect<A | A2, E | E2, R | R2> => {
  // Its exit is a value, because a failure of the fibre itself would be logged as unhandled.
  const attempt = Effect.exit(self)
  return Effect.withFiberRuntime<A | A2, E | E2, R | R2>((caller, { runtimeFlags }) =>
    // From here on no interruption can come between two steps and leave the attempt behind.
    Effect.uninterruptible(
      Effect.suspend(() => {
        const depth = caller.getFiberRef(nesting) + 1
        const refs = FiberRefs.updateAs(caller.getFiberRefs(), {
          fiberId: caller.id(),
          fiberRef: nesting,
          value: depth
        })
        const child = Runtime.runFork(
          // The caller is about to run an effect that requires R: its context has it.
          Runtime.make({ context: caller.currentContext as Context.Context<R>, runtimeFlags, fiberRefs: noRefs }),
          attempt,
          { updateRefs: () => refs, immediate: depth % deepest !== 0 }
        )
        const exit = child.unsafePoll()
        if (exit !== null) return inheriting(child, refs, exit)

        let late = false
        const stopTimer = startTimer(caller, options.limit, () => {
          if (child.unsafePoll() !== null) return
          late = true
          child.unsafeInterruptAsFork(caller.id())
        })
        const end = Effect.async<Ended<A, E>>((resume) => {
          child.addObserver((exit) => {
            resume(Effect.succeed(exit))
          })
        })
        const endNow = Effect.suspend(() => {
          child.unsafeInterruptAsFork(caller.id())
          return end
        })
        const awaited = RuntimeFlags.interruptible(runtimeFlags)
          ? Effect.catchAllCause(Effect.interruptible(end), () => endNow)
          : end
        return Effect.flatMap(awaited, (exit): Effect.Effect<A | A2, E | E2, R2> => {
          stopTimer()
          return late ? options.onTimeout() : inheriting(child, refs, exit)
        })
      })
    )
  )
}

/** How an attempt ended, in the exit of its fibre, which fails only when it was interrupted. */
type Ended<A, E> = Exit.Exit<Exit.Exit<A, E>>

const noRefs = FiberRefs.empty()

/** Ends as the attempt did. To look whether it did something to fibre refs costs less than to join them. */
const inheriting = <A, E>(
  child: Fiber.RuntimeFiber<Exit.Exit<A, E>>,
  before: FiberRefs.FiberRefs,
  exit: Ended<A, E>
): Effect.Effect<A, E> => {
  const end = Exit.flatten(exit)
  for (const [ref, values] of child.getFiberRefs().locals) {
    if (values === before.locals.get(ref) || ref === FiberRef.currentRuntimeFlags) continue
    return Effect.zipRight(child.inheritAll, end)
  }
  return end
}

/**
 * How many timed regions stand on one stack, one within the other, before the next gets a stack of its own: a recursion
 * through timeouts is as safe as any other recursion of effects.
 */
const deepest = 64
const nesting: FiberRef.FiberRef<number> = FiberRef.unsafeMake(0)

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
