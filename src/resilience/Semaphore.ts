/**
 * A semaphore that is fair and bounded: permits go strictly by order of arrival (a newcomer never passes someone who
 * waits), the queue has a bound, the wait has a bound, and a caller who is interrupted, in the queue or while running,
 * leaves nothing behind. Effect's own semaphore lets newcomers pass and waits without bound.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Semaphore } from "@dialdrill/selfheal"
 *
 * const program = Effect.gen(function* () {
 *   const printers = yield* Semaphore.make({ permits: 2, maxQueued: 10, maxWait: "5 seconds" })
 *   yield* printers.withPermits(1)(Effect.log("printing"))
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Admission, Permit } from "./Gate.js"
import * as Kernel from "./kernel/Semaphore.js"
import { type Rejection, stackless } from "./Rejection.js"
import { StateRef } from "./StateRef.js"
import * as Waiting from "./Waiting.js"

/**
 * No permits: the queue is full, they did not come in time, or more were asked for than there are in all.
 *
 * @since 0.1.0
 * @category errors
 */
export class SemaphoreFull extends Data.TaggedError("SemaphoreFull")<{
  readonly reason: "queue-full" | "wait-too-long" | "more-than-all"
}> {
  override get message(): string {
    return `No permit of the semaphore was to be had (${this.reason})`
  }
}

/**
 * How many permits there are, and how many callers may wait for them how long.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How many permits there are; a whole number of at least 1. */
  readonly permits: number
  /** How many callers may wait. Default 0: no one waits. */
  readonly maxQueued?: number | undefined
  /** How long one may wait. Default: as long as the caller can. */
  readonly maxWait?: Duration.DurationInput | undefined
}

/**
 * Permits in use, callers who wait, and how many permits there are in all.
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
 * A semaphore that rejects with `E`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Semaphore<out E = SemaphoreFull> {
  /**
   * Takes permits as a gate does; the gate's permit gives them back, and does so once however often it is used. Has to
   * run uninterruptibly, which it is itself except while it waits.
   */
  readonly take: (permits: number, admission: Admission) => Effect.Effect<Permit, E | Rejection>
  /** The permits for those who need not wait: see `tryAdmit` of a gate. */
  readonly tryTake: (permits: number) => Permit | undefined
  /**
   * Runs an effect with permits, which come back whatever becomes of it. Dies when the number of permits is not a whole
   * one of at least 1.
   */
  readonly withPermits: (permits: number) => <A, E1, R>(self: Effect.Effect<A, E1, R>) => Effect.Effect<A, E | E1, R>
  readonly status: Effect.Effect<Status>
}

type Door = Deferred.Deferred<void>

const isCount = (permits: number): boolean => Number.isSafeInteger(permits) && permits >= 1

/**
 * Makes a semaphore. Bounds are the caller's to check; `Bulkhead.make` shows how.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Semaphore> =>
  makeWith(options, (reason) => new SemaphoreFull({ reason }))

/**
 * Makes a semaphore that turns callers away with an error of the caller's own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeWith = <E extends Error>(
  options: Options,
  full: (reason: SemaphoreFull["reason"]) => E
): Effect.Effect<Semaphore<E>> =>
  Effect.sync(() => {
    type Taken = Effect.Effect<Permit, E | Rejection>
    const refuse = (reason: SemaphoreFull["reason"]): Effect.Effect<never, E> =>
      Effect.suspend(() => Effect.fail(stackless(() => full(reason))))
    const ref = new StateRef<Kernel.State<Door>>(Kernel.initial)
    const limits: Kernel.Limits = { permits: options.permits, maxQueued: options.maxQueued ?? 0 }
    const maxWait = options.maxWait === undefined ? Infinity : Duration.toMillis(options.maxWait)

    /** Changes the state and opens the doors of those who were served by it. */
    const change = (
      step: (state: Kernel.State<Door>) => [ReadonlyArray<Kernel.Waiter<Door>>, Kernel.State<Door>]
    ): Effect.Effect<void> =>
      Effect.uninterruptible(
        Effect.flatMap(ref.modify(step), (served) =>
          served.length === 0
            ? Effect.void
            : Effect.forEach(served, (waiter) => Deferred.succeed(waiter.door, undefined), { discard: true })
        )
      )

    const permitOf = (permits: number): Permit => {
      let held = true
      return () => {
        if (!held) return Effect.void
        held = false
        const state = ref.unsafeCurrent
        if (state.queue.size > 0) return change((current) => Kernel.settle(limits, current, permits))
        // Nobody waits, as a rule: no door to open.
        ref.unsafeCurrent = Kernel.settle(limits, state, permits)[1]
        return Effect.void
      }
    }

    const tryTake = (permits: number): Permit | undefined => {
      const state = ref.unsafeCurrent
      if (!isCount(permits) || !Kernel.isFree(limits, state, permits)) return undefined
      ref.unsafeCurrent = Kernel.take(state, permits)
      return permitOf(permits)
    }

    const wait = (ticket: number, permits: number, patience: number, door: Door, admission: Admission): Taken =>
      Effect.matchCauseEffect(Waiting.atMost(patience, Deferred.await(door), admission), {
        onSuccess: (end) =>
          end === "over"
            ? Effect.succeed(permitOf(permits))
            : Effect.flatMap(resign(ticket), (left) =>
                // Served at the very instant at which the wait became too long: served.
                left ? refuse("wait-too-long") : Effect.succeed(permitOf(permits))
              ),
        onFailure: (cause) =>
          Effect.flatMap(resign(ticket), (left) =>
            Effect.zipRight(left ? Effect.void : permitOf(permits)(Exit.failCause(cause)), Effect.failCause(cause))
          )
      })

    /** Leaves the queue; `false` when the permits were already handed over. */
    const resign = (ticket: number): Effect.Effect<boolean> =>
      Effect.suspend(() => {
        let left = false
        return Effect.map(
          change((state) => {
            left = Kernel.isQueued(state, ticket)
            return left ? Kernel.leave(limits, state, ticket) : [[], state]
          }),
          () => left
        )
      })

    const take: Semaphore<E>["take"] = (permits, admission) =>
      Effect.suspend((): Taken => {
        // A bug at the place of the call, which would let in too many or hold up everyone behind.
        if (!isCount(permits)) {
          return Effect.dieMessage(`A semaphore was asked for ${permits} permits; ask for a whole number of at least 1`)
        }
        if (permits > limits.permits) return refuse("more-than-all")
        // Most callers need not wait, and a door costs more than all the rest: first asked without one.
        const taken = tryTake(permits)
        if (taken !== undefined) return Effect.succeed(taken)
        const patience = Math.min(maxWait, admission.patience)
        if (limits.maxQueued === 0) return refuse("queue-full")
        if (patience <= 0) return refuse("wait-too-long")
        return Effect.flatMap(Deferred.make<void>(), (door) => queue(permits, patience, door, admission))
      })

    const queue = (permits: number, patience: number, door: Door, admission: Admission): Taken =>
      Effect.flatMap(
        ref.modify((state) => Kernel.admit(limits, state, permits, door)),
        (taken): Taken => {
          switch (taken._tag) {
            case "Taken":
              return Effect.succeed(permitOf(permits))
            case "Full":
              return refuse("queue-full")
            case "Queued":
              return wait(taken.ticket, permits, patience, door, admission)
          }
        }
      )

    return {
      take,
      tryTake,
      withPermits: (permits) => (self) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(
            // `Effect.never` cannot fail, so that no rejection but our own can come out.
            take(permits, { restore, patience: Infinity, pointless: Effect.never }) as Effect.Effect<Permit, E>,
            (permit) => Effect.onExit(restore(self), permit)
          )
        ),
      status: Effect.map(ref, (state) => ({
        inUse: state.inUse,
        queued: state.queue.size,
        limit: limits.permits
      }))
    }
  })
