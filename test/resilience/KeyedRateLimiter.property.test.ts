import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as KeyedRateLimiter from "../../src/resilience/KeyedRateLimiter.js"
import * as RateLimitStore from "../../src/resilience/RateLimitStore.js"

interface Limit {
  readonly limit: number
  readonly window: number
}

/**
 * An exact log of what was allowed, of one client: a request fits when no stretch of time that ends with it holds more
 * than the limit at once and what has come back since the stretch began. Every question looks through the whole log.
 */
class SlidingLog {
  readonly all: Array<{ readonly at: number; readonly cost: number }> = []
  constructor(private readonly limits: ReadonlyArray<Limit>) {}

  /** How much more fits now, in parts of a request so that nothing is rounded: `window` parts make one. */
  private left({ limit, window }: Limit, now: number): number {
    let left = limit * window
    let sum = 0
    for (const { at, cost } of [...this.all].reverse()) {
      sum += cost
      left = Math.min(left, limit * window + (now - at) * limit - sum * window)
    }
    return left
  }
  fits(now: number, cost: number): boolean {
    return this.limits.every((limit) => this.left(limit, now) >= cost * limit.window)
  }
  remaining(now: number): number {
    return Math.min(...this.limits.map((limit) => Math.floor(this.left(limit, now) / limit.window)))
  }
  /** Until a lone request fits, found by trying every millisecond. */
  retryAfter(now: number, cost: number): number {
    let wait = 0
    while (!this.fits(now + wait, cost)) wait += 1
    return wait
  }
  /** Until nothing is left of what was spent, under one of the limits. */
  resetAfter(now: number, limit: Limit): number {
    let wait = 0
    while (this.left(limit, now + wait) < limit.limit * limit.window) wait += 1
    return wait
  }
  isWhole(now: number): boolean {
    return this.limits.every((limit) => this.resetAfter(now, limit) === 0)
  }
}

const limits = fc.array(
  fc.record({ limit: fc.integer({ min: 2, max: 9 }), window: fc.integer({ min: 20, max: 400 }) }),
  {
    minLength: 1,
    maxLength: 3
  }
)
const request = fc.record({
  key: fc.constantFrom("ann", "bob"),
  after: fc.oneof({ weight: 3, arbitrary: fc.nat(15) }, { weight: 1, arbitrary: fc.nat(500) }),
  cost: fc.constantFrom(1, 1, 1, 2)
})

const make = ([first, ...and]: ReadonlyArray<Limit>, more?: Partial<KeyedRateLimiter.Options>) =>
  Effect.provide(
    KeyedRateLimiter.make({ name: "api", limit: first?.limit ?? 1, window: first?.window ?? 1, and, ...more }),
    RateLimitStore.layerMemory
  )

const run = (body: Effect.Effect<void, unknown>) => Effect.runPromise(Effect.provide(body, TestContext.TestContext))

const agrees = (spoil: (limits: ReadonlyArray<Limit>) => ReadonlyArray<Limit>) =>
  fc.asyncProperty(limits, fc.array(request, { maxLength: 60, size: "max" }), (limits, requests) =>
    run(
      Effect.gen(function* () {
        const limiter = yield* make(spoil(limits))
        const logs = { ann: new SlidingLog(limits), bob: new SlidingLog(limits) }
        let now = 0
        for (const { after, cost, key } of requests) {
          if (after > 0) yield* TestClock.adjust(Duration.millis(after))
          now += after
          const log = logs[key as keyof typeof logs]
          const decision = yield* limiter.check(key, cost)
          const fits = log.fits(now, cost)
          assert.strictEqual(decision.allowed, fits)
          assert.strictEqual(decision.retryAfterMillis, log.retryAfter(now, cost))
          // A rejected request is not in the log: if it had changed anything, what follows would not agree.
          if (fits) log.all.push({ at: now, cost })
          const decisive = limits.find(
            ({ limit, window }) => limit === decision.limit && window === decision.windowMillis
          )
          assert.isDefined(decisive, "it tells which limit decided")
          if (decisive === undefined) continue
          assert.strictEqual(decision.resetAfterMillis, log.resetAfter(now, decisive))
          if (fits) assert.strictEqual(decision.remaining, log.remaining(now))
        }
      })
    )
  )

describe("a limiter of each client", () => {
  it(
    "agrees with an exact log under any limits: who is allowed, what is left, and when to come again",
    () =>
      fc.assert(
        agrees((limits) => limits),
        { numRuns: 25 }
      ),
    60_000
  )

  it("is found out when it forgets one of its limits", async () => {
    const checked = await fc.check(
      agrees((limits) => limits.slice(0, 1)),
      { numRuns: 100, endOnFailure: true }
    )
    assert.isTrue(checked.failed)
  }, 60_000)

  it(
    "keeps the clients that were heard of last, as many as it may, until their limits are whole",
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 4 }),
          fc.array(
            fc.record({
              client: fc.nat(5),
              after: fc.oneof({ weight: 6, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(120) })
            }),
            {
              maxLength: 80,
              size: "max"
            }
          ),
          (maxKeys, requests) =>
            run(
              Effect.gen(function* () {
                const limit = { limit: 1, window: 100 }
                const limiter = yield* make([limit], { maxKeys })
                /** Those who are remembered, in the order in which they were last heard of. */
                const known = new Map<number, SlidingLog>()
                let now = 0
                for (const { after, client } of requests) {
                  if (after > 0) yield* TestClock.adjust(Duration.millis(after))
                  now += after
                  for (const [other, log] of known) if (log.isWhole(now)) known.delete(other)
                  // Looking makes it forget those whose limits are whole, wherever they stand.
                  assert.strictEqual((yield* limiter.status).clients, known.size)
                  const log = known.get(client) ?? new SlidingLog([limit])
                  const { allowed } = yield* limiter.isAllowed(`client-${client}`)
                  assert.strictEqual(allowed, log.fits(now, 1))
                  if (allowed) log.all.push({ at: now, cost: 1 })
                  known.delete(client)
                  if (known.size === maxKeys) known.delete([...known.keys()][0] ?? -1)
                  known.set(client, log)
                  assert.isAtMost((yield* limiter.status).clients ?? 0, maxKeys)
                }
              })
            )
        ),
        { numRuns: 25 }
      ),
    60_000
  )
})
