/** Retry, its delays, its budget and its attempts: the verified defects 27 to 33. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Decision from "effect/ScheduleDecision"
import * as Interval from "effect/ScheduleInterval"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import * as ResilientClient from "../../src/http/ResilientClient.js"
import * as RetryAfter from "../../src/http/RetryAfter.js"
import type { Backoff } from "../../src/resilience/kernel/Backoff.js"
import { delayAfter } from "../../src/resilience/kernel/Backoff.js"
import * as Policy from "../../src/resilience/Policy.js"
import * as Retry from "../../src/resilience/Retry.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"
import { settled } from "./support/calls.js"
import { conformance } from "./support/conformance.js"
import { load } from "./support/peers.js"

class Busy extends Data.TaggedError("Busy")<{ readonly retryAfter: Duration.Duration }> {}

/** Writes down when the call was attempted, in milliseconds from now. */
const timed = <A, E>(call: Effect.Effect<A, E>) =>
  Effect.map(Clock.currentTimeMillis, (start) => {
    const times: Array<number> = []
    const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      times.push(now - start)
      return call
    })
    return { times, attempt }
  })

/** Lets everything run that waits for no time. */
const settle = Effect.zipRight(Effect.yieldNow(), TestClock.adjust(0))

// 27

interface Limited {
  readonly maxDelay: Duration.DurationInput
  readonly deadline: Duration.DurationInput
}

type Limiting = (
  limits: Limited
) => Effect.Effect<<A>(call: Effect.Effect<A, Busy>) => Effect.Effect<A, unknown>, Policy.PolicyConfigurationError>

/** Waits for as long as the server says. */
const obedient: Schedule.Schedule<Duration.Duration, Busy> = Schedule.makeWithState(0, (now, { retryAfter }, attempt) =>
  Effect.succeed([
    attempt + 1,
    retryAfter,
    attempt < 2 ? Decision.continueWith(Interval.after(now + Duration.toMillis(retryAfter))) : Decision.done
  ] as const)
)

conformance<Limiting>({
  number: 27,
  title: "no server can make a call wait longer than maxDelay or its deadline by a large Retry-After",
  failing: ["Polly"],
  scenario: (limiting) =>
    Effect.gen(function* () {
      const cases = [
        { maxDelay: "10 seconds", deadline: "1 hour", asked: Duration.millis(10_001) },
        { maxDelay: "10 seconds", deadline: "5 seconds", asked: Duration.seconds(5) }
      ] as const
      for (const { asked, deadline, maxDelay } of cases) {
        const protect = yield* limiting({ maxDelay, deadline })
        const { attempt, times } = yield* timed(Effect.fail(new Busy({ retryAfter: asked })))
        const fiber = yield* Effect.fork(Effect.flip(protect(attempt)))
        yield* settle
        assert.isNotNull(fiber.unsafePoll(), "it waits for a time that it does not have")
        assert.deepStrictEqual(yield* Fiber.join(fiber), new Busy({ retryAfter: asked }), "the hint is handed on")
        assert.deepStrictEqual(times, [0])
      }
      // And it is obeyed where there is time.
      const protect = yield* limiting({ maxDelay: "10 seconds", deadline: "1 hour" })
      const { attempt, times } = yield* timed(Effect.fail(new Busy({ retryAfter: Duration.seconds(10) })))
      const fiber = yield* Effect.fork(Effect.flip(protect(attempt)))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(times, [0, 10_000])
      yield* Fiber.interrupt(fiber)
    }),
  ours: ({ deadline, maxDelay }) =>
    Effect.map(
      Policy.make({ name: "upstream", deadline, retry: { maxDelay } }),
      ({ protect }) =>
        (call) =>
          protect(call, { idempotent: true })
    ),
  wrong: {
    "Polly: a Retry-After is stronger than every limit": [
      "it waits for a time that it does not have",
      ({ deadline }) =>
        Effect.succeed((call) =>
          Effect.timeout(
            Retry.drive(() => call, { schedule: obedient }),
            deadline
          )
        )
    ],
    "a client that comes back after its own longest delay, earlier than it was asked to": [
      "it waits for a time that it does not have",
      ({ deadline, maxDelay }) =>
        Effect.map(
          Policy.make({
            name: "upstream",
            deadline,
            retry: {
              maxDelay,
              retryAfter: (error) => (error instanceof Busy ? Duration.min(error.retryAfter, maxDelay) : undefined)
            }
          }),
          ({ protect }) =>
            (call) =>
              protect(call, { idempotent: true })
        )
    ]
  }
})

// 28

class Answer extends Data.TaggedError("Answer")<{ readonly status: number; readonly headers: RetryAfter.Headers }> {}

conformance<typeof RetryAfter.read>({
  number: 28,
  title: "a Retry-After in the form of a date is understood, and measured by the clock of the server that sent it",
  failing: ["failsafe-go"],
  scenario: (read) =>
    Effect.gen(function* () {
      const headers = {
        // An hour ahead of us.
        date: "Thu, 01 Jan 1970 01:00:00 GMT",
        "retry-after": "Thu, 01 Jan 1970 01:00:07 GMT"
      }
      const { attempt, times } = yield* timed(Effect.fail(new Answer({ status: 503, headers })))
      const retryAfter = (error: unknown) => (error instanceof Answer ? read(error.headers, 0) : undefined)
      const fiber = yield* Effect.fork(Effect.exit(Retry.withRetry(attempt, { maxAttempts: 2, retryAfter })))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(times, [0, 7_000], "when the attempts were made")

      const dates = {
        "Thu, 01 Jan 1970 00:00:08 GMT": 7_000,
        "Thursday, 01-Jan-70 00:00:08 GMT": 7_000,
        "Thu Jan  1 00:00:08 1970": 7_000,
        "Wed, 31 Dec 1969 23:00:00 GMT": 0
      }
      for (const [date, millis] of Object.entries(dates)) {
        // Without the server's own time ours is the best guess.
        assert.deepStrictEqual(read({ "retry-after": date }, 1_000), Duration.millis(millis), date)
      }
    }),
  ours: RetryAfter.read,
  wrong: {
    "failsafe-go: reads whole seconds only": [
      "when the attempts were made",
      (headers) => {
        const seconds = Number(headers["retry-after"])
        return Number.isInteger(seconds) ? Duration.seconds(seconds) : undefined
      }
    ],
    "Microsoft: goes by the clock of who reads it": [
      "when the attempts were made",
      (headers, now) => RetryAfter.read({ ...headers, date: undefined }, now)
    ],
    "a reader that takes a date for the time to wait until it, also when it is over": [
      "Wed, 31 Dec 1969",
      (headers, now) => {
        const wait = RetryAfter.read(headers, now)
        return wait !== undefined && Duration.toMillis(wait) === 0 ? undefined : wait
      }
    ]
  }
})

// 29

interface Cockatiel {
  readonly handleAll: unknown
  readonly retry: (policy: unknown, options: unknown) => CockatielPolicy
  readonly timeout: (millis: number, strategy: "aggressive") => CockatielPolicy
  readonly ConstantBackoff: new (millis: number) => unknown
  readonly ExponentialBackoff: new (options: unknown) => CockatielBackoff
  readonly noJitterGenerator: unknown
  readonly fullJitterGenerator: unknown
  readonly halfJitterGenerator: unknown
  readonly decorrelatedJitterGenerator: unknown
}
interface CockatielPolicy {
  readonly execute: <A>(
    call: (context: { readonly signal: AbortSignal }) => Promise<A>,
    signal?: AbortSignal
  ) => Promise<A>
}
interface CockatielBackoff {
  readonly duration: number
  readonly next: (context?: unknown) => CockatielBackoff
}

conformance<<A, E>(call: Effect.Effect<A, E>) => Effect.Effect<A, E>>({
  number: 29,
  title: "a call that is interrupted while it waits for its next attempt ends at once",
  failing: ["cockatiel"],
  scenario: (retry) =>
    Effect.gen(function* () {
      const { attempt, times } = yield* timed(Effect.fail("down"))
      const fiber = yield* Effect.fork(retry(attempt))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interruptFork(fiber)
      yield* settle
      const stopped = fiber.unsafePoll() !== null
      yield* TestClock.adjust("1 minute")
      assert.isTrue(stopped, "it still waits")
      assert.deepStrictEqual(times, [0])
    }),
  ours: Retry.withRetry({ initialDelay: "10 seconds" }),
  wrong: {
    "cockatiel: does not look at its signal while it waits": [
      "it still waits",
      (call) => Effect.catchAll(call, () => Effect.zipRight(Effect.uninterruptible(Effect.sleep(10_000)), call))
    ]
  },
  peers: {
    cockatiel: async () => {
      const { ConstantBackoff, handleAll, retry } = load<Cockatiel>("cockatiel")
      const controller = new AbortController()
      let ended = false
      const call = retry(handleAll, { maxAttempts: 3, backoff: new ConstantBackoff(10_000) }).execute(
        () => Promise.reject(new Error("down")),
        controller.signal
      )
      const end = call.catch(() => undefined).then(() => (ended = true))
      await vi.advanceTimersByTimeAsync(1_000)
      controller.abort()
      await vi.advanceTimersByTimeAsync(0)
      const stopped = ended
      await vi.advanceTimersByTimeAsync(60_000)
      await end
      assert.isTrue(stopped, "it still waits")
    }
  }
})

// 30

type Opossum = new (call: (name: string) => Promise<string>, options: unknown) => OpossumBreaker
interface OpossumBreaker {
  readonly fire: (name: string) => Promise<string>
  readonly getSignal: () => AbortSignal
  readonly shutdown: () => void
}

/** A client as it is written over promises: it hands its signal on, and ends after so many milliseconds unless aborted. */
type Fetch = (signal: AbortSignal, millis: number) => Effect.Effect<"answer", "aborted">

const fetch: Fetch = (signal, millis) =>
  Effect.raceFirst(
    Effect.as(Effect.sleep(millis), "answer" as const),
    Effect.async<never, "aborted">((resume) => {
      const abort = () => resume(Effect.fail("aborted"))
      if (signal.aborted) abort()
      else signal.addEventListener("abort", abort, { once: true })
    })
  )

/** Two calls overlap, the first of them never ends and is timed out; a third one begins after that. */
conformance<Effect.Effect<(millis: number) => Effect.Effect<string, unknown>, Policy.PolicyConfigurationError>>({
  number: 30,
  title: "an attempt that takes too long is aborted, and no other one with it",
  failing: ["opossum"],
  scenario: (make) =>
    Effect.gen(function* () {
      const call = yield* make
      const [first, second] = yield* Effect.all([
        Effect.fork(Effect.either(call(1e9))),
        Effect.fork(Effect.either(Effect.delay(call(800), 500)))
      ])
      yield* TestClock.adjust(1_000)
      const timedOut = yield* Fiber.join(first)
      assert.strictEqual(timedOut._tag, "Left")
      yield* TestClock.adjust(300)
      const third = yield* Effect.fork(Effect.either(call(100)))
      yield* TestClock.adjust(100)
      assert.deepInclude(yield* Fiber.join(second), { _tag: "Right", right: "answer" }, "the one beside it")
      assert.deepInclude(yield* Fiber.join(third), { _tag: "Right", right: "answer" }, "the one after it")
    }),
  ours: Effect.map(
    Policy.make({ name: "upstream", attemptTimeout: "1 second" }),
    ({ protect }) =>
      (millis) =>
        protect(
          Effect.acquireUseRelease(
            Effect.sync(() => new AbortController()),
            ({ signal }) => fetch(signal, millis),
            (controller) => Effect.sync(() => controller.abort())
          )
        )
  ),
  wrong: {
    "opossum: one signal for all calls": [
      "the one beside it",
      Effect.sync(() => {
        const controller = new AbortController()
        return (millis) =>
          Effect.timeoutFail(fetch(controller.signal, millis), {
            duration: "1 second",
            onTimeout: () => controller.abort()
          })
      })
    ]
  },
  peers: {
    opossum: async () => {
      const Breaker = load<Opossum>("opossum")
      const abortController = new AbortController()
      const breaker: OpossumBreaker = new Breaker((name) => promised(breaker.getSignal(), name), {
        timeout: 1_000,
        volumeThreshold: 100,
        abortController
      })
      try {
        await overlapping((name) => breaker.fire(name))
      } finally {
        breaker.shutdown()
      }
    },
    cockatiel: async () => {
      const policy = load<Cockatiel>("cockatiel").timeout(1_000, "aggressive")
      await overlapping((name) => policy.execute(({ signal }) => promised(signal, name)))
    }
  }
})

const lengths: Readonly<Record<string, number>> = { first: 1e9, second: 800, third: 100 }

const promised = (signal: AbortSignal, name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(new Error("aborted"))
    if (signal.aborted) abort()
    signal.addEventListener("abort", abort, { once: true })
    setTimeout(() => resolve("answer"), lengths[name])
  })

/** The scenario above, over promises. */
const overlapping = async (call: (name: string) => Promise<string>): Promise<void> => {
  const ending = (name: string) =>
    call(name).then(
      (answer) => answer,
      () => "error"
    )
  const first = ending("first")
  await vi.advanceTimersByTimeAsync(500)
  const second = ending("second")
  await vi.advanceTimersByTimeAsync(500)
  assert.strictEqual(await first, "error")
  await vi.advanceTimersByTimeAsync(300)
  const third = ending("third")
  await vi.advanceTimersByTimeAsync(100)
  assert.deepStrictEqual(await Promise.all([second, third]), ["answer", "answer"])
}

// 31

type Throughout = (budget: RetryBudget.RetryBudget) => RetryBudget.RetryBudget

conformance<Throughout>({
  number: 31,
  title: "a retry budget never allows more retries than it has, neither to many at once nor while they still wait",
  failing: ["failsafe-go", "Envoy"],
  scenario: (throughout) =>
    Effect.gen(function* () {
      const callers = 100
      const options = { name: "upstream", ratio: 0.2, minPerSecond: 0.5 }
      const granted = 0.2 * callers + 5

      // They fail one after the other, while all retries still wait.
      const retry = { maxAttempts: 2, initialDelay: "5 seconds", jitter: "none" } as const
      const waiting = throughout(yield* RetryBudget.make(options))
      const later = yield* timed(Effect.fail("down"))
      for (let caller = 0; caller < callers; caller++) {
        yield* Effect.fork(Effect.exit(Retry.withRetry(later.attempt, retry, waiting)))
        yield* settled
      }
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(later.times.length - callers, granted, "of those that still wait")

      // All fail at the same moment, and wait for the same time.
      const together = throughout(yield* RetryBudget.make(options))
      const { attempt, times } = yield* timed(Effect.fail("down"))
      const guarded = Retry.withRetry(Effect.zipLeft(attempt, Effect.yieldNow()), retry, together)
      yield* Effect.fork(Effect.all(Effect.replicate(Effect.exit(guarded), callers), { concurrency: "unbounded" }))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(times.filter((at) => at > 0).length, granted, "of those who fail together")
    }),
  ours: (budget) => budget,
  wrong: {
    "failsafe-go: looks, and takes afterwards": [
      "of those who fail together",
      (budget) => ({
        ...budget,
        withdraw: Effect.flatMap(budget.status, ({ available }) =>
          available < 1 ? Effect.succeed(false) : Effect.as(Effect.zipRight(Effect.yieldNow(), budget.withdraw), true)
        )
      })
    ],
    "Envoy: charges when the retry begins": [
      "of those that still wait",
      (budget) => ({
        ...budget,
        withdraw: Effect.flatMap(budget.status, ({ available }) =>
          available < 1
            ? Effect.succeed(false)
            : Effect.as(Effect.forkDaemon(Effect.delay(budget.withdraw, "5 seconds")), true)
        )
      })
    ]
  }
})

// 32

/** Up to the millionth attempt: all of the first two thousand, in which powers overflow, and some of the others. */
const attempts = [...Array(2_000).keys()].map((index) => index + 1).concat([4_096, 65_537, 999_999, 1_000_000])

const isDelay = (delay: number, maxDelay: number): boolean => delay >= 0 && delay <= maxDelay

conformance<typeof delayAfter>({
  number: 32,
  title: "the delay before a retry is never NaN, infinite or negative, up to the millionth attempt",
  failing: ["Polly", "cockatiel"],
  scenario: (delayOf) =>
    Effect.sync(() => {
      for (const jitter of ["none", "full", "equal", "decorrelated"] as const) {
        for (const multiplier of [1, 1.5, 2, 1e308]) {
          for (const initialDelay of [0, 1, 1_000, 2 ** 31 - 1]) {
            const backoff: Backoff = { initialDelay, maxDelay: 2 ** 31 - 1, multiplier, jitter }
            let previous = initialDelay
            for (const attempt of attempts) {
              const delay = delayOf(backoff, attempt, previous, (attempt % 100) / 100)
              if (!isDelay(delay, backoff.maxDelay)) {
                assert.fail(`${JSON.stringify(backoff)}, attempt ${attempt}: ${delay}`)
              }
              previous = delay
            }
          }
        }
      }
    }),
  ours: delayAfter,
  wrong: {
    "Polly #2163: no guard against an overflow of the formula's own terms": [
      ": NaN",
      ({ initialDelay, maxDelay, multiplier }, attempt, _previous, random) => {
        const term = (t: number) => multiplier ** t * Math.tanh(Math.sqrt(4 * t))
        const t = attempt - 1 + random
        return Math.min(maxDelay, Math.max(0, ((term(t) - term(Math.max(0, t - 1))) * initialDelay) / 1.4))
      }
    ],
    "cockatiel #86: no guard against zero times infinity": [
      ": NaN",
      ({ initialDelay, maxDelay, multiplier }, attempt) =>
        Math.min(maxDelay, initialDelay * multiplier ** (attempt - 1))
    ]
  },
  peers: {
    cockatiel: () => {
      const cockatiel = load<Cockatiel>("cockatiel")
      const generators = [
        "noJitterGenerator",
        "fullJitterGenerator",
        "halfJitterGenerator",
        "decorrelatedJitterGenerator"
      ] as const
      for (const name of generators) {
        for (const initialDelay of [0, 1, 1_000]) {
          let backoff = new cockatiel.ExponentialBackoff({ generator: cockatiel[name], initialDelay, maxDelay: 30_000 })
          for (let attempt = 1; attempt <= 5_000; attempt++) {
            backoff = backoff.next()
            const { duration } = backoff
            if (!isDelay(duration, 30_000)) assert.fail(`${name} from ${initialDelay}, attempt ${attempt}: ${duration}`)
          }
        }
      }
      return Promise.resolve()
    }
  }
})

// 33

type Sent = readonly [request: HttpClientRequest.HttpClientRequest, times: number]

const url = "https://orders.example/1"
const keyed = { headers: { "idempotency-key": "order-1" } }

/** How often each may be sent when every attempt fails, of at most three. */
const requests: ReadonlyArray<Sent> = [
  [HttpClientRequest.post(url), 1],
  [HttpClientRequest.patch(url), 1],
  [HttpClientRequest.get(url), 3],
  [HttpClientRequest.head(url), 3],
  [HttpClientRequest.options(url), 3],
  [HttpClientRequest.put(url), 3],
  [HttpClientRequest.del(url), 3],
  [HttpClientRequest.post(url, keyed), 3],
  [HttpClientRequest.patch(url, keyed), 3]
]

const notNow = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.succeed(HttpClientResponse.fromWeb(request, new Response(null, { status: 503 })))
const unreachable = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))

conformance<ResilientClient.Options>({
  number: 33,
  title:
    "a POST is sent once and not retried, unless an Idempotency-Key lets the server recognise it; a GET is retried",
  failing: ["Microsoft.Extensions.Http.Resilience"],
  scenario: (options) =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "orders", deadline: "1 minute", retry: { maxAttempts: 3 } })
      for (const answer of [notNow, unreachable]) {
        for (const [request, expected] of requests) {
          let sent = 0
          const plain = HttpClient.make((request) => Effect.suspend(() => (sent++, answer(request))))
          const client = ResilientClient.withPolicy(plain, policy, options)
          const fiber = yield* Effect.fork(Effect.exit(client.execute(request)))
          yield* TestClock.adjust("1 minute")
          assert.isNotNull(fiber.unsafePoll())
          const key = "idempotency-key" in request.headers ? " with a key" : ""
          assert.strictEqual(sent, expected, `${request.method}${key}: how often it was sent`)
        }
      }
    }),
  ours: {},
  wrong: {
    "Microsoft.Extensions.Http.Resilience: every method": ["POST: how often it was sent", { isIdempotent: () => true }],
    "a client that takes PATCH for safe": [
      "PATCH: how often it was sent",
      { isIdempotent: ({ method }) => method !== "POST" }
    ],
    "a client that does not know the key": [
      "POST with a key: how often it was sent",
      { isIdempotent: ({ method }) => method !== "POST" && method !== "PATCH" }
    ]
  }
})
