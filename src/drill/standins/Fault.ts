/**
 * The ways in which an upstream fails, as a user of its API meets them: from a port on which nobody listens to an
 * answer that ends in the middle. A stand-in is told one of these at run time and misbehaves accordingly.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * One way to fail.
 *
 * - `Refuse`: nobody listens; open connections are closed.
 * - `Reset`: the request is read, then the connection ends with a TCP reset.
 * - `HangBeforeHeaders`: the request is read and never answered.
 * - `HangInsideBody`: status, headers and half of the body arrive, then nothing.
 * - `ErrorStatus`: a well-formed error of this service, with `Retry-After` and other headers as given.
 * - `HtmlError`: an error page from something in front of the service.
 * - `Garbage`: 200 and a body that is no JSON.
 * - `WrongShape`: 200 and JSON that has nothing of what was asked for.
 * - `Truncated`: the connection ends in the middle of the body.
 * - `Slow`: the right answer, `millis` late.
 * - `Oversize`: 200 and a JSON string of `bytes` bytes.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault = Data.TaggedEnum<{
  Refuse: {}
  Reset: {}
  HangBeforeHeaders: {}
  HangInsideBody: {}
  ErrorStatus: {
    readonly status: number
    /** The service's own error code; its usual one for the status when absent. */
    readonly code?: string
    /** The value of `Retry-After`: seconds, or an HTTP date. */
    readonly retryAfter?: string
    readonly headers?: Readonly<Record<string, string>>
  }
  HtmlError: { readonly status: number }
  Garbage: {}
  WrongShape: {}
  Truncated: {}
  Slow: { readonly millis: number }
  Oversize: { readonly bytes: number }
}>

/**
 * Constructors (`Fault.Reset()`, `Fault.ErrorStatus({ status: 503 })`, ...) and `$match`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Fault = Data.taggedEnum<Fault>()
