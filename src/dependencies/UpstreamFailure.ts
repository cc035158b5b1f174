/**
 * What went wrong with an upstream, in terms that the policies and people understand: may it be tried again, does it
 * say that the service is unwell, and did the service ask to be left alone.
 *
 * The status alone does not tell (a 429 of OpenAI is a pause or an empty account), so each client reads its service's own
 * error codes and picks a reason; the reason decides the rest by one table.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as RetryAfter from "../http/RetryAfter.js"

/**
 * The reasons that every upstream knows.
 *
 * - `unreachable`: no connection, or it broke before the answer was whole.
 * - `unusable-answer`: what came is not what this API answers (no JSON, wrong shape, too large, a redirect).
 * - `unavailable`: the service says that it fails (5xx, 408).
 * - `throttled`: the service asks to slow down.
 * - `credentials`: the key is refused.
 * - `invalid-request`: the service does not accept what we sent.
 * - `not-configured`: there is no key; nothing was sent.
 *
 * @since 0.1.0
 * @category models
 */
export type CommonReason =
  "unreachable" | "unusable-answer" | "unavailable" | "throttled" | "credentials" | "invalid-request" | "not-configured"

/**
 * What a reason means for the policies.
 *
 * @since 0.1.0
 * @category models
 */
export interface Verdict {
  /** Whether the same request can succeed a little later. */
  readonly isRetryable: boolean
  /** Whether it says that the service is unwell, so that the circuit breaker counts it. */
  readonly countsAsFailure: boolean
  /** Whether it is an answer that belongs to business, and nothing for an operator. */
  readonly isExpected: boolean
}

/**
 * It passes, and until then the service is unwell.
 *
 * @since 0.1.0
 * @category constants
 */
export const outage: Verdict = { isRetryable: true, countsAsFailure: true, isExpected: false }

/**
 * It does not pass by itself, and the service is well.
 *
 * @since 0.1.0
 * @category constants
 */
export const refusal: Verdict = { isRetryable: false, countsAsFailure: false, isExpected: false }

/**
 * @since 0.1.0
 * @category constants
 */
export const verdicts: Readonly<Record<CommonReason, Verdict>> = {
  unreachable: outage,
  "unusable-answer": outage,
  unavailable: outage,
  throttled: outage,
  credentials: refusal,
  "invalid-request": refusal,
  "not-configured": refusal
}

/**
 * The fields of every upstream's typed error. `detail` holds no secret: keys are struck out before it is made.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpstreamFailure<Reason extends string> extends Verdict {
  readonly service: string
  readonly operation: string
  readonly reason: Reason | CommonReason
  readonly detail: string
  readonly status: number | undefined
  /** The service's own error code. */
  readonly code: string | undefined
  /** The service's id of the request, for its support. */
  readonly requestId: string | undefined
  /** How long the service asked to be left alone; then the error is neither failure nor success. */
  readonly retryAfter: Duration.Duration | undefined
}

/**
 * How an exchange failed, before anyone has judged it.
 *
 * @since 0.1.0
 * @category models
 */
export type Problem =
  | { readonly _tag: "Unreachable"; readonly code: string | undefined; readonly detail: string }
  | {
      readonly _tag: "UnusableAnswer"
      readonly status: number
      readonly requestId: string | undefined
      readonly detail: string
    }
  | {
      readonly _tag: "ErrorAnswer"
      readonly status: number
      readonly headers: Readonly<Record<string, string | undefined>>
      readonly requestId: string | undefined
      /** The parsed body; `undefined` when it is no JSON. */
      readonly body: unknown
      /** Wall-clock milliseconds when it came. */
      readonly at: number
    }

/**
 * What a client read in an error answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reading<Reason extends string> {
  readonly reason: Reason | CommonReason
  readonly code: string | undefined
  readonly message: string | undefined
  /** Overrides the verdict of the reason, as `stripe-should-retry` does. */
  readonly isRetryable?: boolean | undefined
}

/**
 * The reason that a bare status stands for.
 *
 * @since 0.1.0
 * @category accessors
 */
export const reasonOfStatus = (status: number): CommonReason => {
  if (status === 401 || status === 403) return "credentials"
  if (status === 429) return "throttled"
  if (status === 408 || status >= 500) return "unavailable"
  return status >= 400 ? "invalid-request" : "unusable-answer"
}

/**
 * Judges a problem. A 429 or 503 with `Retry-After` is `throttled` whatever its code, unless the reason says that
 * waiting does not help.
 *
 * @since 0.1.0
 * @category constructors
 */
export const judge = <Reason extends string = never>(options: {
  readonly service: string
  readonly operation: string
  readonly problem: Problem
  readonly read: (answer: Extract<Problem, { readonly _tag: "ErrorAnswer" }>) => Reading<Reason>
  readonly verdictOf: (reason: Reason | CommonReason) => Verdict
}): UpstreamFailure<Reason> => {
  const { operation, problem, service } = options
  if (problem._tag !== "ErrorAnswer") {
    const reason = problem._tag === "Unreachable" ? "unreachable" : "unusable-answer"
    return {
      service,
      operation,
      reason,
      detail: problem.detail,
      status: problem._tag === "Unreachable" ? undefined : problem.status,
      code: problem._tag === "Unreachable" ? problem.code : undefined,
      requestId: problem._tag === "Unreachable" ? undefined : problem.requestId,
      retryAfter: undefined,
      ...options.verdictOf(reason)
    }
  }
  const reading = options.read(problem)
  const verdict = options.verdictOf(reading.reason)
  const isRetryable = reading.isRetryable ?? verdict.isRetryable
  const mayThrottle = (problem.status === 429 || problem.status === 503) && verdict.isRetryable
  const wait = mayThrottle ? RetryAfter.read(problem.headers, problem.at) : undefined
  // A wait of zero is no wish to be left alone: the failure counts like any other.
  const retryAfter = wait !== undefined && Duration.toMillis(wait) > 0 ? wait : undefined
  return {
    service,
    operation,
    reason: retryAfter === undefined ? reading.reason : "throttled",
    detail: reading.message ?? `status ${problem.status}`,
    status: problem.status,
    code: reading.code,
    requestId: problem.requestId,
    retryAfter,
    isRetryable,
    countsAsFailure: retryAfter === undefined && verdict.countsAsFailure,
    isExpected: verdict.isExpected
  }
}

/**
 * The failure of a call that was not made because there is no key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const notConfigured = (service: string, operation: string, variable: string): UpstreamFailure<never> => ({
  service,
  operation,
  reason: "not-configured",
  detail: `${variable} is not set`,
  status: undefined,
  code: undefined,
  requestId: undefined,
  retryAfter: undefined,
  ...verdicts["not-configured"]
})

/**
 * The line for logs and operators.
 *
 * @since 0.1.0
 * @category accessors
 */
export const describe = (failure: UpstreamFailure<string>): string => {
  const facts = [failure.reason, failure.status, failure.code].filter((fact) => fact !== undefined).join(" ")
  return `${failure.service}, ${failure.operation}: ${facts}: ${failure.detail}`
}

/**
 * A field of parsed JSON, without believing that it is there.
 *
 * @since 0.1.0
 * @category accessors
 */
export const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

/**
 * The same, when it is a string.
 *
 * @since 0.1.0
 * @category accessors
 */
export const textField = (value: unknown, name: string): string | undefined => {
  const found = field(value, name)
  return typeof found === "string" ? found : undefined
}
