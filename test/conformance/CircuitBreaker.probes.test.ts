/** Half-open: who decides, who is let through, and what becomes of a probe that says nothing. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import type * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import type * as Kernel from "../../src/resilience/kernel/CircuitBreaker.js"
import { altered, ours, type Selfheal } from "./support/altered.js"
import { fail, makeBreaker, stateOf } from "./support/breaker.js"
import { begin } from "./support/calls.js"
import { conformance } from "./support/conformance.js"
import { beginCall, both, cockatiel, down, up, type NpmBreaker } from "./support/npmBreakers.js"

/** Opens the circuit and waits until probes are let through. */
const tripAndWait = (breaker: CircuitBreaker.CircuitBreaker) =>
  Effect.gen(function* () {
    yield* fail(breaker)
    assert.strictEqual(yield* stateOf(breaker), "open")
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual(yield* stateOf(breaker), "half-open")
  })

/** The same for the breakers of npm, which are open for 5 seconds. */
const trip = async (breaker: NpmBreaker) => {
  await down(breaker)
  assert.strictEqual(breaker.state(), "open")
  await vi.advanceTimersByTimeAsync(5001)
}

/** The result of whatever call comes back is taken for that of the probe. */
const decidedByAnyone = await altered("kernel/CircuitBreaker", (kernel) => ({
  settle: (state, permit, ...result) => kernel.settle(state, { ...permit, ...probeOf(state) }, ...result)
}))
const probeOf = ({ automatic, generation }: Kernel.State) =>
  automatic._tag === "half-open" ? { generation, probe: automatic.probes[0] } : {}

/** The result of a probe counts in whatever half-open state it meets, also in a later one than its own. */
const decidedByAnyProbe = await altered("kernel/CircuitBreaker", (kernel) => ({
  settle: (state, permit, ...result) =>
    kernel.settle(state, permit.probe === undefined ? permit : { ...permit, ...probeOf(state) }, ...result)
}))

/**
 * A call of the closed circuit, and a probe of a half-open circuit that another probe has opened again: both are still on
 * their way when the circuit is half-open once more.
 */
const lateCalls = (library: Selfheal) =>
  Effect.gen(function* () {
    const breaker = yield* makeBreaker(library, { halfOpenMaxCalls: 2, probeTimeout: "1 day" })
    const call = yield* begin(breaker.execute)
    yield* tripAndWait(breaker)
    const oldProbe = yield* begin(breaker.execute)
    yield* fail(breaker)
    assert.strictEqual(yield* stateOf(breaker), "open")
    yield* TestClock.adjust("30 seconds")
    const probe = yield* begin(breaker.execute)
    assert.isTrue(call.wasAdmitted && oldProbe.wasAdmitted && probe.wasAdmitted)
    return { breaker, call, oldProbe, probe }
  })

conformance<Selfheal>({
  number: 1,
  title: "a success of a call from before the circuit opened does not close it, only a probe's does",
  failing: ["Polly", "opossum", "Sentinel", "R4J", "Failsafe", "failsafe-go"],
  scenario: (library) =>
    Effect.gen(function* () {
      const { breaker, call, oldProbe, probe } = yield* lateCalls(library)
      yield* call.succeed
      assert.strictEqual(yield* stateOf(breaker), "half-open", "a call of the closed circuit closed it")
      yield* oldProbe.succeed
      assert.strictEqual(yield* stateOf(breaker), "half-open", "a probe of an earlier trial closed it")
      yield* probe.failWith("down")
      assert.strictEqual(yield* stateOf(breaker), "open")

      // Nor is it one of the successes that closing takes; nor does it close a circuit that is open.
      const careful = yield* makeBreaker(library, { halfOpenMaxCalls: 2, halfOpenSampleSize: 2 })
      const late = yield* Effect.replicateEffect(begin(careful.execute), 2)
      yield* fail(careful)
      yield* late[0]!.succeed
      assert.strictEqual(yield* stateOf(careful), "open", "a call of the closed circuit closed an open one")
      yield* TestClock.adjust("30 seconds")
      const [first, second] = [yield* begin(careful.execute), yield* begin(careful.execute)]
      yield* first.succeed
      yield* late[1]!.succeed
      assert.strictEqual(yield* stateOf(careful), "half-open", "a late success was counted with those of the probes")
      yield* second.succeed
      assert.strictEqual(yield* stateOf(careful), "closed")
    }),
  ours,
  wrong: {
    "Polly, opossum, Sentinel: whatever call comes back decides": [
      "a call of the closed circuit closed it",
      decidedByAnyone
    ],
    "a breaker that tells probes from calls, but not one probe from another": [
      "a probe of an earlier trial closed it",
      decidedByAnyProbe
    ],
    "R4J, Failsafe, failsafe-go: where several probes decide, a late success is one of theirs": [
      "a late success was counted with those of the probes",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, ...result) =>
          state.settings.halfOpenSampleSize > 1
            ? kernel.settle(state, { ...permit, ...probeOf(state) }, ...result)
            : kernel.settle(state, permit, ...result)
      }))
    ]
  },
  peers: both(async (breaker) => {
    const late = await beginCall(breaker)
    await trip(breaker)
    const probe = await beginCall(breaker)
    await late.succeed()
    assert.strictEqual(breaker.state(), "half-open")
    await probe.fail()
    assert.strictEqual(breaker.state(), "open")
  })
})

conformance<Selfheal>({
  number: 2,
  title: "a failure of a call from before the circuit opened does not open it again, only a probe's does",
  failing: ["Polly", "cockatiel", "opossum", "Sentinel"],
  scenario: (library) =>
    Effect.gen(function* () {
      const { breaker, call, oldProbe, probe } = yield* lateCalls(library)
      yield* call.failWith("down")
      assert.strictEqual(yield* stateOf(breaker), "half-open", "a call of the closed circuit opened it")
      yield* oldProbe.failWith("down")
      assert.strictEqual(yield* stateOf(breaker), "half-open", "a probe of an earlier trial opened it")
      yield* probe.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
    }),
  ours,
  wrong: {
    "Polly, cockatiel, opossum, Sentinel: whatever call comes back decides": [
      "a call of the closed circuit opened it",
      decidedByAnyone
    ],
    "a breaker that tells probes from calls, but not one probe from another": [
      "a probe of an earlier trial opened it",
      decidedByAnyProbe
    ]
  },
  peers: both(async (breaker) => {
    const late = await beginCall(breaker)
    await trip(breaker)
    const probe = await beginCall(breaker)
    await late.fail()
    assert.strictEqual(breaker.state(), "half-open")
    await probe.succeed()
    assert.strictEqual(breaker.state(), "closed")
  })
})

/** Gives back the place of a probe that is still on its way. */
const withoutOneProbe = (state: Kernel.State): Kernel.State =>
  state.automatic._tag === "half-open"
    ? { ...state, automatic: { ...state.automatic, probes: state.automatic.probes.slice(1) } }
    : state

conformance<Selfheal>({
  number: 3,
  title: "results that come late, from before the circuit opened, change nothing about who is let through",
  failing: ["Failsafe", "failsafe-go", "R4J", "cockatiel", "opossum"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, {
        failureThreshold: 2,
        halfOpenMaxCalls: 2,
        isFailure: (error) => error === "down"
      })
      const late = yield* Effect.replicateEffect(begin(breaker.execute), 5)
      yield* fail(breaker)
      yield* tripAndWait(breaker)
      const probe = yield* begin(breaker.execute)
      yield* begin(breaker.execute)

      const ends = [late[0]!.succeed, late[1]!.failWith("down"), late[2]!.failWith("not found")]
      for (const end of ends) {
        yield* end
        const third = yield* begin(breaker.execute)
        assert.isFalse(third.wasAdmitted, "more probes than two are on their way")
        assert.strictEqual((yield* breaker.status).probesInUse, 2)
      }

      yield* probe.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
      yield* late[3]!.failWith("down")
      yield* late[4]!.failWith("down")
      assert.isTrue((yield* begin(breaker.execute)).wasAdmitted, "failures of the past opened the circuit")
    }),
  ours,
  wrong: {
    "Failsafe, failsafe-go: a finished call gives back a place it never took": [
      "more probes than two are on their way",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, outcome, now) =>
          permit.generation === state.generation || outcome === "ignored"
            ? kernel.settle(state, permit, outcome, now)
            : withoutOneProbe(state)
      }))
    ],
    "R4J: releasing a permission is not bound to having one": [
      "more probes than two are on their way",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, outcome, now) =>
          permit.generation === state.generation || outcome !== "ignored"
            ? kernel.settle(state, permit, outcome, now)
            : withoutOneProbe(state)
      }))
    ],
    "cockatiel: a late failure is counted in whatever state it meets": [
      "failures of the past opened the circuit",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, ...result) =>
          kernel.settle(
            state,
            state.automatic._tag === "closed" ? { ...permit, generation: state.generation } : permit,
            ...result
          )
      }))
    ]
  },
  peers: both(async (breaker) => {
    const late = [await beginCall(breaker), await beginCall(breaker), await beginCall(breaker)]
    await trip(breaker)
    const probe = await beginCall(breaker)
    await late[0]!.succeed()
    assert.isFalse((await beginCall(breaker)).wasAdmitted, "more probes than one are on their way")
    await late[1]!.fail()
    assert.isFalse((await beginCall(breaker)).wasAdmitted, "more probes than one are on their way")
    await probe.succeed()
    await late[2]!.fail()
    assert.isTrue((await beginCall(breaker)).wasAdmitted, "failures of the past opened the circuit")
  })
})

conformance<Selfheal>({
  number: 4,
  title: "a probe that never returns loses its place in bounded time, and its result counts no more",
  failing: ["Polly", "R4J by default", "Failsafe", "failsafe-go", "rezilience", "cockatiel", "Sentinel", "gobreaker"],
  scenario: (library) =>
    Effect.gen(function* () {
      // Without further options, too: a remedy that has to be asked for is there for few.
      const cases = [
        { probes: 1, options: { probeTimeout: "10 seconds" } },
        { probes: 3, options: { halfOpenMaxCalls: undefined } }
      ] as const
      for (const { options, probes } of cases) {
        const breaker = yield* makeBreaker(library, options)
        yield* tripAndWait(breaker)
        // A limit that is none must not become a lease without end.
        const unlimited = begin((call) => breaker.execute(call, { callLimit: Infinity }))
        const stuck = yield* Effect.replicateEffect(unlimited, probes)
        assert.isTrue(stuck.every((probe) => probe.wasAdmitted))
        assert.isFalse((yield* begin(breaker.execute)).wasAdmitted)
        // The lease, by default as long as an open circuit waits, and then once more that time.
        yield* TestClock.adjust("1 minute")
        const next = yield* begin(breaker.execute)
        assert.isTrue(next.wasAdmitted, "the probe that never returned still holds its place")
        yield* stuck[0]!.succeed
        assert.strictEqual(yield* stateOf(breaker), "half-open", "a probe whose lease was over closed the circuit")
        yield* next.succeed
        assert.strictEqual(yield* stateOf(breaker), "closed")
      }
    }),
  ours,
  wrong: {
    "Polly, R4J, Failsafe, failsafe-go, rezilience, cockatiel, Sentinel, gobreaker": [
      "the probe that never returned still holds its place",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        admit: (state, now) => kernel.admit(state, now, Number.MAX_VALUE)
      }))
    ],
    "a breaker that believes a call without a limit": [
      "the probe that never returned still holds its place",
      await altered("kernel/HalfOpen", (halfOpen) => ({
        lend: (state, rules, now, lease) =>
          halfOpen.lend(state, { ...rules, probeTimeout: Math.max(rules.probeTimeout, lease) }, now, 0)
      }))
    ],
    "a breaker that forgets who lost a place": ["a probe whose lease was over closed the circuit", decidedByAnyProbe]
  },
  peers: both(async (breaker) => {
    await trip(breaker)
    await beginCall(breaker)
    await vi.advanceTimersByTimeAsync(3_600_000)
    assert.isTrue((await beginCall(breaker)).wasAdmitted, "the probe that never returned still holds its place")
  })
})

const isUndecided = (breaker: CircuitBreaker.CircuitBreaker, way: string) =>
  Effect.map(breaker.status, ({ probesInUse, state }) => {
    assert.strictEqual(state, "half-open", `cancelled ${way}: the state of the circuit`)
    assert.strictEqual(probesInUse, 0, `cancelled ${way}: places that are taken`)
  })

conformance<Selfheal>({
  number: 5,
  title: "a probe that is cancelled neither closes the circuit nor opens it, and gives its place back",
  failing: ["Polly", "failsafe-go", "cockatiel"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library)
      const policy = yield* library.Policy.make({ name: "upstream", breaker })
      yield* tripAndWait(breaker)
      for (const [way, through] of Object.entries({
        "by its caller": breaker.execute,
        "by its caller, behind a policy": policy.protect
      })) {
        const cancelled = yield* begin(through)
        assert.isTrue(cancelled.wasAdmitted)
        yield* cancelled.interrupt
        yield* isUndecided(breaker, way)
      }
      const timedOut = yield* Effect.fork(Effect.timeout(breaker.execute(Effect.never), "1 second"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.await(timedOut)
      yield* isUndecided(breaker, "by a time limit around it")
      yield* Effect.race(breaker.execute(Effect.never), Effect.yieldNow())
      yield* isUndecided(breaker, "by a race that it lost")

      const next = yield* begin(breaker.execute)
      assert.isTrue(next.wasAdmitted)
      yield* next.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
    }),
  ours,
  wrong: {
    "Polly: what is not handled is a success": [
      "the state of the circuit",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, outcome, now) =>
          kernel.settle(state, permit, outcome === "interrupted" ? "success" : outcome, now)
      }))
    ],
    "failsafe-go: the context's error is a failure": [
      "the state of the circuit",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, outcome, now) =>
          kernel.settle(state, permit, outcome === "interrupted" ? "failure" : outcome, now)
      }))
    ],
    "R4J outside of its reactive operators: nobody gives the place back": [
      "places that are taken",
      await altered("kernel/CircuitBreaker", (kernel) => ({
        settle: (state, permit, outcome, now) =>
          outcome === "interrupted" ? state : kernel.settle(state, permit, outcome, now)
      }))
    ]
  },
  peers: {
    cockatiel: cockatiel(async (breaker) => {
      await trip(breaker)
      const controller = new AbortController()
      const whenAborted = () =>
        new Promise<void>((_, reject) =>
          controller.signal.addEventListener("abort", () => reject(new Error("aborted")))
        )
      const cancelled = breaker.call(whenAborted, controller.signal).catch(() => undefined)
      controller.abort()
      await cancelled
      assert.strictEqual(breaker.state(), "half-open")
      await up(breaker)
      assert.strictEqual(breaker.state(), "closed")
    })
  }
})

conformance<Selfheal>({
  number: 7,
  title: "while the circuit tries the dependency, further callers are rejected at once and never kept waiting",
  failing: ["cockatiel"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { halfOpenMaxCalls: 2 })
      const bulkhead = yield* library.Bulkhead.make({ name: "places", maxConcurrent: 1, maxQueued: 10 })
      const policy = yield* library.Policy.make({ name: "upstream", retry: {}, bulkhead, breaker })
      yield* tripAndWait(breaker)
      const probe = yield* begin(breaker.execute)
      assert.isTrue(probe.wasAdmitted && (yield* begin(breaker.execute)).wasAdmitted)
      const excess = yield* Effect.replicateEffect(begin(breaker.execute), 10)
      // With a policy whose only place is free, and who may retry: neither is a reason to wait.
      excess.push(yield* begin((call) => policy.protect(call, { idempotent: true })))
      for (const caller of excess) {
        const result = yield* caller.result
        assert.isTrue(Option.isSome(result) && Exit.isFailure(result.value), "a caller waits for the probe to end")
        assert.isFalse(caller.wasAdmitted)
      }
      yield* probe.succeed
      assert.isFalse(excess.some((caller) => caller.wasAdmitted))
    }),
  ours,
  wrong: {
    "cockatiel: waits until the probes have decided": [
      "a caller waits for the probe to end",
      await altered("CircuitBreaker", (original) => ({
        make: (options) =>
          Effect.map(original.make(options), (breaker): CircuitBreaker.CircuitBreaker =>
            // Its effects are getters, which a spread would lose.
            Object.assign(Object.create(breaker), {
              execute: ((self, limits) =>
                Effect.retry(breaker.execute(self, limits), {
                  while: (error) => isHalfOpenFull(error),
                  schedule: Schedule.spaced("1 second")
                })) satisfies typeof breaker.execute
            })
          )
      }))
    ]
  },
  peers: both(async (breaker) => {
    await trip(breaker)
    const probe = await beginCall(breaker)
    const excess = await beginCall(breaker)
    assert.strictEqual(excess.result, "rejected", "a caller waits for the probe to end")
    await probe.succeed()
    assert.isFalse(excess.wasAdmitted)
  })
})

const isHalfOpenFull = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "reason" in error && error.reason === "half-open-full"
