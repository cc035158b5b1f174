/** What must not disturb a breaker: foreign code that throws, the wall clock, a crowd of failures, other options. */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import type * as TheCircuit from "../../src/resilience/Circuit.js"
import type * as Kernel from "../../src/resilience/kernel/CircuitBreaker.js"
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
  title: "a predicate or a listener of yours that throws takes no place away and changes no call's result",
  failing: ["R4J before #2488", "cockatiel", "opossum"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, {
        classifyError: (error) => (error === "odd" ? broken() : "failure"),
        classifyResult: (result) => (result === "odd" ? broken() : "success"),
        probeTimeout: "1 day"
      })
      const bulkhead = yield* library.Bulkhead.make({ name: "places", maxConcurrent: 1 })
      const policy = yield* library.Policy.make({ name: "upstream", bulkhead, breaker, onEvent: broken })
      yield* fail(breaker)
      yield* TestClock.adjust("30 seconds")
      const error = yield* begin(breaker.execute)
      yield* error.failWith("odd")
      yield* TestClock.adjust("30 seconds")
      const value = yield* begin(breaker.execute)
      assert.isTrue(value.wasAdmitted, "the predicate for errors cost the circuit its only probe")
      yield* value.succeedWith("odd")
      yield* TestClock.adjust("30 seconds")
      const heard = yield* begin(policy.protect)
      assert.isTrue(heard.wasAdmitted, "the predicate for results cost the circuit its only probe")
      yield* heard.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
      assert.strictEqual((yield* bulkhead.status).inUse, 0, "the listener cost the bulkhead a place")

      const results = [yield* error.result, yield* value.result, yield* heard.result].map(Option.getOrUndefined)
      assert.isTrue(Equal.equals(results[0], Exit.fail("odd")), "a caller did not get its error")
      assert.isTrue(Equal.equals(results[1], Exit.succeed("odd")), "a caller did not get its odd value")
      assert.isTrue(Equal.equals(results[2], Exit.succeed("up")), "a caller did not get its value")
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)),
  ours,
  wrong: {
    "R4J before #2488: asks before it gives the place back": [
      "the predicate for errors cost the circuit its only probe",
      await altered("Outcomes", (original) => ({
        ofExit: (exit, classifiers) => {
          if (Exit.isFailure(exit)) classifiers.error(Cause.squash(exit.cause))
          return original.ofExit(exit, classifiers)
        }
      }))
    ],
    "the same, for who asks about results": [
      "the predicate for results cost the circuit its only probe",
      await altered("Outcomes", (original) => ({
        ofExit: (exit, classifiers) => {
          if (Exit.isSuccess(exit)) classifiers.result?.(exit.value)
          return original.ofExit(exit, classifiers)
        }
      }))
    ],
    "cockatiel, opossum: what a listener throws ends the call": [
      "a caller did not get its value",
      await altered("PolicyEvents", (original) => ({
        observers: (options) =>
          Effect.map(original.observers(options), (observe) => (start) => ({
            ...observe(start),
            ended: () => options.onEvent(ended)
          }))
      }))
    ]
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
const steppable = (clock: Clock.Clock) => {
  let stepped = 0
  const own = new Map<PropertyKey, unknown>([
    ["unsafeCurrentTimeMillis", () => clock.unsafeCurrentTimeMillis() + stepped],
    ["currentTimeMillis", Effect.map(clock.currentTimeMillis, (now) => now + stepped)]
  ])
  const wall = new Proxy(clock, {
    get: (target, key) => {
      const value: unknown = own.get(key) ?? Reflect.get(target, key)
      // Bound, as the test clock tells its monotonic time by its own wall time.
      return typeof value === "function" ? value.bind(target) : value
    }
  })
  return { wall, step: (byMillis: number) => Effect.sync(() => void (stepped += byMillis)) }
}

const steps = { "a minute back": -60_000, "an hour forward": 3_600_000 }

/** The same library by another time, which is made of the monotonic one and the wall's. */
const timedBy = (time: (monotonic: number, wall: number) => number) =>
  altered("MonotonicClock", (original) => {
    const of: typeof original.of = (fiber) =>
      time(original.of(fiber), original.clockOf(fiber).unsafeCurrentTimeMillis())
    const wall = (fiber: Parameters<typeof of>[0]) => () => original.clockOf(fiber).unsafeCurrentTimeMillis()
    return {
      of,
      now: Effect.withFiberRuntime((fiber) => Effect.succeed(of(fiber))),
      nowWith: <A, E, R>(f: (now: number, wall: () => number) => Effect.Effect<A, E, R>) =>
        Effect.withFiberRuntime<A, E, R>((fiber) => f(of(fiber), wall(fiber)))
    }
  })

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

/** Everything that a breaker measures, with the step of the clock in its midst. */
const throughStep = (library: Selfheal, name: string, step: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const breaker = yield* makeBreaker(library, { probeTimeout: "10 seconds" })
    yield* fail(breaker)
    yield* TestClock.adjust("10 seconds")
    yield* step
    yield* TestClock.adjust(19_999)
    assert.isFalse((yield* begin(breaker.execute)).wasAdmitted, `${name}: the circuit did not stay open`)
    yield* TestClock.adjust(1)
    const probe = yield* begin(breaker.execute)
    assert.isTrue(probe.wasAdmitted, `${name}: the circuit stayed open for too long`)

    // The lease of that probe.
    yield* step
    yield* TestClock.adjust(9_999)
    assert.strictEqual(yield* stateOf(breaker), "half-open", `${name}: the probe lost its place too early`)
    yield* TestClock.adjust(1)
    assert.strictEqual(yield* stateOf(breaker), "open", `${name}: the probe kept its place for too long`)
    yield* step
    assert.strictEqual((yield* breaker.status).retryAfterSeconds, 30, `${name}: people are told another wait`)

    // What a window of time has counted.
    const rated = yield* makeBreaker(library, { ...lastTenSeconds, minimumThroughput: 4 })
    yield* fail(rated, 3)
    yield* step
    yield* TestClock.adjust("10 seconds")
    yield* fail(rated, 3)
    assert.strictEqual(yield* stateOf(rated), "closed", `${name}: the window kept what was over`)
    yield* step
    yield* fail(rated)
    assert.strictEqual(yield* stateOf(rated), "open", `${name}: the window lost what it had counted`)

    // How long a call took.
    for (const [millis, expected] of [
      [900, "closed"],
      [1_100, "open"]
    ] as const) {
      const timed = yield* makeBreaker(library, { ...lastTen, minimumThroughput: 1, slowCallDuration: "1 second" })
      const call = yield* begin(timed.execute)
      yield* step
      yield* TestClock.adjust(millis)
      yield* call.succeed
      assert.strictEqual(yield* stateOf(timed), expected, `${name}: a call of ${millis} ms was measured wrongly`)
    }
  })

conformance<Selfheal>({
  number: 8,
  title: "when the computer's clock is set, a minute back or an hour forward, the circuit does not notice",
  failing: ["Polly", "R4J", "failsafe-go", "cockatiel"],
  scenario: (library) =>
    Effect.gen(function* () {
      for (const [name, byMillis] of Object.entries(steps)) {
        const { step, wall } = steppable(yield* Effect.clock)
        yield* Effect.withClock(throughStep(library, name, step(byMillis)), wall)
      }
    }),
  ours,
  wrong: {
    "Polly, R4J, failsafe-go, cockatiel: the wall clock": [
      "a minute back: the circuit stayed open for too long",
      await timedBy((_, wall) => wall)
    ],
    "Sentinel: the wall clock, forgiven when it goes back": [
      "an hour forward: the circuit did not stay open",
      await timedBy((monotonic, wall) => Math.max(monotonic, wall))
    ]
  },
  peers: { cockatiel: throughEachStep(cockatiel), opossum: throughEachStep(opossum) }
})

/** Decides by the state that it has looked at, whatever has happened since. What people were told stays told. */
const lookingFirst = (Circuit: typeof TheCircuit.Circuit): typeof TheCircuit.Circuit =>
  class extends Circuit {
    override endingOf(permit: Kernel.Permit) {
      const ending = super.endingOf(permit)
      return {
        ...ending,
        onFailure: <E>(cause: Cause.Cause<E>) => {
          const { about, state } = this.ref.unsafeCurrent
          const decide = Effect.suspend(() => {
            const { history } = this.ref.unsafeCurrent.about
            this.ref.unsafeCurrent = { state, about: { ...about, history } }
            return ending.onFailure(cause)
          })
          return Effect.zipRight(Effect.yieldNow(), decide)
        }
      }
    }
  }

conformance<Selfheal>({
  number: 14,
  title: "many calls that fail in the same moment open the circuit once, and it says so once",
  failing: ["rezilience"],
  scenario: (library) =>
    Effect.gen(function* () {
      for (const rule of [{ failureThreshold: 3 }, { ...lastTen, minimumThroughput: 3 }]) {
        const breaker = yield* makeBreaker(library, rule)
        const told: Array<string> = []
        const changes = yield* breaker.subscribe
        yield* Effect.forkScoped(Stream.runForEach(changes, ({ to }) => Effect.sync(() => told.push(to))))
        yield* fail(breaker, 2)
        const crowd = yield* Effect.replicateEffect(begin(breaker.execute), 20)
        const last = yield* begin(breaker.execute)
        yield* Effect.all(
          crowd.map((call) => call.failWith("down")),
          { concurrency: "unbounded" }
        )
        yield* settled
        assert.deepStrictEqual(told, ["open"], "the crowd opened the circuit more than once")
        assert.strictEqual(yield* breaker.lateResults, 19)

        // Nor does one that comes later lengthen the open time, or ask for another trial.
        yield* TestClock.adjust("20 seconds")
        yield* last.failWith("down")
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* stateOf(breaker), "half-open", "a late failure lengthened the open time")
        yield* breaker.execute(Effect.void)
        yield* TestClock.adjust("1 hour")
        yield* breaker.execute(Effect.void)
        yield* settled
        assert.deepStrictEqual(told, ["open", "half-open", "closed"], "the circuit went on otherwise")
      }
    }),
  ours,
  wrong: {
    "rezilience: looks first and changes later": [
      "the crowd opened the circuit more than once",
      await altered("Circuit", ({ Circuit }) => ({ Circuit: lookingFirst(Circuit) }))
    ],
    "a breaker that opens once more for each failure that comes late": [
      "a late failure lengthened the open time",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, verdict, now) =>
          verdict === "failure" && state.automatic._tag === "open" && state.automatic.since < now
            ? { ...state, automatic: { ...state.automatic, since: now } }
            : kernel.settle(state, permit, verdict, now)
      }))
    ]
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
  title: "changing a running circuit breaker's options keeps its state, its counters and its probes",
  failing: ["Polly", "R4J"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { failureThreshold: 3 })
      yield* fail(breaker, 2)
      yield* breaker.reconfigure({ probeTimeout: "1 minute" })
      assert.strictEqual((yield* breaker.status).failures, 2, "the counters are empty")
      yield* fail(breaker)
      assert.strictEqual(yield* stateOf(breaker), "open")

      yield* TestClock.adjust("10 seconds")
      yield* breaker.reconfigure({ halfOpenMaxCalls: 2 })
      assert.strictEqual((yield* breaker.status).retryAfterSeconds, 20)

      yield* TestClock.adjust("20 seconds")
      const probe = yield* begin(breaker.execute)
      yield* breaker.reconfigure({ failureThreshold: 1 })
      assert.strictEqual((yield* breaker.status).probesInUse, 1, "the probe holds its place no more")
      yield* probe.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")

      // Calls that are on their way still count, and what an operator decided still holds.
      const underway = yield* begin(breaker.execute)
      yield* breaker.force("open")
      yield* breaker.reconfigure({ failureThreshold: 2 })
      assert.strictEqual(yield* stateOf(breaker), "open", "the operator's decision is gone")
      yield* breaker.force("auto")
      yield* underway.failWith("down")
      assert.strictEqual((yield* breaker.status).failures, 1, "a call that was on its way is not counted")

      for (const [window, other] of [
        [lastTen, { type: "count", size: 20 }],
        [lastTenSeconds, { type: "time", duration: "20 seconds" }]
      ] as const) {
        const rated = yield* makeBreaker(library, { ...window, minimumThroughput: 4 })
        yield* fail(rated, 3)
        yield* rated.reconfigure({ window: other })
        yield* fail(rated)
        assert.strictEqual(yield* stateOf(rated), "open", "the window is empty")
      }
    }),
  ours,
  wrong: {
    "Polly, R4J: the policy is replaced": [
      "the counters are empty",
      await altered("kernel/CircuitBreaker", (kernel) => ({ reconfigure: (_, settings) => kernel.initial(settings) }))
    ],
    "a breaker whose calls belong to the options they began under": [
      "the probe holds its place no more",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        reconfigure: (state, settings, now) => {
          const next = kernel.reconfigure(state, settings, now)
          return next.automatic._tag === "half-open" ? { ...next, automatic: { ...next.automatic, probes: [] } } : next
        }
      }))
    ],
    "a breaker that begins another window": [
      "the window is empty",
      await altered("kernel/Window", (window) => ({
        reshape: (before, rule, now) => (before._tag === "run" ? window.reshape(before, rule, now) : window.empty(rule))
      }))
    ]
  }
})
