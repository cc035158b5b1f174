/** Bulkheads and rate limits: what is taken comes back, in order, exactly, and no memory grows without bound. */
import { assert, describe, vi } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { wholeSeconds } from "../../src/http/HttpErrors.js"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import type { Gate } from "../../src/resilience/Gate.js"
import { through } from "../../src/resilience/Gate.js"
import type * as KeyedRateLimiter from "../../src/resilience/KeyedRateLimiter.js"
import * as Gcra from "../../src/resilience/kernel/Gcra.js"
import * as RateLimiter from "../../src/resilience/RateLimiter.js"
import { RateLimited } from "../../src/resilience/Rejection.js"
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
  oneByOne,
  signal,
  spentAnyway,
  unlessZero,
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

const asksAnew: Spoil = (gate) => ({
  ...gate,
  admit: (admission) => Effect.retry(gate.admit({ ...admission, patience: 0 }), Schedule.spaced("1 millis"))
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
    title: "a caller who stops waiting for a place, timed out or interrupted, takes no place away",
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

        // Also in every moment in which the place has been handed over and its receiver does not know it yet.
        for (let steps = 0; steps < 10; steps++) {
          const end = yield* Deferred.make<void>()
          yield* Effect.fork(through([bulkhead])(Deferred.await(end)))
          yield* TestClock.adjust(1)
          const waiter = yield* startOf(bulkhead)
          yield* TestClock.adjust(1)
          yield* Deferred.succeed(end, undefined)
          yield* Effect.repeatN(Effect.yieldNow(), steps)
          yield* Fiber.interrupt(waiter)
          const after = yield* bulkhead.status
          assert.deepStrictEqual(after, { inUse: 0, queued: 0, limit: 1 }, `lost ${steps} steps after it came free`)
        }
      }),
    ours: unspoilt,
    wrong: {
      "Failsafe Java: who leaves stays in the queue": [
        "the place went to one who still waits",
        waitsOnWithoutItsCaller
      ],
      "a gate that can be interrupted between taking a place and telling who has it": [
        "steps after it came free",
        (gate) => ({
          ...gate,
          admit: (admission) => Effect.tap(gate.admit(admission), () => admission.restore(Effect.yieldNow()))
        })
      ]
    },
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
    title: "who waits longest is served first, also when a newcomer arrives as a place comes free",
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
        assert.deepStrictEqual(order, ["first", "second", "third", "newcomer"], "the order at the bulkhead")

        const limiter = spoil(
          yield* RateLimiter.make({ ...oneInTen, interval: "20 millis", maxWait: "1 second", maxQueued: 5 })
        )
        const starts: Array<string> = []
        const start = (name: string) => through([limiter])(Effect.sync(() => starts.push(name)))
        yield* start("first")
        yield* Effect.fork(Effect.delay(start("newcomer"), "20 millis"))
        for (const name of ["second", "third"]) yield* Effect.zipRight(Effect.fork(start(name)), TestClock.adjust(1))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(starts, ["first", "second", "third", "newcomer"], "the order at the rate limit")
      }),
    ours: unspoilt,
    wrong: {
      "cockatiel, whose waiters ask anew when a place comes free": ["the order at the bulkhead", asksAnew],
      "the same at a rate limit": [
        "the order at the rate limit",
        (gate) => (gate.name === oneInTen.name ? asksAnew(gate) : gate)
      ]
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
    title: "a caller who stops waiting for a rate limit gives its turn to those behind",
    failing: ["Resilience4j"],
    scenario: (spoil) =>
      Effect.gen(function* () {
        const limiter = spoil(yield* RateLimiter.make({ ...oneInTen, maxWait: "1 minute", maxQueued: 5 }))
        yield* through([limiter])(Effect.void)
        const gone = yield* startOf(limiter)
        yield* TestClock.adjust("1 second")
        const timedOut = yield* Effect.fork(Effect.timeout(through([limiter])(Effect.void), "2 seconds"))
        yield* TestClock.adjust(1)
        const behind = yield* startOf(limiter)
        yield* TestClock.adjust("4 seconds")
        yield* Fiber.interrupt(gone)
        yield* Fiber.await(timedOut)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* startedAt(behind), 10_000, "the turn of those who left")
        // Nor does one leave a debt who was the last in the queue.
        yield* through([limiter])(Effect.void)
        const last = yield* startOf(limiter)
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(last)
        yield* TestClock.adjust("9 seconds")
        const after = yield* startOf(limiter)
        yield* TestClock.adjust(0)
        assert.strictEqual(yield* startedAt(after), yield* Clock.currentTimeMillis, "a debt of one who left")
      }),
    ours: unspoilt,
    wrong: {
      "Resilience4j: the reservation of an interrupted thread stays": [
        "the turn of those who left",
        waitsOnWithoutItsCaller
      ]
    }
  })

  conformance<Spoil>({
    number: 20,
    title: "a caller who could not be served in time is turned away at once",
    failing: ["Resilience4j"],
    scenario: (spoil) =>
      Effect.gen(function* () {
        const limiter = spoil(yield* RateLimiter.make({ ...oneInTen, maxWait: "8 seconds" }))
        yield* through([limiter])(Effect.void)
        const hopeless = yield* startOf(limiter)
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* startedAt(hopeless), "failed", "by the longest wait that the limit allows")
        yield* TestClock.adjust("5 seconds")
        const hopeful = yield* startOf(limiter)
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* startedAt(hopeful), 10_000)

        const patient = spoil(yield* RateLimiter.make({ ...oneInTen, maxWait: "1 hour" }))
        yield* through([patient])(Effect.void)
        const hurried = yield* Effect.fork(through([patient], { patience: 9_999 })(Clock.currentTimeMillis))
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* startedAt(hurried), "failed", "by the time that the caller has")
      }),
    ours: unspoilt,
    wrong: {
      "Resilience4j, which waits out the time first": [
        "by the longest wait that the limit allows",
        (gate) => ({
          ...gate,
          admit: (admission) =>
            Effect.tapError(gate.admit(admission), () => admission.restore(Effect.sleep("8 seconds")))
        })
      ],
      "a limiter that does not ask how long its caller can wait": [
        "by the time that the caller has",
        (gate) => ({
          ...gate,
          admit: (admission) =>
            admission.restore(
              Effect.timeoutFail(gate.admit({ ...admission, patience: Infinity }), {
                duration: admission.patience,
                onTimeout: () =>
                  new RateLimited({ policy: gate.name, reason: "wait-too-long", retryAfter: Duration.zero })
              })
            )
        })
      ]
    }
  })
})

const api = { name: "api", limit: 10, window: "10 seconds" } as const

const allowed = (limiter: KeyedRateLimiter.KeyedRateLimiter, key: string, tries: number) =>
  Effect.map(
    Effect.replicateEffect(limiter.isAllowed(key), tries),
    (decisions) => decisions.filter((decision) => decision.allowed).length
  )

/** A limiter, and what of its decision is sent as the header. */
interface Answers {
  readonly make: Keyed
  readonly header: (retryAfterMillis: number) => number
}

describe("limiter of each client", () => {
  conformance<Keyed>({
    number: 21,
    title: "a request that is refused uses nothing up, however often it is repeated",
    failing: ["rate-limiter-flexible", "Upstash"],
    scenario: (make) =>
      Effect.gen(function* () {
        const limiter = yield* make(api)
        assert.isTrue((yield* limiter.check("ann", 8)).allowed)
        for (let again = 0; again < 100; again++) {
          assert.isFalse((yield* limiter.check("ann", 5)).allowed, "5 do not fit into the 2 that are left")
        }
        assert.isTrue((yield* limiter.check("ann", 2)).allowed, "2 of 10 were left")
        assert.strictEqual(yield* allowed(limiter, "ann", 50), 0)
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(yield* allowed(limiter, "ann", 50), 3, "one comes back each second")

        // Nor under one limit what another one refuses.
        const both = yield* make({ ...api, and: [{ limit: 2, window: "1 second" }] })
        yield* allowed(both, "ann", 50)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* allowed(both, "ann", 50), 2, "what the limit of a second refused")
      }),
    ours: limiter,
    wrong: {
      "rate-limiter-flexible: counts first": ["2 of 10 were left", (options) => limiterOn(spentAnyway, options)],
      "Upstash token bucket: asks whether the balance is zero, and it may be below": [
        "5 do not fit into the 2 that are left",
        (options) => limiterOn(unlessZero, options)
      ],
      "a limiter that asks its limits one after the other": [
        "what the limit of a second refused",
        (options) => limiterOn(oneByOne, options)
      ]
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
    title: "a request that costs more than what is left is refused, not only one that comes when nothing is left",
    failing: ["Upstash"],
    scenario: (make) =>
      Effect.gen(function* () {
        const limiter = yield* make(api)
        assert.isTrue((yield* limiter.check("ann", 8)).allowed)
        for (const cost of [5, 3]) {
          assert.isFalse((yield* limiter.check("ann", cost)).allowed, `${cost} do not fit into the 2 that are left`)
        }
        assert.isTrue((yield* limiter.check("ann", 2)).allowed, "2 fit into the 2 that are left")
        assert.isTrue((yield* limiter.check("bob", 10)).allowed, "the whole limit at once")
        const never = yield* Effect.exit(limiter.check("eve", 11))
        assert.isTrue(Exit.isFailure(never), "what could never be allowed is a mistake of the caller's")
      }),
    ours: limiter,
    wrong: {
      "Upstash sliding window, which only looks whether anything is left": [
        "5 do not fit into the 2 that are left",
        (options) =>
          limiterOn(
            (limits, tats, now, cost) => [
              Gcra.decide(limits, tats, now, 1)[0],
              spentAnyway(limits, tats, now, cost)[1]
            ],
            options
          )
      ]
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
    title: "while the limiter's store is down, an option says who is let in, and every decision says so",
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
          const passed = decisions.filter((decision) => decision.allowed).length
          assert.strictEqual(passed, expected[onStoreFailure], `how many ${onStoreFailure} lets in`)
          assert.isTrue(decisions.every((decision) => decision.decidedBy === onStoreFailure))
        }
      }),
    ours: withoutStore,
    wrong: {
      "Upstash, which lets everyone in after five seconds": [
        "no answer at once",
        (options) =>
          Effect.map(withoutStore({ ...options, onStoreFailure: "failOpen" }), (limiter) => ({
            ...limiter,
            isAllowed: (key) => Effect.delay(limiter.isAllowed(key), "5 seconds")
          }))
      ],
      "Upstash, if it were quick": [
        "how many failClosed lets in",
        (options) => withoutStore({ ...options, onStoreFailure: "failOpen" })
      ]
    }
  })

  conformance<Keyed>({
    number: 24,
    title: "the memory that clients take is bounded, and is given back without a timer for each of them",
    failing: ["@effect/experimental", "rate-limiter-flexible", "Upstash"],
    scenario: (make) =>
      Effect.gen(function* () {
        const limiter = yield* make({ ...api, maxKeys: 100 })
        for (let i = 0; i < 1000; i++) yield* limiter.isAllowed(`client-${i}`)
        assert.strictEqual((yield* limiter.status).clients, 100, "clients that are kept")
        assert.strictEqual(Chunk.size(yield* TestClock.sleeps()), 0, "timers that are set")
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* limiter.status).clients, 0, "clients that are kept without a reason")
      }),
    ours: limiter,
    wrong: {
      "@effect/experimental, whose maps forget no one": [
        "clients that are kept",
        (options) => limiterOn(Gcra.decide, options)
      ],
      "rate-limiter-flexible, with a timer for each key": [
        "timers that are set",
        (options) =>
          Effect.map(limiter(options), (limiter) => ({
            ...limiter,
            isAllowed: (key) => Effect.zipLeft(limiter.isAllowed(key), Effect.forkDaemon(Effect.sleep(options.window)))
          }))
      ]
    },
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
    title: "no client gets its limit twice by asking just before and just after a window's end",
    failing: ["Resilience4j", "rate-limiter-flexible"],
    scenario: (make) =>
      Effect.gen(function* () {
        // Wherever a window might end, counted from the first request or from the full ten seconds.
        const limiter = yield* make(api)
        for (let i = 0; i < 20; i++) {
          const client = `client-${i}`
          yield* allowed(limiter, client, 1)
          yield* TestClock.adjust(9_900 + 500 * i)
          const before = yield* allowed(limiter, client, 12)
          yield* TestClock.adjust(200)
          const after = yield* allowed(limiter, client, 12)
          assert.strictEqual(before + after, 10, "within 200 ms the limit of 10 s, and no more")
        }
      }),
    ours: limiter,
    wrong: {
      "rate-limiter-flexible: a window from the first request on": [
        "within 200 ms the limit of 10 s, and no more",
        (options) =>
          limiterOn(
            fixedWindow((now) => now),
            options
          )
      ],
      "Resilience4j: windows that go by the clock": [
        "within 200 ms the limit of 10 s, and no more",
        (options) =>
          limiterOn(
            fixedWindow((now, windowMillis) => now - (now % windowMillis)),
            options
          )
      ]
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

  conformance<Answers>({
    number: 26,
    title: "Retry-After is a whole number of seconds, never negative, and who comes back then is let in",
    failing: ["rate-limiter-flexible", ".NET", "flask-limiter"],
    scenario: ({ header, make }) =>
      Effect.gen(function* () {
        for (const limit of [10, 7, 3, 1]) {
          for (const unit of ["seconds", "millis"] as const) {
            const limiter = yield* make({ ...api, limit })
            assert.strictEqual(yield* allowed(limiter, "ann", limit), limit)
            yield* TestClock.adjust(333)
            const { retryAfterMillis } = yield* limiter.isAllowed("ann")
            const wait = unit === "seconds" ? header(retryAfterMillis) : retryAfterMillis
            assert.match(String(wait), /^\d+$/, `the ${unit} are no such number`)
            yield* TestClock.adjust(Duration.decode(`${wait - 1} ${unit}`))
            assert.strictEqual(yield* allowed(limiter, "ann", 5), 0, `the ${unit} are too many`)
            yield* TestClock.adjust(Duration.decode(`1 ${unit}`))
            assert.isTrue((yield* limiter.isAllowed("ann")).allowed, `the ${unit} are too few`)
          }
        }
      }),
    ours: { make: limiter, header: wholeSeconds },
    wrong: {
      "rate-limiter-flexible, whose example divides milliseconds": [
        "the seconds are no such number",
        { make: limiter, header: (millis) => millis / 1000 }
      ],
      "a header that is rounded": [
        "the seconds are too few",
        { make: limiter, header: (millis) => Math.round(millis / 1000) }
      ],
      ".NET, which says the whole window": [
        "the seconds are too many",
        { make: worded(({ windowMillis }) => ({ retryAfterMillis: windowMillis })), header: wholeSeconds }
      ],
      "flask-limiter, which has said a moment in the past": [
        "the seconds are no such number",
        { make: limiter, header: (millis) => -Math.ceil(millis / 1000) }
      ]
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
