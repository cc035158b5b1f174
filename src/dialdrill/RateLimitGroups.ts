/**
 * The four groups of routes that share a limit, by what a request of each can cost. `RATE_LIMIT_<GROUP>` changes them.
 */
import { RateLimitConfigs, type RateLimitConfig } from "../resilience/KeyedRateLimiter.js"

export type Group = "CALLS" | "COACHING" | "BILLING" | "READ"

export const defaults: { readonly [G in Group]: RateLimitConfig } = {
  /** Start, simulate, turns, complete. */
  CALLS: RateLimitConfigs.normal,
  /** Each may cost a request at OpenAI. */
  COACHING: RateLimitConfigs.strict,
  /** Each may cost a request at Stripe. */
  BILLING: RateLimitConfigs.strict,
  /** Every other route under `/api`. */
  READ: RateLimitConfigs.loose
}
