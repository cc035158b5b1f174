/**
 * A place in an outbound rate limit, taken before the call is made: how long the call has to wait can be known, and the
 * place can be given up. (R4J and Guava reserve too, but a reservation there cannot be given back.)
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { RateLimiter } from "@dialdrill/selfheal"
 *
 * const program = Effect.gen(function* () {
 *   const limiter = yield* RateLimiter.make({ name: "reports", limit: 10, interval: "1 minute", mode: "wait" })
 *   const place = yield* limiter.reserve
 *   yield* Effect.log("starts in", yield* place.wait)
 *   return yield* place.use(Effect.succeed("a report"))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import type { RateLimiterState } from "./RateLimiterState.js"
import type { RateLimited } from "./Rejection.js"

/**
 * A place that is held until it is used, cancelled, or its scope closes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reservation {
  /** How long until the call may start, as far as can be known now; callers ahead who give up make it shorter. */
  readonly wait: Effect.Effect<Duration.Duration>
  /**
   * Waits until it is time and makes the call, which counts from then on. Once: a reservation that was used or cancelled
   * rejects with `limit`, and so does one left unused for a whole interval after its time, because its permits have gone
   * back. If it is interrupted while it waits, the place is still held.
   */
  readonly use: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | RateLimited, R>
  /** Gives the place back unless the call has started. */
  readonly cancel: Effect.Effect<void>
}

/**
 * Reserves on the state of a limiter. `patience` in milliseconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly state: RateLimiterState
  readonly cost: number
  readonly patience: number
  readonly reject: (reason: RateLimited["reason"], retryAfter: number) => Effect.Effect<never, RateLimited>
}): Effect.Effect<Reservation, RateLimited, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const { cost, patience, reject, state } = options
      const door = yield* Queue.sliding<void>(1)
      const admission = yield* state.admit(cost, patience, door)
      if (admission._tag === "Refused") return yield* reject(admission.reason, admission.retryAfter)
      const { ticket } = admission

      const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
      const held = yield* Ref.make(true)
      const giveBack = Effect.flatMap(state.resign(ticket, cost), (left) =>
        left === undefined ? state.refund(ticket, cost) : Effect.void
      )
      // Whoever is first in line has to watch the clock for those behind, also while nobody waits for this place yet.
      const turn =
        admission._tag === "Taken"
          ? Effect.void
          : Fiber.await(yield* Effect.forkIn(Effect.interruptible(state.served(ticket, door)), scope))
      // Added last and so done first: a turn that ends because nobody watches any more must not be claimed.
      yield* Scope.addFinalizer(scope, Effect.whenEffect(giveBack, Ref.getAndSet(held, false)))

      const cancel = Effect.uninterruptible(Scope.close(scope, Exit.void))
      const claim = Effect.if(Ref.getAndSet(held, false), {
        // Nothing is left to give back, and a caller's scope may outlive very many reservations.
        onTrue: () => Effect.zipRight(cancel, state.restart(ticket, cost)),
        onFalse: () => Effect.succeed(false)
      })
      const tooLate = Effect.flatMap(state.waitFor(cost), (wait) => reject("limit", wait))

      return {
        wait: Effect.map(state.waitOf(ticket), Duration.millis),
        cancel,
        use: <A, E, R>(self: Effect.Effect<A, E, R>) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.flatMap(Effect.zipRight(restore(turn), claim), (claimed): Effect.Effect<A, E | RateLimited, R> => {
              if (!claimed) return tooLate
              let started = false
              const begin = Effect.suspend(() => {
                started = true
                return self
              })
              return Effect.onExit(restore(begin), () => (started ? Effect.void : state.refund(ticket, cost)))
            })
          )
      }
    })
  )
