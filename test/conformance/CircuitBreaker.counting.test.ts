/** What counts against the dependency, and how much of it opens the circuit. */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import { altered, ours, type Selfheal } from "./support/altered.js"
import { fail, lastTen, lastTenSeconds, makeBreaker, stateOf, succeed } from "./support/breaker.js"
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
  title: "after a pause that is longer than the window of time, nothing from before it counts",
  failing: ["cockatiel"],
  scenario: (library) =>
    Effect.gen(function* () {
      for (const pause of ["10001 millis", "25 seconds", "1 hour"] as const) {
        const breaker = yield* makeBreaker(library, { ...lastTenSeconds, minimumThroughput: 4 })
        yield* breaker.execute(Effect.void)
        yield* TestClock.adjust("1 second")
        yield* fail(breaker, 2)
        assert.strictEqual((yield* breaker.status).failures, 2)
        yield* TestClock.adjust(pause)
        assert.strictEqual((yield* breaker.status).failures, 0, `failures still shown after ${pause}`)
        yield* fail(breaker, 3)
        assert.strictEqual(yield* stateOf(breaker), "closed", `opened by calls from before ${pause}`)
        assert.strictEqual((yield* breaker.status).failures, 3)
        yield* fail(breaker)
        assert.strictEqual(yield* stateOf(breaker), "open")
      }
    }),
  ours,
  wrong: {
    "cockatiel: a call drops one bucket, however long ago the last call was": [
      "opened by calls from before",
      await altered("kernel/TimeWindow", (window) => ({
        push: (before, failed, slow, now) =>
          window.push(before, failed, slow, Math.min(now, (before.index + 1) * before.width))
      }))
    ],
    "cockatiel's, for who reads: only a call drops what is old": [
      "failures still shown",
      await altered("kernel/Window", () => ({ failures: (window) => window.failures }))
    ]
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
  title: "a rate over too few calls does not open the circuit; by default a first call that fails never does",
  failing: ["opossum"],
  scenario: (library) =>
    Effect.gen(function* () {
      for (const options of [{ failureThreshold: undefined }, lastTen, lastTenSeconds]) {
        const breaker = yield* makeBreaker(library, options)
        yield* fail(breaker)
        assert.strictEqual(yield* stateOf(breaker), "closed", "the first call opened the circuit")
      }
      // Nor can a first call that is slow.
      const timed = yield* makeBreaker(library, { ...lastTen, slowCallDuration: "1 second" })
      yield* Effect.zipRight(Effect.fork(timed.execute(Effect.sleep("5 seconds"))), TestClock.adjust("5 seconds"))
      assert.strictEqual(yield* stateOf(timed), "closed", "the first slow call opened the circuit")

      for (const window of [lastTen, lastTenSeconds]) {
        const breaker = yield* makeBreaker(library, { ...window, minimumThroughput: 4 })
        yield* fail(breaker, 3)
        assert.strictEqual(yield* stateOf(breaker), "closed", "three calls are too few")
        yield* fail(breaker)
        assert.strictEqual(yield* stateOf(breaker), "open", "four calls are enough")
      }
    }),
  ours,
  wrong: {
    "opossum: the least number of calls is zero": [
      "the first call opened the circuit",
      await altered("kernel/Window", (window) => ({
        judge: (results, rule) => window.judge(results, { ...rule, minimumThroughput: 0 })
      }))
    ],
    "opossum, if one call were too few": [
      "three calls are too few",
      await altered("kernel/Window", (window) => ({
        judge: (results, rule) => window.judge(results, { ...rule, minimumThroughput: 2 })
      }))
    ]
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
  title: "the circuit opens as soon as enough calls have failed, before the window's time is over for the first time",
  failing: ["rezilience"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { ...lastTenSeconds, minimumThroughput: 4 })
      yield* fail(breaker, 4)
      assert.strictEqual(yield* stateOf(breaker), "open", "a new circuit waits for a whole period")
      yield* TestClock.adjust("30 seconds")
      yield* breaker.execute(Effect.void)
      assert.strictEqual(yield* stateOf(breaker), "closed")
      yield* fail(breaker, 4)
      assert.strictEqual(yield* stateOf(breaker), "open", "a circuit that has just closed waits for a whole period")
    }),
  ours,
  wrong: {
    "rezilience: waits for one whole period": [
      "a new circuit waits for a whole period",
      await altered("kernel/Window", (window) => ({
        judge: (results, rule) =>
          results._tag === "time" && results.index < 10 ? undefined : window.judge(results, rule)
      }))
    ],
    "rezilience: waits for one whole period after each reset": [
      "a circuit that has just closed waits for a whole period",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, verdict, now) =>
          state.automatic._tag === "closed" && state.automatic.opens > 0 && now - state.automatic.since < 10_000
            ? state
            : kernel.settle(state, permit, verdict, now)
      }))
    ]
  },
  peers: both(async (breaker) => {
    await failTimes(breaker, 4)
    assert.strictEqual(breaker.state(), "open")
  }, overTenSeconds)
})

conformance<Selfheal>({
  number: 12,
  title: "a rate that equals its threshold opens the circuit, 1.0 when every call fails",
  failing: ["Sentinel before #1769", "opossum"],
  scenario: (library) =>
    Effect.gen(function* () {
      for (const window of [lastTen, lastTenSeconds]) {
        for (const failures of [10, 7, 5, 1]) {
          const failureRateThreshold = failures / 10
          const options = { ...window, minimumThroughput: 10, failureRateThreshold }
          const below = yield* makeBreaker(library, options)
          yield* succeed(below, 11 - failures)
          yield* fail(below, failures - 1)
          assert.strictEqual(yield* stateOf(below), "closed", `below ${failureRateThreshold}`)

          const equal = yield* makeBreaker(library, options)
          yield* succeed(equal, 10 - failures)
          yield* fail(equal, failures)
          assert.strictEqual(yield* stateOf(equal), "open", `at ${failureRateThreshold}`)
        }
      }
    }),
  ours,
  wrong: {
    "Sentinel before #1769, opossum: strictly more than the threshold": [
      "at 1:",
      await altered("kernel/Window", (window) => ({
        judge: (results, rule) =>
          results._tag === "run" || results.failures / results.calls > rule.failureRateThreshold
            ? window.judge(results, rule)
            : undefined
      }))
    ],
    "Sentinel since #1769: strictly more, and 1.0 made an exception": [
      "at 0.7:",
      await altered("kernel/Window", (window) => ({
        judge: (results, rule) =>
          results._tag === "run" ||
          rule.failureRateThreshold === 1 ||
          results.failures / results.calls > rule.failureRateThreshold
            ? window.judge(results, rule)
            : undefined
      }))
    ]
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

type Ways = Readonly<Record<string, Effect.Effect<void, unknown>>>

conformance<Selfheal>({
  number: 13,
  title: "what a bulkhead, a rate limit or a circuit turns away counts neither as failure nor as success",
  failing: ["opossum"],
  scenario: (library) =>
    Effect.gen(function* () {
      const { Bulkhead, Policy, RateLimiter } = library
      // A second failure opens the circuit, unless a success comes before it.
      const breaker = yield* makeBreaker(library, { failureThreshold: 2 })
      const bulkhead = yield* Bulkhead.make({ name: "places", maxConcurrent: 1 })
      const rateLimiter = yield* RateLimiter.make({ name: "tokens", limit: 2, interval: "1 hour", mode: "reject" })
      const policy = yield* Policy.make({ name: "upstream", breaker, bulkhead, rateLimiter })
      const open = yield* makeBreaker(library)
      yield* open.force("open")

      const holder = yield* begin(policy.protect)
      yield* fail(breaker)
      const inside: Ways = {
        "a full bulkhead inside of it": breaker.execute(Bulkhead.withBulkhead(Effect.void, bulkhead)),
        "another circuit inside of it": breaker.execute(open.execute(Effect.void))
      }
      const limitInside: Ways = {
        "a rate limit inside of it": breaker.execute(RateLimiter.withRateLimiter(Effect.void, rateLimiter))
      }
      const isTurnedAway = (way: string, call: Effect.Effect<void, unknown>) =>
        Effect.gen(function* () {
          assert.isTrue(Exit.isFailure(yield* Effect.exit(call)), `${way} let the call through`)
          const { failures, state } = yield* breaker.status
          assert.strictEqual(state, "closed", `${way} counted as a failure`)
          assert.strictEqual(failures, 1, `${way} counted as a success`)
        })
      const areTurnedAway = (ways: Ways) =>
        Effect.forEach(Object.entries(ways), ([way, call]) => isTurnedAway(way, call))
      yield* areTurnedAway({ "a full bulkhead around it": policy.protect(Effect.void), ...inside })
      yield* holder.failWith("down")
      assert.strictEqual(yield* stateOf(breaker), "open", "the second failure")

      // A probe that is turned away inside has tried nothing.
      yield* TestClock.adjust("30 seconds")
      const another = yield* begin(Bulkhead.withBulkhead(bulkhead))
      yield* RateLimiter.withRateLimiter(Effect.void, rateLimiter)
      for (const [way, call] of Object.entries({ ...inside, ...limitInside })) {
        assert.isTrue(Exit.isFailure(yield* Effect.exit(call)), `${way} let the call through`)
        const { probesInUse, state } = yield* breaker.status
        assert.deepStrictEqual({ probesInUse, state }, { probesInUse: 0, state: "half-open" }, `${way} decided`)
      }
      yield* another.succeed
      yield* breaker.execute(Effect.void)

      yield* fail(breaker)
      yield* areTurnedAway({ "a rate limit around it": policy.protect(Effect.void), ...limitInside })
    }),
  ours,
  wrong: {
    "opossum: whatever did not succeed is a failure": [
      "a full bulkhead inside of it counted as a failure",
      await altered("Outcomes", () => ({
        ofExit: (exit) => (Exit.isSuccess(exit) ? "success" : "failure"),
        ofCause: () => "failure"
      }))
    ],
    "Polly: whatever is not a failure is a success": [
      "a full bulkhead inside of it counted as a success",
      await altered("Outcomes", (outcomes) => ({
        ofCause: (cause, classifiers) => {
          const verdict = outcomes.ofCause(cause, classifiers)
          return verdict === "ignored" ? "success" : verdict
        }
      }))
    ]
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
  title: "a call that dies of a bug counts as failed; one that is interrupted says nothing about the dependency",
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
      const diesAtTheEnd = Effect.onExit(Effect.interrupt, () => bug)
      for (const [way, dying] of Object.entries({
        "a defect": bug,
        "a function that throws": Effect.sync(broken),
        "an interrupted call whose finalizer breaks": diesAtTheEnd
      })) {
        assert.isTrue(Exit.isFailure(yield* Effect.exit(breaker.execute(dying))))
        assert.strictEqual(yield* stateOf(breaker), "open", `${way} was not counted`)
        yield* TestClock.adjust("30 seconds")
        // As a probe it counts, too.
        assert.isTrue(Exit.isFailure(yield* Effect.exit(breaker.execute(dying))))
        assert.strictEqual(yield* stateOf(breaker), "open", `${way} was not counted for a probe`)
        yield* TestClock.adjust("30 seconds")
        yield* breaker.execute(Effect.void)
        yield* fail(breaker)
      }
    }),
  ours,
  wrong: {
    "rezilience: sees typed errors only": [
      "a defect was not counted",
      await altered("Outcomes", (outcomes) => ({
        ofCause: (cause, ...by) => (Cause.isDie(cause) ? "ignored" : outcomes.ofCause(cause, ...by))
      }))
    ],
    "failsafe-go: an interruption is an error like any other": [
      "an interruption was counted",
      await altered("Outcomes", (outcomes) => ({
        ofCause: (cause, ...by) => (Cause.isInterrupted(cause) ? "failure" : outcomes.ofCause(cause, ...by))
      }))
    ],
    "a breaker that asks for interruptions first": [
      "an interrupted call whose finalizer breaks was not counted",
      await altered("Outcomes", (outcomes) => ({
        ofCause: (cause, ...by) => (Cause.isInterrupted(cause) ? "interrupted" : outcomes.ofCause(cause, ...by))
      }))
    ]
  }
})

const broken = (): never => {
  throw new Error("a bug")
}
