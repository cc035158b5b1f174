/**
 * Reads a failed request: from the cause, what the caller is told and whether the mistake is ours. A pure function, so that
 * every row of the table can be read here and nowhere else.
 *
 * @since 0.1.0
 */
import * as HttpApiError from "@effect/platform/HttpApiError"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import { isRejection } from "../resilience/Rejection.js"
import * as BodyLimit from "./BodyLimit.js"
import * as Deadline from "./Deadline.js"
import {
  DeadlineExceeded,
  DependencyUnavailable,
  InternalError,
  InvalidRequest,
  MalformedBody,
  MethodNotAllowed,
  NotFound,
  ServiceUnavailable
} from "./HttpErrors.js"
import * as Problem from "./Problem.js"

/**
 * What became of the request: the client is gone and nothing is to be answered, a response was thrown, or a problem.
 * `bug` means that nobody expected it: it is logged with its cause, and the caller is not told what it was.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure =
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Response"; readonly response: HttpServerResponse.HttpServerResponse }
  | { readonly _tag: "Problem"; readonly error: Problem.HttpError; readonly bug: boolean }

/**
 * What the request itself says about its failure.
 *
 * @since 0.1.0
 * @category models
 */
export interface Circumstances {
  readonly method: string
  readonly path: string
  /** Whether the request had been read and its handler was running. */
  readonly handling: boolean
  /** The body limit, when the body went over it. */
  readonly exceededBytes: number | undefined
  readonly deadlineMillis: number
  /** The methods of the path, when the path has any. */
  readonly allow: () => ReadonlyArray<string> | undefined
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const read = (cause: Cause.Cause<unknown>, request: Circumstances): Failure => {
  if (HashSet.has(Cause.interruptors(cause), HttpServerError.clientAbortFiberId)) return { _tag: "Gone" }
  if (Deadline.hasPassed(cause)) return expected(deadlineExceeded(request.deadlineMillis))
  if (request.exceededBytes !== undefined) return expected(BodyLimit.tooLarge(request.exceededBytes))
  const failure = Cause.failureOption(cause)
  if (Option.isSome(failure)) return fromError(failure.value, request)
  const defect = Cause.dieOption(cause)
  if (Option.isSome(defect)) return fromDefect(defect.value)
  return expected(new ServiceUnavailable({ detail: "The request was stopped by the server", retryAfterSeconds: 1 }))
}

const fromError = (error: unknown, request: Circumstances): Failure => {
  if (error instanceof HttpApiError.HttpApiDecodeError) {
    // The platform has one error for "the request does not fit" and "our answer does not fit".
    return request.handling ? bug : expected(invalidRequest(error))
  }
  if (HttpServerError.isServerError(error)) {
    if (error._tag === "RouteNotFound") return expected(notFound(request))
    return error._tag === "RequestError" ? expected(malformedBody(error)) : bug
  }
  if (Problem.isHttpError(error)) return expected(error)
  if (isRejection(error)) return expected(DependencyUnavailable.fromRejection(error))
  return bug
}

// A typed error that was thrown as a defect stays a bug: who dies with it did not mean to answer with it.
const fromDefect = (defect: unknown): Failure => {
  if (HttpServerResponse.isServerResponse(defect)) return { _tag: "Response", response: defect }
  // The platform reads bodies with `orDie`.
  if (HttpServerError.isServerError(defect) && defect._tag === "RequestError") return expected(malformedBody(defect))
  return bug
}

const expected = (error: Problem.HttpError): Failure => ({ _tag: "Problem", error, bug: false })

const bug: Failure = {
  _tag: "Problem",
  error: new InternalError({ detail: "The server made a mistake; the log knows it by the request id" }),
  bug: true
}

const deadlineExceeded = (millis: number): DeadlineExceeded =>
  new DeadlineExceeded({
    detail: `The request took longer than ${millis / 1000} seconds and was stopped`,
    retryAfterSeconds: 1
  })

const notFound = (request: Circumstances): NotFound | MethodNotAllowed => {
  const allow = request.allow()
  return allow === undefined
    ? new NotFound({ detail: `There is nothing at ${request.path}` })
    : new MethodNotAllowed({ detail: `${request.path} does not have the method ${request.method}`, allow })
}

const malformedBody = (error: HttpServerError.RequestError): MalformedBody =>
  new MalformedBody({
    detail: error.cause instanceof SyntaxError ? "The body is not valid JSON" : "The body cannot be read"
  })

// An issue quotes the offending value, which may be most of a megabyte.
const mostIssues = 20
const longestMessage = 300

const invalidRequest = (error: HttpApiError.HttpApiDecodeError): InvalidRequest => {
  const issues = error.issues.slice(0, mostIssues).map((issue) => ({
    path: issue.path.map((step) => (typeof step === "number" ? step : String(step))),
    message: issue.message.length > longestMessage ? `${issue.message.slice(0, longestMessage)}...` : issue.message
  }))
  const first = issues[0]
  const where = first === undefined || first.path.length === 0 ? "" : ` at ${first.path.join(".")}`
  return new InvalidRequest({
    detail: `The request does not fit what the route takes${where}${first === undefined ? "" : `: ${first.message}`}`,
    issues
  })
}
