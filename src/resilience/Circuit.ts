/**
 * One circuit: its state in one `Ref`, the steps that change it, and what follows from a change: transitions are told,
 * handlers for the next calls are made. `CircuitBreaker` is what people see of it.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import { classifiersOf, type Options } from "./CircuitBreakerOptions.js"
import * as CircuitTransitions from "./CircuitTransitions.js"
import type * as Gate from "./Gate.js"
import * as Kernel from "./kernel/CircuitBreaker.js"
import type { Verdict } from "./kernel/Outcome.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as Outcomes from "./Outcomes.js"
import { CircuitOpen, stackless } from "./Rejection.js"
import { StateRef } from "./StateRef.js"

/** How a call with a certain permit ends. While the circuit is closed one for all calls, so that they allocate little. */
export interface Ending {
  readonly onSuccess: <A>(value: A) => Effect.Effect<A>
  readonly onFailure: <E>(cause: Cause.Cause<E>) => Effect.Effect<never, E>
  readonly onExit: Gate.Permit
}

/** The one cell: the machine's state, which changes with results, and what changes more seldom. */
export interface Cell {
  readonly state: Kernel.State
  readonly about: About
}

interface About {
  readonly options: Options
  readonly classifiers: Outcomes.Classifiers
  readonly told: CircuitTransitions.CircuitState
  readonly history: CircuitTransitions.History
  /** Wall time, for `Status`. */
  readonly openedAt: number | undefined
  /** Of the calls that come through the closed circuit in this generation. */
  readonly ending: Ending
  readonly rejection: Rejection | undefined
}

/** The last rejection: who is turned away for the same reason in the same millisecond gets the same. */
interface Rejection {
  readonly reason: Kernel.Refusal
  readonly retryAfter: number | undefined
  readonly exit: Exit.Exit<never, CircuitOpen>
}

/**
 * A class, so that ten thousand circuits have their methods once. Methods that are said to be called inside of a step read
 * and set the state there and then; those that return effects of their own do so when the effect runs.
 */
export class Circuit {
  readonly name: string
  readonly ref: StateRef<Cell>

  constructor(options: Options, initial: Kernel.State) {
    this.name = options.name
    this.ref = new StateRef<Cell>({
      state: initial,
      about: {
        options,
        classifiers: classifiersOf(options),
        told: "closed",
        history: CircuitTransitions.none,
        openedAt: undefined,
        ending: this.endingOf({ generation: initial.generation, probe: undefined, since: undefined }),
        rejection: undefined
      }
    })
  }

  read<A>(f: (cell: Cell, now: number) => A): Effect.Effect<A> {
    return Effect.flatMap(MonotonicClock.now, (now) => Effect.map(this.ref, (cell) => f(cell, now)))
  }

  /** One step of the machine. Where open times are jittered it brings the random number for the next one. */
  step<A>(transition: (state: Kernel.State, now: number) => readonly [A, Kernel.State]): Effect.Effect<A> {
    const take = (random: number | undefined) =>
      this.change((before, now) => {
        const [result, state] = transition(before.state, now)
        if (state === before.state) return [result, before]
        return [result, { state: random === undefined ? state : { ...state, random }, about: before.about }]
      })
    return Effect.flatMap(this.ref, ({ state }) =>
      state.settings.resetTimeoutJitter === 0 ? take(undefined) : Effect.flatMap(Random.next, take)
    )
  }

  /** One step that may change more than the machine's state. */
  change<A>(next: (before: Cell, now: number) => readonly [A, Cell]): Effect.Effect<A> {
    return MonotonicClock.nowWith((now, wall) =>
      this.ref.modify((before) => {
        const [result, after] = next(before, now)
        return [result, after === before ? before : this.told(after, before, now, wall)]
      })
    )
  }

  /** Gives a permit back. To be called inside of a step. */
  private settle(permit: Kernel.Permit, verdict: Verdict): void {
    const before = this.ref.unsafeCurrent
    const { about, state } = before
    const counted = Kernel.settleAnytime(state, permit, verdict)
    if (counted !== undefined) {
      if (counted !== state) this.ref.unsafeCurrent = { state: counted, about }
      return
    }
    const clock = MonotonicClock.unsafeClock()
    const now = MonotonicClock.monotonic(clock)
    const settled = Kernel.settle(state, permit, verdict, now)
    if (settled === state) return
    this.ref.unsafeCurrent = this.told({ state: settled, about }, before, now, () => clock.unsafeCurrentTimeMillis())
  }

  /** To be called inside of a step. */
  reject(decision: Kernel.Rejected): Effect.Effect<never, CircuitOpen> {
    const { about, state } = this.ref.unsafeCurrent
    const { reason } = decision
    const retryAfter = decision.retryAfter === undefined ? undefined : Math.ceil(decision.retryAfter)
    const last = about.rejection
    if (last !== undefined && last.reason === reason && last.retryAfter === retryAfter) return last.exit
    const error = stackless(
      () =>
        new CircuitOpen({
          policy: this.name,
          reason,
          retryAfter: retryAfter === undefined ? undefined : Duration.millis(retryAfter)
        })
    )
    const exit = Exit.fail(error)
    this.ref.unsafeCurrent = { state, about: { ...about, rejection: { reason, retryAfter, exit } } }
    return exit
  }

  get history(): CircuitTransitions.Access {
    return (step) =>
      this.ref.modify(({ about, state }) => {
        const [result, history] = step(about.history)
        return [result, { state, about: { ...about, history } }]
      })
  }

  private get classifiers(): Outcomes.Classifiers {
    return this.ref.unsafeCurrent.about.classifiers
  }

  endingOf(permit: Kernel.Permit): Ending {
    return {
      onSuccess: (value) => {
        this.settle(permit, Outcomes.ofResult(value, this.classifiers))
        return Effect.succeed(value)
      },
      onFailure: (cause) => {
        this.settle(permit, Outcomes.ofCause(cause, this.classifiers))
        return Effect.failCause(cause)
      },
      onExit: (exit, started) => {
        // A call that was never begun says nothing, however it ended.
        this.settle(permit, started === false ? "ignored" : Outcomes.ofExit(exit, this.classifiers))
        return Effect.void
      }
    }
  }

  /** What follows from a change of the state. Telling is part of it: transitions are told in the order they happen in. */
  private told(after: Cell, before: Cell, now: number, wall: () => number): Cell {
    const { about } = after
    const isSame = after.state.generation === before.state.generation
    if (isSame && about.told === "closed" && Kernel.passesFreely(after.state)) return after
    const elapsed = this.elapsed(about, before.state, now, wall)
    // What is told has happened: it is kept, or it would be told again.
    const state = Kernel.advance(after.state, now)
    const { generation } = state
    const ending =
      generation === before.state.generation
        ? about.ending
        : this.endingOf({ generation, probe: undefined, since: undefined })
    return { state, about: { ...this.tell(elapsed, after.state.reason, Kernel.shown(state), wall()), ending } }
  }

  /** Tells what time alone had done before, one thing after the other: nobody may have looked since. */
  private elapsed(about: About, state: Kernel.State, now: number, wall: () => number): About {
    const next = Kernel.elapse(state, now)
    if (next === state) return about
    const at = wall() - (now - Kernel.changesAt(state))
    return this.elapsed(this.tell(about, next.reason, Kernel.shown(next), at), next, now, wall)
  }

  private tell(
    about: About,
    reason: Kernel.Reason | undefined,
    to: CircuitTransitions.CircuitState,
    at: number
  ): About {
    if (to === about.told || reason === undefined) return about
    const { name } = this
    const transition = { name, from: about.told, to, at: new Date(at), reason }
    return {
      ...about,
      told: to,
      history: CircuitTransitions.unsafeTell(about.history, transition),
      openedAt: to === "open" ? at : about.openedAt
    }
  }
}
