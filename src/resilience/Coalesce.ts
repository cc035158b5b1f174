/**
 * Single flight: callers who want the same thing at the same time share one run of it, so that a page which everyone
 * opens asks the upstream once. Each caller may leave without harm to the others, also the one who came first; a cache
 * of Effect's interrupts them all.
 *
 * - Callers share how the run ends, whatever it is: value, error, defect, interruption. Nothing is kept after the end.
 * - At most one run of a key is on its way: who comes while an abandoned one is being stopped waits, and begins anew.
 * - The run has the context and the `FiberRef`s of the caller who began it, and of no other. What it changes in them
 *   stays in the run. Only that caller's deadline does not reach it: each caller waits as long as his own allows.
 * - A run that asks for its own key waits for itself; nothing here can see that.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Coalesce } from "@dialdrill/selfheal"
 *
 * const program = Effect.gen(function* () {
 *   const reports = yield* Coalesce.make<string, string>()
 *   return yield* reports.run("2026-11", Effect.succeed("the report of November"))
 * })
 *
 * const scoped = Effect.scoped(program)
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Deadline from "./Deadline.js"
import * as OptionsReader from "./OptionsReader.js"

/**
 * What becomes of abandoned runs, and how many runs there may be. Options that make no sense fail with
 * `CoalesceConfigurationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * What becomes of a run when its last caller has left. `interrupt`, the default: it is stopped, and that caller waits
   * until it has stopped, as if it had been his own. `finish`: it goes on, for whoever wants the result kept although
   * nobody waits for it any more.
   */
  readonly whenAbandoned?: "interrupt" | "finish" | undefined
  /**
   * How many keys may be on their way at once. Default 10 000. Beyond that a caller with another key runs alone: it is
   * neither rejected nor made to wait, and shares with nobody.
   */
  readonly maxKeys?: number | undefined
}

/**
 * What is on its way, and what was since the beginning.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  /** Runs on their way; without those that run alone. */
  readonly runs: number
  /** Callers who wait for them. */
  readonly callers: number
  /** Callers so far who joined a run that was already on its way. */
  readonly joined: number
  /** Callers so far who had to run alone, because of `maxKeys`. */
  readonly alone: number
}

/**
 * `K` are the keys, compared by Effect's `Equal`: strings, numbers and `Data` by value, other objects by identity. All
 * runs have the same types, so that whoever joins gets what he asked for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Coalesce<in K, in out A, in out E = never> {
  /** Joins the run of this key, or begins it with this effect. */
  readonly run: <R>(key: K, self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly status: Effect.Effect<Status>
}

/**
 * The options make no sense; `message` says which and what to change.
 *
 * @since 0.1.0
 * @category errors
 */
export class CoalesceConfigurationError extends Data.TaggedError("CoalesceConfigurationError")<{
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Coalesce: ${this.problems.join("; ")}`
  }
}

/**
 * Opens a place where runs are shared. Those on their way when its scope ends are stopped.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <K, A, E = never>(
  options: Options = {}
): Effect.Effect<Coalesce<K, A, E>, CoalesceConfigurationError, Scope.Scope> =>
  Effect.gen(function* () {
    const read = OptionsReader.make()
    const maxKeys = read.count("maxKeys", options.maxKeys ?? 10_000, 1)
    if (read.problems.length > 0) return yield* new CoalesceConfigurationError({ problems: read.problems })
    const finishes = options.whenAbandoned === "finish"
    // Of its own, so that all runs are stopped at the same time: one that takes long to let go holds up no other.
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.parallel)
    const cell = yield* Ref.make<State<K, A, E>>({ runs: HashMap.empty(), joined: 0, alone: 0 })

    /** Joins a run, or enters a new one that is to be begun. */
    const enter = (key: K): Effect.Effect<Entered<A, E>> =>
      Ref.modify(cell, (state): [Entered<A, E>, State<K, A, E>] => {
        const known = Option.getOrUndefined(HashMap.get(state.runs, key))
        if (known?.abandoned === true) return [{ _tag: "Ending", run: known.run }, state]
        if (known !== undefined) {
          const runs = HashMap.set(state.runs, key, { ...known, callers: known.callers + 1 })
          return [
            { _tag: "Joined", run: known.run },
            { ...state, runs, joined: state.joined + 1 }
          ]
        }
        if (HashMap.size(state.runs) >= maxKeys) return [{ _tag: "Alone" }, { ...state, alone: state.alone + 1 }]
        const run: Run<A, E> = { end: Deferred.unsafeMake(FiberId.none), fiber: Fiber.void }
        const runs = HashMap.set(state.runs, key, { run, callers: 1, abandoned: false })
        return [
          { _tag: "Begun", run },
          { ...state, runs }
        ]
      })

    const begin = <R>(key: K, run: Run<A, E>, self: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
      Effect.interruptible(Deadline.without(self)).pipe(
        Effect.onExit((exit) =>
          Effect.zipRight(
            Ref.update(cell, (state) => ({ ...state, runs: HashMap.remove(state.runs, key) })),
            Deferred.done(run.end, exit)
          )
        ),
        Effect.forkIn(scope),
        Effect.map((fiber) => void (run.fiber = fiber))
      )

    /** One caller less; the last one turns out the light. */
    const leave = (key: K, run: Run<A, E>): Effect.Effect<void> =>
      Effect.flatten(
        Ref.modify(cell, (state): [Effect.Effect<void>, State<K, A, E>] => {
          const known = Option.getOrUndefined(HashMap.get(state.runs, key))
          if (known?.run !== run) return [Effect.void, state]
          const callers = known.callers - 1
          const abandoned = callers === 0 && !finishes
          const runs = HashMap.set(state.runs, key, { run, callers, abandoned })
          return [
            abandoned ? Effect.asVoid(Effect.suspend(() => Fiber.interrupt(run.fiber))) : Effect.void,
            { ...state, runs }
          ]
        })
      )

    const run = <R>(key: K, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.uninterruptibleMask((restore) => {
        const shared = (run: Run<A, E>) => Effect.ensuring(restore(Deferred.await(run.end)), leave(key, run))
        const attempt: Effect.Effect<A, E, R> = Effect.flatMap(enter(key), (entered) => {
          switch (entered._tag) {
            case "Alone":
              return restore(self)
            case "Ending":
              return Effect.zipRight(restore(Effect.exit(Deferred.await(entered.run.end))), attempt)
            case "Begun":
              return Effect.zipRight(begin(key, entered.run, self), shared(entered.run))
            case "Joined":
              return shared(entered.run)
          }
        })
        return attempt
      })

    return {
      run,
      status: Effect.map(Ref.get(cell), ({ alone, joined, runs }) => ({
        runs: HashMap.size(runs),
        callers: HashMap.reduce(runs, 0, (sum, { callers }) => sum + callers),
        joined,
        alone
      }))
    }
  })

/**
 * A place to share runs as a layer, for the tag of your choice.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <I, K, A, E>(
  tag: Context.Tag<I, Coalesce<K, A, E>>,
  options?: Options
): Layer.Layer<I, CoalesceConfigurationError> => Layer.scoped(tag, make<K, A, E>(options))

/** How callers reach a run. The fibre is set as soon as there is one, before its first caller can leave. */
interface Run<in out A, in out E> {
  readonly end: Deferred.Deferred<A, E>
  fiber: Fiber.Fiber<unknown, unknown>
}

interface Known<in out A, in out E> {
  readonly run: Run<A, E>
  readonly callers: number
  /** Nobody waits for it any more, and it is being stopped. */
  readonly abandoned: boolean
}

interface State<K, in out A, in out E> {
  readonly runs: HashMap.HashMap<K, Known<A, E>>
  readonly joined: number
  readonly alone: number
}

type Entered<A, E> =
  { readonly _tag: "Begun" | "Joined" | "Ending"; readonly run: Run<A, E> } | { readonly _tag: "Alone" }
