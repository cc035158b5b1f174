/**
 * Makes anything that may be shown or logged safe to show: secrets are taken out, lengths are bounded, and no input,
 * however hostile (throwing getters, revoked proxies, circular objects, megabytes of text), makes it throw.
 *
 * Redaction happens when a value is written down, never when it is read: what is stored is already clean.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Redacted from "effect/Redacted"

/**
 * What stands in the place of a secret.
 *
 * @since 0.1.0
 * @category constants
 */
export const mask = "[redacted]"

/**
 * What is left of a value once it is safe: plain JSON.
 *
 * @since 0.1.0
 * @category models
 */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

/**
 * The readable parts of an error of any shape. `stack` is there only when it was asked for and the error has one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Description {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
}

// Only the first part of a text is searched. The quantifiers below are bounded, so the work is too.
const searched = 8192

const secretName = String.raw`(?:password|passwd|pwd|secret|token|api[-_ ]?key|authorization|signature|credentials?)`

const patterns: ReadonlyArray<readonly [pattern: RegExp, replacement: string]> = [
  // Greedy up to the last "@": a password may hold an unescaped "@" or "/".
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/"']{0,200}):[^\s"']{0,1000}@/gi, `$1:${mask}@`],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s:/?#@"']{1,500}@/gi, `$1${mask}@`],
  [/\b((?:set-)?cookie\\?["']?\s{0,5}[:=]\s{0,5})[^\r\n]{1,4096}/gi, `$1${mask}`],
  [/\b(bearer)\s{1,5}(?!token\b|realm\b|auth)[^\s"',;]{1,4096}/gi, `$1 ${mask}`],
  [/\b(basic)\s{1,5}[a-z0-9+/=]{16,4096}/gi, `$1 ${mask}`],
  [/\beyJ[\w-]{5,4096}\.[\w-]{5,4096}(?:\.[\w-]{0,1024})?/g, mask],
  [/\b(?:sk|pk|rk)[-_][\w*-]{6,512}/g, mask],
  [/\bwhsec_[\w+/=-]{6,512}/g, mask],
  [/\bgh[pousr]_\w{16,255}/g, mask],
  [/\bxox[abprs]-[\w-]{10,255}/g, mask],
  [/\bAKIA[0-9A-Z]{16}\b/g, mask],
  [
    new RegExp(
      String.raw`(${secretName}\\?["']?\s{0,5}[:=]\s{0,5})(?:(\\?["'])[^\n]{0,1024}?\2|[^\s"'\\,;&)}\]]{1,1024})`,
      "gi"
    ),
    `$1${mask}`
  ]
]

const secretKey = new RegExp(String.raw`${secretName}$|cookie$|^x-api-key$|private[-_]?key$`, "i")

/**
 * A text without secrets, cut to `maxLength` characters (default 1000): passwords in URLs, bearer and basic
 * credentials, JSON web tokens, API keys with a known prefix, and whatever follows a name like `password` or `api_key`.
 *
 * @since 0.1.0
 * @category redaction
 */
export const text = (input: string, maxLength: number = 1000): string => {
  let clean = input
  if (clean.length > searched) {
    // Half a secret would match no pattern, so the word that the cut goes through is left out.
    clean = clean.slice(0, searched)
    let end = clean.length
    while (end > 0 && !/\s/.test(clean[end - 1]!)) end--
    clean = clean.slice(0, end)
  }
  for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement)
  const cut = clean.length > maxLength || clean.length === 0
  return cut && input.length > 0 ? `${clean.slice(0, Math.max(0, maxLength - 1))}…` : clean
}

/**
 * Any value as bounded JSON without secrets: `Redacted` values and fields named like secrets are masked, texts go
 * through `text`, errors become their description, depth, width and total size are limited.
 *
 * @since 0.1.0
 * @category redaction
 */
export const value = (input: unknown): Json => plain(input, new Walk(), 0)

/**
 * The name, message and code of an error of any shape: an `Error`, a tagged error, a `Cause`, a text, or anything else
 * that somebody threw. The messages of its `cause` chain are appended, as "fetch failed (connect ECONNREFUSED)" says
 * more than "fetch failed".
 *
 * @since 0.1.0
 * @category redaction
 */
export const describe = (
  error: unknown,
  options: { readonly stack?: boolean; readonly maxLength?: number } = {}
): Description => {
  try {
    if (isInterruption(error)) return { name: "Interrupted", message: "interrupted" }
    const root = squash(error)
    const code = codeOf(root, 0)
    const stack = options.stack === true ? peek(root, "stack") : undefined
    return {
      name: nameOf(root),
      message: text(messageOf(root, 0), options.maxLength),
      ...(code === undefined ? {} : { code: text(code, 100) }),
      ...(typeof stack === "string" && stack.length > 0 ? { stack: text(stack, 4000) } : {})
    }
  } catch {
    return { name: "Error", message: "an error that cannot be read" }
  }
}

/**
 * Whether this is a `Cause` of nothing but interruptions, which is how a call normally ends when nobody waits for it.
 *
 * @since 0.1.0
 * @category guards
 */
export const isInterruption = (u: unknown): boolean =>
  safely(() => Cause.isCause(u) && Cause.isInterruptedOnly(u), false)

/**
 * The one error that a `Cause` is about: its first failure, else its first defect, `undefined` when it holds
 * nothing but interruptions. Other values are returned as they are.
 *
 * @since 0.1.0
 * @category accessors
 */
export const squash = (error: unknown): unknown => {
  if (!safely(() => Cause.isCause(error), false)) return error
  // `isCause` has just narrowed what it could not narrow across the guard above.
  const cause = error as Cause.Cause<unknown>
  return safely(() => (Cause.isInterruptedOnly(cause) ? undefined : squash(Cause.squash(cause))), error)
}

/**
 * A property of anything, `undefined` when it is absent or reading it throws.
 *
 * @since 0.1.0
 * @category accessors
 */
export const peek = (u: unknown, key: string): unknown =>
  (typeof u === "object" && u !== null) || typeof u === "function"
    ? // Any object can be read by key; what comes back is `unknown` again.
      safely(() => (u as Record<string, unknown>)[key], undefined)
    : undefined

const safely = <A>(read: () => A, otherwise: A): A => {
  try {
    return read()
  } catch {
    return otherwise
  }
}

const isError = (u: unknown): u is Error => safely(() => u instanceof Error, false)

const nameOf = (error: unknown): string => {
  const tag = peek(error, "_tag")
  if (typeof tag === "string" && tag.length > 0) return text(tag, 100)
  const name = peek(error, "name")
  return typeof name === "string" && name.length > 0 ? text(name, 100) : "Error"
}

const codeOf = (error: unknown, depth: number): string | undefined => {
  const code = peek(error, "code")
  if (typeof code === "string" && code.length > 0) return code
  if (typeof code === "number") return String(code)
  const inner = depth < 3 ? codeOf(peek(error, "cause"), depth + 1) : undefined
  if (inner !== undefined || depth > 0) return inner
  const tag = peek(error, "_tag")
  return typeof tag === "string" && tag.length > 0 ? tag : undefined
}

const messageOf = (error: unknown, depth: number): string => {
  if (typeof error === "string") return error.length > 0 ? error : "an empty error"
  if (error === undefined) return "undefined"
  const message = peek(error, "message")
  const own = typeof message === "string" && message.length > 0 ? message : wordless(error, depth)
  const cause = depth < 3 ? peek(error, "cause") : undefined
  if (cause === undefined || cause === null || cause === error) return own
  const inner = messageOf(squash(cause), depth + 1)
  return own.includes(inner) ? own : `${own} (${inner})`
}

const wordless = (error: unknown, depth: number): string => {
  // A refused connection to "localhost" is an AggregateError with an empty message: its parts say what happened.
  const parts = peek(error, "errors")
  if (depth < 3 && safely(() => Array.isArray(parts), false)) {
    const first: unknown = peek(parts, "0")
    if (first !== undefined) return messageOf(first, depth + 1)
  }
  if (isError(error)) return nameOf(error)
  const json = value(error)
  return typeof json === "string" ? json : JSON.stringify(json)
}

// One walk over a value: what has been seen on the way down, and how much may still be written.
class Walk {
  readonly above = new Set<object>()
  left = 500
}

const maxDepth = 6
const maxWidth = 50

const plain = (input: unknown, walk: Walk, depth: number): Json => {
  if (walk.left-- <= 0) return "[too much]"
  switch (typeof input) {
    case "string":
      return text(input)
    case "number":
      return Number.isFinite(input) ? input : String(input)
    case "boolean":
      return input
    case "undefined":
      return null
    case "object":
      return input === null ? null : safely(() => structured(input, walk, depth), "[unreadable]")
    default:
      return safely(() => text(String(input), 200), "[unreadable]")
  }
}

const structured = (input: object, walk: Walk, depth: number): Json => {
  if (Redacted.isRedacted(input)) return mask
  if (walk.above.has(input)) return "[circular]"
  if (depth >= maxDepth) return "[too deep]"
  walk.above.add(input)
  try {
    if (Cause.isCause(input) || input instanceof Error) return { ...describe(input) }
    if (Array.isArray(input)) return input.slice(0, maxWidth).map((item) => plain(item, walk, depth + 1))
    if (ArrayBuffer.isView(input) || input instanceof ArrayBuffer) return `[${input.byteLength} bytes]`
    if (input instanceof Set) return plain([...input].slice(0, maxWidth), walk, depth)
    if (input instanceof Map) return plain(Object.fromEntries([...input].slice(0, maxWidth)), walk, depth)
    const toJson = peek(input, "toJSON")
    if (typeof toJson === "function") {
      const json: unknown = toJson.call(input)
      if (json !== input) return plain(json, walk, depth + 1)
    }
    const fields: { [key: string]: Json } = {}
    for (const key of Object.keys(input).slice(0, maxWidth)) {
      const name = text(key, 100)
      fields[name] = secretKey.test(key) ? mask : plain(peek(input, key), walk, depth + 1)
    }
    return fields
  } finally {
    walk.above.delete(input)
  }
}
