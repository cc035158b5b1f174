/** Half-open: who decides, who is let through, and what becomes of a probe that says nothing. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
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

conformance<Selfheal>({
  number: 1,
  title: "a success that comes late, while a probe is on its way, does not close the circuit",
  failing: ["Polly", "opossum", "Sentinel"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library)
      const late = yield* begin(breaker.execute)
      yield* tripAndWait(breaker)
      const probe = yield* begin(breaker.execute)
      assert.isTrue(probe.wasAdmitted)
      yield* late.succeed
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* probe.failWith("down")
      assert.strictEqual(yield* stateOf(breaker), "open")
    }),
  ours,
  wrong: { "Polly, opossum, Sentinel": decidedByAnyone },
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
  title: "a failure that comes late, while a probe is on its way, does not open the circuit again",
  failing: ["Polly", "cockatiel", "opossum", "Sentinel"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library)
      const late = yield* begin(breaker.execute)
      yield* tripAndWait(breaker)
      const probe = yield* begin(breaker.execute)
      assert.isTrue(probe.wasAdmitted)
      yield* late.failWith("down")
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      yield* probe.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
    }),
  ours,
  wrong: { "Polly, cockatiel, opossum, Sentinel": decidedByAnyone },
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
  title: "results that come late change nothing about who is let through",
  failing: ["Failsafe", "failsafe-go", "R4J"],
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
    "Failsafe, failsafe-go: a finished call gives back a place it never took": await altered(
      "kernel/CircuitBreaker",
      (kernel) => ({
        settle: (state, permit, outcome, now) =>
          permit.generation === state.generation || outcome === "ignored"
            ? kernel.settle(state, permit, outcome, now)
            : withoutOneProbe(state)
      })
    ),
    "R4J: releasing a permission is not bound to having one": await altered("kernel/CircuitBreaker", (kernel) => ({
      settle: (state, permit, outcome, now) =>
        permit.generation === state.generation || outcome !== "ignored"
          ? kernel.settle(state, permit, outcome, now)
          : withoutOneProbe(state)
    })),
    "cockatiel: a late failure is counted in whatever state it meets": await altered(
      "kernel/CircuitBreaker",
      (kernel) => ({
        settle: (state, permit, ...result) =>
          kernel.settle(
            state,
            state.automatic._tag === "closed" ? { ...permit, generation: state.generation } : permit,
            ...result
          )
      })
    )
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
  title: "a probe that never returns loses its place, so that the circuit tries again in bounded time",
  failing: ["Polly", "R4J by default", "Failsafe", "failsafe-go", "rezilience", "cockatiel", "Sentinel", "gobreaker"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library, { probeTimeout: "10 seconds" })
      yield* tripAndWait(breaker)
      const stuck = yield* begin(breaker.execute)
      assert.isTrue(stuck.wasAdmitted)
      // Its lease, and once more the time that an open circuit waits.
      yield* TestClock.adjust("40 seconds")
      const next = yield* begin(breaker.execute)
      assert.isTrue(next.wasAdmitted, "the probe that never returned still holds its place")
      yield* next.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
    }),
  ours,
  wrong: {
    "Polly, R4J, Failsafe, failsafe-go, rezilience, cockatiel, Sentinel, gobreaker": await altered(
      "kernel/CircuitBreaker",
      (kernel) => ({ admit: (state, now) => kernel.admit(state, now, Number.MAX_VALUE) })
    )
  },
  peers: both(async (breaker) => {
    await trip(breaker)
    await beginCall(breaker)
    await vi.advanceTimersByTimeAsync(3_600_000)
    assert.isTrue((await beginCall(breaker)).wasAdmitted, "the probe that never returned still holds its place")
  })
})

conformance<Selfheal>({
  number: 5,
  title: "a probe that is cancelled neither closes the circuit nor opens it, and gives its place back",
  failing: ["Polly", "failsafe-go"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library)
      yield* tripAndWait(breaker)
      const cancelled = yield* begin(breaker.execute)
      assert.isTrue(cancelled.wasAdmitted)
      yield* cancelled.interrupt
      assert.strictEqual(yield* stateOf(breaker), "half-open")
      assert.strictEqual((yield* breaker.status).probesInUse, 0)
      const next = yield* begin(breaker.execute)
      assert.isTrue(next.wasAdmitted)
      yield* next.succeed
      assert.strictEqual(yield* stateOf(breaker), "closed")
    }),
  ours,
  wrong: {
    "Polly: what is not handled is a success": await altered("kernel/CircuitBreaker", (kernel) => ({
      settle: (state, permit, outcome, now) =>
        kernel.settle(state, permit, outcome === "interrupted" ? "success" : outcome, now)
    })),
    "failsafe-go: the context's error is a failure": await altered("kernel/CircuitBreaker", (kernel) => ({
      settle: (state, permit, outcome, now) =>
        kernel.settle(state, permit, outcome === "interrupted" ? "failure" : outcome, now)
    })),
    "R4J outside of its reactive operators: nobody gives the place back": await altered(
      "kernel/CircuitBreaker",
      (kernel) => ({
        settle: (state, permit, outcome, now) =>
          outcome === "interrupted" ? state : kernel.settle(state, permit, outcome, now)
      })
    )
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
  title: "callers for whom no probe is left are rejected at once and never wait for one to end",
  failing: ["cockatiel"],
  scenario: (library) =>
    Effect.gen(function* () {
      const breaker = yield* makeBreaker(library)
      yield* tripAndWait(breaker)
      const probe = yield* begin(breaker.execute)
      assert.isTrue(probe.wasAdmitted)
      const excess = yield* Effect.replicateEffect(begin(breaker.execute), 10)
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
    "cockatiel: waits until the probes have decided": await altered("CircuitBreaker", (original) => ({
      make: (options) =>
        Effect.map(original.make(options), (breaker): typeof breaker =>
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
