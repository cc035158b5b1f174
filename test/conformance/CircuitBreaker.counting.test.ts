/** What counts against the dependency, and how much of it opens the circuit. */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import { altered, ours, type Selfheal } from "./support/altered.js"
import { fail, lastTen, lastTenSeconds, makeBreaker, stateOf } from "./support/breaker.js"
import { begin } from "./support/calls.js"
import { conformance } from "./support/conformance.js"
import { beginCall, both, cockatiel, down, opossum, type NpmBreaker } from "./support/npmBreakers.js"

const failTimes = async (breaker: NpmBreaker, times: number) => {
  for (let call = 0; call < times; call++) await down(breaker)
}

/** More than half of the calls of ten seconds, of at least four: four in ten seconds are 0.4 a second. */
const overTenSeconds: Parameters<typeof both>[1] = {
  cockatiel: ({ SamplingBreaker }) => ({
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 0.4 })
  }),
  opossum: { volumeThreshold: 4, rollingCountTimeout: 10_000 }
}

conformance<Selfheal>({
  number: 9,
  title: "after a pause that is longer than the window, nothing from before it counts",
  failing: ["cockatiel"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { ...lastTenSeconds, minimumThroughput: 4 })
      yield* fail(breaker, 3)
      yield* TestClock.adjust("1 hour")
      yield* fail(breaker)
      assert.strictEqual(yield* stateOf(breaker), "closed")
      assert.strictEqual((yield* breaker.status).failures, 1)
      yield* fail(breaker, 3)
      assert.strictEqual(yield* stateOf(breaker), "open")
    }),
  ours,
  wrong: {
    "cockatiel: a call drops one bucket, however long ago the last call was": await altered(
      "kernel/TimeWindow",
      (window) => ({
        push: (before, failed, slow, now) =>
          window.push(before, failed, slow, Math.min(now, (before.index + 1) * before.width))
      })
    )
  },
  peers: both(async (breaker) => {
    await failTimes(breaker, 3)
    await vi.advanceTimersByTimeAsync(3_600_000)
    await down(breaker)
    assert.strictEqual(breaker.state(), "closed")
    await failTimes(breaker, 3)
    assert.strictEqual(breaker.state(), "open")
  }, overTenSeconds)
})

conformance<Selfheal>({
  number: 10,
  title: "too few calls open nothing, and without further options the first call alone cannot",
  failing: ["opossum"],
  scenario: (library) =>
    Effect.gen(function* () {
      for (const options of [{ failureThreshold: undefined }, lastTen, lastTenSeconds]) {
        const breaker = yield* makeBreaker(library, options)
        yield* fail(breaker)
        assert.strictEqual(yield* stateOf(breaker), "closed", "the first call opened the circuit")
      }
      const breaker = yield* makeBreaker(library, { ...lastTen, minimumThroughput: 4 })
      yield* fail(breaker, 3)
      assert.strictEqual(yield* stateOf(breaker), "closed")
      yield* fail(breaker)
      assert.strictEqual(yield* stateOf(breaker), "open")
    }),
  ours,
  wrong: {
    "opossum: the least number of calls is zero": await altered("kernel/Window", (window) => ({
      judge: (results, rule) => window.judge(results, { ...rule, minimumThroughput: 0 })
    }))
  },
  peers: both(
    async (breaker) => {
      await down(breaker)
      assert.strictEqual(breaker.state(), "closed")
    },
    {
      cockatiel: ({ SamplingBreaker }) => ({ breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }) }),
      opossum: {}
    }
  )
})

conformance<Selfheal>({
  number: 11,
  title: "the circuit opens as soon as there are calls enough, without a whole window's time",
  failing: ["rezilience"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { ...lastTenSeconds, minimumThroughput: 4 })
      yield* fail(breaker, 4)
      assert.strictEqual(yield* stateOf(breaker), "open")
      yield* TestClock.adjust("30 seconds")
      yield* breaker.execute(Effect.void)
      yield* fail(breaker, 4)
      assert.strictEqual(yield* stateOf(breaker), "open")
    }),
  ours,
  wrong: {
    "rezilience: waits for one whole period": await altered("kernel/Window", (window) => ({
      judge: (results, rule) =>
        results._tag === "time" && results.index < 10 ? undefined : window.judge(results, rule)
    }))
  },
  peers: both(async (breaker) => {
    await failTimes(breaker, 4)
    assert.strictEqual(breaker.state(), "open")
  }, overTenSeconds)
})

conformance<Selfheal>({
  number: 12,
  title: "a failure rate threshold of 1.0 opens the circuit when every call fails",
  failing: ["Sentinel before #1769", "opossum"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { ...lastTen, minimumThroughput: 4, failureRateThreshold: 1 })
      yield* fail(breaker, 4)
      assert.strictEqual(yield* stateOf(breaker), "open")
    }),
  ours,
  wrong: {
    "Sentinel before #1769, opossum: strictly more than the threshold": await altered("kernel/Window", (window) => ({
      judge: (results, rule) =>
        results._tag === "run" || results.failures / results.calls > rule.failureRateThreshold
          ? window.judge(results, rule)
          : undefined
    }))
  },
  peers: {
    opossum: opossum(
      async (breaker) => {
        await failTimes(breaker, 10)
        assert.strictEqual(breaker.state(), "open")
      },
      { volumeThreshold: 4, errorThresholdPercentage: 100 }
    )
  }
})

conformance<Selfheal>({
  number: 13,
  title: "what a bulkhead, a rate limiter or a circuit rejects does not count as a failure of the dependency",
  failing: ["opossum"],
  scenario: (library) =>
    Effect.gen(function* () {
      const { Bulkhead, Policy, RateLimiter } = library
      const breaker = yield* makeBreaker(library)
      const bulkhead = yield* Bulkhead.make({ name: "places", maxConcurrent: 1 })
      const rateLimiter = yield* RateLimiter.make({ name: "tokens", limit: 2, interval: "1 hour", mode: "reject" })
      const policy = yield* Policy.make({ name: "upstream", breaker, bulkhead, rateLimiter })
      const open = yield* makeBreaker(library)
      yield* open.force("open")

      const holder = yield* begin(policy.protect)
      const ways = {
        "a full bulkhead around it": policy.protect(Effect.void),
        "a full bulkhead inside of it": breaker.execute(Bulkhead.withBulkhead(Effect.void, bulkhead)),
        "another circuit inside of it": breaker.execute(open.execute(Effect.void))
      }
      const limited = {
        "a rate limit around it": policy.protect(Effect.void),
        "a rate limit inside of it": breaker.execute(RateLimiter.withRateLimiter(Effect.void, rateLimiter))
      }
      const isRejected = (way: string, call: Effect.Effect<void, unknown>) =>
        Effect.gen(function* () {
          assert.isTrue(Exit.isFailure(yield* Effect.exit(call)), `${way} let the call through`)
          assert.strictEqual(yield* stateOf(breaker), "closed", `${way} opened the circuit`)
        })
      yield* Effect.forEach(Object.entries(ways), ([way, call]) => isRejected(way, call))
      yield* holder.succeed
      yield* policy.protect(Effect.void)
      yield* Effect.forEach(Object.entries(limited), ([way, call]) => isRejected(way, call))
    }),
  ours,
  wrong: {
    "opossum: whatever did not succeed is a failure": await altered("Outcomes", () => ({
      ofExit: (exit) => (Exit.isSuccess(exit) ? "success" : "failure"),
      ofCause: () => "failure"
    }))
  },
  peers: {
    cockatiel: cockatiel(async (breaker, { bulkhead }) => {
      const places = bulkhead(1)
      const wrapped: Pick<NpmBreaker, "call"> = { call: (call) => places.execute(() => breaker.call(call)) }
      const holder = await beginCall(wrapped)
      assert.strictEqual((await beginCall(wrapped)).result, "rejected")
      assert.strictEqual(breaker.state(), "closed")
      await holder.succeed()
    }),
    opossum: opossum(
      async (breaker) => {
        const holder = await beginCall(breaker)
        assert.strictEqual((await beginCall(breaker)).result, "rejected")
        assert.strictEqual(breaker.state(), "closed")
        await holder.succeed()
      },
      { capacity: 1, errorThresholdPercentage: 1 }
    )
  }
})

conformance<Selfheal>({
  number: 16,
  title: "a defect counts as a failure, and an interruption says nothing about the dependency",
  failing: ["rezilience"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { failureThreshold: 2 })
      yield* fail(breaker)
      const left = yield* begin(breaker.execute)
      yield* left.interrupt
      yield* Effect.exit(breaker.execute(Effect.interrupt))
      assert.strictEqual((yield* breaker.status).failures, 1, "an interruption was counted")

      const bug = Effect.die("a bug")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(breaker.execute(bug))))
      assert.strictEqual(yield* stateOf(breaker), "open", "a defect was not counted")
    }),
  ours,
  wrong: {
    "rezilience: sees typed errors only": await altered("Outcomes", (outcomes) => ({
      ofCause: (cause, ...by) => (Cause.isDie(cause) ? "ignored" : outcomes.ofCause(cause, ...by))
    })),
    "failsafe-go: an interruption is an error like any other": await altered("Outcomes", (outcomes) => ({
      ofCause: (cause, ...by) => (Cause.isInterrupted(cause) ? "failure" : outcomes.ofCause(cause, ...by))
    }))
  }
})
