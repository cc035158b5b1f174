/**
 * What a closed circuit remembers of its calls, and when that is reason to open it: the run of failures (the default),
 * or the rates of failed and of slow calls over a window of the last results or of the last time.
 *
 * @since 0.1.0
 */
import * as CountWindow from "./CountWindow.js"
import * as TimeWindow from "./TimeWindow.js"

/** Over which calls the rates are taken; `undefined` for the rule that counts failures in a row. */
export type Shape =
  { readonly type: "count"; readonly size: number } | { readonly type: "time"; readonly duration: number } | undefined

/** The rule by which a circuit opens. A rate that is equal to its threshold opens it. */
export interface Rule {
  readonly failureThreshold: number
  readonly window: Shape
  readonly failureRateThreshold: number
  /** Fewer results than these open nothing. */
  readonly minimumThroughput: number
  /** Milliseconds; `undefined` where no call is slow. */
  readonly slowCallDuration: number | undefined
  readonly slowCallRateThreshold: number
}

interface Run {
  readonly _tag: "run"
  readonly failures: number
}

export type Window = Run | CountWindow.CountWindow | TimeWindow.TimeWindow

export type Verdict = "failures" | "failure-rate" | "slow-call-rate"

export const empty = ({ slowCallDuration, window }: Rule): Window => {
  switch (window?.type) {
    case undefined:
      return noFailures
    case "count":
      return CountWindow.empty(window.size, slowCallDuration !== undefined)
    case "time":
      return TimeWindow.empty(window.duration)
  }
}

/** Adds a result. A success after no failure changes nothing where failures in a row are counted. */
export const push = (window: Window, failed: boolean, slow: boolean, now: number): Window => {
  switch (window._tag) {
    case "run":
      return failed ? { _tag: "run", failures: window.failures + 1 } : noFailures
    case "count":
      return CountWindow.push(window, failed, slow)
    case "time":
      return TimeWindow.push(window, failed, slow, now)
  }
}

/** Why the circuit must open, asked right after a result; `undefined` when it need not. */
export const judge = (window: Window, rule: Rule): Verdict | undefined => {
  if (window._tag === "run") return window.failures >= rule.failureThreshold ? "failures" : undefined
  if (window.calls < rule.minimumThroughput) return undefined
  if (window.failures / window.calls >= rule.failureRateThreshold) return "failure-rate"
  return rule.slowCallDuration !== undefined && window.slow / window.calls >= rule.slowCallRateThreshold
    ? "slow-call-rate"
    : undefined
}

/** The failures that are remembered at that time. */
export const failures = (window: Window, now: number): number =>
  window._tag === "time" ? TimeWindow.at(window, now).failures : window.failures

/** Whether no call that is remembered at that time failed or was slow. */
export const isClean = (window: Window, now: number): boolean => {
  if (window._tag === "run") return window.failures === 0
  const { failures, slow } = window._tag === "time" ? TimeWindow.at(window, now) : window
  return failures === 0 && slow === 0
}

/**
 * The same history under another rule: of a window that changed its size the newest results that fit. One of another
 * type starts empty.
 */
export const reshape = (window: Window, rule: Rule, now: number): Window => {
  const { slowCallDuration, window: shape } = rule
  if (window._tag === "run" && shape === undefined) return window
  if (window._tag === "count" && shape?.type === "count") {
    return CountWindow.resize(window, shape.size, slowCallDuration !== undefined)
  }
  if (window._tag === "time" && shape?.type === "time") return TimeWindow.resize(window, shape.duration, now)
  return empty(rule)
}

/** The only one without failures, so that a success after a success makes nothing new. */
const noFailures: Run = { _tag: "run", failures: 0 }
