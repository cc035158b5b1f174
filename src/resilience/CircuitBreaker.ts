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
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Gate from "./Gate.js"
import * as Kernel from "./kernel/CircuitBreaker.js"
import type { Outcome } from "./kernel/Outcome.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as OptionsReader from "./OptionsReader.js"
import * as Outcomes from "./Outcomes.js"
import { CircuitOpen, stackless } from "./Rejection.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The dependency's name; it appears in status, rejections, events and metrics. */
  readonly name: string
  /** How many failures in a row open the circuit. Default 5. */
  readonly failureThreshold?: number | undefined
  /** How long the circuit stays open before probes are let through. Default 30 seconds. */
  readonly resetTimeout?: Duration.DurationInput | undefined
  /** How many probes may be on their way at a time while half-open. Default 3. */
  readonly halfOpenMaxCalls?: number | undefined
  /**
   * By how much each opening in a row lengthens the open time. Default 1: always `resetTimeout`. A circuit that stayed
   * closed for one `resetTimeout` starts again from there.
   */
  readonly resetTimeoutMultiplier?: number | undefined
  /** The longest open time. Default `resetTimeout`. */
  readonly maxResetTimeout?: Duration.DurationInput | undefined
  /**
   * How long a probe may hold its place without a result; then it counts as failed and its result, if one comes, as
   * late. Default `resetTimeout`, or the call's own limit where that is longer.
   */
  readonly probeTimeout?: Duration.DurationInput | undefined
  /**
   * Whether a typed error of the dependency says that it is unwell. Errors for which it is false count neither as
   * failure nor as success. Default: every error. It is not asked about the rejections of this library, of which only
   * `AttemptTimeout` counts. Defects always count, interruptions never.
   */
  readonly isFailure?: ((error: unknown) => boolean) | undefined
  /** Whether a healthy background probe (`healthy`) ends the open time early. Default false. */
  readonly healOnProbe?: boolean | undefined
}

/**
 * What people are told about a breaker. Reading it changes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  readonly serviceName: string
  /** What a caller meets now, an operator's decision included. */
  readonly state: "closed" | "open" | "half-open"
  readonly mode: "auto" | "forced-open" | "forced-closed"
  /** Failures in a row; while not closed, those that led there. */
  readonly failures: number
  /** When the circuit opened last (ISO 8601, wall time); absent while closed. */
  readonly openedAt?: string
  /** Seconds until a call can pass, rounded up; absent where the clock alone does not decide it. */
  readonly retryAfterSeconds?: number
  readonly probesInUse: number
}

/**
 * The circuit went from one state to another. Changes that only time makes are told when the next call meets them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transition {
  /** Counts the transitions of this breaker from 1; a gap means that a slow subscriber missed some. */
  readonly seq: number
  readonly name: string
  readonly from: Status["state"]
  readonly to: Status["state"]
  /** Wall time. */
  readonly at: Date
  readonly reason: Kernel.Reason
}

/**
 * The options of a breaker make no sense, or two places want one breaker with different options.
 *
 * @since 0.1.0
 * @category errors
 */
export class CircuitBreakerConfigurationError extends Data.TaggedError("CircuitBreakerConfigurationError")<{
  readonly policy: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Circuit breaker "${this.policy}": ${this.problems.join("; ")}`
  }
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
  /** Leaves the dependency alone for so long, at most 60 seconds, because it asked for that; counts no failure. */
  readonly holdOff: (duration: Duration.DurationInput) => Effect.Effect<void>
  /** Says that a background probe succeeded; matters only with `healOnProbe`. */
  readonly healthy: Effect.Effect<void>
  /** Changes options (those not given stay as they are) and keeps counters, probes and state. The name cannot change. */
  readonly reconfigure: (
    options: Partial<Omit<Options, "name">>
  ) => Effect.Effect<void, CircuitBreakerConfigurationError>
  /** The options as given, with those of `reconfigure`. */
  readonly options: Effect.Effect<Options>
  /** Transitions from the subscription on, in order; a slow subscriber loses the oldest and holds up nobody. */
  readonly changes: Stream.Stream<Transition>
  /** The same, subscribed when this effect has run and not when the stream is: for those who must not miss the first. */
  readonly subscribe: Effect.Effect<Stream.Stream<Transition>, never, Scope.Scope>
  /** How this breaker counts an exit. */
  readonly outcomeOf: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<Outcome>
  /** How many results came back after the circuit had changed and therefore changed nothing. */
  readonly lateResults: Effect.Effect<number>
}

/** What a call ends in while the circuit is closed: made once a generation, so that a call allocates nothing. */
interface Handlers {
  readonly onSuccess: <A>(value: A) => Effect.Effect<A>
  readonly onFailure: <E>(cause: Cause.Cause<E>) => Effect.Effect<never, E>
}

/** The one cell: the machine's state, and what has been told about it. */
interface Cell {
  readonly state: Kernel.State
  readonly options: Options
  readonly isFailure: (error: unknown) => boolean
  readonly told: Status["state"]
  readonly seq: number
  /** Wall time, for `Status`. */
  readonly openedAt: number | undefined
  readonly handlers: Handlers
}

/** A subscriber that is further behind than this loses the oldest transitions. */
const rememberedTransitions = 64

/**
 * Makes a breaker. Usually `CircuitBreakers.get` is what you want: one breaker for each name.
 *
 * Fails with `CircuitBreakerConfigurationError`, which names every option that makes no sense and what to give instead.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (options: Options) {
  const settings = yield* settingsOf(options)
  // Unbounded, so that telling is one synchronous step that cannot fail; every subscription slides (see `changes`).
  const transitions = yield* PubSub.unbounded<Transition>()
  const cell: Ref.Ref<Cell> = yield* Ref.make<Cell>({
    state: Kernel.initial(settings),
    options,
    isFailure: options.isFailure ?? Outcomes.everyError,
    told: "closed",
    seq: 0,
    openedAt: undefined,
    handlers: handlersOf(0)
  })

  /** One step of the machine. Telling is part of it, so that transitions are told in the order in which they happen. */
  const step = <A>(
    transition: (state: Kernel.State, now: number) => readonly [A, Kernel.State],
    changes?: Pick<Cell, "options" | "isFailure">
  ): Effect.Effect<A> =>
    MonotonicClock.nowWith((now, wall) =>
      Ref.modify(cell, (before) => {
        const [result, state] = transition(before.state, now)
        return [result, state === before.state ? before : tell({ ...before, ...changes, state }, before, now, wall)]
      })
    )

  const tell = (after: Cell, before: Cell, now: number, wall: () => number): Cell => {
    const { state } = after
    const handlers = state.generation === before.state.generation ? before.handlers : handlersOf(state.generation)
    const to = Kernel.view(state, now).state
    if (to === before.told || state.reason === undefined) return { ...after, handlers }
    const seq = before.seq + 1
    const at = wall() - Kernel.openFor(state, now)
    transitions.unsafeOffer({ seq, name: options.name, from: before.told, to, at: new Date(at), reason: state.reason })
    return { ...after, handlers, told: to, seq, openedAt: to === "open" ? at : before.openedAt }
  }

  const settle = (permit: Kernel.Permit, outcome: Outcome): Effect.Effect<void> =>
    step((state, now) => [undefined, Kernel.settle(state, permit, outcome, now)])

  function handlersOf(generation: number): Handlers {
    const permit: Kernel.Permit = { generation, probe: undefined }
    return {
      onSuccess: (value) =>
        Effect.flatMap(Ref.get(cell), ({ state }) =>
          Kernel.isUntroubled(state, permit) ? Effect.succeed(value) : Effect.as(settle(permit, "success"), value)
        ),
      onFailure: (cause) =>
        Effect.flatMap(Ref.get(cell), ({ isFailure }) =>
          Effect.zipRight(settle(permit, Outcomes.ofCause(cause, isFailure)), Effect.failCause(cause))
        )
    }
  }

  const reject = (decision: Kernel.Rejected): Effect.Effect<never, CircuitOpen> =>
    Effect.fail(
      stackless(
        () =>
          new CircuitOpen({
            policy: options.name,
            reason: decision.reason,
            retryAfter: decision.retryAfter === undefined ? undefined : Duration.millis(decision.retryAfter)
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
              Effect.flatMap(Ref.get(cell), ({ isFailure }) =>
                settle(decision.permit, Outcomes.ofExit(exit, isFailure))
              )
            )
    )

  // While closed a call holds nothing, so it needs no mask: if it is interrupted the handlers are skipped, and rightly.
  const execute = <A, E, R>(
    self: Effect.Effect<A, E, R>,
    limits?: Pick<Gate.Admission, "callLimit">
  ): Effect.Effect<A, E | CircuitOpen, R> =>
    Effect.flatMap(Ref.get(cell), ({ handlers, state }) =>
      Kernel.passesFreely(state)
        ? Effect.matchCauseEffect<A, E, R, never, E, never, A, never, never>(self, handlers)
        : Gate.through([{ admit }], limits)(self)
    )

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
    Effect.flatMap(PubSub.subscribe(transitions), (told) => Effect.forever(Effect.zipRight(look, Queue.take(told))))
  )

  const status = Effect.flatMap(MonotonicClock.now, (now) =>
    Effect.map(Ref.get(cell), ({ openedAt, state }): Status => {
      const { failures, probesInUse, retryAfter, state: shown } = Kernel.view(state, now)
      return {
        serviceName: options.name,
        state: shown,
        mode: state.mode,
        failures,
        ...(shown === "closed" || openedAt === undefined ? {} : { openedAt: new Date(openedAt).toISOString() }),
        ...(retryAfter === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(retryAfter / 1000)) }),
        probesInUse
      }
    })
  )

  const reconfigure = (changes: Partial<Omit<Options, "name">>) =>
    Effect.flatMap(Ref.get(cell), (current) => {
      const changed: Options = { ...current.options, ...changes, name: options.name }
      return Effect.flatMap(settingsOf(changed), (settings) =>
        step((state) => [undefined, Kernel.reconfigure(state, settings)], {
          options: changed,
          isFailure: changed.isFailure ?? Outcomes.everyError
        })
      )
    })

  const subscribe = Effect.map(
    Stream.fromPubSub(transitions, { scoped: true }),
    Stream.buffer({ capacity: rememberedTransitions, strategy: "sliding" })
  )

  const breaker: CircuitBreaker = {
    name: options.name,
    admit,
    execute,
    look,
    opened,
    status,
    getStatus: status,
    force: (action) => step((state) => [undefined, Kernel.force(state, modes[action])]),
    holdOff: (duration) => step((state, now) => [undefined, Kernel.holdOff(state, Duration.toMillis(duration), now)]),
    healthy: step((state, now) => [undefined, Kernel.healthy(state, now)]),
    reconfigure,
    options: Effect.map(Ref.get(cell), (current) => current.options),
    subscribe,
    changes: Stream.unwrapScoped(subscribe),
    outcomeOf: (exit) => Effect.map(Ref.get(cell), ({ isFailure }) => Outcomes.ofExit(exit, isFailure)),
    lateResults: Effect.map(Ref.get(cell), ({ state }) => state.late)
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

/**
 * The options as the kernel wants them, defaults filled in.
 *
 * @since 0.1.0
 * @category options
 */
export const settingsOf = (options: Options): Effect.Effect<Kernel.Settings, CircuitBreakerConfigurationError> =>
  Effect.suspend(() => {
    const read = OptionsReader.make()
    const name = read.name(options.name)
    const resetTimeout = read.duration("resetTimeout", options.resetTimeout ?? "30 seconds", 1)
    const multiplier = read.factor("resetTimeoutMultiplier", options.resetTimeoutMultiplier ?? 1, 1)
    const maxResetTimeout = read.duration("maxResetTimeout", options.maxResetTimeout ?? resetTimeout, 1)
    if (maxResetTimeout < resetTimeout) {
      read.refuse("maxResetTimeout is shorter than resetTimeout; raise it, or lower resetTimeout")
    }
    if (multiplier > 1 && options.maxResetTimeout === undefined) {
      read.refuse("resetTimeoutMultiplier has no effect without maxResetTimeout; give the longest open time")
    }
    const settings: Kernel.Settings = {
      failureThreshold: read.count("failureThreshold", options.failureThreshold ?? 5, 1),
      resetTimeout,
      halfOpenMaxCalls: read.count("halfOpenMaxCalls", options.halfOpenMaxCalls ?? 3, 1),
      resetTimeoutMultiplier: multiplier,
      maxResetTimeout,
      probeTimeout: read.duration("probeTimeout", options.probeTimeout ?? resetTimeout, 1),
      healOnProbe: options.healOnProbe ?? false
    }
    return read.problems.length === 0
      ? Effect.succeed(settings)
      : Effect.fail(new CircuitBreakerConfigurationError({ policy: name, problems: read.problems }))
  })
