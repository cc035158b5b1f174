/**
 * What a route that cannot do without a dependency answers while it fails: 503 with the time after which another try can
 * help. Handlers choose it, tag by tag, where there is no fallback to serve.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { DependencyUnavailable } from "../http/HttpErrors.js"
import type { BillingUnavailable, StorageUnavailable } from "./Unavailable.js"
import { toSeconds } from "./Wire.js"

/** A second, where nobody said how long: the caller should come back, and need not wait. */
const otherwise = Duration.seconds(1)

export const unavailable = (
  error: StorageUnavailable | BillingUnavailable
): Effect.Effect<never, DependencyUnavailable> =>
  Effect.fail(
    new DependencyUnavailable({
      service: error.service,
      detail: error.message,
      retryAfterSeconds: toSeconds(error.retryAfter ?? otherwise) ?? 1
    })
  )
