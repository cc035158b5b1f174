/**
 * Keeps retries from turning a bad moment into an outage: when every call of a busy service fails, three attempts each
 * are three times the load on what is already down. A budget is shared by all who call one dependency, by their retries
 * as well as their hedges, and grants only a share of the calls (20 %), plus a few a second for those who call rarely.
 *
 * - A retry is charged when it is scheduled, so that those who wait in backoff count; what is interrupted before its
 *   attempt began is given back.
 * - The first attempt of a call is never held up.
 * - Charges are forgotten by the clock; there is no fibre and nothing to close.
 *
 * The algorithm is that of Finagle's `RetryBudget` (twitter.github.io/finagle), with the same defaults.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Retry, RetryBudget } from "@dialdrill/selfheal"
 *
 * declare const askTheModel: Effect.Effect<string, Error>
 *
 * const program = Effect.gen(function* () {
 *   const budget = yield* RetryBudget.make({ name: "openai" })
 *   return yield* Retry.withRetry(askTheModel, { maxAttempts: 3 }, budget)
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Kernel from "./kernel/RetryBudget.js"
import * as MonotonicClock from "./MonotonicClock.js"
import * as OptionsReader from "./OptionsReader.js"
import { StateRef } from "./StateRef.js"

/**
 * How many retries are granted. Options that make no sense fail with `RetryBudgetConfigurationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The dependency's name; it appears in rejections and status. */
  readonly name: string
  /**
   * How many retries each call pays for. Default 0.2: one retry for five calls. Who needs it: callers of a dependency
   * that asks its clients for less, as many do (Google's SRE book: 0.1).
   */
  readonly ratio?: number | undefined
  /**
   * How many retries a second are granted whatever the number of calls. Default 10; may be a fraction. Who needs it: a
   * service with few calls, to which a share of them grants next to nothing.
   */
  readonly minPerSecond?: number | undefined
  /**
   * For how long calls and retries count. Default 10 seconds, at least 1 second. No retry may be made to wait for longer,
   * since its charge would be forgotten before it began. Who needs it: retries with longer delays.
   */
  readonly window?: Duration.DurationInput | undefined
}

/**
 * What the window holds now. Reading it changes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  readonly name: string
  /** Calls that began. */
  readonly calls: number
  /** Retries and hedges that were granted and not given back. */
  readonly retries: number
  /** How many more would be granted now. */
  readonly available: number
  /** How many were not granted, since the budget was made. */
  readonly refused: number
}

/**
 * A budget, for everyone who calls one dependency: as option `retryBudget` of `Policy`, `budget` of `Hedge`, or argument of
 * `Retry.withRetry`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryBudget {
  readonly name: string
  /** For how long calls and retries count, in milliseconds. */
  readonly windowMillis: number
  /** A call began. Once a call, however often it is attempted. */
  readonly deposit: Effect.Effect<void>
  /** The same inside of a step whose caller knows the (monotonic) time: a policy makes one for every call. */
  readonly unsafeDeposit: (now: number) => void
  /** Charges a retry or a hedge that is about to be scheduled, or says `false`: then it must not be made. */
  readonly withdraw: Effect.Effect<boolean>
  /** Gives a charge back: what was charged was interrupted before it began. Once a charge at most. */
  readonly refund: Effect.Effect<void>
  readonly status: Effect.Effect<Status>
}

/**
 * The options of a budget make no sense; the message names each of them and what to change.
 *
 * @since 0.1.0
 * @category errors
 */
export class RetryBudgetConfigurationError extends Data.TaggedError("RetryBudgetConfigurationError")<{
  readonly policy: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Retry budget "${this.policy}": ${this.problems.join("; ")}`
  }
}

/**
 * Makes a budget. Fails with `RetryBudgetConfigurationError`, which names every option that makes no sense.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<RetryBudget, RetryBudgetConfigurationError> =>
  Effect.flatMap(limitsOf(options), (limits) =>
    Effect.sync((): RetryBudget => {
      const { name } = options
      const cell = new StateRef<Kernel.State>(Kernel.initial)
      const unsafeDeposit = (now: number): void => {
        cell.unsafeCurrent = Kernel.deposit(limits, cell.unsafeCurrent, now)
      }
      return {
        name,
        windowMillis: limits.slice * Kernel.slices,
        deposit: Effect.map(MonotonicClock.now, unsafeDeposit),
        unsafeDeposit,
        withdraw: MonotonicClock.nowWith((now) => cell.modify((state) => Kernel.withdraw(limits, state, now))),
        refund: MonotonicClock.nowWith((now) => cell.modify((state) => [undefined, Kernel.refund(limits, state, now)])),
        status: MonotonicClock.nowWith((now) =>
          Effect.map(cell, (state) => ({
            name,
            ...Kernel.balance(limits, state, now),
            refused: state.refused
          }))
        )
      }
    })
  )

/**
 * A budget as a layer, for the tag of your choice.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <I>(
  tag: Context.Tag<I, RetryBudget>,
  options: Options
): Layer.Layer<I, RetryBudgetConfigurationError> => Layer.effect(tag, make(options))

const limitsOf = (options: Options): Effect.Effect<Kernel.Limits, RetryBudgetConfigurationError> =>
  Effect.suspend(() => {
    const read = OptionsReader.make()
    const policy = read.name(options.name)
    const ratio = read.factor("ratio", options.ratio ?? 0.2, 0)
    const minPerSecond = read.factor("minPerSecond", options.minPerSecond ?? 10, 0)
    const window = read.duration("window", options.window ?? "10 seconds", 1_000)
    const reserve = (minPerSecond * window) / 1_000
    if (ratio === 0 && reserve < 1) {
      read.refuse(
        "ratio is 0 and minPerSecond makes less than one retry a window, so none is ever granted; raise either"
      )
    }
    return read.problems.length === 0
      ? Effect.succeed({ ratio, reserve, slice: window / Kernel.slices })
      : Effect.fail(new RetryBudgetConfigurationError({ policy, problems: read.problems }))
  })
