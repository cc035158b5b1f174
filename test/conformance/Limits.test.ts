/** Bulkheads and rate limits: what is taken comes back, in order, exactly, and no memory grows without bound. */
import { assert, describe, vi } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import type { Gate } from "../../src/resilience/Gate.js"
import { through } from "../../src/resilience/Gate.js"
import type * as KeyedRateLimiter from "../../src/resilience/KeyedRateLimiter.js"
import * as Gcra from "../../src/resilience/kernel/Gcra.js"
import * as RateLimiter from "../../src/resilience/RateLimiter.js"
import { conformance } from "./support/conformance.js"
import {
  arrivesInBetween,
  bottleneck,
  cockatielBulkhead,
  fixedWindow,
  flexible,
  type Keyed,
  limiter,
  limiterOn,
  signal,
  spentAnyway,
  withoutStore,
  worded
} from "./support/limits.js"

/** Turns a gate of ours into a wrong one. */
type Spoil = <G extends Gate>(gate: G) => G
const unspoilt: Spoil = (gate) => gate

/** Who leaves the queue is not taken out of it: the wait goes on without anyone, and is served. */
const waitsOnWithoutItsCaller: Spoil = (gate) => ({
  ...gate,
  admit: (admission) =>
    Effect.flatMap(Effect.forkDaemon(gate.admit({ ...admission, restore: (self) => self })), (admitted) =>
      admission.restore(Fiber.join(admitted))
    )
})

const startOf = (gate: Gate) => Effect.fork(through([gate])(Clock.currentTimeMillis))
const startedAt = <E>(fiber: Fiber.RuntimeFiber<number, E>) =>
  Effect.flatMap(Fiber.poll(fiber), (exit) =>
    exit._tag === "Some" ? Effect.orElseSucceed(exit.value, () => "failed") : Effect.succeed("waits")
  )

const oneInTen = { name: "mail", limit: 1, interval: "10 seconds", mode: "wait" } as const

describe("bulkhead and outbound limiter", () => {
  conformance<Spoil>({
    number: 17,
    title: "a waiter who is timed out or interrupted never loses a permit",
    failing: ["Failsafe Java"],
    scenario: (spoil) =>
      Effect.gen(function* () {
        const options = { name: "reports", maxConcurrent: 1, maxQueued: 4, maxWait: "10 seconds" } as const
        const bulkhead = spoil(yield* Bulkhead.make(options))
        yield* Effect.fork(through([bulkhead])(Effect.sleep("3 seconds")))
        yield* TestClock.adjust(1)
        const interrupted = yield* startOf(bulkhead)
        const timedOut = yield* Effect.fork(Effect.timeout(through([bulkhead])(Effect.void), "1 second"))
        const impatient = yield* Effect.fork(through([bulkhead], { patience: 2000 })(Effect.void))
        const patient = yield* startOf(bulkhead)
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(interrupted)
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(yield* startedAt(patient), 3000, "the place went to one who still waits")
        assert.isTrue(
          (yield* Fiber.await(timedOut))._tag === "Failure" && (yield* Fiber.await(impatient))._tag === "Failure"
        )
        assert.deepStrictEqual(yield* bulkhead.status, { inUse: 0, queued: 0, limit: 1 })
      }),
    ours: unspoilt,
    wrong: { "Failsafe Java": waitsOnWithoutItsCaller },
    peers: {
      cockatiel: async () => {
        const bulkhead = cockatielBulkhead(1, 2)
        const running = signal()
        void bulkhead.execute(() => running.done)
        const leaving = new AbortController()
        const left = bulkhead.execute(() => Promise.resolve(), leaving.signal).catch(() => "left")
        let started = false
        void bulkhead.execute(() => {
          started = true
          return Promise.resolve()
        })
        leaving.abort()
        running.end()
        await left
        await vi.advanceTimersByTimeAsync(60_000)
        assert.isTrue(started, "the place went to one who still waits")
      }
    }
  })

  conformance<Spoil>({
    number: 18,
    title: "first come, first served holds under contention",
    failing: ["cockatiel"],
    scenario: (spoil) =>
      Effect.gen(function* () {
        const options = { name: "reports", maxConcurrent: 1, maxQueued: 10, maxWait: "1 minute" } as const
        const bulkhead = spoil(yield* Bulkhead.make(options))
        const order: Array<string> = []
        const call = (name: string) =>
          through([bulkhead])(
            Effect.zipRight(
              Effect.sync(() => order.push(name)),
              Effect.sleep("10 millis")
            )
          )
        // A newcomer comes in the very step in which the place comes free.
        yield* Effect.fork(Effect.zipRight(call("first"), call("newcomer")))
        yield* TestClock.adjust(1)
        for (const name of ["second", "third"]) yield* Effect.zipRight(Effect.fork(call(name)), TestClock.adjust(1))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(order, ["first", "second", "third", "newcomer"])
      }),
    ours: unspoilt,
    wrong: {
      "cockatiel, whose waiters ask anew when a place comes free": (gate) => ({
        ...gate,
        admit: (admission) => Effect.retry(gate.admit({ ...admission, patience: 0 }), Schedule.spaced("1 millis"))
      })
    },
    peers: {
      cockatiel: () => {
        const bulkhead = cockatielBulkhead(1, 10)
        return arrivesInBetween((call) => bulkhead.execute(call))
      },
      bottleneck: () => {
        const limiter = bottleneck({ maxConcurrent: 1 })
        return arrivesInBetween((call) => limiter.schedule(call))
      }
    }
  })

  conformance<Spoil>({
    number: 19,
    title: "an interrupted wait for a rate limit gives its reservation back",
    failing: ["Resilience4j"],
    scenario: (spoil) =>
      Effect.gen(function* () {
        const limiter = spoil(yield* RateLimiter.make({ ...oneInTen, maxWait: "1 minute", maxQueued: 5 }))
        yield* through([limiter])(Effect.void)
        const gone = yield* startOf(limiter)
        yield* TestClock.adjust("1 second")
        const behind = yield* startOf(limiter)
        yield* TestClock.adjust("4 seconds")
        yield* Fiber.interrupt(gone)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* startedAt(behind), 10_000)
      }),
    ours: unspoilt,
    wrong: { Resilience4j: waitsOnWithoutItsCaller }
  })

  conformance<Spoil>({
    number: 20,
    title: "a wait that cannot succeed in time fails at once",
    failing: ["Resilience4j"],
    scenario: (spoil) =>
      Effect.gen(function* () {
        const limiter = spoil(yield* RateLimiter.make({ ...oneInTen, maxWait: "8 seconds" }))
        yield* through([limiter])(Effect.void)
        const hopeless = yield* startOf(limiter)
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* startedAt(hopeless), "failed")
        yield* TestClock.adjust("5 seconds")
        const hopeful = yield* startOf(limiter)
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* startedAt(hopeful), 10_000)
      }),
    ours: unspoilt,
    wrong: {
      "Resilience4j, which waits out the time first": (gate) => ({
        ...gate,
        admit: (admission) => Effect.tapError(gate.admit(admission), () => admission.restore(Effect.sleep("8 seconds")))
      })
    }
  })
})

const api = { name: "api", limit: 10, window: "10 seconds" } as const

const allowed = (limiter: KeyedRateLimiter.KeyedRateLimiter, key: string, tries: number) =>
  Effect.map(
    Effect.replicateEffect(limiter.isAllowed(key), tries),
    (decisions) => decisions.filter((decision) => decision.allowed).length
  )

describe("limiter of each client", () => {
  conformance<Keyed>({
    number: 21,
    title: "a rejected call consumes nothing",
    failing: ["rate-limiter-flexible", "Upstash"],
    scenario: (make) =>
      Effect.gen(function* () {
        const limiter = yield* make(api)
        assert.isTrue((yield* limiter.check("ann", 8)).allowed)
        assert.isFalse((yield* limiter.check("ann", 5)).allowed)
        assert.isTrue((yield* limiter.check("ann", 2)).allowed, "2 of 10 were left")
      }),
    ours: limiter,
    wrong: {
      "rate-limiter-flexible": (options) => limiterOn(spentAnyway, options),
      "Upstash token bucket, which sinks below zero": (options) => limiterOn(spentAnyway, options)
    },
    peers: {
      "rate-limiter-flexible": async () => {
        const limiter = flexible(10, 10)
        assert.isTrue((await limiter.ask("ann", 8)).allowed)
        assert.isFalse((await limiter.ask("ann", 5)).allowed)
        assert.isTrue((await limiter.ask("ann", 2)).allowed, "2 of 10 were left")
      }
    }
  })

  conformance<Keyed>({
    number: 22,
    title: "the cost of a call is part of the decision",
    failing: ["Upstash"],
    scenario: (make) =>
      Effect.gen(function* () {
        const limiter = yield* make(api)
        assert.isTrue((yield* limiter.check("ann", 8)).allowed)
        assert.isFalse((yield* limiter.check("ann", 5)).allowed, "5 do not fit into the 2 that are left")
      }),
    ours: limiter,
    wrong: {
      "Upstash sliding window, which only looks whether anything is left": (options) =>
        limiterOn(
          (limits, tats, now, cost) => [Gcra.decide(limits, tats, now, 1)[0], spentAnyway(limits, tats, now, cost)[1]],
          options
        )
    },
    peers: {
      "rate-limiter-flexible": async () => {
        const limiter = flexible(10, 10)
        assert.isTrue((await limiter.ask("ann", 8)).allowed)
        assert.isFalse((await limiter.ask("ann", 5)).allowed, "5 do not fit into the 2 that are left")
      }
    }
  })

  conformance<Keyed>({
    number: 23,
    title: "what happens while the store is away is said in an option, and said in the answer",
    failing: ["Upstash"],
    scenario: (make) =>
      Effect.gen(function* () {
        const expected = { failOpen: 30, failClosed: 0, localFallback: 10 }
        for (const onStoreFailure of ["failOpen", "failClosed", "localFallback"] as const) {
          const limiter = yield* make({ ...api, onStoreFailure })
          const asked = yield* Effect.fork(Effect.replicateEffect(limiter.isAllowed("ann"), 30))
          yield* TestClock.adjust(1)
          const decisions = yield* Effect.flatMap(Fiber.poll(asked), (exit) =>
            exit._tag === "Some" ? exit.value : Effect.sync(() => assert.fail("no answer at once"))
          )
          assert.strictEqual(decisions.filter((decision) => decision.allowed).length, expected[onStoreFailure])
          assert.isTrue(decisions.every((decision) => decision.decidedBy === onStoreFailure))
        }
      }),
    ours: withoutStore,
    wrong: {
      "Upstash, which lets everyone in after five seconds": (options) =>
        Effect.map(withoutStore({ ...options, onStoreFailure: "failOpen" }), (limiter) => ({
          ...limiter,
          isAllowed: (key) => Effect.delay(limiter.isAllowed(key), "5 seconds")
        })),
      "Upstash, if it were quick": (options) => withoutStore({ ...options, onStoreFailure: "failOpen" })
    }
  })

  conformance<Keyed>({
    number: 24,
    title: "memory for keys is bounded, and given back without a timer",
    failing: ["@effect/experimental", "rate-limiter-flexible", "Upstash"],
    scenario: (make) =>
      Effect.gen(function* () {
        const limiter = yield* make({ ...api, maxKeys: 100 })
        for (let i = 0; i < 1000; i++) yield* limiter.isAllowed(`client-${i}`)
        assert.strictEqual((yield* limiter.status).clients, 100)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* limiter.status).clients, 0)
      }),
    ours: limiter,
    wrong: { "@effect/experimental, whose maps forget no one": (options) => limiterOn(Gcra.decide, options) },
    peers: {
      "rate-limiter-flexible": async () => {
        const limiter = flexible(10, 10)
        for (let i = 0; i < 1000; i++) await limiter.ask(`client-${i}`)
        assert.isAtMost(vi.getTimerCount(), 100, "a timer for each client, and no option for a bound")
      }
    }
  })

  conformance<Keyed>({
    number: 25,
    title: "no double burst at the edge of a window",
    failing: ["Resilience4j", "rate-limiter-flexible"],
    scenario: (make) =>
      Effect.gen(function* () {
        const limiter = yield* make(api)
        yield* allowed(limiter, "ann", 1)
        yield* TestClock.adjust(9_900)
        const before = yield* allowed(limiter, "ann", 20)
        yield* TestClock.adjust(200)
        const after = yield* allowed(limiter, "ann", 20)
        assert.isAtMost(before + after, 10, "within 200 ms no more than the limit of 10 s")
      }),
    ours: limiter,
    wrong: {
      "rate-limiter-flexible": (options) => limiterOn(fixedWindow, options),
      "Resilience4j, whose windows do not even wait for the first call": (options) =>
        limiterOn(
          (limits, [begin = 0, count = 0], now, cost) => fixedWindow(limits, [begin, Math.max(count, 1)], now, cost),
          options
        )
    },
    peers: {
      "rate-limiter-flexible": async () => {
        const limiter = flexible(10, 10)
        await limiter.burst("ann", 1)
        await vi.advanceTimersByTimeAsync(9_900)
        const before = await limiter.burst("ann", 20)
        await vi.advanceTimersByTimeAsync(200)
        const after = await limiter.burst("ann", 20)
        assert.isAtMost(before + after, 10, "within 200 ms no more than the limit of 10 s")
      }
    }
  })

  conformance<Keyed>({
    number: 26,
    title: "Retry-After is a whole number of at least 0, and a lone retry then is admitted",
    failing: ["rate-limiter-flexible", ".NET", "flask-limiter"],
    scenario: (make) =>
      Effect.gen(function* () {
        for (const limit of [1, 3, 7, 10]) {
          const limiter = yield* make({ ...api, limit })
          assert.strictEqual(yield* allowed(limiter, "ann", limit), limit)
          yield* TestClock.adjust(333)
          const { retryAfterMillis } = yield* limiter.isAllowed("ann")
          assert.isTrue(Number.isInteger(retryAfterMillis) && retryAfterMillis >= 0, `it says ${retryAfterMillis}`)
          yield* TestClock.adjust(Duration.millis(retryAfterMillis - 1))
          assert.strictEqual(yield* allowed(limiter, "ann", 5), 0, "a millisecond earlier nothing is")
          yield* TestClock.adjust(1)
          assert.isTrue((yield* limiter.isAllowed("ann")).allowed)
        }
      }),
    ours: limiter,
    wrong: {
      "rate-limiter-flexible, whose example divides milliseconds": worded(({ retryAfterMillis }) => ({
        retryAfterMillis: retryAfterMillis / 1000
      })),
      ".NET, which says the whole window": worded(({ windowMillis }) => ({ retryAfterMillis: windowMillis })),
      "flask-limiter, which has said a moment in the past": worded(({ retryAfterMillis }) => ({
        retryAfterMillis: -retryAfterMillis
      }))
    },
    peers: {
      "rate-limiter-flexible": async () => {
        const limiter = flexible(3, 10)
        await limiter.burst("ann", 3)
        await vi.advanceTimersByTimeAsync(333)
        const { msBeforeNext } = await limiter.ask("ann")
        // The header as its own example sets it.
        assert.match(String(msBeforeNext / 1000), /^\d+$/)
      }
    }
  })
})
