/**
 * How we speak to a company whose API we use over HTTP. What is the same for all of them is here: connections of its own
 * for each, so that one that hangs takes nothing from another; an attempt that is given up closes its socket; answers of
 * bounded size, read inside the attempt, so that its time limit covers the body; nothing of our own tracing sent to
 * others.
 *
 * It sets no time limits and retries nothing: that is the policy's work, and a second opinion below it would multiply.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Connections from "./Connections.js"
import type { Problem } from "./UpstreamFailure.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Where the API is, with its path prefix, as `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** Goes into the `credential.header`, after `credential.prefix`, and is struck out of everything that we tell. */
  readonly key: Redacted.Redacted
  readonly credential: { readonly header: string; readonly prefix?: string }
  /** The header in which the service names its request. */
  readonly requestIdHeader: string
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Gives up a connection that is not made in that time. Default 5 seconds. */
  readonly connectTimeout?: Duration.DurationInput
  /** The largest answer that is read. Default 1 MiB. */
  readonly maxAnswerBytes?: number
}

/**
 * A way to one service.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpstreamHttp {
  /**
   * Sends one request, once, and decodes the answer to just the fields of the schema. When it is interrupted, its socket
   * is closed.
   */
  readonly send: <A, I>(
    request: HttpClientRequest.HttpClientRequest,
    answer: Schema.Schema<A, I>
  ) => Effect.Effect<A, Problem>
}

const defaultMaxAnswerBytes = 1024 * 1024

/**
 * Opens the way to a service. It ends with the scope, with every connection.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<UpstreamHttp, never, Scope.Scope> =>
  Effect.map(
    Connections.make(new URL(options.baseUrl).origin, { connectTimeout: options.connectTimeout ?? "5 seconds" }),
    (connections) => over(connections, options)
  )

const over = (connections: Connections.Connections, options: Options): UpstreamHttp => {
  const { credential, key } = options
  const limit = options.maxAnswerBytes ?? defaultMaxAnswerBytes
  const scrub = scrubber(Redacted.value(key))

  const prepare = (request: HttpClientRequest.HttpClientRequest): HttpClientRequest.HttpClientRequest =>
    request.pipe(
      HttpClientRequest.prependUrl(options.baseUrl.replace(/\/+$/, "")),
      HttpClientRequest.setHeaders({ accept: "application/json", ...options.headers }),
      HttpClientRequest.setHeader(credential.header, `${credential.prefix ?? ""}${Redacted.value(key)}`)
    )

  // Spans record request headers; the platform strikes out the usual names for a key, but not every company's.
  const hideKey = Effect.locallyWith(Headers.currentRedactedNames, (names) => [...names, credential.header])

  const unreachable = (error: HttpClientError.HttpClientError): Problem => {
    const code = codeOf(error.cause)
    return { _tag: "Unreachable", code, detail: scrub(wordsFor(code)) }
  }

  const send: UpstreamHttp["send"] = (request, schema) =>
    connections.use((client, finished) =>
      Effect.gen(function* () {
        const response = yield* HttpClient.withTracerPropagation(client, false)
          .execute(prepare(request))
          .pipe(hideKey, Effect.mapError(unreachable))
        const { headers, status } = response
        const requestId = headers[options.requestIdHeader]
        const unusable = (detail: string): Problem => ({
          _tag: "UnusableAnswer",
          status,
          requestId,
          detail: scrub(detail)
        })
        const body = parse(yield* readText(response, limit, unreachable, unusable))
        yield* finished
        if (status < 200 || status > 299) {
          const at = yield* Clock.currentTimeMillis
          return yield* Effect.fail<Problem>({
            _tag: "ErrorAnswer",
            status,
            headers,
            requestId,
            body: scrubStrings(body, scrub),
            at
          })
        }
        if (body === undefined) return yield* Effect.fail(unusable("the answer is not JSON"))
        return yield* Effect.mapError(Schema.decodeUnknown(schema)(body), (error) => unusable(wordsForShape(error)))
      })
    )

  return { send }
}

const readText = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number,
  broken: (error: HttpClientError.HttpClientError) => Problem,
  unusable: (detail: string) => Problem
): Effect.Effect<string, Problem> => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  return response.stream.pipe(
    Stream.mapError(broken),
    Stream.runForEach((chunk) => {
      size += chunk.byteLength
      if (size > limit) return Effect.fail(unusable(`the answer is larger than ${limit} bytes`))
      chunks.push(chunk)
      return Effect.void
    }),
    Effect.map(() => Buffer.concat(chunks).toString("utf8"))
  )
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Node's or undici's code for what happened to the connection, which may lie some causes deep. */
const codeOf = (cause: unknown, depth = 0): string | undefined => {
  if (typeof cause !== "object" || cause === null || depth > 4) return undefined
  if ("code" in cause && typeof cause.code === "string") return cause.code
  return "cause" in cause ? codeOf(cause.cause, depth + 1) : undefined
}

const wordsFor = (code: string | undefined): string => {
  switch (code) {
    case "ECONNREFUSED":
      return "the connection was refused"
    case "ECONNRESET":
    case "EPIPE":
    case "UND_ERR_SOCKET":
      return "the connection broke before the answer was whole"
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "its name could not be resolved"
    case "UND_ERR_CONNECT_TIMEOUT":
    case "ETIMEDOUT":
      return "no connection could be made in time"
    default:
      return code === undefined ? "the connection failed" : `the connection failed (${code})`
  }
}

/** Says where the answer is not as expected, and never what stood there: that can be a user's text. */
const wordsForShape = (error: ParseResult.ParseError): string => {
  const places = ParseResult.ArrayFormatter.formatErrorSync(error).map((issue) => issue.path.join(".") || "the whole")
  return `the answer does not have the expected shape at ${[...new Set(places)].slice(0, 5).join(", ")}`
}

const longestDetail = 300

/** Strikes out the key, and what looks like one, and keeps the text short. */
const scrubber =
  (key: string) =>
  (text: string): string =>
    (key === "" ? text : text.replaceAll(key, "<redacted>"))
      .replace(/\b(sk|rk|pk|xi|whsec)[-_][\w*.-]{4,}/g, "<redacted>")
      .slice(0, longestDetail)

const scrubStrings = (value: unknown, scrub: (text: string) => string): unknown => {
  if (typeof value === "string") return scrub(value)
  if (Array.isArray(value)) return value.map((item) => scrubStrings(item, scrub))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, scrubStrings(item, scrub)]))
}
