/** The breaker of a scenario, and what is asked and done most often. */
import * as Effect from "effect/Effect"
import type * as CircuitBreaker from "../../../src/resilience/CircuitBreaker.js"
import type { Selfheal } from "./altered.js"

/** A breaker that one failure opens for 30 seconds, and that one probe tries then. */
export const makeBreaker = ({ CircuitBreaker }: Selfheal, options?: Partial<CircuitBreaker.Options>) =>
  CircuitBreaker.make({ name: "upstream", failureThreshold: 1, halfOpenMaxCalls: 1, ...options })

/** Options that open the circuit by the share of failed calls: of the last ten, or of the last ten seconds. */
export const lastTen = { failureThreshold: undefined, window: { type: "count", size: 10 } } as const
export const lastTenSeconds = { failureThreshold: undefined, window: { type: "time", duration: "10 seconds" } } as const

export const stateOf = (breaker: CircuitBreaker.CircuitBreaker) => Effect.map(breaker.status, ({ state }) => state)

/** Calls of which every one fails, or succeeds. */
export const fail = (breaker: CircuitBreaker.CircuitBreaker, times = 1) =>
  Effect.asVoid(Effect.replicateEffect(Effect.ignore(breaker.execute(Effect.fail("down"))), times))
export const succeed = (breaker: CircuitBreaker.CircuitBreaker, times = 1) =>
  Effect.asVoid(Effect.replicateEffect(breaker.execute(Effect.void), times))
