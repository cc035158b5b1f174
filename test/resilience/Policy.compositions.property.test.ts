/**
 * Random compositions in motion: a policy of random steps, perhaps around another one, perhaps behind a coalescer, is used
 * by callers who come, fail, die and leave when they like. Whatever the composition, nothing is lost or doubled: every
 * place, permit and charge comes back, no attempt outlives its caller, and no deadline stays behind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Coalesce from "../../src/resilience/Coalesce.js"
import * as Deadline from "../../src/resilience/Deadline.js"
import type { Gate } from "../../src/resilience/Gate.js"
import * as Hedge from "../../src/resilience/Hedge.js"
import * as Policy from "../../src/resilience/Policy.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"
import * as Turnstile from "./support/Turnstile.js"

const phases = ["queued", "running", "probing", "sleeping"] as const
type Phase = (typeof phases)[number]

/** Which steps there are; the numbers are of milliseconds, and such that all of them matter. */
interface Composition {
  readonly deadline: number | undefined
  readonly attempts: number
  readonly budget: boolean
  readonly limiter: boolean
  readonly places: number | undefined
  readonly breaker: boolean
  readonly hedge: boolean
  readonly attemptTimeout: number | undefined
}

interface Caller {
  readonly begins: number
  readonly leaves: number | undefined
  readonly idempotent: boolean
  readonly attempts: ReadonlyArray<{
    readonly takes: number
    readonly wait: number
    readonly ends: "success" | "failure" | "defect"
  }>
}

interface Play {
  readonly outer: Composition
  readonly inner: Composition | undefined
  readonly coalesced: boolean
  readonly callers: ReadonlyArray<Caller>
}

const { constantFrom, integer, option, record } = FastCheck
const maybe = <A>(arbitrary: FastCheck.Arbitrary<A>) => option(arbitrary, { nil: undefined, freq: 2 })

const anyComposition: FastCheck.Arbitrary<Composition> = record({
  deadline: maybe(integer({ min: 300, max: 1_500 })),
  attempts: constantFrom(1, 2, 3),
  budget: FastCheck.boolean(),
  limiter: FastCheck.boolean(),
  places: maybe(constantFrom(1, 2)),
  breaker: constantFrom(true, true, true, false),
  hedge: FastCheck.boolean(),
  attemptTimeout: maybe(integer({ min: 150, max: 300 }))
})

const anyCaller: FastCheck.Arbitrary<Caller> = record({
  begins: integer({ min: 0, max: 1_000 }),
  leaves: maybe(integer({ min: 1, max: 500 })),
  idempotent: constantFrom(true, true, true, false),
  attempts: FastCheck.array(
    record({
      takes: integer({ min: 1, max: 350 }),
      wait: constantFrom(0, 0, 40, 200),
      ends: constantFrom("success", "failure", "failure", "failure", "defect")
    }),
    { minLength: 3, maxLength: 3 }
  )
})

const anyPlay: FastCheck.Arbitrary<Play> = record({
  outer: anyComposition,
  inner: option(anyComposition, { nil: undefined, freq: 1 }),
  coalesced: constantFrom(false, false, false, true),
  callers: FastCheck.array(anyCaller, { minLength: 4, maxLength: 10, size: "max" })
})

/** What the properties are shown to catch. */
interface Leaks {
  readonly gate?: (gate: Gate) => Gate
  readonly attempt?: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** Builds a policy of just these steps, with a look at what must be square in the end. */
const build = (name: string, steps: Composition, { gate = (gate) => gate }: Leaks) =>
  Effect.gen(function* () {
    const balance = { calls: 0, ended: 0, begun: 0, attempts: 0, retries: 0 }
    const retryBudget =
      steps.budget && (steps.attempts > 1 || steps.hedge)
        ? yield* RetryBudget.make({ name, window: "1 hour", ratio: 0.5, minPerSecond: 0.001 })
        : undefined
    const breaker = steps.breaker
      ? yield* CircuitBreaker.make({ name, failureThreshold: 1, resetTimeout: 100, halfOpenMaxCalls: 2 })
      : undefined
    const bulkhead =
      steps.places === undefined
        ? undefined
        : yield* Bulkhead.make({ name, maxConcurrent: steps.places, maxQueued: 4, maxWait: 400 })
    const limiter = steps.limiter ? Turnstile.make(`${name} limiter`) : undefined
    const policy = yield* Policy.make({
      name,
      deadline: steps.deadline,
      attemptTimeout: steps.attemptTimeout,
      retry: { maxAttempts: steps.attempts, initialDelay: 80, maxDelay: 200 },
      retryBudget,
      breaker,
      rateLimiter: limiter,
      bulkhead: bulkhead === undefined ? undefined : gate(bulkhead),
      hedge: steps.hedge ? yield* Hedge.make({ name, delay: 60, budget: retryBudget }) : undefined,
      onEvent: ({ _tag }) =>
        Effect.sync(() => {
          if (_tag === "AttemptEnded") balance.attempts += 1
          if (_tag === "RetryScheduled") balance.retries += 1
          if (_tag === "CallEnded") balance.ended += 1
        })
    })

    const square = Effect.gen(function* () {
      if (bulkhead !== undefined) assert.deepInclude(yield* bulkhead.status, { inUse: 0, queued: 0 }, `${name}: places`)
      if (limiter !== undefined) assert.deepInclude(limiter.counts, { inside: 0, queued: 0 }, `${name}: tokens`)
      if (breaker !== undefined) assert.strictEqual((yield* breaker.status).probesInUse, 0, `${name}: probes`)
      assert.strictEqual(balance.ended, balance.calls, `${name}: a call has ended once`)
      if (retryBudget !== undefined) {
        const { calls, retries } = yield* retryBudget.status
        assert.strictEqual(calls, balance.calls, `${name}: a call is deposited once`)
        if (!steps.hedge) assert.isAtMost(retries, balance.retries, `${name}: a retry is charged once`)
      }
    })
    return {
      square,
      retries: () => balance.retries,
      isProbing: breaker === undefined ? Effect.succeed(false) : Effect.map(breaker.status, (s) => s.probesInUse > 0),
      waits: limiter?.waits ?? [],
      protect: <A, E>(self: Effect.Effect<A, E>, idempotent: boolean) =>
        Effect.suspend(() => {
          balance.calls += 1
          return policy.protect(self, { idempotent })
        })
    }
  })

type Count = (phase: Phase, what: "all" | "interrupted", by?: number) => void

const play = ({ callers, coalesced, inner, outer }: Play, leaks: Leaks, count: Count) =>
  Effect.gen(function* () {
    const outside = yield* build("outer", outer, leaks)
    const inside = inner === undefined ? undefined : yield* build("inner", inner, leaks)
    const coalesce = yield* Coalesce.make<string, string, unknown>()
    let running = 0

    const live = ({ attempts, begins, idempotent, leaves }: Caller) => {
      let begun = 0
      let ownRunning = 0
      let wasProbing = false
      let hasEnded = false
      const attempt = Effect.gen(function* () {
        const { ends, takes, wait } = attempts[begun % attempts.length]!
        if (begun === 0 && (yield* Clock.currentTimeMillis) > begins) count("queued", "all")
        begun += 1
        wasProbing = yield* outside.isProbing
        count(wasProbing ? "probing" : "running", "all")
        outside.waits.push(wait)
        running += 1
        ownRunning += 1
        yield* Effect.delay(
          ends === "success" ? Effect.void : ends === "failure" ? Effect.fail("down") : bug,
          takes
        ).pipe(
          Effect.onExit(() =>
            Effect.sync(() => {
              running -= 1
              ownRunning -= 1
            })
          )
        )
        return "up"
      })
      const leaky = leaks.attempt?.(attempt) ?? attempt
      const call = outside.protect(inside === undefined ? leaky : inside.protect(leaky, idempotent), idempotent)
      const whole = coalesced ? coalesce.run("one", call) : call

      const caller = Effect.gen(function* () {
        const exit = yield* Effect.exit(whole)
        if (!coalesced) assert.strictEqual(ownRunning, 0, "an attempt outlives its call")
        assert.strictEqual(Duration.toMillis(yield* Deadline.remaining), Infinity, "a deadline stays behind")
        return exit
      }).pipe(Effect.ensuring(Effect.sync(() => (hasEnded = true))))

      return Effect.gen(function* () {
        yield* Effect.sleep(begins)
        const fiber = yield* Effect.fork(caller)
        if (leaves === undefined) return yield* Fiber.await(fiber)
        yield* Effect.sleep(leaves)
        const phase = ownRunning > 0 ? (wasProbing ? "probing" : "running") : begun > 0 ? "sleeping" : "queued"
        if (!hasEnded && !coalesced) {
          count(phase, "interrupted")
          if (phase === "queued") count("queued", "all")
        }
        const exit = yield* Fiber.interrupt(fiber)
        if (!coalesced) assert.strictEqual(ownRunning, 0, "an attempt outlives its caller")
        return exit
      })
    }

    const fibers = yield* Effect.forEach(callers, (caller) => Effect.fork(live(caller)))
    yield* TestClock.adjust("20 seconds")
    for (const fiber of fibers) {
      const exit = fiber.unsafePoll() ?? assert.fail("a caller waits for ever")
      // What a caller asserts about itself.
      const own = Exit.flatten(exit)
      if (Exit.isFailure(own) && own.cause._tag === "Die" && own.cause.defect !== theBug) throw own.cause.defect
    }
    assert.strictEqual(running, 0, "an attempt is still running")
    count("sleeping", "all", outside.retries() + (inside?.retries() ?? 0))
    yield* outside.square
    if (inside !== undefined) yield* inside.square
  }).pipe(Effect.scoped)

const theBug = new Error("bug")
const bug = Effect.die(theBug)

const property = (leaks: Leaks = {}, count: Count = () => undefined) =>
  FastCheck.asyncProperty(anyPlay, (script) =>
    Effect.runPromise(Effect.provide(play(script, leaks, count), TestContext.TestContext))
  )

describe("Policies in any composition", () => {
  it("lose nothing and double nothing, whoever fails, dies or leaves in which phase ever", async () => {
    const counts = new Map(phases.map((phase) => [phase, { all: 0, interrupted: 0 }]))
    const run = property({}, (phase, what, by = 1) => (counts.get(phase)![what] += by))
    await FastCheck.assert(run, { numRuns: 60, seed: 20_261_126 })
    for (const [phase, { all, interrupted }] of counts) {
      assert.isAbove(all, 30, `${phase}: too few to mean anything`)
      assert.isAtLeast(interrupted / all, 0.05, `${phase}: ${interrupted} of ${all} interrupted`)
    }
  }, 120_000)

  it("are caught when a place is not given back after an interruption", async () => {
    const gate = (bulkhead: Gate): Gate => ({
      name: "leaky",
      admit: (admission) =>
        Effect.map(
          bulkhead.admit(admission),
          (permit) => (exit) => (Exit.isInterrupted(exit) ? Effect.void : permit(exit))
        )
    })
    const { failed } = await FastCheck.check(property({ gate }), { numRuns: 60, seed: 1, endOnFailure: true })
    assert.isTrue(failed)
  }, 120_000)

  it("are caught when an attempt goes on in the background", async () => {
    const { failed } = await FastCheck.check(
      property({ attempt: (self) => Effect.flatMap(Effect.forkDaemon(self), Fiber.join) }),
      {
        numRuns: 60,
        seed: 1,
        endOnFailure: true
      }
    )
    assert.isTrue(failed)
  }, 120_000)
})
