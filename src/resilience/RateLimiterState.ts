/**
 * The state of one outbound rate limiter and the steps that callers take on it: the shell around `kernel/RateLimiter.ts`,
 * under the gate and under the reservations of `RateLimiter.ts`. There is no fibre here: whoever is first in line watches
 * the clock, and serves with its own step all who are due.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Kernel from "./kernel/RateLimiter.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as Waiting from "./Waiting.js"

/**
 * How a waiter is reached. A knock means "look again": the waiter was served, or is now first in line and has to watch
 * the clock.
 *
 * @since 0.1.0
 * @category models
 */
export type Door = Queue.Queue<void>

/**
 * Times in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimiterState {
  readonly admit: (cost: number, patience: number, door: Door) => Effect.Effect<Kernel.Admission>
  /** Sleeps until the waiter is served. */
  readonly served: (ticket: number, door: Door) => Effect.Effect<void>
  /** How long until the waiter is served, as far as can be known now. */
  readonly waitOf: (ticket: number) => Effect.Effect<number>
  /** How long a newcomer would have to wait. */
  readonly waitFor: (cost: number) => Effect.Effect<number>
  /** Leaves the queue and tells how long it would have taken; `undefined` when the call was already served. */
  readonly resign: (ticket: number, cost: number) => Effect.Effect<number | undefined>
  /** Takes back a call that never started. */
  readonly refund: (ticket: number, cost: number) => Effect.Effect<void>
  /** Lets a call that was served earlier count from now; `false` when its permits have gone back meanwhile. */
  readonly restart: (ticket: number, cost: number) => Effect.Effect<boolean>
  readonly look: Effect.Effect<{ readonly inUse: number; readonly queued: number }>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (limits: Kernel.Limits): Effect.Effect<RateLimiterState> =>
  Effect.map(Ref.make<Kernel.State<Door>>(Kernel.initial), (ref) => {
    /**
     * One step of the machine at the current time; knocks at the doors of all whom it concerns. Waiters step too, and a
     * waiter who is interrupted between the two would leave those it has served asleep.
     */
    const step = <A>(
      decide: (state: Kernel.State<Door>, now: number) => [A, Kernel.Served<Door>, Kernel.State<Door>]
    ): Effect.Effect<A> =>
      Effect.uninterruptible(
        MonotonicClock.nowWith((now) =>
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

    const look = <A>(read: (state: Kernel.State<Door>, now: number) => A): Effect.Effect<A> =>
      step((state, now) => {
        const [others, next] = Kernel.advance(limits, state, now)
        return [read(next, now), others, next]
      })

    const served = (ticket: number, door: Door): Effect.Effect<void> =>
      Effect.flatMap(
        look((state, now) => Kernel.sleepOf(limits, state, ticket, now)),
        (millis) =>
          millis === 0
            ? Effect.void
            : Effect.zipRight(
                millis === Infinity ? Queue.take(door) : Waiting.first(Queue.take(door), Waiting.sleep(millis)),
                served(ticket, door)
              )
      )

    return {
      admit: (cost, patience, door) => step((state, now) => Kernel.admit(limits, state, cost, door, now, patience)),
      served,
      waitOf: (ticket) => look((state, now) => Kernel.waitOfTicket(limits, state, ticket, now)),
      waitFor: (cost) => look((state, now) => Kernel.waitOf(limits, state, cost, now)),
      resign: (ticket, cost) =>
        step((state, now) => {
          const [others, next] = Kernel.advance(limits, state, now)
          if (Kernel.sleepOf(limits, next, ticket, now) === 0) return [undefined, others, next]
          const [more, left] = Kernel.leave(limits, next, ticket, now)
          return [Kernel.waitOf(limits, left, cost, now), [...others, ...more], left]
        }),
      refund: (ticket, cost) => step((state, now) => [undefined, ...Kernel.refund(limits, state, ticket, cost, now)]),
      restart: (ticket, cost) => step((state, now) => Kernel.restart(limits, state, ticket, cost, now)),
      look: look(({ semaphore }) => ({ inUse: semaphore.inUse, queued: semaphore.queue.size }))
    }
  })
