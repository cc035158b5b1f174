/**
 * Verifies JSON Web Tokens with `jose`, and remembers for a minute at most what it verified: checking a signature for
 * every request would cost half of the throughput.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Jose from "jose"
import type { User } from "./CurrentRequest.js"
import { type DependencyUnavailable, dependencyUnavailable, Unauthorized } from "./HttpErrors.js"

/**
 * The user of a token. `Unauthorized` when the token is no good, `DependencyUnavailable` when its key could not be
 * fetched, which is not the caller's fault.
 *
 * @since 0.1.0
 * @category models
 */
export type TokenVerifier = (token: string) => Effect.Effect<User, Unauthorized | DependencyUnavailable>

/** A token lives in memory for this long at most, so that a key that was withdrawn is noticed. */
const rememberedForMillis = 60_000
const rememberedTokens = 1_000

// What it names becomes a key in databases: refused, because cut short it could be another user's.
const subject = /^(?=.*\S)\P{Cc}{1,200}$/u

// Below any deadline of a request: `jose` lets callers share one fetch, and who joins a dying one dies with it.
const fetchTimeoutMillis = 2_000

/**
 * Tokens signed with a shared secret, HS256.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromSecret = (secret: Redacted.Redacted): TokenVerifier => {
  const key = new TextEncoder().encode(Redacted.value(secret))
  return remembering((token) => Jose.jwtVerify(token, key, { algorithms: ["HS256"], requiredClaims: ["sub", "exp"] }))
}

/**
 * Tokens signed with one of the keys published at `url`. Symmetric algorithms are not accepted: a public key must never
 * serve as a shared secret.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromJwks = (url: URL): TokenVerifier => {
  const keys = Jose.createRemoteJWKSet(url, { timeoutDuration: fetchTimeoutMillis })
  const algorithms = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519"
  ]
  return remembering((token) => Jose.jwtVerify(token, keys, { algorithms, requiredClaims: ["sub", "exp"] }))
}

interface Remembered {
  readonly user: User
  readonly untilMillis: number
}

const remembering = (verify: (token: string) => Promise<Jose.JWTVerifyResult>): TokenVerifier => {
  // Private to the verifier, changed in single synchronous steps. The oldest entry goes when it is full.
  const remembered = new Map<string, Remembered>()
  const remember = (token: string, entry: Remembered): void => {
    if (remembered.size >= rememberedTokens) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest)
        break
      }
    }
    remembered.set(token, entry)
  }
  return (token) =>
    Effect.clockWith((clock) => {
      const now = clock.unsafeCurrentTimeMillis()
      const known = remembered.get(token)
      if (known !== undefined) {
        if (now < known.untilMillis) return Effect.succeed(known.user)
        remembered.delete(token)
      }
      return Effect.flatMap(
        Effect.tryPromise({ try: () => verify(token), catch: toError }),
        ({ payload }): Effect.Effect<User, Unauthorized> => {
          const { exp, sub } = payload
          if (typeof sub !== "string" || !subject.test(sub) || exp === undefined) return Effect.fail(notValid)
          const user: User = { id: sub }
          remember(token, { user, untilMillis: Math.min(exp * 1000, now + rememberedForMillis) })
          return Effect.succeed(user)
        }
      )
    })
}

const notValid = new Unauthorized({ detail: "The token is not valid" })

// `jose` throws errors of its own for what is wrong with a token, and a generic one, or anything at all, for what went
// wrong with fetching its key.
const toError = (error: unknown): Unauthorized | DependencyUnavailable => {
  if (error instanceof Jose.errors.JWTExpired) return new Unauthorized({ detail: "The token has expired" })
  const aboutToken =
    error instanceof Jose.errors.JOSEError &&
    !(error instanceof Jose.errors.JWKSTimeout) &&
    !(error instanceof Jose.errors.JWKSInvalid) &&
    error.code !== "ERR_JOSE_GENERIC"
  return aboutToken ? notValid : dependencyUnavailable("identity", Duration.seconds(5))
}
