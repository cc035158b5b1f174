/**
 * A gate decides whether a call may pass, hands out a permit for it, and takes the permit back when the call has ended,
 * however it ended. Circuit breaker, rate limiter and bulkhead are gates; this file is the one interpreter that walks a
 * list of them inside one mask, so that no permit can be lost to an interruption between two steps.
 *
 * A new gate is a new value of this interface; nothing here knows which gates exist.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as MonotonicClock from "./MonotonicClock.js"
import type { Rejection } from "./Rejection.js"

/**
 * The right to make one call. Calling it gives the permit back, with the exit of the call; the interpreter does so
 * exactly once, in a step and uninterruptibly, on success, failure, defect and interruption, and then runs what comes back,
 * which is `Effect.void` where nothing is left to do. `started` is `false` when the call itself was never begun, because
 * an inner gate rejected it or the caller left before: such a call has cost nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Permit {
  (exit: Exit.Exit<unknown, unknown>, started?: boolean): Effect.Effect<void>
}

/**
 * How the caller can wait for admission.
 *
 * @since 0.1.0
 * @category models
 */
export interface Admission {
  /** Restores the caller's interruptibility: a gate waits under this, and only there. */
  readonly restore: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** How many milliseconds the caller can wait at most; `Infinity` without a deadline. */
  readonly patience: number
  /**
   * How many milliseconds the call can take at most once it is admitted, by a limit of its own; absent, or
   * `Infinity`, without one. A circuit breaker never leases a probe for less.
   */
  readonly callLimit?: number | undefined
  /** Fails when waiting has become pointless, as when the circuit opens while callers queue for a place. */
  readonly pointless: Effect.Effect<never, Rejection>
}

/**
 * An admission policy. `admit` runs uninterruptibly except for what it runs under `admission.restore`; when it is
 * interrupted there, it gives back whatever it had taken.
 *
 * @since 0.1.0
 * @category models
 */
export interface Gate<out E extends Rejection = Rejection> extends Door<E> {
  readonly name: string
}

/**
 * The part of a gate that the interpreter needs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Door<out E extends Rejection> {
  readonly admit: (admission: Admission) => Effect.Effect<Permit, E | Rejection>
  /**
   * A permit for those who need not wait, asked for inside of a step of the caller; `undefined`, and nothing changed,
   * when `admit` has to be run. A gate may leave it out; one that has it costs most calls no step of the runtime.
   */
  readonly tryAdmit?: (() => Permit | undefined) | undefined
}

/**
 * What a call brings to the gates.
 *
 * @since 0.1.0
 * @category models
 */
export interface Passage<in out A, in out E, in out R> extends Omit<Admission, "patience"> {
  /** Until when the caller can wait, for all gates together: monotonic milliseconds, `Infinity` without a deadline. */
  readonly until: number
  /**
   * How the call is made once all permits are there: in a step, masked. What ends at once may come back as its exit;
   * anything else restores the caller's interruptibility itself. Default: with `restore`.
   */
  readonly begin?: ((call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) | undefined
}

/**
 * Passes an effect through gates, outermost first. A rejected call gives back, in reverse order, the permits it had
 * already taken; each gate sees the exit of everything inside it. The patience is that of all waits together.
 *
 * @since 0.1.0
 * @category combinators
 */
export const through =
  <G extends Rejection>(gates: ReadonlyArray<Door<G>>, options?: Partial<Omit<Admission, "restore">>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | G, R> =>
    Effect.uninterruptibleMask((restore) => {
      const { callLimit, patience = Infinity, pointless = Effect.never } = options ?? {}
      const until = patience === Infinity ? Infinity : MonotonicClock.unsafeNow() + patience
      // What comes out is what the gates reject with, or what made the waiting pointless, which `G` stands for, too.
      return walk(gates, self, { restore, until, callLimit, pointless }) as Effect.Effect<A, E | G, R>
    })

/**
 * The same in a step of the caller, inside of a mask that the caller has made and whose `restore` the passage brings. A call
 * that met open gates and has ended already comes back as its exit: it has cost the runtime no step.
 *
 * @since 0.1.0
 * @category combinators
 */
export const walk = <A, E, R>(
  gates: ReadonlyArray<Door<Rejection>>,
  self: Effect.Effect<A, E, R>,
  { callLimit, pointless, restore, until, begin = restore }: Passage<A, E | Rejection, R>
): Effect.Effect<A, E | Rejection, R> => {
  let started = false
  const call = Effect.suspend(() => {
    started = true
    return self
  })

  const enter = (index: number): Effect.Effect<A, E | Rejection, R> => {
    const gate = gates[index]
    if (gate === undefined) return begin(call)
    const permit = gate.tryAdmit?.()
    if (permit !== undefined) return hold(permit, index)
    const patience = until === Infinity ? Infinity : until - MonotonicClock.unsafeNow()
    return Effect.flatMap(gate.admit({ restore, patience, callLimit, pointless }), (permit) => hold(permit, index))
  }

  const hold = (permit: Permit, index: number): Effect.Effect<A, E | Rejection, R> => {
    const inside = enterSafely(index + 1)
    return hasEnded(inside)
      ? finish(permit, inside)
      : Effect.matchCauseEffect(inside, {
          onSuccess: (a) => finish(permit, Exit.succeed(a)),
          onFailure: (cause) => finish(permit, Exit.failCause(cause))
        })
  }

  /** What throws, a gate or a call, breaks this call and nothing else: whoever has given a permit gets it back. */
  const enterSafely = (index: number): Effect.Effect<A, E | Rejection, R> => {
    try {
      return enter(index)
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  const finish = (permit: Permit, exit: Exit.Exit<A, E | Rejection>): Effect.Effect<A, E | Rejection> => {
    const rest = permit(exit, started)
    return rest === Effect.void ? exit : Effect.zipRight(rest, exit)
  }

  return enterSafely(0)
}

/**
 * Whether a call has ended already: then it is its exit, and costs no step more. Not for effects of other people's, whose
 * errors may look like an exit.
 *
 * @since 0.1.0
 * @category guards
 */
export const hasEnded = <A, E, R>(call: Effect.Effect<A, E, R>): call is Exit.Exit<A, E> => Exit.isExit(call)
