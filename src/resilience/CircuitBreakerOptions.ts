/**
 * The options of a circuit breaker: what each means, what it is by default, who needs it, and which do not go together.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Kernel from "./kernel/CircuitBreaker.js"
import type * as Window from "./kernel/Window.js"
import * as OptionsReader from "./OptionsReader.js"
import * as Outcomes from "./Outcomes.js"

/**
 * When a breaker opens, for how long, and what it takes to close again. All but the name have defaults. Those that
 * contradict each other fail with `CircuitBreakerConfigurationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The dependency's name; it appears in status, rejections, events and metrics. */
  readonly name: string

  /** How many failures in a row open the circuit. Default 5. Not together with `window`, which replaces that rule. */
  readonly failureThreshold?: number | undefined
  /**
   * Opens the circuit by rates instead: over the last `size` calls (at most 2^24), or over the calls of the last
   * `duration` (counted in ten buckets; at least 10 ms). Default: none, failures in a row count. For dependencies with
   * much traffic, of which some part always fails, so that a run of failures says little and a share of them much. A
   * window of calls costs a bit a call and forgets nothing while the dependency is idle; a window of time forgets by itself.
   */
  readonly window?:
    | { readonly type: "count"; readonly size: number }
    | { readonly type: "time"; readonly duration: Duration.DurationInput }
    | undefined
  /** The share of failed calls in the window, above 0 and at most 1, from which on the circuit opens. Default 0.5. */
  readonly failureRateThreshold?: number | undefined
  /**
   * Fewer results in the window open nothing; as soon as there are so many, the rates count. Default 10, or the size of a
   * smaller window. For those whose traffic is thin at times: one failure of two calls is a rate of 0.5.
   */
  readonly minimumThroughput?: number | undefined
  /**
   * A call that takes longer is slow, and a probe that is slow has failed. Default: no call is slow. Needs `window`. For
   * dependencies that answer late before they answer no more, and whose callers have something better to do than wait.
   */
  readonly slowCallDuration?: Duration.DurationInput | undefined
  /**
   * The share of slow calls in the window, above 0 and at most 1, from which on the circuit opens; slow failures count as
   * slow too. Default 1. Needs `slowCallDuration`.
   */
  readonly slowCallRateThreshold?: number | undefined

  /** How long the circuit stays open before probes are let through. Default 30 seconds. */
  readonly resetTimeout?: Duration.DurationInput | undefined
  /**
   * By how much each opening in a row lengthens the open time. Default 1: always `resetTimeout`. A circuit that stayed
   * closed for one `resetTimeout` starts again from there. Needs `maxResetTimeout`.
   */
  readonly resetTimeoutMultiplier?: number | undefined
  /** The longest open time. Default `resetTimeout`. Needs a `resetTimeoutMultiplier` of more than one. */
  readonly maxResetTimeout?: Duration.DurationInput | undefined
  /**
   * The share of the open time, 0 to 1, by which chance shortens it at most. Default 0. For fleets: instances whose
   * circuits opened together do not probe together. It never lengthens, so it delays no healing.
   */
  readonly resetTimeoutJitter?: number | undefined

  /** How many probes may be on their way at a time while half-open. Default 3. */
  readonly halfOpenMaxCalls?: number | undefined
  /**
   * How many probes decide whether the circuit closes. Default 1: the first result does. For dependencies that come back
   * half, as a cluster of which one member answers: one lucky probe must not send everybody there.
   */
  readonly halfOpenSampleSize?: number | undefined
  /**
   * The share of those probes that must succeed, above 0 and at most 1. Default 1. The circuit closes as soon as it is
   * met and opens as soon as it cannot be met any more. Needs a `halfOpenSampleSize` of more than one.
   */
  readonly halfOpenSuccessRatio?: number | undefined
  /**
   * How long a probe may hold its place without a result; then it counts as failed and its result, if one comes, as
   * late. Default `resetTimeout`, or the call's own limit where that is longer.
   */
  readonly probeTimeout?: Duration.DurationInput | undefined
  /** Whether a healthy background probe (`healthy`) ends the open time early. Default false. */
  readonly healOnProbe?: boolean | undefined

  /**
   * Whether a typed error of the dependency says that it is unwell. Errors for which it is false count neither as
   * failure nor as success. Default: every error. It is not asked about the rejections of this library, of which only
   * `AttemptTimeout` counts. Interruptions never count.
   */
  readonly isFailure?: ((error: unknown) => boolean) | undefined
  /**
   * Like `isFailure`, for those who must tell apart three kinds of errors: a dependency that answers "no such customer"
   * is well (`success`), and where failures in a row count that ends the run. Not together with `isFailure`.
   */
  readonly classifyError?: ((error: unknown) => Outcomes.Class) | undefined
  /**
   * What a defect of the call says. Default: `failure`. For those who call the dependency through code whose bugs are not
   * the dependency's.
   */
  readonly classifyDefect?: ((defect: unknown) => Outcomes.Class) | undefined
  /**
   * What a result says. Default: `success`. For dependencies that report their trouble in an answer, as a 200 with an
   * error in its body; the caller gets the result all the same.
   */
  readonly classifyResult?: ((result: unknown) => Outcomes.Class) | undefined
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
 * The options as the kernel wants them, defaults filled in.
 *
 * @since 0.1.0
 * @category conversions
 */
export const settingsOf = (options: Options): Either.Either<Kernel.Settings, CircuitBreakerConfigurationError> => {
  const read = OptionsReader.make()
  const name = read.name(options.name)
  const settings: Kernel.Settings = {
    ...ruleOf(options, read),
    ...openTimeOf(options, read),
    ...halfOpenOf(options, read),
    healOnProbe: options.healOnProbe ?? false
  }
  if (options.isFailure !== undefined && options.classifyError !== undefined) {
    read.refuse("isFailure and classifyError both classify errors; leave one of them out")
  }
  return read.problems.length === 0
    ? // A copy takes a quarter of the memory: an object that was put together by spreads keeps room to grow.
      Either.right({ ...settings })
    : Either.left(new CircuitBreakerConfigurationError({ policy: name, problems: read.problems }))
}

/**
 * Who classifies the ends of calls.
 *
 * @since 0.1.0
 * @category conversions
 */
export const classifiersOf = (options: Options): Outcomes.Classifiers => {
  const { classifyDefect, classifyError, classifyResult, isFailure } = options
  if ((isFailure ?? classifyError ?? classifyDefect ?? classifyResult) === undefined) return Outcomes.everyError
  const byPredicate = isFailure && ((error: unknown): Outcomes.Class => (isFailure(error) ? "failure" : "ignored"))
  return {
    error: classifyError ?? byPredicate ?? Outcomes.everyError.error,
    defect: classifyDefect ?? Outcomes.everyError.defect,
    result: classifyResult
  }
}

/**
 * In what the two differ in effect, in words; options that mean the same are the same, functions are compared by
 * identity.
 *
 * @since 0.1.0
 * @category conversions
 */
export const differences = (
  has: Options,
  wanted: Options
): Either.Either<ReadonlyArray<string>, CircuitBreakerConfigurationError> =>
  Either.map(Either.all([settingsOf(has), settingsOf(wanted)]), ([a, b]) => [
    // Object.keys widens to string
    ...(Object.keys(a) as ReadonlyArray<keyof Kernel.Settings>)
      .filter((option) => show(a[option]) !== show(b[option]))
      .map((option) => `${option} is ${show(a[option])}, asked for ${show(b[option])}`),
    ...classifierOptions
      .filter((option) => has[option] !== wanted[option])
      .map((option) => `${option} is another function`)
  ])

const classifierOptions = ["isFailure", "classifyError", "classifyDefect", "classifyResult"] as const

type Reader = ReturnType<typeof OptionsReader.make>

const ruleOf = (options: Options, read: Reader): Window.Rule => {
  const { slowCallDuration, window } = options
  if (window === undefined) {
    for (const option of [
      "failureRateThreshold",
      "minimumThroughput",
      "slowCallDuration",
      "slowCallRateThreshold"
    ] as const) {
      if (options[option] !== undefined) {
        read.refuse(
          `${option} has no effect without window; give the window that rates are taken over, or leave it out`
        )
      }
    }
  } else {
    if (options.failureThreshold !== undefined) {
      read.refuse("failureThreshold counts failures in a row, which window replaces; leave one of them out")
    }
    if (options.slowCallRateThreshold !== undefined && slowCallDuration === undefined) {
      read.refuse("slowCallRateThreshold has no effect without slowCallDuration; say from when on a call is slow")
    }
  }
  const shape = shapeOf(window, read)
  const most = shape?.type === "count" ? shape.size : Infinity
  const minimumThroughput = read.count("minimumThroughput", options.minimumThroughput ?? Math.min(10, most), 1)
  if (minimumThroughput > most) {
    read.refuse(
      `minimumThroughput (${minimumThroughput}) is more than the window holds (${most}), so that nothing could open the ` +
        "circuit; lower it, or raise window.size"
    )
  }
  return {
    failureThreshold: read.count("failureThreshold", options.failureThreshold ?? 5, 1),
    window: shape,
    failureRateThreshold: share("failureRateThreshold", options.failureRateThreshold ?? 0.5, read),
    minimumThroughput,
    slowCallDuration:
      slowCallDuration === undefined ? undefined : read.duration("slowCallDuration", slowCallDuration, 1),
    slowCallRateThreshold: share("slowCallRateThreshold", options.slowCallRateThreshold ?? 1, read)
  }
}

/** Two megabytes of bits. A number beyond JavaScript's 32 bit shifts would be another place in the window. */
const largestWindow = 2 ** 24

const shapeOf = (window: Options["window"], read: Reader): Window.Shape => {
  const type = window?.type
  switch (window?.type) {
    case "count":
      return { type: "count", size: read.count("window.size", window.size, 1, largestWindow) }
    case "time":
      return { type: "time", duration: read.duration("window.duration", window.duration, 10) }
    default:
      if (window !== undefined) read.choice("window.type", type, ["count", "time"])
      return undefined
  }
}

const openTimeOf = (options: Options, read: Reader) => {
  const resetTimeout = read.duration("resetTimeout", options.resetTimeout ?? "30 seconds", 1)
  const resetTimeoutMultiplier = read.factor("resetTimeoutMultiplier", options.resetTimeoutMultiplier ?? 1, 1)
  const maxResetTimeout = read.duration("maxResetTimeout", options.maxResetTimeout ?? resetTimeout, 1)
  if (maxResetTimeout < resetTimeout) {
    read.refuse("maxResetTimeout is shorter than resetTimeout; raise it, or lower resetTimeout")
  } else if (resetTimeoutMultiplier > 1 && maxResetTimeout === resetTimeout) {
    read.refuse(
      "resetTimeoutMultiplier has no effect without maxResetTimeout; give the longest open time, longer than resetTimeout"
    )
  } else if (resetTimeoutMultiplier === 1 && maxResetTimeout > resetTimeout) {
    read.refuse(
      "maxResetTimeout has no effect without resetTimeoutMultiplier; say by how much each opening in a row lengthens " +
        "the open time, or leave it out"
    )
  }
  const resetTimeoutJitter = options.resetTimeoutJitter ?? 0
  if (!(resetTimeoutJitter >= 0 && resetTimeoutJitter <= 1)) {
    read.refuse(`resetTimeoutJitter is ${resetTimeoutJitter}; give a share from 0 to 1`)
  }
  return {
    resetTimeout,
    resetTimeoutMultiplier,
    maxResetTimeout,
    resetTimeoutJitter,
    probeTimeout: read.duration("probeTimeout", options.probeTimeout ?? resetTimeout, 1)
  }
}

const halfOpenOf = (options: Options, read: Reader) => {
  const halfOpenSampleSize = read.count("halfOpenSampleSize", options.halfOpenSampleSize ?? 1, 1)
  const halfOpenSuccessRatio = share("halfOpenSuccessRatio", options.halfOpenSuccessRatio ?? 1, read)
  if (halfOpenSampleSize === 1 && options.halfOpenSuccessRatio !== undefined) {
    read.refuse(
      "halfOpenSuccessRatio has no effect where one probe decides; give a halfOpenSampleSize of more than 1, or leave it out"
    )
  }
  return {
    halfOpenMaxCalls: read.count("halfOpenMaxCalls", options.halfOpenMaxCalls ?? 3, 1),
    halfOpenSampleSize,
    halfOpenSuccessRatio
  }
}

const share = (option: string, input: number, read: Reader): number => {
  if (!(input > 0 && input <= 1)) read.refuse(`${option} is ${input}; give a share above 0 and at most 1`)
  return input
}

const show = (setting: Kernel.Settings[keyof Kernel.Settings]): string =>
  setting === undefined
    ? "not set"
    : typeof setting !== "object"
      ? String(setting)
      : setting.type === "count"
        ? `the last ${setting.size} calls`
        : `the last ${setting.duration} ms`
