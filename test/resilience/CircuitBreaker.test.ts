import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Gate from "../../src/resilience/Gate.js"
import { AttemptTimeout, BulkheadFull, type CircuitOpen } from "../../src/resilience/Rejection.js"

const down = Effect.fail("down" as const)
const up = Effect.succeed("up" as const)

const failTimes = (breaker: CircuitBreaker.CircuitBreaker, times: number) =>
  Effect.repeatN(Effect.ignore(breaker.execute(down)), times - 1)

const stateOf = (breaker: CircuitBreaker.CircuitBreaker) => Effect.map(breaker.status, ({ state }) => state)

/** A call that has passed the breaker and waits to be told how to end. */
const begin = (breaker: CircuitBreaker.CircuitBreaker) =>
  Effect.gen(function* () {
    const started = yield* Deferred.make<void>()
    const end = yield* Deferred.make<string, string>()
    const fiber = yield* Effect.fork(
      breaker.execute(Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(end)))
    )
    yield* Deferred.await(started)
    return {
      fiber,
      succeed: Effect.zipRight(Deferred.succeed(end, "up"), Fiber.await(fiber)),
      fail: Effect.zipRight(Deferred.fail(end, "down"), Fiber.await(fiber)),
      interrupt: Fiber.interrupt(fiber)
    }
  })

const halfOpen = (options?: Partial<CircuitBreaker.Options>) =>
  Effect.gen(function* () {
    const breaker = yield* CircuitBreaker.make({ name: "openai", ...options })
    yield* failTimes(breaker, 5)
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual(yield* stateOf(breaker), "half-open")
    return breaker
  })

const rejectionOf = (breaker: CircuitBreaker.CircuitBreaker): Effect.Effect<CircuitOpen> =>
  Effect.flatMap(Effect.flip(breaker.execute(down)), (error) =>
    error === "down" ? Effect.dieMessage("the call was let through") : Effect.succeed(error)
  )

describe("CircuitBreaker with default options", () => {
  it.effect("opens at the fifth failure in a row, and not before", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 4)
      yield* breaker.execute(up)
      yield* failTimes(breaker, 4)
      assert.strictEqual(yield* stateOf(breaker), "closed")
      yield* failTimes(breaker, 1)
      assert.strictEqual(yield* stateOf(breaker), "open")
    })
  )

  it.effect("rejects for 30 seconds to the millisecond, then lets three probes at a time through", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 5)
      yield* TestClock.adjust(29_999)
      const rejection = yield* rejectionOf(breaker)
      assert.strictEqual(rejection.policy, "openai")
      assert.strictEqual(rejection.reason, "open")
      assert.strictEqual(Duration.toMillis(rejection.retryAfter!), 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* Effect.replicateEffect(begin(breaker), 3)
      assert.strictEqual((yield* breaker.status).probesInUse, 3)
      assert.strictEqual((yield* rejectionOf(breaker)).reason, "half-open-full")
    })
  )

  it.effect("does so on any day: where the clock of a test goes by the date, too", () =>
    Effect.gen(function* () {
      const today = Date.parse("2026-11-26T14:00:00Z")
      for (let start = today; start < today + 4; start++) {
        yield* TestClock.setTime(start)
        const breaker = yield* CircuitBreaker.make({ name: "openai" })
        yield* failTimes(breaker, 5)
        yield* TestClock.setTime(start + 29_999)
        assert.deepStrictEqual((yield* rejectionOf(breaker)).retryAfter, Duration.millis(1))
        yield* TestClock.setTime(start + 30_000)
        assert.strictEqual(yield* breaker.execute(up), "up")
      }
    })
  )

  it.effect("closes at the first successful probe", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      yield* breaker.execute(up)
      assert.deepStrictEqual(yield* breaker.status, {
        serviceName: "openai",
        state: "closed",
        mode: "auto",
        failures: 0,
        probesInUse: 0
      })
    })
  )

  it.effect("opens for another 30 seconds at a failed probe", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      yield* TestClock.adjust(700)
      yield* failTimes(breaker, 1)
      yield* TestClock.adjust(29_999)
      assert.strictEqual(yield* stateOf(breaker), "open")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* stateOf(breaker), "half-open")
    })
  )

  it.effect("says in its status since when it is open and when a call can pass", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* TestClock.adjust(2_000)
      yield* failTimes(breaker, 5)
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(yield* breaker.getStatus, {
        serviceName: "openai",
        state: "open",
        mode: "auto",
        failures: 5,
        openedAt: "1970-01-01T00:00:02.000Z",
        retryAfterSeconds: 30,
        probesInUse: 0
      })
    })
  )
})

describe("CircuitBreaker.withCircuitBreaker", () => {
  it.effect("passes an effect through the breaker, before or after it in a pipe", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 2 })
      assert.strictEqual(yield* CircuitBreaker.withCircuitBreaker(up, breaker), "up")
      assert.strictEqual(yield* Effect.flip(CircuitBreaker.withCircuitBreaker(down, breaker)), "down")
      assert.strictEqual(yield* Effect.flip(down.pipe(CircuitBreaker.withCircuitBreaker(breaker))), "down")
      const error = yield* Effect.flip(up.pipe(CircuitBreaker.withCircuitBreaker(breaker)))
      assert.deepInclude(error, { _tag: "CircuitOpen", policy: "openai", reason: "open" })
    })
  )
})

describe("CircuitBreaker and how calls end", () => {
  it.effect("passes values, errors and defects through as they are", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      assert.strictEqual(yield* breaker.execute(up), "up")
      assert.strictEqual(yield* Effect.flip(breaker.execute(down)), "down")
      assert.deepStrictEqual(yield* Effect.exit(breaker.execute(Effect.die("bug"))), Exit.die("bug"))
      assert.strictEqual((yield* breaker.status).failures, 2)
    })
  )

  it.effect("counts a defect also where it comes with an error that would not count", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", isFailure: () => false })
      yield* Effect.exit(breaker.execute(Effect.ensuring(down, Effect.die("bug"))))
      assert.strictEqual((yield* breaker.status).failures, 1)
    })
  )

  it.effect("counts neither the interruption of a call nor our own rejections, but a timed-out attempt", () =>
    Effect.gen(function* () {
      // The predicate is about the dependency's errors: it is not asked about ours.
      const breaker = yield* CircuitBreaker.make({
        name: "openai",
        isFailure: (error) => !(error instanceof AttemptTimeout)
      })
      const call = yield* begin(breaker)
      yield* call.interrupt
      yield* Effect.exit(breaker.execute(Effect.interrupt))
      const full = new BulkheadFull({ policy: "x", reason: "queue-full", retryAfter: undefined })
      yield* Effect.ignore(breaker.execute(Effect.fail(full)))
      assert.strictEqual((yield* breaker.status).failures, 0)
      const timeout = new AttemptTimeout({
        policy: "x",
        reason: "attempt-timeout",
        limit: Duration.seconds(1),
        retryAfter: undefined
      })
      yield* Effect.ignore(breaker.execute(Effect.fail(timeout)))
      assert.strictEqual((yield* breaker.status).failures, 1)
    })
  )

  it.effect("neither counts an ignored error nor takes it for a success", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "stripe", isFailure: (error) => error !== "card declined" })
      yield* failTimes(breaker, 4)
      yield* Effect.ignore(breaker.execute(Effect.fail("card declined")))
      assert.strictEqual((yield* breaker.status).failures, 4)
    })
  )

  it.effect("counts a failure when the predicate throws, and the probe's place comes back", () =>
    Effect.gen(function* () {
      const isFailure = (): boolean => {
        throw new Error("broken predicate")
      }
      const breaker = yield* halfOpen({ isFailure })
      assert.strictEqual(yield* Effect.flip(breaker.execute(down)), "down")
      const status = yield* breaker.status
      assert.strictEqual(status.state, "open")
      assert.strictEqual(status.probesInUse, 0)
    })
  )

  it.effect("gives the place of an interrupted or ignored probe back without a verdict", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen({ halfOpenMaxCalls: 1, isFailure: (error) => error !== "ignored" })
      const probe = yield* begin(breaker)
      assert.strictEqual((yield* rejectionOf(breaker)).reason, "half-open-full")
      yield* probe.interrupt
      yield* Effect.ignore(breaker.execute(Effect.fail("ignored")))
      const status = yield* breaker.status
      assert.strictEqual(status.state, "half-open")
      assert.strictEqual(status.probesInUse, 0)
      yield* breaker.execute(up)
      assert.strictEqual(yield* stateOf(breaker), "closed")
    })
  )

  it.effect("gives a probe's place back when the caller cannot be interrupted", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      const fiber = yield* Effect.fork(Effect.uninterruptible(breaker.execute(Effect.interruptible(Effect.never))))
      yield* Effect.yieldNow()
      assert.strictEqual((yield* breaker.status).probesInUse, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* breaker.status).probesInUse, 0)
    })
  )

  it.effect("counts nothing for a call that a gate further in breaks down at before it begins", () =>
    Effect.gen(function* () {
      const broken: Gate.Gate = { name: "broken", admit: () => Effect.die("a bug of the gate") }
      const closed = yield* CircuitBreaker.make({ name: "openai" })
      yield* Effect.exit(Gate.through([closed, broken])(up))
      assert.strictEqual((yield* closed.status).failures, 0)
      const probing = yield* halfOpen()
      yield* Effect.exit(Gate.through([probing, broken])(up))
      assert.deepInclude(yield* probing.status, { state: "half-open", probesInUse: 0 })
    })
  )

  it.effect("ignores a late success while half-open: only a probe can close the circuit", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const early = yield* begin(breaker)
      yield* failTimes(breaker, 5)
      yield* TestClock.adjust("30 seconds")
      const probe = yield* begin(breaker)
      yield* early.succeed
      const status = yield* breaker.status
      assert.strictEqual(status.state, "half-open")
      assert.strictEqual(status.probesInUse, 1)
      assert.strictEqual(yield* breaker.lateResults, 1)
      yield* probe.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
    })
  )

  it.effect("ignores a late failure while half-open and after the circuit has closed", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 1 })
      const first = yield* begin(breaker)
      const second = yield* begin(breaker)
      yield* failTimes(breaker, 1)
      yield* TestClock.adjust("30 seconds")
      const probe = yield* begin(breaker)
      yield* first.fail
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* probe.succeed
      yield* second.fail
      assert.strictEqual(yield* stateOf(breaker), "closed")
      assert.strictEqual(yield* breaker.lateResults, 2)
    })
  )

  it.effect("gives up a probe that never returns when its lease is over, and fences its result", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen({ halfOpenMaxCalls: 1, probeTimeout: "4 seconds" })
      const hung = yield* begin(breaker)
      yield* TestClock.adjust(3_999)
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* stateOf(breaker), "open")
      yield* TestClock.adjust(29_999)
      assert.strictEqual(yield* stateOf(breaker), "open")
      yield* TestClock.adjust(1)
      const probe = yield* begin(breaker)
      yield* hung.succeed
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* probe.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
    })
  )

  it.effect("knows since when it is open when a probe never returned, before anybody calls", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      const start = yield* Effect.map(Clock.currentTimeMillis, (now) => now - 30_000)
      yield* begin(breaker)
      yield* TestClock.adjust("40 seconds")
      const { openedAt, retryAfterSeconds, state } = yield* breaker.status
      assert.deepStrictEqual([state, retryAfterSeconds], ["open", 20])
      assert.strictEqual(Date.parse(openedAt!) - start, 60_000)
    })
  )

  it.effect("leases a probe for as long as the call may take by its own limit", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen({ probeTimeout: "1 second" })
      const probe = yield* Effect.fork(breaker.execute(Effect.delay(up, "9 seconds"), { callLimit: 10_000 }))
      yield* TestClock.adjust("9 seconds")
      yield* Fiber.join(probe)
      assert.strictEqual(yield* stateOf(breaker), "closed")
    })
  )
})

describe("CircuitBreaker under an operator's hand", () => {
  it.effect("keeps everybody out while forced open, and goes on where it was when released", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 4)
      yield* breaker.force("open")
      const rejection = yield* rejectionOf(breaker)
      assert.strictEqual(rejection.reason, "forced-open")
      assert.isUndefined(rejection.retryAfter)
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(yield* breaker.status, { state: "open", mode: "forced-open", failures: 4 })
      yield* breaker.force("auto")
      assert.deepInclude(yield* breaker.status, { state: "closed", mode: "auto", failures: 4 })
    })
  )

  it.effect("lets everybody through while forced closed; the open time goes on underneath", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 5)
      yield* breaker.force("close")
      assert.strictEqual(yield* breaker.execute(up), "up")
      yield* failTimes(breaker, 9)
      assert.deepInclude(yield* breaker.status, { state: "closed", mode: "forced-closed" })
      yield* TestClock.adjust("20 seconds")
      yield* breaker.force("auto")
      assert.deepInclude(yield* breaker.status, { state: "open", retryAfterSeconds: 10 })
    })
  )

  it.effect("does not let a call that was admitted past a closed hand give a verdict", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      yield* Effect.exit(breaker.execute(Effect.interrupt))
      yield* breaker.force("close")
      const call = yield* begin(breaker)
      yield* breaker.force("auto")
      yield* call.succeed
      assert.strictEqual(yield* stateOf(breaker), "half-open")
    })
  )

  it.effect("changes its options without forgetting what it knows", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 2)
      yield* breaker.reconfigure({ failureThreshold: 3, resetTimeout: "10 seconds" })
      assert.strictEqual((yield* breaker.status).failures, 2)
      yield* failTimes(breaker, 1)
      assert.strictEqual((yield* breaker.status).retryAfterSeconds, 10)
      yield* TestClock.adjust("5 seconds")
      yield* breaker.reconfigure({ resetTimeout: "6 seconds" })
      assert.strictEqual((yield* breaker.status).retryAfterSeconds, 1)
      assert.strictEqual((yield* breaker.options).failureThreshold, 3)
      const refused = yield* Effect.flip(breaker.reconfigure({ halfOpenMaxCalls: 0 }))
      assert.strictEqual(refused._tag, "CircuitBreakerConfigurationError")
    })
  )
})

describe("CircuitBreaker and its options", () => {
  it.effect("loses none of the changes that two operators make at once", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* Effect.all(
        [breaker.reconfigure({ failureThreshold: 2 }), breaker.reconfigure({ resetTimeout: "10 seconds" })],
        { concurrency: 2 }
      ).pipe(Effect.withMaxOpsBeforeYield(12))
      assert.deepInclude(yield* breaker.options, { failureThreshold: 2, resetTimeout: "10 seconds" })
    })
  )

  it.effect("keeps a circuit half-open whose open time was over when it became longer", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      yield* breaker.reconfigure({ resetTimeout: "1 minute" })
      assert.strictEqual(yield* stateOf(breaker), "half-open")
    })
  )

  it.effect("decides at once where other options make the results so far enough, or too few", () =>
    Effect.gen(function* () {
      const sampling = halfOpen({ halfOpenSampleSize: 10, halfOpenSuccessRatio: 0.5 })
      const well = yield* sampling
      yield* Effect.repeatN(well.execute(up), 1)
      yield* well.reconfigure({ halfOpenSampleSize: 2, halfOpenSuccessRatio: 1 })
      assert.strictEqual(yield* stateOf(well), "closed")
      const unwell = yield* sampling
      yield* failTimes(unwell, 2)
      yield* unwell.reconfigure({ halfOpenSampleSize: 2 })
      assert.deepInclude(yield* unwell.status, { state: "open", failures: 7, retryAfterSeconds: 30 })
    })
  )
})

describe("CircuitBreaker and what the dependency says", () => {
  it.effect("leaves a throttling dependency alone, probes included, and then is as it was", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 3)
      yield* breaker.holdOff("7 seconds")
      yield* TestClock.adjust(6_999)
      const rejection = yield* rejectionOf(breaker)
      assert.strictEqual(rejection.reason, "throttled")
      assert.strictEqual(Duration.toMillis(rejection.retryAfter!), 1)
      assert.deepInclude(yield* breaker.status, { state: "open", failures: 3, retryAfterSeconds: 1 })
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* breaker.execute(up), "up")
    })
  )

  it.effect("believes a hold-off for 60 seconds at most, and keeps the longest of several", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* breaker.holdOff("1 day")
      yield* breaker.holdOff("1 second")
      assert.strictEqual((yield* breaker.status).retryAfterSeconds, 60)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* stateOf(breaker), "closed")
    })
  )

  it.effect("names the later of the hold-off and the open time", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* failTimes(breaker, 5)
      yield* breaker.holdOff("7 seconds")
      assert.strictEqual((yield* breaker.status).retryAfterSeconds, 30)
    })
  )

  it.effect("lets the next caller probe early after a healthy background probe, if told to", () =>
    Effect.gen(function* () {
      const cautious = yield* CircuitBreaker.make({ name: "openai" })
      const eager = yield* CircuitBreaker.make({ name: "redis", healOnProbe: true })
      yield* failTimes(cautious, 5)
      yield* failTimes(eager, 5)
      yield* cautious.healthy
      yield* eager.healthy
      assert.strictEqual(yield* stateOf(cautious), "open")
      assert.strictEqual(yield* stateOf(eager), "half-open")
      yield* eager.execute(up)
      yield* eager.healthy
      assert.strictEqual(yield* stateOf(eager), "closed")
    })
  )

  it.effect("lengthens the open time while probes fail, and starts small again after a close that lasted", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "database",
        failureThreshold: 1,
        resetTimeout: "2 seconds",
        resetTimeoutMultiplier: 2,
        maxResetTimeout: "7 seconds"
      })
      const waits: Array<number | undefined> = []
      const failAndHeal = Effect.gen(function* () {
        yield* failTimes(breaker, 1)
        const wait = (yield* breaker.status).retryAfterSeconds
        waits.push(wait)
        yield* TestClock.adjust(Duration.seconds(wait ?? 0))
      })
      yield* Effect.repeatN(failAndHeal, 3)
      yield* breaker.execute(up)
      yield* TestClock.adjust(1_999)
      yield* failAndHeal
      yield* breaker.execute(up)
      yield* TestClock.adjust(2_000)
      yield* failAndHeal
      assert.deepStrictEqual(waits, [2, 4, 7, 7, 7, 2])
    })
  )
})

describe("CircuitBreaker and those who watch it", () => {
  it.effect("tells its transitions in order, with reason and wall time", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 1 })
      const told = yield* Effect.fork(Stream.runCollect(Stream.take(breaker.changes, 7)))
      yield* Effect.yieldNow()
      yield* TestClock.adjust(1)
      yield* failTimes(breaker, 1)
      yield* TestClock.adjust("30 seconds")
      yield* breaker.execute(up)
      yield* breaker.holdOff("5 seconds")
      yield* TestClock.adjust("5 seconds")
      yield* breaker.execute(up)
      yield* breaker.force("open")
      yield* breaker.force("auto")
      const seen = Chunk.toReadonlyArray(yield* Fiber.join(told))
      assert.deepStrictEqual(
        seen.map(({ at, from, reason, seq, to }) => `${seq} ${from} > ${to}: ${reason} at ${at.getTime()}`),
        [
          "1 closed > open: failures at 1",
          "2 open > half-open: reset-timeout at 30001",
          "3 half-open > closed: probe-succeeded at 30001",
          "4 closed > open: throttled at 30001",
          "5 open > closed: hold-off-over at 35001",
          "6 closed > open: forced-open at 35001",
          "7 open > closed: released at 35001"
        ]
      )
    })
  )

  it.scoped("tells what time has done as such, also when a late result or an operator finds it out", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const told = yield* breaker.subscribe
      const straggler = yield* begin(breaker)
      yield* failTimes(breaker, 5)
      yield* TestClock.adjust("30 seconds")
      yield* straggler.succeed
      const probe = yield* begin(breaker)
      yield* TestClock.adjust("40 seconds")
      yield* probe.succeed
      yield* breaker.reconfigure({ resetTimeout: "5 seconds" })
      const transitions = yield* Stream.runCollect(Stream.take(told, 4))
      const start = yield* Effect.map(Clock.currentTimeMillis, (now) => now - 70_000)
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(transitions).map(({ at, reason, to }) => [to, reason, at.getTime() - start]),
        [
          ["open", "failures", 0],
          ["half-open", "reset-timeout", 30_000],
          ["open", "probe-lease-over", 60_000],
          ["half-open", "reset-timeout", 70_000]
        ]
      )
    })
  )

  it.scoped("tells what time has done before what ends it, though nobody called in between", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 1 })
      const told = yield* breaker.subscribe
      yield* breaker.holdOff("5 seconds")
      yield* TestClock.adjust("5 seconds")
      yield* breaker.holdOff("5 seconds")
      yield* TestClock.adjust("5 seconds")
      yield* breaker.force("close")
      yield* breaker.force("auto")
      yield* failTimes(breaker, 1)
      yield* TestClock.adjust("30 seconds")
      yield* breaker.force("open")
      const transitions = yield* Stream.runCollect(Stream.take(told, 7))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(transitions).map(({ from, reason, to }) => `${from} > ${to}: ${reason}`),
        [
          "closed > open: throttled",
          "open > closed: hold-off-over",
          "closed > open: throttled",
          "open > closed: hold-off-over",
          "closed > open: failures",
          "open > half-open: reset-timeout",
          "half-open > open: forced-open"
        ]
      )
    })
  )

  it.scoped("tells a probe that never returned also when the circuit has become half-open again meanwhile", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      const start = yield* Effect.map(Clock.currentTimeMillis, (now) => now - 30_000)
      const told = yield* breaker.subscribe
      yield* begin(breaker)
      yield* TestClock.adjust("70 seconds")
      yield* breaker.execute(up)
      const transitions = yield* Stream.runCollect(Stream.take(told, 4))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(transitions).map(({ at, reason, to }) => [to, reason, at.getTime() - start]),
        [
          ["half-open", "reset-timeout", 30_000],
          ["open", "probe-lease-over", 60_000],
          ["half-open", "reset-timeout", 90_000],
          ["closed", "probe-succeeded", 100_000]
        ]
      )
    })
  )

  it.scoped("tells a hold-off that is over as such, also when a result finds it out", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", window: { type: "time", duration: "1 minute" } })
      const told = yield* breaker.subscribe
      const call = yield* begin(breaker)
      yield* breaker.holdOff("5 seconds")
      yield* TestClock.adjust("6 seconds")
      yield* call.fail
      const transitions = yield* Stream.runCollect(Stream.take(told, 2))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(transitions).map(({ reason, to }) => `${to}: ${reason}`),
        ["open: throttled", "closed: hold-off-over"]
      )
    })
  )

  it.scoped("never goes back in time: a circuit that an operator gives back opens when it is given back", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 1 })
      const told = yield* breaker.subscribe
      const start = yield* Clock.currentTimeMillis
      yield* failTimes(breaker, 1)
      yield* TestClock.adjust("5 seconds")
      yield* breaker.force("close")
      yield* TestClock.adjust("5 seconds")
      yield* breaker.force("auto")
      const transitions = yield* Stream.runCollect(Stream.take(told, 3))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(transitions).map(({ at, to }) => [to, at.getTime() - start]),
        [
          ["open", 0],
          ["closed", 5_000],
          ["open", 10_000]
        ]
      )
    })
  )

  it.scoped("tells nothing again that was over when somebody let go", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 1 })
      const told = yield* breaker.subscribe
      yield* failTimes(breaker, 1)
      yield* breaker.holdOff("5 seconds")
      yield* Effect.scoped(Effect.zipRight(breaker.isolated, TestClock.adjust("30 seconds")))
      yield* Effect.scoped(breaker.isolated)
      const transitions = yield* Stream.runCollect(Stream.take(told, 4))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(transitions).map(({ reason, to }) => `${to}: ${reason}`),
        ["open: failures", "half-open: released", "open: isolated", "half-open: released"]
      )
    })
  )

  it.effect("asks for a whole number of milliseconds, after which a lone call passes", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "openai",
        failureThreshold: 1,
        resetTimeout: 100,
        resetTimeoutMultiplier: 1.005,
        maxResetTimeout: 1_000
      })
      yield* failTimes(breaker, 1)
      yield* TestClock.adjust(100)
      yield* failTimes(breaker, 1)
      const { retryAfter } = yield* rejectionOf(breaker)
      assert.strictEqual(Duration.toMillis(retryAfter!), 101)
      yield* TestClock.adjust(retryAfter!)
      assert.strictEqual(yield* breaker.execute(up), "up")
    })
  )

  it.effect("tells exactly one opening when many calls fail at once", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const told: Array<CircuitBreaker.Transition> = []
      yield* Effect.fork(Stream.runForEach(breaker.changes, (change) => Effect.sync(() => told.push(change))))
      yield* Effect.yieldNow()
      const calls = yield* Effect.replicateEffect(begin(breaker), 20)
      yield* Effect.forEach(calls, (call) => call.fail, { concurrency: "unbounded" })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(
        told.map(({ to }) => to),
        ["open"]
      )
      assert.strictEqual(yield* breaker.lateResults, 15)
    })
  )

  it.effect("wakes those who wait for `opened` when it opens, and at once while it is open", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const waiting = yield* Effect.fork(Effect.flip(breaker.opened))
      yield* failTimes(breaker, 4)
      yield* TestClock.adjust("1 minute")
      assert.isNull(waiting.unsafePoll())
      yield* failTimes(breaker, 1)
      assert.strictEqual((yield* Fiber.join(waiting)).reason, "open")
      assert.strictEqual((yield* Effect.flip(breaker.opened)).reason, "open")
    })
  )

  it.effect(
    "wakes those who wait for `opened` when it opens anew, though nobody has seen that it was open no more",
    () =>
      Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make({ name: "openai" })
        yield* breaker.holdOff("5 seconds")
        yield* TestClock.adjust("5 seconds")
        const waiting = yield* Effect.fork(Effect.flip(breaker.opened))
        yield* TestClock.adjust("1 second")
        assert.isNull(waiting.unsafePoll())
        yield* breaker.holdOff("5 seconds")
        yield* TestClock.adjust(1)
        const woken = waiting.unsafePoll()
        yield* Fiber.interruptFork(waiting)
        assert.deepInclude(woken?._tag === "Success" ? woken.value : undefined, { reason: "throttled" })
      })
  )

  it.effect("looks without taking a place", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen({ halfOpenMaxCalls: 1 })
      yield* breaker.look
      yield* breaker.look
      const probe = yield* begin(breaker)
      assert.strictEqual((yield* Effect.flip(breaker.look)).reason, "half-open-full")
      yield* probe.succeed
      yield* breaker.look
    })
  )

  it.scoped("tells what time has done also when it is found out by a look that turns a caller away", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      const told = yield* breaker.subscribe
      yield* begin(breaker)
      const waiting = yield* Effect.fork(Effect.flip(breaker.opened))
      yield* TestClock.adjust("40 seconds")
      assert.deepInclude(yield* Effect.flip(breaker.look), { reason: "open", retryAfter: Duration.seconds(20) })
      yield* TestClock.adjust(1)
      const woken = waiting.unsafePoll()
      yield* Fiber.interruptFork(waiting)
      assert.deepInclude(woken?._tag === "Success" ? woken.value : undefined, { reason: "open" })
      const transitions = yield* Stream.runCollect(Stream.take(told, 2))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(transitions).map(({ reason, to }) => `${to}: ${reason}`),
        ["half-open: reset-timeout", "open: probe-lease-over"]
      )
    })
  )

  it.effect("does not mind a step of the wall clock", () =>
    Effect.gen(function* () {
      const test = yield* Clock.clockWith(Effect.succeed)
      let step = 0
      // The test clock with another wall: everything that it does not override stays the test clock's.
      const stepped: Clock.Clock = Object.assign(Object.create(test), {
        unsafeCurrentTimeMillis: () => test.unsafeCurrentTimeMillis() + step,
        currentTimeMillis: Effect.map(test.currentTimeMillis, (millis) => millis + step),
        unsafeCurrentTimeNanos: () => test.unsafeCurrentTimeNanos(),
        currentTimeNanos: test.currentTimeNanos
      })
      yield* Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make({ name: "openai" })
        yield* failTimes(breaker, 5)
        step = 3_600_000
        assert.strictEqual((yield* breaker.status).retryAfterSeconds, 30)
        yield* TestClock.adjust(29_999)
        step = -60_000
        assert.strictEqual(yield* stateOf(breaker), "open")
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* stateOf(breaker), "half-open")
      }).pipe(Effect.withClock(stepped))
    })
  )

  it.effect("rejects without capturing a stack", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* breaker.force("open")
      const rejection = yield* rejectionOf(breaker)
      assert.notInclude(rejection.stack ?? "", "\n    at ")
      assert.include(Cause.pretty(Cause.fail(rejection)), 'The circuit of "openai" is open (forced-open)')
    })
  )

  it.effect("names everything that is wrong with its options", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(
        CircuitBreaker.make({
          name: " ",
          failureThreshold: 0,
          resetTimeout: -1,
          halfOpenMaxCalls: 1.5,
          resetTimeoutMultiplier: 0.5,
          probeTimeout: "soon" as "1 second"
        })
      )
      assert.lengthOf(refused.problems, 6)
      assert.include(refused.message, "failureThreshold is 0; give a whole number of at least 1")
      assert.include(refused.message, 'probeTimeout is "soon"')
      const crossed = yield* Effect.flip(CircuitBreaker.make({ name: "x", resetTimeoutMultiplier: 2 }))
      assert.include(crossed.message, "maxResetTimeout")
    })
  )
})

describe("CircuitBreaker that opens by rates", () => {
  const callTimes = (breaker: CircuitBreaker.CircuitBreaker, results: string) =>
    Effect.forEach(Array.from(results), (one) => Effect.ignore(breaker.execute(one === "f" ? down : up)), {
      discard: true
    })

  it.scoped("opens at the share of failures in the last calls, and says so", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", window: { type: "count", size: 20 } })
      const told = yield* breaker.subscribe
      yield* callTimes(breaker, "ffff.....")
      assert.deepInclude(yield* breaker.status, { state: "closed", failures: 4 })
      yield* callTimes(breaker, "f")
      assert.deepInclude(yield* breaker.status, { state: "open", failures: 5, retryAfterSeconds: 30 })
      assert.propertyVal(Option.getOrThrow(yield* Stream.runHead(told)), "reason", "failure-rate")
    })
  )

  it.effect("forgets by itself in a window of time, and opens as soon as there were enough calls", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "openai",
        window: { type: "time", duration: "10 seconds" },
        minimumThroughput: 4
      })
      yield* callTimes(breaker, "fff")
      yield* TestClock.adjust(9_999)
      assert.strictEqual((yield* breaker.status).failures, 3)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* breaker.status).failures, 0)
      yield* callTimes(breaker, "fff")
      assert.strictEqual(yield* stateOf(breaker), "closed")
      yield* callTimes(breaker, ".")
      assert.strictEqual(yield* stateOf(breaker), "open")
    })
  )

  it.effect("opens when calls are slow, to the millisecond, and tells them apart in `outcomeOf`", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "openai",
        window: { type: "count", size: 4 },
        slowCallDuration: 100,
        slowCallRateThreshold: 0.5
      })
      const take = (millis: number) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(breaker.execute(Effect.delay(up, millis)))
          yield* TestClock.adjust(millis)
          yield* Fiber.join(fiber)
        })
      yield* Effect.forEach([101, 100, 100, 100, 100, 101], take, { discard: true })
      assert.strictEqual(yield* stateOf(breaker), "closed")
      yield* take(101)
      assert.strictEqual(yield* stateOf(breaker), "open")
      assert.strictEqual(yield* breaker.outcomeOf(Exit.succeed("up")), "success")
      assert.strictEqual(yield* breaker.outcomeOf(Exit.succeed("up"), 100), "success")
      assert.strictEqual(yield* breaker.outcomeOf(Exit.succeed("up"), 101), "slow")
      assert.strictEqual(yield* breaker.outcomeOf(Exit.fail("down"), 101), "failure")
    })
  )

  it.effect("takes a slow probe for a failed one", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "openai",
        window: { type: "count", size: 1 },
        slowCallDuration: 100
      })
      yield* callTimes(breaker, "f")
      yield* TestClock.adjust("30 seconds")
      const probe = yield* begin(breaker)
      yield* TestClock.adjust(101)
      yield* probe.succeed
      assert.strictEqual(yield* stateOf(breaker), "open")
      yield* TestClock.adjust("30 seconds")
      const quick = yield* begin(breaker)
      yield* TestClock.adjust(100)
      yield* quick.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
    })
  )

  it.effect("counts through its gate what it counts through `execute`", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "openai",
        window: { type: "count", size: 2 },
        slowCallDuration: 100
      })
      const call = Gate.through([breaker])(Effect.delay(up, 101))
      for (const state of ["closed", "open"]) {
        const fiber = yield* Effect.fork(call)
        yield* TestClock.adjust(101)
        yield* Fiber.join(fiber)
        assert.strictEqual(yield* stateOf(breaker), state)
      }
    })
  )

  it.effect("keeps its window when it changes its size, and starts empty when it changes its type", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", window: { type: "count", size: 10 } })
      yield* callTimes(breaker, "ff...f")
      yield* breaker.reconfigure({ window: { type: "count", size: 4 }, minimumThroughput: 4 })
      assert.strictEqual((yield* breaker.status).failures, 1)
      yield* breaker.reconfigure({ window: { type: "time", duration: "1 second" } })
      assert.strictEqual((yield* breaker.status).failures, 0)
      const refused = yield* Effect.flip(breaker.reconfigure({ failureThreshold: 3 }))
      assert.include(refused.message, "leave one of them out")
      yield* breaker.reconfigure({ window: undefined, minimumThroughput: undefined, failureThreshold: 1 })
      yield* callTimes(breaker, "f")
      assert.strictEqual(yield* stateOf(breaker), "open")
    })
  )
})

describe("CircuitBreaker and what counts", () => {
  it.effect("takes an answer for a failure that says the dependency is unwell, and gives it to the caller", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "openai",
        failureThreshold: 2,
        classifyResult: (result) => (result === "overloaded" ? "failure" : result === "hm" ? "ignored" : "success")
      })
      const overloaded = Effect.succeed("overloaded")
      assert.strictEqual(yield* breaker.execute(overloaded), "overloaded")
      yield* breaker.execute(Effect.succeed("hm"))
      assert.strictEqual((yield* breaker.status).failures, 1)
      yield* breaker.execute(up)
      assert.strictEqual((yield* breaker.status).failures, 0)
      assert.strictEqual(yield* breaker.outcomeOf(Exit.succeed("overloaded")), "failure")
      yield* Effect.repeatN(breaker.execute(overloaded), 1)
      assert.strictEqual(yield* stateOf(breaker), "open")
    })
  )

  it.effect("lets an error be a success, and a defect be nothing", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "stripe",
        classifyError: (error) => (error === "no such customer" ? "success" : "failure"),
        classifyDefect: () => "ignored"
      })
      yield* failTimes(breaker, 4)
      yield* Effect.exit(breaker.execute(Effect.die("our bug")))
      assert.strictEqual((yield* breaker.status).failures, 4)
      assert.strictEqual(yield* Effect.flip(breaker.execute(Effect.fail("no such customer"))), "no such customer")
      assert.strictEqual((yield* breaker.status).failures, 0)
    })
  )

  it.effect("classifies the end of a call by what holds when it ends", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const call = yield* begin(breaker)
      yield* breaker.reconfigure({ isFailure: () => false })
      yield* call.fail
      assert.strictEqual((yield* breaker.status).failures, 0)
    })
  )

  it.effect("closes when enough of several probes succeed, to which ignored ones do not belong", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen({
        halfOpenSampleSize: 4,
        halfOpenSuccessRatio: 0.5,
        isFailure: (error) => error !== "ignored"
      })
      yield* Effect.ignore(breaker.execute(Effect.fail("ignored")))
      yield* Effect.exit(breaker.execute(Effect.interrupt))
      yield* breaker.execute(up)
      yield* failTimes(breaker, 2)
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* breaker.execute(up)
      assert.strictEqual(yield* stateOf(breaker), "closed")
    })
  )

  it.effect("opens when the ratio cannot be met any more, with every failure that led there", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen({ halfOpenSampleSize: 4, halfOpenSuccessRatio: 0.5 })
      yield* failTimes(breaker, 2)
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* failTimes(breaker, 1)
      assert.deepInclude(yield* breaker.status, { state: "open", failures: 8 })
    })
  )

  it.effect("draws the jitter of its open time from Effect's Random, anew for every opening", () =>
    Effect.gen(function* () {
      const waits = Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make({
          name: "openai",
          failureThreshold: 1,
          resetTimeout: 1_000,
          resetTimeoutJitter: 0.5
        })
        const seen: Array<number> = []
        for (let opening = 0; opening < 5; opening++) {
          yield* failTimes(breaker, 1)
          const { retryAfter } = yield* Effect.flip(breaker.look)
          seen.push(Duration.toMillis(retryAfter!))
          yield* TestClock.adjust(retryAfter!)
        }
        return seen
      })
      const first = yield* Effect.withRandom(waits, Random.make("seed"))
      assert.deepStrictEqual(yield* Effect.withRandom(waits, Random.make("seed")), first)
      assert.notDeepEqual(yield* Effect.withRandom(waits, Random.make("other")), first)
      assert.lengthOf(new Set(first), 5)
      for (const wait of first) assert.isTrue(wait > 500 && wait <= 1_000, `${wait} ms`)
    })
  )

  it.effect("takes the jitter up when it is told to while it runs, from the next opening on", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai", failureThreshold: 1, resetTimeout: 1_000 })
      yield* breaker.reconfigure({ resetTimeoutJitter: 1 })
      for (let opening = 0; opening < 2; opening++) {
        yield* failTimes(breaker, 1)
        const { retryAfter } = yield* Effect.flip(breaker.look)
        assert.isBelow(Duration.toMillis(retryAfter!), 1_000)
        yield* TestClock.adjust(retryAfter!)
      }
    }).pipe(Effect.withRandom(Random.make("seed")))
  )
})

describe("CircuitBreaker that is held open", () => {
  it.scoped("stays open while one holds it, whatever else happens, and then is what it became meanwhile", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "database" })
      const told = yield* breaker.subscribe
      yield* failTimes(breaker, 3)
      const under = yield* begin(breaker)
      const [first, second] = [yield* Scope.make(), yield* Scope.make()]
      yield* Scope.extend(breaker.isolated, first)
      yield* Scope.extend(breaker.isolated, second)
      const rejection = yield* rejectionOf(breaker)
      assert.deepInclude(rejection, { reason: "isolated", retryAfter: undefined })
      assert.deepInclude(yield* breaker.status, { state: "open", mode: "auto", failures: 3, handles: 2 })
      yield* breaker.force("close")
      assert.strictEqual((yield* rejectionOf(breaker)).reason, "isolated")
      yield* breaker.force("open")
      assert.strictEqual((yield* rejectionOf(breaker)).reason, "forced-open")
      yield* breaker.force("auto")
      yield* under.fail
      yield* Scope.close(first, Exit.void)
      yield* Scope.close(first, Exit.void)
      assert.deepInclude(yield* breaker.status, { state: "open", failures: 4, handles: 1 })
      yield* Scope.close(second, Exit.void)
      assert.deepStrictEqual(yield* breaker.status, {
        serviceName: "database",
        state: "closed",
        mode: "auto",
        failures: 4,
        probesInUse: 0
      })
      const transitions = yield* Stream.runCollect(Stream.take(told, 2))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(transitions).map(({ from, reason, to }) => `${from} > ${to}: ${reason}`),
        ["closed > open: isolated", "open > closed: released"]
      )
    })
  )

  it.effect("lets go when the holder is interrupted, also at the first moment", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "database" })
      for (let ops = 10; ops <= 40; ops++) {
        const holder = yield* Effect.fork(
          Effect.withMaxOpsBeforeYield(Effect.scoped(Effect.zipRight(breaker.isolated, Effect.never)), ops)
        )
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(holder)
        assert.strictEqual(yield* stateOf(breaker), "closed")
      }
    })
  )

  it.scoped("goes on underneath: the open time runs, a probe that was under way decides", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpen()
      const probe = yield* begin(breaker)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* breaker.isolated
          yield* probe.succeed
          assert.strictEqual(yield* stateOf(breaker), "open")
        })
      )
      assert.strictEqual(yield* stateOf(breaker), "closed")
    })
  )
})

describe("CircuitBreaker and a slow subscriber", () => {
  const toggle = (breaker: CircuitBreaker.CircuitBreaker, times: number) =>
    Effect.repeatN(Effect.zipRight(breaker.force("open"), breaker.force("auto")), times / 2 - 1)

  it.scoped("drops the oldest transitions, which the gap in `seq` tells, and holds up nobody", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const told = yield* breaker.subscribe
      yield* toggle(breaker, 100)
      const seen = yield* Stream.runCollect(Stream.take(told, 64))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(seen).map(({ seq }) => seq),
        Array.from({ length: 64 }, (_, index) => index + 37)
      )
    })
  )

  it.scoped("loses none while it is less than 64 behind, and sees only what came after it", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      yield* toggle(breaker, 2)
      const early = yield* breaker.subscribe
      yield* toggle(breaker, 4)
      const late = yield* breaker.subscribe
      yield* toggle(breaker, 60)
      const seqs = (stream: Stream.Stream<CircuitBreaker.Transition>, many: number) =>
        Effect.map(Stream.runCollect(Stream.take(stream, many)), (all) => Array.from(all, ({ seq }) => seq))
      assert.deepStrictEqual(
        yield* seqs(early, 64),
        Array.from({ length: 64 }, (_, index) => index + 3)
      )
      assert.deepStrictEqual(
        yield* seqs(late, 60),
        Array.from({ length: 60 }, (_, index) => index + 7)
      )
    })
  )

  it.scoped("ends with its scope also while others go on listening", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const scope = yield* Scope.make()
      const left = yield* Scope.extend(breaker.subscribe, scope)
      const stayed = yield* breaker.subscribe
      yield* Scope.close(scope, Exit.void)
      yield* toggle(breaker, 2)
      assert.strictEqual(yield* Stream.runCount(left), 0)
      assert.strictEqual(yield* Stream.runCount(Stream.take(stayed, 2)), 2)
    })
  )

  it.effect("ends with the scope it subscribed in, whether it is waiting or comes later", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "openai" })
      const scope = yield* Scope.make()
      const told = yield* Scope.extend(breaker.subscribe, scope)
      const waiting = yield* Effect.fork(Stream.runCount(told))
      yield* Effect.yieldNow()
      yield* toggle(breaker, 2)
      yield* TestClock.adjust(1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(waiting), 2)
      yield* toggle(breaker, 2)
      assert.strictEqual(yield* Stream.runCount(told), 0)
    })
  )
})
