/**
 * Where the HTTP layer reports what went wrong on our side: the part of the error log that it needs.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * @since 0.1.0
 * @category models
 */
export interface ErrorRecorderShape {
  readonly recordError: (
    service: string,
    error: unknown,
    context?: { readonly operation?: string; readonly code?: string; readonly requestId?: string }
  ) => Effect.Effect<void>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class ErrorRecorder extends Context.Tag("@dialdrill/selfheal/ErrorRecorder")<
  ErrorRecorder,
  ErrorRecorderShape
>() {}

/**
 * Forgets everything.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNone: Layer.Layer<ErrorRecorder> = Layer.succeed(ErrorRecorder, { recordError: () => Effect.void })
