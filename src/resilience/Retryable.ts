/**
 * Which failures may pass, and how long the dependency asked to wait: read from what an error says about itself, or from
 * what the caller knows about it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import { isRejection, speaksOfDependency } from "./Rejection.js"

/**
 * An error matches when every field that is given matches: `status` and `code` are equal to the error's own (or its
 * cause's), `message` is part of its message, in any case.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryableError {
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/**
 * What a dependency said about another attempt: how long to wait for it, or `"never"` when it asked for none, as gRPC
 * does with a negative `grpc-retry-pushback-ms` (proposal A6).
 *
 * @since 0.1.0
 * @category models
 */
export type Pushback = Duration.Duration | "never"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Which errors may pass, for errors that do not say so themselves. Default: all of them. Who needs it: callers of
   * clients whose errors are plain objects with a status or a code.
   */
  readonly retryableErrors?: ReadonlyArray<RetryableError> | undefined
  /**
   * Which errors may pass. Default: an error's own `isRetryable` when it is a boolean, else `retryableErrors`. Rejections
   * of this library are never retried, whatever this says; `AttemptTimeout` may be.
   */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined
  /**
   * What the dependency said about another attempt. `"never"` is stronger than everything else that says the error may
   * pass. Default: the error's own `retryAfter` when it is a `Duration` or `"never"`. Who needs it: callers of clients
   * that keep the hint elsewhere, as in the metadata of a gRPC error.
   */
  readonly retryAfter?: ((error: unknown) => Pushback | undefined) | undefined
}

/**
 * Whether an error may pass. `"never"` is not asked for here: see `pushbackOf`.
 *
 * @since 0.1.0
 * @category predicates
 */
export const mayPass = (options: Options, error: unknown): boolean => {
  if (isRejection(error)) return speaksOfDependency(error) && (options.isRetryable?.(error) ?? true)
  if (options.isRetryable !== undefined) return options.isRetryable(error)
  const own = read(error, "isRetryable")
  if (typeof own === "boolean") return own
  return options.retryableErrors?.some((pattern) => matches(pattern, error)) ?? true
}

/**
 * The error's own field `retryAfter`.
 *
 * @since 0.1.0
 * @category accessors
 */
export const pushbackOf = (error: unknown): Pushback | undefined => {
  const hint = read(error, "retryAfter")
  return Duration.isDuration(hint) || hint === "never" ? hint : undefined
}

/**
 * Whether a pattern tells nothing apart.
 *
 * @since 0.1.0
 * @category predicates
 */
export const matchesEverything = ({ code, message = "", status }: RetryableError): boolean =>
  status === undefined && code === undefined && message === ""

const matches = ({ code, message, status }: RetryableError, error: unknown): boolean =>
  (status === undefined || has(error, "status", status) || has(error, "statusCode", status)) &&
  (code === undefined || has(error, "code", code)) &&
  (message === undefined || messageOf(error).toLowerCase().includes(message.toLowerCase()))

const has = (error: unknown, field: string, value: unknown): boolean =>
  read(error, field) === value || read(read(error, "cause"), field) === value

const messageOf = (error: unknown): string => String(typeof error === "string" ? error : (read(error, "message") ?? ""))

const read = (value: unknown, field: string): unknown =>
  Predicate.hasProperty(value, field) ? value[field] : undefined
