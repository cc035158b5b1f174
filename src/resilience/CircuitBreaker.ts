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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  type CircuitBreakerConfigurationError,
  classifiersOf,
  type Options,
  settingsOf
} from "./CircuitBreakerOptions.js"
import { type Cell, Circuit, type Ending } from "./Circuit.js"
import * as CircuitTransitions from "./CircuitTransitions.js"
import * as Gate from "./Gate.js"
import * as Kernel from "./kernel/CircuitBreaker.js"
import type { Outcome } from "./kernel/Outcome.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as Outcomes from "./Outcomes.js"
import type { CircuitOpen } from "./Rejection.js"

export { CircuitBreakerConfigurationError, type Options } from "./CircuitBreakerOptions.js"
export type { CircuitState, Transition } from "./CircuitTransitions.js"
export type { Outcome } from "./kernel/Outcome.js"
export type { Class } from "./Outcomes.js"

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

type Limits = Pick<Gate.Admission, "callLimit">

/**
 * A breaker, ready for `Policy` or `withCircuitBreaker`. It rejects with `CircuitOpen`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitBreaker extends Gate.Gate<CircuitOpen> {
  readonly admit: (admission: Gate.Admission) => Effect.Effect<Gate.Permit, CircuitOpen>
  /** Lets the effect through, or fails at once with `CircuitOpen`. `callLimit`: see `Gate.Admission`. */
  readonly execute: <A, E, R>(self: Effect.Effect<A, E, R>, limits?: Limits) => Effect.Effect<A, E | CircuitOpen, R>
  readonly status: Effect.Effect<Status>
  /** The same as `status`. */
  readonly getStatus: Effect.Effect<Status>
  /** Whether calls pass whatever the time is. To be asked inside of a step, as `tryAdmit` is. */
  readonly passesFreely: () => boolean
  /** Fails when a call would be rejected now. A read: takes no permit. */
  readonly look: Effect.Effect<void, CircuitOpen>
  /**
   * Fails at the first transition after which calls are rejected, or at once where they are already; suspends until then.
   * (That the last place of a probe is taken is no transition.) For those who queue for something else.
   */
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
   * Whether a new breaker would do the same: closed by itself and for long enough, with no failed or slow call remembered,
   * with the options it was made with, held by nobody and watched by nobody.
   */
  readonly neutral: Effect.Effect<boolean>
}

/**
 * Makes a breaker. Usually `CircuitBreakers.get` is what you want: one breaker for each name.
 *
 * Fails with `CircuitBreakerConfigurationError`, which names every option that makes no sense and what to give instead.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<CircuitBreaker, CircuitBreakerConfigurationError> =>
  Effect.flatMap(
    Effect.suspend(() => settingsOf(options)),
    (settings) =>
      Effect.map(
        settings.resetTimeoutJitter > 0 ? Random.next : Effect.succeed(0),
        (random) => new Breaker(options, Kernel.initial(settings, random))
      )
  )

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

/**
 * Getters, so that a breaker is small: an effect that nobody asks for is not there. Functions are bound, as callers pass
 * them around. One object with its circuit, so that the breaker lives for as long as a call is under way in it.
 */
class Breaker extends Circuit implements CircuitBreaker {
  readonly admit: CircuitBreaker["admit"]
  readonly execute: CircuitBreaker["execute"]
  private readonly made: Options

  constructor(options: Options, initial: Kernel.State) {
    super(options, initial)
    this.made = options

    this.admit = ({ callLimit }) =>
      Effect.flatMap(
        this.step((current, now) => Kernel.admit(current, now, callLimit)),
        (decision) =>
          decision._tag === "Rejected" ? this.reject(decision) : Effect.succeed(this.endingOf(decision.permit).onExit)
      )

    // While closed a call holds nothing, so it needs no mask: interrupted, it skips its ending, and rightly.
    this.execute = <A, E, R>(self: Effect.Effect<A, E, R>, limits?: Limits) =>
      Effect.suspend((): Effect.Effect<A, E | CircuitOpen, R> => {
        const ending = this.freely()
        return ending === undefined ? this.throughGate(self, limits) : through(self, ending)
      })
  }

  passesFreely(): boolean {
    return Kernel.passesFreely(this.ref.unsafeCurrent.state)
  }

  tryAdmit(): Gate.Permit | undefined {
    return this.freely()?.onExit
  }

  /** The ending of a call that passes freely. To be called inside of a step. */
  private freely(): Ending | undefined {
    const { about, state } = this.ref.unsafeCurrent
    if (!Kernel.passesFreely(state)) return undefined
    if (state.settings.slowCallDuration === undefined) return about.ending
    return this.endingOf({ generation: state.generation, probe: undefined, since: MonotonicClock.unsafeNow() })
  }

  /** While the circuit is not simply closed. Who is turned away, as most are, is so without a mask. */
  private throughGate<A, E, R>(
    self: Effect.Effect<A, E, R>,
    limits: Limits | undefined
  ): Effect.Effect<A, E | CircuitOpen, R> {
    return MonotonicClock.nowWith((now): Effect.Effect<A, E | CircuitOpen, R> => {
      const { state } = this.ref.unsafeCurrent
      const [decision, after] = Kernel.admit(state, now)
      return decision._tag === "Rejected" && after === state
        ? this.reject(decision)
        : Gate.through([this], limits)(self)
    })
  }

  get look(): Effect.Effect<void, CircuitOpen> {
    return Effect.flatMap(this.ref, ({ state }) =>
      Kernel.passesFreely(state)
        ? Effect.void
        : Effect.flatMap(MonotonicClock.now, (now) => {
            const [decision, after] = Kernel.admit(state, now)
            if (decision._tag !== "Rejected") return Effect.void
            if (after === state) return this.reject(decision)
            // Time alone has closed the way: whoever is turned away is the one to tell it.
            const tell = this.step((current, now) => [undefined, Kernel.advance(current, now)])
            return Effect.zipRight(
              tell,
              Effect.suspend(() => this.reject(decision))
            )
          })
    )
  }

  get opened(): Effect.Effect<never, CircuitOpen> {
    // Knows what to wait for before it looks: a circuit that opens in between is not missed.
    return Effect.forever(
      Effect.flatMap(CircuitTransitions.next(this.history), (news) => Effect.zipRight(this.look, news))
    )
  }

  get status(): Effect.Effect<Status> {
    return MonotonicClock.nowWith((now, wall) =>
      Effect.map(this.ref, ({ about, state }) => {
        const { failures, probesInUse, retryAfter, state: shown } = Kernel.view(state, now)
        const { automatic } = Kernel.advance(state, now)
        // What time alone has opened, by a probe that never returned, has not been told yet.
        const untold = shown === "open" && about.told !== "open" && automatic._tag === "open"
        const openedAt = untold ? wall() - (now - automatic.since) : about.openedAt
        return {
          serviceName: this.name,
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
  }

  get getStatus(): Effect.Effect<Status> {
    return this.status
  }

  get force(): CircuitBreaker["force"] {
    return (action) => this.step((state) => [undefined, Kernel.force(state, modes[action])])
  }

  get isolated(): Effect.Effect<void, never, Scope.Scope> {
    return Effect.acquireRelease(
      this.step((state) => [undefined, Kernel.isolate(state)]),
      () => this.step((state) => [undefined, Kernel.release(state)])
    )
  }

  get holdOff(): CircuitBreaker["holdOff"] {
    return (duration) => this.step((state, now) => [undefined, Kernel.holdOff(state, Duration.toMillis(duration), now)])
  }

  get healthy(): Effect.Effect<void> {
    return this.step((state, now) => [undefined, Kernel.healthy(state, now)])
  }

  get reconfigure(): CircuitBreaker["reconfigure"] {
    // The number for the next opening: jitter may be new.
    return (changes) => Effect.flatMap(Random.next, (random) => Effect.flatten(this.reconfigured(changes, random)))
  }

  private reconfigured(changes: Partial<Options>, random: number) {
    return this.change((before, now): readonly [Effect.Effect<void, CircuitBreakerConfigurationError>, Cell] => {
      const options: Options = { ...before.about.options, ...changes, name: this.name }
      return Either.match(settingsOf(options), {
        onLeft: (error) => [Effect.fail(error), before],
        onRight: (settings) => [
          Effect.void,
          {
            state: { ...Kernel.reconfigure(before.state, settings, now), random },
            about: { ...before.about, options, classifiers: classifiersOf(options) }
          }
        ]
      })
    })
  }

  get options(): Effect.Effect<Options> {
    return Effect.map(this.ref, ({ about }) => about.options)
  }

  get subscribe(): Effect.Effect<Stream.Stream<CircuitTransitions.Transition>, never, Scope.Scope> {
    return CircuitTransitions.subscribe(this.history)
  }

  get changes(): Stream.Stream<CircuitTransitions.Transition> {
    return Stream.unwrapScoped(this.subscribe)
  }

  get outcomeOf(): CircuitBreaker["outcomeOf"] {
    return (exit, elapsedMillis = 0) =>
      Effect.map(this.ref, ({ about, state }) =>
        Kernel.outcomeAfter(state.settings, Outcomes.ofExit(exit, about.classifiers), elapsedMillis)
      )
  }

  get lateResults(): Effect.Effect<number> {
    return Effect.map(this.ref, ({ state }) => state.late)
  }

  get neutral(): Effect.Effect<boolean> {
    return this.read(
      ({ about: { history, options }, state }, now) =>
        history.subscribers === 0 && options === this.made && Kernel.isNeutral(state, now)
    )
  }
}

const through = <A, E, R>(self: Effect.Effect<A, E, R>, ending: Ending): Effect.Effect<A, E, R> =>
  Effect.matchCauseEffect<A, E, R, never, E, never, A, never, never>(self, ending)
