import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import type { Gate } from "../../src/resilience/Gate.js"
import * as Hedge from "../../src/resilience/Hedge.js"
import * as Policy from "../../src/resilience/Policy.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"
import * as Turnstile from "./support/Turnstile.js"

class Upstream extends Data.TaggedError("Upstream")<{ readonly retryAfter?: Duration.Duration }> {}

const down = Effect.fail(new Upstream({}))

/** Runs a call to its end in virtual time and says how it ended and when. */
const play = <A, E>(call: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.fork(Effect.zip(Effect.exit(call), Clock.currentTimeMillis))
    yield* TestClock.adjust("1 hour")
    const [exit, end] = yield* Fiber.join(fiber)
    return { exit, after: end - start }
  })

const tagOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.match(exit, {
    onSuccess: String,
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onNone: () => cause._tag,
        onSome: (error) => String((error as { readonly _tag: string })._tag)
      })
  })

/** A call that fails or succeeds by its script, one step an attempt, and writes down when it was attempted. */
const scripted = (steps: ReadonlyArray<{ readonly after: number; readonly fails?: boolean }>) => {
  const times: Array<number> = []
  const call = Effect.suspend(() => {
    const step = steps[Math.min(times.length, steps.length - 1)]!
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      times.push(now)
      return Effect.delay(step.fails === true ? down : Effect.succeed("up"), step.after)
    })
  })
  return { call, times }
}

const slow = { after: 60_000 }
const failing = { after: 100, fails: true }

describe("Policy and time", () => {
  it.effect("ends an attempt at its own limit, and says so", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "openai", deadline: "20 seconds", attemptTimeout: "12 seconds" })
      const { after, exit } = yield* play(policy.protect(scripted([slow]).call))
      assert.strictEqual(tagOf(exit), "AttemptTimeout")
      assert.strictEqual(after, 12_000)
    })
  )

  it.effect("rounds a fraction of a millisecond up, which no timer can wait for", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "openai", attemptTimeout: "1500 micros" })
      const { after, exit } = yield* play(policy.protect(scripted([slow]).call))
      assert.strictEqual(tagOf(exit), "AttemptTimeout")
      assert.strictEqual(after, 2)
    })
  )

  it.effect("ends a later attempt at the deadline, which is no failure of the dependency", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const policy = yield* Policy.make({
        name: "openai",
        deadline: "20 seconds",
        attemptTimeout: "12 seconds",
        retry: {},
        breaker
      })
      const { call, times } = scripted([slow])
      const { after, exit } = yield* play(policy.protect(call, { idempotent: true }))
      assert.strictEqual(tagOf(exit), "DeadlineExceeded")
      assert.strictEqual(after, 20_000)
      assert.deepStrictEqual(times, [0, 13_000])
      assert.strictEqual((yield* breaker.status).failures, 1)
    })
  )

  it.effect("lets the attempt's limit win a tie with the deadline", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "redis" })
      const bulkhead = Turnstile.make()
      for (const gates of [{}, { bulkhead }]) {
        const policy = yield* Policy.make({ name: "redis", deadline: 150, attemptTimeout: 150, breaker, ...gates })
        const { after, exit } = yield* play(policy.protect(Effect.never))
        assert.strictEqual(tagOf(exit), "AttemptTimeout")
        assert.strictEqual(after, 150)
      }
      assert.strictEqual((yield* breaker.status).failures, 2)
    })
  )

  it.effect("waits for what the interrupted attempt has to put in order", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "openai", attemptTimeout: "1 second" })
      let closed = false
      const call = Effect.ensuring(
        Effect.never,
        Effect.delay(
          Effect.sync(() => (closed = true)),
          500
        )
      )
      const { after } = yield* play(policy.protect(call))
      assert.isTrue(closed)
      assert.strictEqual(after, 1_500)
    })
  )

  it.effect("does not wait for a retry that could not start before the deadline", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "openai", deadline: "3100 millis", retry: {} })
      const { call, times } = scripted([failing])
      const { after, exit } = yield* play(policy.protect(call, { idempotent: true }))
      assert.strictEqual(tagOf(exit), "Upstream")
      assert.deepStrictEqual(times, [0, 1_100])
      assert.strictEqual(after, 1_200)
    })
  )

  it.effect("hands a hint beyond the deadline to the caller at once", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "openai", deadline: "5 seconds", retry: {} })
      const busy = new Upstream({ retryAfter: Duration.seconds(6) })
      const { after, exit } = yield* play(policy.protect(Effect.fail(busy), { idempotent: true }))
      assert.deepStrictEqual(exit, Exit.fail(busy))
      assert.strictEqual(after, 0)
    })
  )

  it.effect("bounds the wait in a queue by the time left and calls that the deadline", () =>
    Effect.gen(function* () {
      const bulkhead = Turnstile.make()
      const policy = yield* Policy.make({ name: "openai", deadline: "5 seconds", bulkhead })
      bulkhead.waits.push(6_000)
      const { after, exit } = yield* play(policy.protect(Effect.succeed("up")))
      assert.strictEqual(tagOf(exit), "DeadlineExceeded")
      assert.strictEqual(after, 5_000)
      assert.strictEqual(bulkhead.admissions[0]?.patience, 5_000)
      assert.deepInclude(bulkhead.counts, { queued: 0, inside: 0 })
    })
  )

  it.effect("bounds the waits in both queues together by the deadline", () =>
    Effect.gen(function* () {
      const [rateLimiter, bulkhead] = [Turnstile.make("limiter"), Turnstile.make("bulkhead")]
      rateLimiter.waits.push(4_000)
      bulkhead.waits.push(4_000)
      const policy = yield* Policy.make({ name: "openai", deadline: "5 seconds", rateLimiter, bulkhead })
      const { after, exit } = yield* play(policy.protect(Effect.succeed("up")))
      assert.strictEqual(tagOf(exit), "DeadlineExceeded")
      assert.strictEqual(after, 5_000)
    })
  )

  it.effect("takes the wait in a queue off the attempt", () =>
    Effect.gen(function* () {
      const bulkhead = Turnstile.make()
      const policy = yield* Policy.make({
        name: "openai",
        deadline: "5 seconds",
        attemptTimeout: "4 seconds",
        bulkhead
      })
      bulkhead.waits.push(2_000)
      const { after, exit } = yield* play(policy.protect(Effect.never))
      assert.strictEqual(tagOf(exit), "DeadlineExceeded")
      assert.strictEqual(after, 5_000)
    })
  )
})

describe("Policy and retries", () => {
  it.effect("retries an operation only when it is declared idempotent", () =>
    Effect.gen(function* () {
      const policy = yield* Policy.make({ name: "stripe", retry: {} })
      const undeclared = scripted([failing])
      yield* play(policy.protect(undeclared.call))
      assert.lengthOf(undeclared.times, 1)
      const declared = scripted([failing, failing, { after: 100 }])
      const { after, exit } = yield* play(Policy.withPolicy(declared.call, policy, { idempotent: true }))
      assert.strictEqual(tagOf(exit), "up")
      assert.strictEqual(after, 3_300)
    })
  )

  it.effect("passes through the gates anew with each attempt", () =>
    Effect.gen(function* () {
      const bulkhead = Turnstile.make()
      const policy = yield* Policy.make({ name: "openai", retry: {}, bulkhead })
      yield* play(policy.protect(scripted([failing]).call, { idempotent: true }))
      assert.deepInclude(bulkhead.counts, { admitted: 3, inside: 0, mostInside: 1 })
    })
  )

  it.effect("does not retry a circuit that opened on the way", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 2 })
      const policy = yield* Policy.make({ name: "openai", retry: { maxAttempts: 5 }, breaker })
      const { call, times } = scripted([failing])
      const { exit } = yield* play(policy.protect(call, { idempotent: true }))
      assert.strictEqual(tagOf(exit), "CircuitOpen")
      assert.lengthOf(times, 2)
    })
  )
})

describe("Policy and its order", () => {
  it.effect("looks at the circuit first: a rejected call costs no place and no token", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const [rateLimiter, bulkhead] = [Turnstile.make("limiter"), Turnstile.make("bulkhead")]
      const policy = yield* Policy.make({ name: "openai", breaker, rateLimiter, bulkhead })
      yield* breaker.force("open")
      const { exit } = yield* play(policy.protect(Effect.succeed("up")))
      assert.strictEqual(tagOf(exit), "CircuitOpen")
      assert.strictEqual(rateLimiter.counts.admitted + bulkhead.counts.admitted, 0)
    })
  )

  it.effect("rejects those who queue at once when the circuit opens", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 1 })
      const bulkhead = Turnstile.make()
      const policy = yield* Policy.make({ name: "openai", deadline: "10 seconds", breaker, bulkhead })
      bulkhead.waits.push(5_000, 6_000, 0)
      const queued = yield* Effect.forkAll([
        Effect.exit(policy.protect(Effect.succeed("up"))),
        Effect.exit(policy.protect(Effect.succeed("up")))
      ])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(bulkhead.counts.queued, 2)
      yield* Effect.exit(policy.protect(down))
      const exits = yield* Fiber.join(queued)
      assert.deepStrictEqual(exits.map(tagOf), ["CircuitOpen", "CircuitOpen"])
      assert.strictEqual(yield* Clock.currentTimeMillis, 1_000)
      assert.deepInclude(bulkhead.counts, { queued: 0, inside: 0 })
    })
  )

  it.effect("holds no place while it waits for a token", () =>
    Effect.gen(function* () {
      const [rateLimiter, bulkhead] = [Turnstile.make("limiter"), Turnstile.make("bulkhead")]
      const policy = yield* Policy.make({ name: "openai", rateLimiter, bulkhead })
      rateLimiter.waits.push(1_000)
      const waiting = yield* Effect.fork(policy.protect(Effect.succeed("up")))
      yield* TestClock.adjust(999)
      assert.deepInclude(rateLimiter.counts, { queued: 1 })
      assert.deepInclude(bulkhead.counts, { admitted: 0 })
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(waiting), "up")
      assert.deepInclude(bulkhead.counts, { admitted: 1, inside: 0 })
    })
  )

  it.effect("does not begin the call of someone who left in the moment of being let in, and charges nothing", () =>
    Effect.gen(function* () {
      const begun: Array<boolean | undefined> = []
      const slow: Gate = {
        name: "slow",
        // Cannot be interrupted: who leaves meanwhile is let in nevertheless.
        admit: () =>
          Effect.delay(
            Effect.succeed((_, started) => Effect.sync(() => void begun.push(started))),
            10
          )
      }
      let calls = 0
      const call = Effect.sync(() => void (calls += 1))
      for (const options of [{}, { attemptTimeout: 100 }, { deadline: 100 }]) {
        const policy = yield* Policy.make({ name: "openai", bulkhead: slow, ...options })
        const caller = yield* Effect.fork(policy.protect(call))
        yield* TestClock.adjust(5)
        yield* Fiber.interruptFork(caller)
        yield* TestClock.adjust(5)
        assert.isTrue(Exit.isInterrupted(yield* Fiber.await(caller)))
      }
      assert.strictEqual(calls, 0)
      assert.deepStrictEqual(begun, [false, false, false])
    })
  )

  it.effect("gives the place back when the breaker rejects after the queue", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const bulkhead = Turnstile.make()
      const policy = yield* Policy.make({ name: "openai", breaker, bulkhead })
      const opensAtTheDoor = {
        name: "door",
        admit: () => Effect.as(breaker.force("open"), () => Effect.void)
      }
      const strict = yield* Policy.make({ name: "openai", breaker, rateLimiter: bulkhead, bulkhead: opensAtTheDoor })
      assert.strictEqual(tagOf((yield* play(strict.protect(Effect.succeed("up")))).exit), "CircuitOpen")
      yield* breaker.force("auto")
      assert.strictEqual(tagOf((yield* play(policy.protect(Effect.succeed("up")))).exit), "up")
      assert.deepInclude(bulkhead.counts, { admitted: 2, inside: 0 })
    })
  )

  it.effect("leases a probe for as long as an attempt may take", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "database", failureThreshold: 1, resetTimeout: "2 seconds" })
      const policy = yield* Policy.make({ name: "database", attemptTimeout: "5 seconds", breaker })
      yield* Effect.exit(policy.protect(down))
      yield* TestClock.adjust("2 seconds")
      const probe = yield* Effect.fork(policy.protect(Effect.delay(Effect.succeed("up"), "4 seconds")))
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(yield* Fiber.join(probe), "up")
      assert.strictEqual((yield* breaker.status).state, "closed")
    })
  )

  it.effect("describes what was built, outside in", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const policy = yield* Policy.make({
        name: "openai",
        deadline: "20 seconds",
        attemptTimeout: "12 seconds",
        retry: { jitter: "full" },
        breaker,
        rateLimiter: Turnstile.make("openai limit"),
        bulkhead: Turnstile.make("openai places")
      })
      assert.strictEqual(
        policy.describe,
        "deadline 20s > retry up to 3 attempts (first after 1s, growing 2 times up to 10s, jitter full), idempotent " +
          'calls only > look at circuit "openai" > rate limit "openai limit" > bulkhead "openai places" > ' +
          'circuit breaker "openai" > attempt timeout 12s > call of "openai"'
      )
      assert.strictEqual((yield* Policy.make({ name: "bare" })).describe, 'call of "bare"')
      // One attempt is no retry.
      assert.strictEqual((yield* Policy.make({ name: "once", retry: { maxAttempts: 1 } })).describe, 'call of "once"')
    })
  )

  it.effect("refuses options that are wrong or crossed, and says what to change", () =>
    Effect.gen(function* () {
      const gate = Turnstile.make("one gate")
      const { message, problems } = yield* Effect.flip(
        Policy.make({
          name: "",
          deadline: "1 second",
          attemptTimeout: "2 seconds",
          retry: { maxAttempts: 3, initialDelay: "4 seconds" },
          rateLimiter: gate,
          bulkhead: gate
        })
      )
      assert.lengthOf(problems, 4)
      assert.include(message, "attemptTimeout (2s) is longer than the deadline (1s)")
      assert.include(message, "lower attemptTimeout, or raise the deadline")
      assert.include(message, 'the gate "one gate" stands in two places')
      assert.include(message, "lower retry.initialDelay")
      const nested = yield* Effect.flip(Policy.make({ name: "x", deadline: 0, retry: { maxAttempts: 0 } }))
      assert.include(nested.message, "deadline is 0")
      assert.include(nested.message, "retry: maxAttempts is 0")
    })
  )
})

describe("Policy and its call", () => {
  const ref = FiberRef.unsafeMake("untouched")
  const Region = Context.GenericTag<"Region", string>("Region")

  /** Of nothing, of each part alone, and of all of them. */
  const policies = Effect.gen(function* () {
    const parts: ReadonlyArray<Omit<Policy.Options, "name">> = [
      {},
      { breaker: yield* CircuitBreaker.make({ name: "x" }) },
      { bulkhead: Turnstile.make() },
      { deadline: 5_000 },
      { attemptTimeout: 1_000, retry: {} },
      { onEvent: () => Effect.void },
      { hedge: yield* Hedge.make({ name: "x", delay: 500 }) }
    ]
    const all = Object.assign({}, ...parts) as Omit<Policy.Options, "name">
    return yield* Effect.forEach([...parts, all], (options) =>
      Effect.map(Policy.make({ name: "x", ...options }), (policy) => [policy, options] as const)
    )
  })

  /** What the call sees of its caller's world, and something that it leaves behind there, after a wait or without one. */
  const look = (wait: Effect.Effect<void>) =>
    Effect.gen(function* () {
      yield* wait
      const seen = {
        ref: yield* FiberRef.get(ref),
        region: yield* Region,
        span: (yield* Effect.currentSpan).name,
        interruptible: yield* Effect.checkInterruptible(Effect.succeed)
      }
      yield* FiberRef.set(ref, "touched")
      return seen
    })

  it.effect("shows it its caller's world, and keeps what it leaves there, whatever the policy is made of", () =>
    Effect.gen(function* () {
      for (const [policy, options] of yield* policies) {
        for (const masked of [false, true]) {
          for (const wait of [Effect.void, Effect.sleep(10)]) {
            const call = Effect.zip(policy.protect(look(wait), { idempotent: true }), FiberRef.get(ref))
            const { exit } = yield* play(
              (masked ? Effect.uninterruptible(call) : Effect.interruptible(call)).pipe(
                Effect.locally(ref, "given"),
                Effect.provideService(Region, "north"),
                Effect.withSpan("caller")
              )
            )
            // The losers of a hedge have to be stopped, also under a caller who is not.
            const interruptible = !masked || options.hedge !== undefined
            assert.deepStrictEqual(
              exit,
              Exit.succeed([{ ref: "given", region: "north", span: "caller", interruptible }, "touched"]),
              policy.describe
            )
          }
        }
      }
    })
  )

  it.effect("hands over whatever it ends with, what looks like the end of another call included", () =>
    Effect.gen(function* () {
      // Unknown, because nobody means to fail with effects; but nothing keeps them from it.
      const values: ReadonlyArray<unknown> = [
        undefined,
        Exit.fail("no"),
        Exit.succeed(1),
        Exit.die("bug"),
        Effect.fail("no"),
        Option.none()
      ]
      const calls = [
        ...values.map((value) => [Effect.succeed(value), Exit.succeed(value)] as const),
        ...values.map((value) => [Effect.fail(value), Exit.fail(value)] as const),
        ...values.map((value) => [Effect.die(value), Exit.die(value)] as const)
      ]
      for (const [policy] of yield* policies) {
        for (const [call, expected] of calls) {
          for (const each of [call, Effect.suspend(() => call), Effect.zipRight(Effect.sleep(10), call)]) {
            const { exit } = yield* play(policy.protect<unknown, unknown, never>(each))
            assert.deepStrictEqual(exit, expected, policy.describe)
          }
        }
      }
    })
  )
})

describe("Policy and its events", () => {
  const watched = (options: Omit<Policy.Options, "name" | "onEvent">) =>
    Effect.gen(function* () {
      const events: Array<Policy.Event> = []
      const policy = yield* Policy.make({
        name: "openai",
        onEvent: (event) => Effect.sync(() => void events.push(event)),
        ...options
      })
      return { events, policy }
    })

  it.effect("tells attempts, retries and the end of the call with what they took", () =>
    Effect.gen(function* () {
      const { events, policy } = yield* watched({ attemptTimeout: "2 seconds", retry: {} })
      yield* play(policy.protect(scripted([failing, slow, { after: 10 }]).call, { idempotent: true }))
      assert.deepStrictEqual(
        events.map((event) =>
          event._tag === "RetryScheduled" ? { ...event, error: tagOf(Exit.fail(event.error)) } : event
        ),
        [
          { _tag: "AttemptEnded", attempt: 1, outcome: "failure", elapsedMillis: 100 },
          { _tag: "RetryScheduled", attempt: 1, delayMillis: 1_000, error: "Upstream" },
          { _tag: "AttemptEnded", attempt: 2, outcome: "failure", elapsedMillis: 2_000 },
          { _tag: "RetryScheduled", attempt: 2, delayMillis: 2_000, error: "AttemptTimeout" },
          { _tag: "AttemptEnded", attempt: 3, outcome: "success", elapsedMillis: 10 },
          { _tag: "CallEnded", outcome: "success", elapsedMillis: 5_110, attempts: 3 }
        ]
      )
    })
  )

  it.effect("tells a success as slow when its attempt was, and not when the call had to wait for it", () =>
    Effect.gen(function* () {
      const window = { type: "count", size: 10 } as const
      const breaker = yield* CircuitBreaker.make({ name: "openai", window, slowCallDuration: 100 })
      const { events, policy } = yield* watched({ breaker, retry: {} })
      const outcomes = (script: Parameters<typeof scripted>[0]) =>
        Effect.map(play(policy.protect(scripted(script).call, { idempotent: true })), () =>
          events.splice(0).flatMap((event) => (event._tag === "RetryScheduled" ? [] : [event.outcome]))
        )
      assert.deepStrictEqual(yield* outcomes([{ after: 101 }]), ["slow", "slow"])
      assert.deepStrictEqual(yield* outcomes([{ after: 100 }]), ["success", "success"])
      assert.deepStrictEqual(yield* outcomes([failing, { after: 10 }]), ["failure", "success", "success"])
      assert.deepStrictEqual(yield* outcomes([failing, { after: 101 }]), ["failure", "slow", "slow"])
    })
  )

  it.effect("tells a rejected call with its rejection and no attempt", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const { events, policy } = yield* watched({ breaker })
      yield* breaker.force("open")
      yield* play(policy.protect(Effect.succeed("up")))
      const [ended] = events
      assert.lengthOf(events, 1)
      assert.deepInclude(ended, { _tag: "CallEnded", outcome: "ignored", attempts: 0 })
      assert.strictEqual(ended?._tag === "CallEnded" ? ended.rejection?._tag : undefined, "CircuitOpen")
    })
  )

  it.effect("tells an interrupted attempt and its call, and a defect as a failure", () =>
    Effect.gen(function* () {
      const { events, policy } = yield* watched({})
      const fiber = yield* Effect.fork(policy.protect(Effect.never))
      yield* TestClock.adjust(70)
      yield* Fiber.interrupt(fiber)
      yield* play(policy.protect(Effect.die("bug")))
      assert.deepStrictEqual(events, [
        { _tag: "AttemptEnded", attempt: 1, outcome: "interrupted", elapsedMillis: 70 },
        { _tag: "CallEnded", outcome: "interrupted", elapsedMillis: 70, attempts: 1 },
        { _tag: "AttemptEnded", attempt: 1, outcome: "failure", elapsedMillis: 0 },
        { _tag: "CallEnded", outcome: "failure", elapsedMillis: 0, attempts: 1 }
      ])
    })
  )

  it.effect("tells a call that its last attempt's limit ended as the failure that it was", () =>
    Effect.gen(function* () {
      const { events, policy } = yield* watched({ attemptTimeout: "2 seconds", retry: { maxAttempts: 2 } })
      const { exit } = yield* play(policy.protect(Effect.never, { idempotent: true }))
      assert.strictEqual(tagOf(exit), "AttemptTimeout")
      assert.deepStrictEqual(
        events.flatMap((event) => (event._tag === "RetryScheduled" ? [] : [[event._tag, event.outcome]])),
        [
          ["AttemptEnded", "failure"],
          ["AttemptEnded", "failure"],
          ["CallEnded", "failure"]
        ]
      )
    })
  )

  it.effect("tells a call that a rejection ended between its attempts as its last attempt was", () =>
    Effect.gen(function* () {
      const call = (options: Omit<Policy.Options, "name" | "onEvent">, self: Effect.Effect<unknown, unknown> = down) =>
        Effect.gen(function* () {
          const { events, policy } = yield* watched({ retry: {}, ...options })
          yield* play(policy.protect(self, { idempotent: true }))
          const ended = events.at(-1)
          return ended?._tag === "CallEnded"
            ? [ended.outcome, ended.attempts, ended.rejection?._tag]
            : assert.fail("the end was not told")
        })
      const retryBudget = yield* RetryBudget.make({ name: "openai", ratio: 0.1, minPerSecond: 0 })
      assert.deepStrictEqual(yield* call({ retryBudget }), ["failure", 1, "RetryBudgetExhausted"])
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 2 })
      assert.deepStrictEqual(yield* call({ breaker }), ["failure", 2, "CircuitOpen"])
      const turnstile = Turnstile.make()
      turnstile.waits.push(0, 9_000)
      assert.deepStrictEqual(yield* call({ bulkhead: turnstile, deadline: 5_000 }), ["failure", 1, "DeadlineExceeded"])
      const lenient = yield* CircuitBreaker.make({ name: "openai", isFailure: () => false })
      const spent = yield* RetryBudget.make({ name: "openai", ratio: 0.1, minPerSecond: 0 })
      assert.deepStrictEqual(yield* call({ breaker: lenient, retryBudget: spent }), [
        "ignored",
        1,
        "RetryBudgetExhausted"
      ])
      const inner = yield* Policy.make({ name: "inner", deadline: 1_000 })
      assert.deepStrictEqual(yield* call({}, inner.protect(Effect.never)), ["ignored", 1, "DeadlineExceeded"])
      assert.deepStrictEqual(yield* call({ deadline: 5_000 }, Effect.never), ["ignored", 1, "DeadlineExceeded"])
    })
  )

  it.effect("tells the end of a call whose caller leaves while it queues or waits for a retry", () =>
    Effect.gen(function* () {
      const turnstile = Turnstile.make()
      const { events, policy } = yield* watched({ bulkhead: turnstile, retry: {} })
      const leaving = (call: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(policy.protect(call, { idempotent: true }))
          yield* TestClock.adjust(200)
          yield* Fiber.interrupt(fiber)
          return events
            .splice(0)
            .map(({ _tag, ...rest }) => [_tag, "outcome" in rest ? rest.outcome : rest.delayMillis])
        })
      assert.deepStrictEqual(yield* leaving(Effect.delay(down, 100)), [
        ["AttemptEnded", "failure"],
        ["RetryScheduled", 1_000],
        ["CallEnded", "interrupted"]
      ])
      turnstile.waits.push(1_000)
      assert.deepStrictEqual(yield* leaving(Effect.void), [["CallEnded", "interrupted"]])
    })
  )

  it.effect("is not harmed by a listener that breaks", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const policy = yield* Policy.make({
        name: "openai",
        breaker,
        onEvent: () => {
          throw new Error("broken listener")
        }
      })
      assert.strictEqual(tagOf((yield* play(policy.protect(Effect.succeed("up")))).exit), "up")
    })
  )
})
