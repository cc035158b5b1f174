/**
 * The identity of the request that a fibre works for. The HTTP server sets it once; log lines and error-log entries pick
 * it up wherever they are written, so that one id finds everything that one request did.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * The id of the current request; `undefined` outside a request. Set with
 * `Effect.provideService(RequestId, "...")`, read with `yield* RequestId`.
 *
 * @since 0.1.0
 * @category references
 */
export class RequestId extends Context.Reference<RequestId>()("@dialdrill/selfheal/RequestId", {
  defaultValue: (): string | undefined => undefined
}) {}
