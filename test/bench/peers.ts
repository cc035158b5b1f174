/** As much of the peers as the benchmarks call, and the peers made as they are compared: the same protection on each side. */
import { createRequire } from "node:module"
import { join } from "node:path"

// The benchmarks are built before they run, and so cannot look from where their sources are.
const require = createRequire(join(process.cwd(), ".cache/peers/"))

const load = <Module>(name: string): Module => require(name) as Module

/** A policy of cockatiel's, which hands each call a signal that is aborted when the policy gives up. */
interface Cockatiel {
  readonly execute: <A>(call: (context: { readonly signal: AbortSignal }) => Promise<A>) => Promise<A>
}

interface CockatielModule {
  readonly handleAll: unknown
  readonly circuitBreaker: (
    of: unknown,
    options: { readonly halfOpenAfter: number; readonly breaker: unknown }
  ) => Cockatiel
  readonly ConsecutiveBreaker: new (threshold: number) => unknown
  readonly CountBreaker: new (options: { readonly threshold: number; readonly size: number }) => unknown
  readonly SamplingBreaker: new (options: { readonly threshold: number; readonly duration: number }) => unknown
  readonly retry: (of: unknown, options: { readonly maxAttempts: number; readonly backoff: unknown }) => Cockatiel
  readonly ExponentialBackoff: new () => unknown
  readonly bulkhead: (places: number, queue: number) => Cockatiel
  readonly timeout: (millis: number, strategy: string) => Cockatiel
  readonly wrap: (...outsideIn: ReadonlyArray<Cockatiel>) => Cockatiel
}

const cockatiel = load<CockatielModule>("cockatiel")

const breakerBy = (breaker: unknown, halfOpenAfter = 30_000): Cockatiel =>
  cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter, breaker })

export const consecutive = (halfOpenAfter?: number): Cockatiel =>
  breakerBy(new cockatiel.ConsecutiveBreaker(5), halfOpenAfter)
export const countWindow = (size: number): Cockatiel => breakerBy(new cockatiel.CountBreaker({ threshold: 0.5, size }))
export const timeWindow = (duration: number): Cockatiel =>
  breakerBy(new cockatiel.SamplingBreaker({ threshold: 0.5, duration }))

/** Retry, breaker, bulkhead and timeout in one. */
export const wrapOfFour = (): Cockatiel =>
  cockatiel.wrap(
    cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff: new cockatiel.ExponentialBackoff() }),
    consecutive(),
    cockatiel.bulkhead(20, 20),
    cockatiel.timeout(12_000, "aggressive")
  )

interface OpossumBreaker {
  readonly fire: () => Promise<unknown>
  readonly open: () => void
}

const Opossum =
  load<
    new (
      call: () => Promise<unknown>,
      options: { readonly timeout: false; readonly resetTimeout: number }
    ) => OpossumBreaker
  >("opossum")

/** A breaker of opossum's that is open for as long as the benchmarks run. */
export const openOpossum = (call: () => Promise<unknown>): OpossumBreaker => {
  const breaker = new Opossum(call, { timeout: false, resetTimeout: 3_600_000 })
  breaker.open()
  return breaker
}

interface RateLimiterFlexible {
  readonly consume: (key: string) => Promise<unknown>
}

interface RateLimiterModule {
  readonly RateLimiterMemory: new (options: {
    readonly points: number
    readonly duration: number
  }) => RateLimiterFlexible
}

/** A limiter in memory that never says no. */
export const rateLimiterMemory = (): RateLimiterFlexible => {
  const { RateLimiterMemory } = load<RateLimiterModule>("rate-limiter-flexible")
  return new RateLimiterMemory({ points: 1_000_000_000, duration: 3_600 })
}
