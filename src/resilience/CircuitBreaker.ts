/**
 * Keeps callers away from a dependency that fails, and finds out by itself when it is well again.
 *
 * The decisions are in `kernel/CircuitBreaker.ts`; this file keeps that state in one `Ref`, lets effects pass through
 * it, and tells people what happened. A breaker owns no fibre, timer or scope.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "@dialdrill/selfheal"
 * import * as Effect from "effect/Effect"
 *
 * declare const askTheModel: Effect.Effect<string, Error>
 *
 * const program = Effect.gen(function* () {
 *   const breaker = yield* CircuitBreaker.make({ name: "openai" })
 *   return yield* breaker.execute(askTheModel) // Effect<string, Error | CircuitOpen>
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  type CircuitBreakerConfigurationError,
  classifiersOf,
  type Options,
  settingsOf
} from "./CircuitBreakerOptions.js"
import * as CircuitTransitions from "./CircuitTransitions.js"
import * as Gate from "./Gate.js"
import * as Kernel from "./kernel/CircuitBreaker.js"
import type { Outcome, Verdict } from "./kernel/Outcome.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as Outcomes from "./Outcomes.js"
import { CircuitOpen, stackless } from "./Rejection.js"

export { CircuitBreakerConfigurationError, type Options } from "./CircuitBreakerOptions.js"
export type { Transition } from "./CircuitTransitions.js"

/**
 * What people are told about a breaker. Reading it changes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  readonly serviceName: string
  /** What a caller meets now, an operator's decision included. */
  readonly state: CircuitTransitions.CircuitState
  readonly mode: "auto" | "forced-open" | "forced-closed"
  /** Failures in a row, or in the window where there is one; while not closed, those that led there. */
  readonly failures: number
  /** When the circuit opened last (ISO 8601, wall time); absent while closed. */
  readonly openedAt?: string
  /** Seconds until a call can pass, rounded up; absent where the clock alone does not decide it. */
  readonly retryAfterSeconds?: number
  readonly probesInUse: number
  /** How many hold the circuit open (`isolated`); absent where nobody does. */
  readonly handles?: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface CircuitBreaker extends Gate.Gate<CircuitOpen> {
  readonly admit: (admission: Gate.Admission) => Effect.Effect<Gate.Permit, CircuitOpen>
  /** Lets the effect through, or fails at once with `CircuitOpen`. `callLimit`: see `Gate.Admission`. */
  readonly execute: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    limits?: Pick<Gate.Admission, "callLimit">
  ) => Effect.Effect<A, E | CircuitOpen, R>
  readonly status: Effect.Effect<Status>
  /** The same as `status`. */
  readonly getStatus: Effect.Effect<Status>
  /** Fails when a call would be rejected now. A read: takes no permit. */
  readonly look: Effect.Effect<void, CircuitOpen>
  /** Fails as soon as calls are rejected; suspends until then. For those who queue for something else. */
  readonly opened: Effect.Effect<never, CircuitOpen>
  /** An operator opens or closes the circuit, or gives it back to the automatic, which has gone on underneath. */
  readonly force: (action: "open" | "close" | "auto") => Effect.Effect<void>
  /**
   * Holds the circuit open until the scope closes. Several may do so; it goes on with the last, and then is what the
   * automatic, which has gone on underneath, and `force` say. Stronger than a circuit that was forced closed. For tasks
   * that must have a dependency to themselves: a migration, a failover, a restore.
   */
  readonly isolated: Effect.Effect<void, never, Scope.Scope>
  /** Leaves the dependency alone for so long, at most 60 seconds, because it asked for that; counts no failure. */
  readonly holdOff: (duration: Duration.DurationInput) => Effect.Effect<void>
  /** Says that a background probe succeeded; matters only with `healOnProbe`. */
  readonly healthy: Effect.Effect<void>
  /**
   * Changes options (those not given stay as they are; `undefined` takes one back to its default) and keeps counters,
   * probes and state. A window that changes its size keeps the newest results that fit; one that changes its type starts
   * empty. The name cannot change.
   */
  readonly reconfigure: (
    options: Partial<Omit<Options, "name">>
  ) => Effect.Effect<void, CircuitBreakerConfigurationError>
  /** The options as given, with those of `reconfigure`. */
  readonly options: Effect.Effect<Options>
  /** Transitions from the subscription on, in order; a slow subscriber loses the oldest and holds up nobody. */
  readonly changes: Stream.Stream<CircuitTransitions.Transition>
  /** The same, subscribed when this effect has run and not when the stream is: for those who must not miss the first. */
  readonly subscribe: Effect.Effect<Stream.Stream<CircuitTransitions.Transition>, never, Scope.Scope>
  /** How this breaker counts an exit; without `elapsedMillis` no success is slow. */
  readonly outcomeOf: (exit: Exit.Exit<unknown, unknown>, elapsedMillis?: number) => Effect.Effect<Outcome>
  /** How many results came back after the circuit had changed and therefore changed nothing. */
  readonly lateResults: Effect.Effect<number>
  /**
   * Whether a new breaker would do the same: closed by itself and for long enough, with no failure remembered, held by
   * nobody and watched by nobody.
   */
  readonly neutral: Effect.Effect<boolean>
}

/** What a call ends in while the circuit is closed: made once a generation, so that a call allocates nothing. */
interface Handlers {
  readonly onSuccess: <A>(value: A) => Effect.Effect<A>
  readonly onFailure: <E>(cause: Cause.Cause<E>) => Effect.Effect<never, E>
}

/** The one cell: the machine's state, which changes with results, and what changes more seldom. */
interface Cell {
  readonly state: Kernel.State
  readonly about: About
}

interface About {
  readonly options: Options
  readonly classifiers: Outcomes.Classifiers
  readonly told: Status["state"]
  readonly seq: number
  /** Wall time, for `Status`. */
  readonly openedAt: number | undefined
  readonly handlers: Handlers
  readonly subscribers: number
}

/**
 * Makes a breaker. Usually `CircuitBreakers.get` is what you want: one breaker for each name.
 *
 * Fails with `CircuitBreakerConfigurationError`, which names every option that makes no sense and what to give instead.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (options: Options) {
  const { name } = options
  const settings = yield* settingsOf(options)
  const transitions = yield* CircuitTransitions.make
  const initial = Kernel.initial(settings, settings.resetTimeoutJitter > 0 ? yield* Random.next : 0)
  const cell: Ref.Ref<Cell> = yield* Ref.make<Cell>({
    state: initial,
    about: {
      options,
      classifiers: classifiersOf(options),
      told: "closed",
      seq: 0,
      openedAt: undefined,
      handlers: handlersOf(initial, undefined),
      subscribers: 0
    }
  })

  /** What follows from a change of the state. Telling is part of it: transitions are told in the order they happen in. */
  const told = (after: Cell, before: Cell, now: number, wall: () => number): Cell => {
    const { about, state } = after
    const known = state.generation === before.state.generation && state.window._tag === before.state.window._tag
    if (known && about.told === "closed" && Kernel.passesFreely(state)) return after
    const handlers = known ? about.handlers : handlersOf(state, undefined)
    const to = Kernel.view(state, now).state
    if (to === about.told || state.reason === undefined) return { state, about: { ...about, handlers } }
    const seq = about.seq + 1
    const at = wall() - Kernel.openFor(state, now)
    transitions.unsafeTell({ seq, name, from: about.told, to, at: new Date(at), reason: state.reason })
    return { state, about: { ...about, handlers, told: to, seq, openedAt: to === "open" ? at : about.openedAt } }
  }

  /** Changes the cell in one step. */
  const change = <A>(next: (before: Cell, now: number) => readonly [A, Cell]): Effect.Effect<A> =>
    MonotonicClock.nowWith((now, wall) =>
      Ref.modify(cell, (before) => {
        const [result, after] = next(before, now)
        return [result, after === before ? before : told(after, before, now, wall)]
      })
    )

  const changed = (before: Cell, state: Kernel.State): Cell =>
    state === before.state ? before : { state, about: before.about }

  /** One step of the machine. Where open times are jittered it brings the random number for the next one. */
  const step = <A>(transition: (state: Kernel.State, now: number) => readonly [A, Kernel.State]): Effect.Effect<A> =>
    Effect.flatMap(Ref.get(cell), ({ state }) => {
      const take = (random?: number) =>
        change((before, now) => {
          const [result, after] = transition(before.state, now)
          return [
            result,
            changed(before, random === undefined || after === before.state ? after : { ...after, random })
          ]
        })
      return state.settings.resetTimeoutJitter === 0 ? take() : Effect.flatMap(Random.next, take)
    })

  /** Gives a permit back. The end is classified within the step, so that also a throwing classifier loses none. */
  const settle = <A>(
    permit: Kernel.Permit,
    verdictOf: (classifiers: Outcomes.Classifiers) => Verdict,
    result: A
  ): Effect.Effect<A> =>
    change((before, now) => [
      result,
      changed(before, Kernel.settle(before.state, permit, verdictOf(before.about.classifiers), now))
    ])

  function handlersOf({ generation, window }: Kernel.State, since: number | undefined): Handlers {
    const permit: Kernel.Permit = { generation, probe: undefined, since }
    const succeed = <A>(value: A) => settle(permit, (classifiers) => Outcomes.ofResult(value, classifiers), value)
    return {
      onSuccess:
        window._tag === "run"
          ? (value) =>
              Effect.flatMap(Ref.get(cell), ({ about, state }) =>
                about.classifiers.result === undefined && Kernel.isUntroubled(state, permit)
                  ? Effect.succeed(value)
                  : succeed(value)
              )
          : succeed,
      onFailure: (cause) =>
        Effect.zipRight(
          settle(permit, (classifiers) => Outcomes.ofCause(cause, classifiers), undefined),
          Effect.failCause(cause)
        )
    }
  }

  const reject = (decision: Kernel.Rejected): Effect.Effect<never, CircuitOpen> =>
    Effect.fail(
      stackless(
        () =>
          new CircuitOpen({
            policy: name,
            reason: decision.reason,
            retryAfter: decision.retryAfter === undefined ? undefined : Duration.millis(Math.ceil(decision.retryAfter))
          })
      )
    )

  const admit = (admission: Gate.Admission): Effect.Effect<Gate.Permit, CircuitOpen> =>
    Effect.flatMap(
      step((state, now) => Kernel.admit(state, now, admission.callLimit)),
      (decision) =>
        decision._tag === "Rejected"
          ? reject(decision)
          : Effect.succeed((exit: Exit.Exit<unknown, unknown>) =>
              settle(decision.permit, (classifiers) => Outcomes.ofExit(exit, classifiers), undefined)
            )
    )

  // While closed a call holds nothing, so it needs no mask: if it is interrupted the handlers are skipped, and rightly.
  const closed = <A, E, R>(self: Effect.Effect<A, E, R>, handlers: Handlers): Effect.Effect<A, E, R> =>
    Effect.matchCauseEffect<A, E, R, never, E, never, A, never, never>(self, handlers)

  const execute = <A, E, R>(
    self: Effect.Effect<A, E, R>,
    limits?: Pick<Gate.Admission, "callLimit">
  ): Effect.Effect<A, E | CircuitOpen, R> =>
    Effect.flatMap(Ref.get(cell), ({ about, state }) => {
      if (!Kernel.passesFreely(state)) return Gate.through([breaker], limits)(self)
      return state.settings.slowCallDuration === undefined
        ? closed(self, about.handlers)
        : Effect.flatMap(MonotonicClock.now, (now) => closed(self, handlersOf(state, now)))
    })

  const look = Effect.flatMap(Ref.get(cell), ({ state }) =>
    Kernel.passesFreely(state)
      ? Effect.void
      : Effect.flatMap(MonotonicClock.now, (now) => {
          const [decision] = Kernel.admit(state, now)
          return decision._tag === "Rejected" ? reject(decision) : Effect.void
        })
  )

  // Subscribes before it looks: a circuit that opens in between is not missed.
  const opened = Effect.scoped(
    Effect.flatMap(transitions.listen, (news) => Effect.forever(Effect.zipRight(look, Queue.take(news))))
  )

  const status = Effect.flatMap(MonotonicClock.now, (now) =>
    Effect.map(Ref.get(cell), ({ about: { openedAt }, state }): Status => {
      const { failures, probesInUse, retryAfter, state: shown } = Kernel.view(state, now)
      return {
        serviceName: name,
        state: shown,
        mode: state.mode,
        failures,
        ...(shown === "closed" || openedAt === undefined ? {} : { openedAt: new Date(openedAt).toISOString() }),
        ...(retryAfter === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(retryAfter / 1000)) }),
        probesInUse,
        ...(state.handles === 0 ? {} : { handles: state.handles })
      }
    })
  )

  const reconfigure = (changes: Partial<Omit<Options, "name">>) =>
    Effect.flatten(
      change((before, now): readonly [Effect.Effect<void, CircuitBreakerConfigurationError>, Cell] => {
        const wanted: Options = { ...before.about.options, ...changes, name }
        return Either.match(settingsOf(wanted), {
          onLeft: (error) => [Effect.fail(error), before],
          onRight: (settings) => [
            Effect.void,
            {
              state: Kernel.reconfigure(before.state, settings, now),
              about: { ...before.about, options: wanted, classifiers: classifiersOf(wanted) }
            }
          ]
        })
      })
    )

  const watched = (by: 1 | -1) =>
    Ref.update(cell, ({ about, state }) => ({ state, about: { ...about, subscribers: about.subscribers + by } }))

  const subscribe = Effect.zipRight(
    Effect.acquireRelease(watched(1), () => watched(-1)),
    transitions.subscribe
  )

  const breaker: CircuitBreaker = {
    name,
    admit,
    execute,
    look,
    opened,
    status,
    getStatus: status,
    force: (action) => step((state) => [undefined, Kernel.force(state, modes[action])]),
    isolated: Effect.acquireRelease(
      step((state) => [undefined, Kernel.isolate(state)]),
      () => step((state) => [undefined, Kernel.release(state)])
    ),
    holdOff: (duration) => step((state, now) => [undefined, Kernel.holdOff(state, Duration.toMillis(duration), now)]),
    healthy: step((state, now) => [undefined, Kernel.healthy(state, now)]),
    reconfigure,
    options: Effect.map(Ref.get(cell), ({ about }) => about.options),
    subscribe,
    changes: Stream.unwrapScoped(subscribe),
    outcomeOf: (exit, elapsedMillis = 0) =>
      Effect.map(Ref.get(cell), ({ about, state }) =>
        Kernel.outcomeAfter(state.settings, Outcomes.ofExit(exit, about.classifiers), elapsedMillis)
      ),
    lateResults: Effect.map(Ref.get(cell), ({ state }) => state.late),
    neutral: Effect.flatMap(MonotonicClock.now, (now) =>
      Effect.map(Ref.get(cell), ({ about, state }) => about.subscribers === 0 && Kernel.isNeutral(state, now))
    )
  }
  return breaker
})

/**
 * Passes an effect through a breaker.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withCircuitBreaker: {
  (breaker: CircuitBreaker): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | CircuitOpen, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, breaker: CircuitBreaker): Effect.Effect<A, E | CircuitOpen, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, breaker: CircuitBreaker): Effect.Effect<A, E | CircuitOpen, R> =>
  breaker.execute(self)
)

const modes = { open: "forced-open", close: "forced-closed", auto: "auto" } as const
