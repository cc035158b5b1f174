/**
 * Checks that a webhook event comes from Stripe: an HMAC-SHA256 over the time of signing and the raw body, in the
 * `Stripe-Signature` header (`t=<unix seconds>,v1=<hex>[,v1=<hex>...]`; several while a secret is being changed).
 *
 * The scheme is Stripe's (https://docs.stripe.com/webhooks#verify-manually). The body must be the bytes as they came:
 * parsed and printed again it has another signature.
 *
 * @since 0.1.0
 */
import * as Crypto from "node:crypto"

/**
 * How old a signature may be: a recorded event cannot be played back for ever.
 *
 * @since 0.1.0
 * @category constants
 */
export const toleranceSeconds = 300

/**
 * Why an event is not believed.
 *
 * @since 0.1.0
 * @category models
 */
export type Verdict = "valid" | "malformed" | "mismatch" | "too-old"

/**
 * Judges a signature. `now` is in unix seconds. A time of signing in the future is no reason to refuse: clocks differ, and
 * nobody can sign for the future without the secret.
 *
 * @since 0.1.0
 * @category predicates
 */
export const verify = (options: {
  readonly body: Uint8Array
  readonly header: string
  readonly secret: string
  readonly now: number
}): Verdict => {
  const { signatures, time } = parse(options.header)
  if (time === undefined || signatures.length === 0) return "malformed"
  const expected = Crypto.createHmac("sha256", options.secret).update(`${time}.`).update(options.body).digest()
  // Every candidate is compared, each in constant time, so that the time taken tells nothing about the right one.
  const matches = signatures.map((signature) => equal(signature, expected)).includes(true)
  if (!matches) return "mismatch"
  return options.now - Number(time) > toleranceSeconds ? "too-old" : "valid"
}

const parse = (header: string): { readonly time: string | undefined; readonly signatures: ReadonlyArray<string> } => {
  const pairs = header.split(",").map((pair) => {
    const [name = "", ...value] = pair.split("=")
    return [name.trim(), value.join("=").trim()] as const
  })
  const time = pairs.find(([name]) => name === "t")?.[1]
  return {
    time: time !== undefined && /^\d{1,12}$/.test(time) ? time : undefined,
    signatures: pairs.filter(([name]) => name === "v1").map(([, value]) => value)
  }
}

const equal = (hex: string, expected: Buffer): boolean => {
  const given = /^[0-9a-f]{64}$/i.test(hex) ? Buffer.from(hex, "hex") : Buffer.alloc(0)
  return given.length === expected.length && Crypto.timingSafeEqual(given, expected)
}
