/**
 * The id of a request: what a log line, an error entry, a support mail and the `X-Request-Id` header have in common.
 *
 * @since 0.1.0
 */
import { randomUUID } from "node:crypto"

/**
 * The header, in and out.
 *
 * @since 0.1.0
 * @category constants
 */
export const header = "x-request-id"

// What may be copied into headers and log lines without a thought: no spaces, no control characters, a bounded length.
const safe = /^[\w.:-]{8,128}$/

/**
 * The caller's id when it is safe to repeat (8 to 128 of `A-Z a-z 0-9 _ . : -`), else a fresh UUID.
 *
 * Not from Effect's `Random`: an id has to be unique between processes, which a seeded generator is not.
 *
 * @since 0.1.0
 * @category constructors
 */
export const accept = (offered: string | undefined): string =>
  offered !== undefined && safe.test(offered) ? offered : randomUUID()
