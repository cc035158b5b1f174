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
 * exactly once, uninterruptibly, on success, failure, defect and interruption. `started` is `false` when the call itself
 * was never begun, because an inner gate rejected it or the caller left before: such a call has cost nothing.
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
export interface Gate<out E extends Rejection = Rejection> {
  readonly name: string
  readonly admit: (admission: Admission) => Effect.Effect<Permit, E | Rejection>
}

/**
 * What a call brings to the gates.
 *
 * @since 0.1.0
 * @category models
 */
export interface Passage extends Omit<Admission, "patience"> {
  /** Until when the caller can wait, for all gates together: monotonic milliseconds, `Infinity` without a deadline. */
  readonly until: number
  /** What the call passes last of all, once it has all permits, and interruptibly: it may still be rejected there. */
  readonly last?: (<A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Rejection, R>) | undefined
}

/** Something that admits, whatever it rejects with. */
interface Door<out G extends Rejection> {
  readonly admit: (admission: Admission) => Effect.Effect<Permit, G>
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
      const pass = (until: number) =>
        // What comes out is what the gates reject with, or what made the waiting pointless, which `G` stands for, too.
        walk(gates, self, { restore, until, callLimit, pointless }) as Effect.Effect<A, E | G, R>
      return patience === Infinity ? pass(Infinity) : MonotonicClock.nowWith((now) => pass(now + patience))
    })

/**
 * The same inside of a mask that the caller has made, and whose `restore` the passage brings.
 *
 * @since 0.1.0
 * @category combinators
 */
export const walk = <A, E, R>(
  gates: ReadonlyArray<Door<Rejection>>,
  self: Effect.Effect<A, E, R>,
  { callLimit, last, pointless, restore, until }: Passage
): Effect.Effect<A, E | Rejection, R> => {
  let started = false
  const begin = Effect.suspend(() => {
    started = true
    return self
  })
  const enter = (index: number): Effect.Effect<A, E | Rejection, R> => {
    const gate = gates[index]
    if (gate === undefined) return restore(last === undefined ? begin : last(begin))
    // Suspended, so that a gate that throws breaks nothing but this call.
    const admit =
      until === Infinity
        ? Effect.suspend(() => gate.admit({ restore, patience: Infinity, callLimit, pointless }))
        : MonotonicClock.nowWith((now) => gate.admit({ restore, patience: until - now, callLimit, pointless }))
    return Effect.flatMap(admit, (permit) =>
      Effect.matchCauseEffect(enter(index + 1), {
        onSuccess: (a) => Effect.as(permit(Exit.succeed(a), started), a),
        onFailure: (cause) => Effect.zipRight(permit(Exit.failCause(cause), started), Effect.failCause(cause))
      })
    )
  }
  return enter(0)
}
