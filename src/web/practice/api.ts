/** The page's only way to the server: JSON in, JSON or a problem out, with the words that the server chose for people. */
import type { Health } from "../../dialdrill/operations/Wire.js"

export interface Problem {
  /** 0 when no answer came at all. */
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly retryAfterSeconds?: number
  readonly [extension: string]: unknown
}

export type Answer<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly problem: Problem }

const tokenKey = "dialdrill-token"

/** Kept for this tab alone. */
export const signIn = (token: string): void => sessionStorage.setItem(tokenKey, token)

const offline: Problem = { status: 0, code: "offline", detail: "The server cannot be reached." }

export const ask = async <A>(
  path: string,
  options: { readonly body?: unknown; readonly method?: string } = {}
): Promise<Answer<A>> => {
  const token = sessionStorage.getItem(tokenKey)
  const method = options.method ?? (options.body === undefined ? "GET" : "POST")
  try {
    const response = await fetch(path, {
      method,
      // Longer than every deadline of the server: only a connection that died in silence gets here.
      signal: AbortSignal.timeout(40_000),
      headers: {
        accept: "application/json",
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` })
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
    })
    const value: unknown = await response.json()
    return response.ok ? { ok: true, value: value as A } : { ok: false, problem: value as Problem }
  } catch {
    return { ok: false, problem: offline }
  }
}

export type HealthAnswer = typeof Health.Encoded

/** Health answers 503 with the same shape as 200, so it is read whatever its status; `undefined` when nobody answers. */
export const health = async (): Promise<HealthAnswer | undefined> => {
  try {
    const response = await fetch("/api/health?detailed=true", { signal: AbortSignal.timeout(5000) })
    const answer = (await response.json()) as HealthAnswer
    return typeof answer.checks === "object" ? answer : undefined
  } catch {
    return undefined
  }
}
