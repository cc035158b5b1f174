/** What must not disturb a breaker: foreign code that throws, the wall clock, a crowd of failures, other options. */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import { altered, ours, type Selfheal } from "./support/altered.js"
import { fail, lastTen, lastTenSeconds, makeBreaker, stateOf } from "./support/breaker.js"
import { begin, settled } from "./support/calls.js"
import { conformance } from "./support/conformance.js"
import { beginCall, both, cockatiel, down, opossum, type NpmBreaker } from "./support/npmBreakers.js"

const broken = (): never => {
  throw new Error("foreign code is broken")
}

conformance<Selfheal>({
  number: 6,
  title: "a predicate or a listener that throws costs no place, and no caller the result of its call",
  failing: ["R4J before #2488"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, {
        isFailure: (error) => (error === "odd" ? broken() : true),
        probeTimeout: "1 day"
      })
      yield* fail(breaker)
      yield* TestClock.adjust("30 seconds")
      const odd = yield* begin(breaker.execute)
      yield* odd.failWith("odd")
      yield* TestClock.adjust("30 seconds")

      const policy = yield* library.Policy.make({ name: "upstream", breaker, onEvent: broken })
      const heard = yield* begin(policy.protect)
      assert.isTrue(heard.wasAdmitted, "the predicate cost the circuit its only probe")
      yield* heard.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")

      assert.isTrue(Equal.equals(yield* odd.result, Option.some(Exit.fail("odd"))), "a caller did not get its error")
      assert.isTrue(
        Equal.equals(yield* heard.result, Option.some(Exit.succeed("up"))),
        "a caller did not get its value"
      )
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)),
  ours,
  wrong: {
    "R4J before #2488: asks before it gives the place back": await altered("Outcomes", (original) => ({
      ofExit: (exit, classifiers) => {
        if (Exit.isFailure(exit)) classifiers.error(Cause.squash(exit.cause))
        return original.ofExit(exit, classifiers)
      }
    })),
    "cockatiel, opossum: what a listener throws ends the call": await altered("PolicyEvents", (original) => ({
      observers: (options) =>
        Effect.map(original.observers(options), (observe) => (start) => ({
          ...observe(start),
          ended: () => options.onEvent(ended)
        }))
    }))
  },
  peers: both(async (breaker) => {
    breaker.on("close", broken)
    await down(breaker)
    await vi.advanceTimersByTimeAsync(5001)
    const probe = await beginCall(breaker)
    await probe.succeed()
    assert.strictEqual(probe.result, "fulfilled")
    assert.strictEqual(breaker.state(), "closed")
  })
})

const ended = { _tag: "CallEnded", outcome: "success", elapsedMillis: 0, attempts: 1 } as const

/** A clock whose wall time is put forward or back, while its monotonic time goes on: an NTP step, a laptop woken up. */
const stepped = (clock: Clock.Clock, byMillis: number): Clock.Clock => ({
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + byMillis,
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + byMillis),
  unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
  currentTimeNanos: clock.currentTimeNanos,
  sleep: (duration) => clock.sleep(duration)
})

const steps = { "a minute back": -60_000, "an hour forward": 3_600_000 }

/** The same for the breakers of npm, which are open for 5 seconds. */
const openThroughStep = (byMillis: number) => async (breaker: NpmBreaker) => {
  await down(breaker)
  vi.setSystemTime(Date.now() + byMillis)
  await vi.advanceTimersByTimeAsync(4999)
  assert.isFalse((await beginCall(breaker)).wasAdmitted, "the circuit did not stay open")
  await vi.advanceTimersByTimeAsync(1)
  assert.isTrue((await beginCall(breaker)).wasAdmitted, "the circuit stayed open for too long")
}

const throughEachStep = (breakerOf: typeof cockatiel | typeof opossum) => async (): Promise<void> => {
  for (const byMillis of Object.values(steps)) await breakerOf(openThroughStep(byMillis))()
}

conformance<Selfheal>({
  number: 8,
  title: "a step of the wall clock, a minute back or an hour forward, changes nothing",
  failing: ["Polly", "R4J", "failsafe-go", "cockatiel"],
  scenario: (library) =>
    Effect.gen(function* () {
      const testClock = yield* Effect.clock
      for (const [step, byMillis] of Object.entries(steps)) {
        const later = <A, E>(self: Effect.Effect<A, E>) => Effect.withClock(self, stepped(testClock, byMillis))
        const breaker = yield* makeBreaker(library)
        yield* fail(breaker)
        yield* TestClock.adjust(29_999)
        const early = yield* begin((call) => later(breaker.execute(call)))
        assert.isFalse(early.wasAdmitted, `${step}: the circuit did not stay open`)
        yield* TestClock.adjust(1)
        const probe = yield* begin((call) => later(breaker.execute(call)))
        assert.isTrue(probe.wasAdmitted, `${step}: the circuit stayed open for too long`)

        const rated = yield* makeBreaker(library, { ...lastTenSeconds, minimumThroughput: 4 })
        yield* fail(rated, 3)
        yield* later(fail(rated))
        assert.strictEqual(yield* stateOf(rated), "open", `${step}: the window lost what it had counted`)
      }
    }),
  ours,
  wrong: {
    "Polly, R4J, failsafe-go, cockatiel": await altered("MonotonicClock", () => ({
      now: Clock.currentTimeMillis,
      nowWith: (f) =>
        Effect.clockWith((clock) => f(clock.unsafeCurrentTimeMillis(), () => clock.unsafeCurrentTimeMillis()))
    }))
  },
  peers: { cockatiel: throughEachStep(cockatiel), opossum: throughEachStep(opossum) }
})

conformance<Selfheal>({
  number: 14,
  title: "a crowd of calls that fail at once opens the circuit once, and says so once",
  failing: ["rezilience"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { failureThreshold: 3 })
      const told: Array<string> = []
      const changes = yield* breaker.subscribe
      yield* Effect.forkScoped(Stream.runForEach(changes, ({ to }) => Effect.sync(() => told.push(to))))
      yield* fail(breaker, 2)
      const crowd = yield* Effect.replicateEffect(begin(breaker.execute), 20)
      yield* Effect.all(
        crowd.map((call) => call.failWith("down")),
        { concurrency: "unbounded" }
      )
      yield* settled
      assert.deepStrictEqual(told, ["open"])
    }),
  ours,
  wrong: {
    "rezilience: two failures can both ask for the opening": await altered("CircuitTransitions", (original) => ({
      unsafeTell: (history, transition) => original.unsafeTell(original.unsafeTell(history, transition), transition)
    }))
  },
  peers: both(async (breaker) => {
    let opened = 0
    breaker.on("open", () => {
      opened++
    })
    const crowd = await Promise.all(Array.from({ length: 20 }, () => beginCall(breaker)))
    await Promise.all(crowd.map((call) => call.fail()))
    assert.strictEqual(opened, 1)
  })
})

conformance<Selfheal>({
  number: 15,
  title: "other options for a breaker that runs leave its state, its counters and its probes as they are",
  failing: ["Polly", "R4J"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { failureThreshold: 3 })
      yield* fail(breaker, 2)
      yield* breaker.reconfigure({ probeTimeout: "1 minute" })
      assert.strictEqual((yield* breaker.status).failures, 2)
      yield* fail(breaker)
      assert.strictEqual(yield* stateOf(breaker), "open")

      yield* TestClock.adjust("10 seconds")
      yield* breaker.reconfigure({ halfOpenMaxCalls: 2 })
      assert.strictEqual((yield* breaker.status).retryAfterSeconds, 20)

      yield* TestClock.adjust("20 seconds")
      const probe = yield* begin(breaker.execute)
      yield* breaker.reconfigure({ failureThreshold: 1 })
      assert.strictEqual((yield* breaker.status).probesInUse, 1)
      yield* probe.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")

      const rated = yield* makeBreaker(library, { ...lastTen, minimumThroughput: 4 })
      yield* fail(rated, 3)
      yield* rated.reconfigure({ window: { type: "count", size: 20 } })
      yield* fail(rated)
      assert.strictEqual(yield* stateOf(rated), "open")
    }),
  ours,
  wrong: {
    "Polly, R4J: the policy is replaced": await altered("kernel/CircuitBreaker", (kernel) => ({
      reconfigure: (_, settings) => kernel.initial(settings)
    }))
  }
})
