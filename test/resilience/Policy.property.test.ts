/**
 * The policy in motion. One caller after another goes through deadline, retry, queue, breaker and attempt timeout by a
 * random script and is interrupted at a random moment of a random phase; a reference model foretells, to the
 * millisecond, how and when each call ends. Then many callers at once, where only what must always hold is checked.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import type { Gate } from "../../src/resilience/Gate.js"
import * as Policy from "../../src/resilience/Policy.js"
import { BreakerModel } from "./support/BreakerModel.js"
import * as Turnstile from "./support/Turnstile.js"

const deadline = 2_000
const attemptTimeout = 500
const breakerOptions = { threshold: 2, openFor: 600, probes: 1, lease: 600 }
const retry = { maxAttempts: 3, initialDelay: 200, backoffMultiplier: 2, maxDelay: 300 }
const delays = [200, 300]

const phases = ["queued", "running", "probing", "sleeping"] as const
type Phase = (typeof phases)[number]

interface Step {
  readonly wait: number
  readonly takes: number
  readonly ends: "success" | "failure"
}

interface Script {
  /** Milliseconds between the end of the call before and this one. */
  readonly gap: number
  readonly idempotent: boolean
  readonly steps: ReadonlyArray<Step>
  /** Interrupted the first time that it is in this phase, after this part of it. */
  readonly interrupt: { readonly phase: Phase; readonly part: number } | undefined
}

const anyStep: FastCheck.Arbitrary<Step> = FastCheck.record({
  wait: FastCheck.oneof(FastCheck.constant(0), FastCheck.integer({ min: 1, max: 900 })),
  takes: FastCheck.integer({ min: 1, max: 700 }),
  ends: FastCheck.constantFrom("success", "failure", "failure")
})

const anyScript: FastCheck.Arbitrary<Script> = FastCheck.record({
  gap: FastCheck.constantFrom(0, 40, 600, 601),
  idempotent: FastCheck.oneof({ weight: 4, arbitrary: FastCheck.constant(true) }, FastCheck.boolean()),
  steps: FastCheck.array(anyStep, { minLength: 3, maxLength: 3 }),
  interrupt: FastCheck.option(
    FastCheck.record({
      // Probes are rare: ask for them more often.
      phase: FastCheck.constantFrom(...phases, ...phases, "probing"),
      part: FastCheck.double({ min: 0.01, max: 0.99, noNaN: true })
    }),
    { freq: 5, nil: undefined }
  )
})

interface Foretold {
  readonly end: "success" | "failure" | "interrupted" | "CircuitOpen" | "AttemptTimeout" | "DeadlineExceeded"
  readonly at: number
  readonly attempts: number
  /** The phases that the call was in, the last one being where an interrupted call was interrupted. */
  readonly seen: ReadonlyArray<Phase>
}

/** Two things are to happen at the same millisecond and the order is nobody's promise: such a script is passed over. */
class Tie extends Error {}

const before = (first: number, second: number): boolean => {
  if (first === second) throw new Tie()
  return first < second
}

/** What must become of a call that starts now. */
const foretell = (script: Script, breaker: BreakerModel, start: number): Foretold => {
  const endsAt = start + deadline
  const seen: Array<Phase> = []
  let now = start
  let attempts = 0
  const ended = (end: Foretold["end"]): Foretold => ({ end, at: now, attempts, seen })

  /** Lets time pass in a phase; true when the caller is interrupted in it. */
  const spend = (phase: Phase, millis: number): boolean => {
    if (millis < 2) {
      now += millis
      return false
    }
    const interrupted = script.interrupt?.phase === phase && !seen.includes(phase)
    seen.push(phase)
    now += interrupted ? Math.max(1, Math.floor(millis * script.interrupt.part)) : millis
    return interrupted
  }

  for (const [index, step] of script.steps.entries()) {
    // A look takes no place: entering and leaving at once is the model's way to look.
    const look = breaker.enter(now)
    if (typeof look === "string") return ended("CircuitOpen")
    breaker.leave(look, "none", now)

    const inTime = step.wait === 0 || before(now + step.wait, endsAt)
    if (spend("queued", inTime ? step.wait : endsAt - now)) return ended("interrupted")
    if (!inTime) return ended("DeadlineExceeded")

    const ticket = breaker.enter(now)
    if (typeof ticket === "string") return ended("CircuitOpen")
    attempts += 1
    const left = endsAt - now
    const limit = Math.min(attemptTimeout, left)
    const finishes = before(step.takes, limit)
    if (spend(ticket.leasedUntil === undefined ? "running" : "probing", finishes ? step.takes : limit)) {
      breaker.leave(ticket, "none", now)
      return ended("interrupted")
    }
    const end = finishes ? step.ends : attemptTimeout <= left ? "AttemptTimeout" : "DeadlineExceeded"
    breaker.leave(ticket, end === "success" ? "success" : end === "DeadlineExceeded" ? "none" : "failure", now)
    if (end === "success" || end === "DeadlineExceeded") return ended(end)

    const delay = delays[index]
    if (!script.idempotent || delay === undefined || !before(now + delay, endsAt)) return ended(end)
    if (spend("sleeping", delay)) return ended("interrupted")
  }
  return assert.fail("a call ends with its last attempt at the latest")
}

const endOf = (exit: Exit.Exit<string, unknown>): string =>
  Exit.match(exit, {
    onSuccess: () => "success",
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onNone: () => "interrupted",
        onSome: (error) => (error === "down" ? "failure" : String((error as { readonly _tag: string })._tag))
      })
  })

const play = (
  scripts: ReadonlyArray<Script>,
  placeOf: (turnstile: Turnstile.Turnstile) => Gate,
  count: (phase: Phase, interrupted: boolean) => void
) =>
  Effect.gen(function* () {
    const model = new BreakerModel(breakerOptions)
    const breaker = yield* CircuitBreaker.make({
      name: "upstream",
      failureThreshold: breakerOptions.threshold,
      resetTimeout: breakerOptions.openFor,
      halfOpenMaxCalls: breakerOptions.probes
    })
    const turnstile = Turnstile.make()
    const policy = yield* Policy.make({
      name: "upstream",
      deadline,
      attemptTimeout,
      retry,
      breaker,
      bulkhead: placeOf(turnstile)
    })

    for (const script of scripts) {
      if (script.gap > 0) yield* TestClock.adjust(script.gap)
      const start = yield* Clock.currentTimeMillis
      const foretold = foretell(script, model, start)
      foretold.seen.forEach((phase, index) =>
        count(phase, foretold.end === "interrupted" && index === foretold.seen.length - 1)
      )

      let attempts = 0
      turnstile.waits.splice(0, Infinity, ...script.steps.map(({ wait }) => wait))
      const call = Effect.suspend(() => {
        const { ends, takes } = script.steps[attempts++]!
        return Effect.delay(ends === "success" ? Effect.succeed("up") : Effect.fail("down"), takes)
      })
      let endedAt = Number.NaN
      const fiber = yield* policy
        .protect(call, { idempotent: script.idempotent })
        .pipe(Effect.ensuring(Effect.map(Clock.currentTimeMillis, (now) => (endedAt = now))), Effect.fork)
      yield* TestClock.adjust(foretold.at - start)
      const exit =
        foretold.end === "interrupted"
          ? yield* Fiber.interrupt(fiber)
          : (fiber.unsafePoll() ?? assert.fail("the call has not ended in time"))

      const { failures, probesInUse, state } = yield* breaker.status
      const { inside, queued } = turnstile.counts
      model.tick(foretold.at)
      assert.deepStrictEqual(
        {
          end: endOf(exit),
          at: endedAt,
          attempts,
          state,
          failures,
          probesInUse,
          inside,
          queued
        },
        {
          end: foretold.end,
          at: foretold.at,
          attempts: foretold.attempts,
          state: model.state,
          failures: model.failures,
          probesInUse: 0,
          inside: 0,
          queued: 0
        }
      )
    }
  })

const property = (
  placeOf: (turnstile: Turnstile.Turnstile) => Gate,
  count: (phase: Phase, interrupted: boolean) => void = () => undefined
) =>
  FastCheck.asyncProperty(FastCheck.array(anyScript, { minLength: 1, maxLength: 10, size: "max" }), (scripts) =>
    Effect.runPromise(
      play(scripts, placeOf, count).pipe(
        Effect.catchAllDefect((defect) => (defect instanceof Tie ? Effect.void : Effect.die(defect))),
        Effect.provide(TestContext.TestContext)
      )
    )
  )

describe("Policy in motion", () => {
  it("ends every call how and when its reference model says, and gives everything back", async () => {
    const counts = new Map(phases.map((phase) => [phase, { all: 0, interrupted: 0 }]))
    const run = property(
      (turnstile) => turnstile,
      (phase, interrupted) => {
        const of = counts.get(phase)!
        of.all += 1
        if (interrupted) of.interrupted += 1
      }
    )
    await FastCheck.assert(run, { numRuns: 60 })
    for (const [phase, { all, interrupted }] of counts) {
      assert.isAbove(all, 40, `${phase}: too few to mean anything`)
      assert.isAtLeast(interrupted / all, 0.05, `${phase}: ${interrupted} of ${all} interrupted`)
    }
  }, 120_000)

  it("is caught when a place is not given back after an interruption", async () => {
    const leaky = (turnstile: Turnstile.Turnstile): Gate => ({
      name: "leaky",
      admit: (admission) =>
        Effect.map(
          turnstile.admit(admission),
          (permit) => (exit) => (Exit.isInterrupted(exit) ? Effect.void : permit(exit))
        )
    })
    const { counterexample, failed } = await FastCheck.check(property(leaky), { numRuns: 100 })
    assert.isTrue(failed)
    const [scripts] = counterexample ?? assert.fail("no counterexample")
    assert.isAtMost(scripts.length, 5, "the trace shrinks to what a reader can follow")
  }, 120_000)

  it("gives everything back when many callers are on their way at once and some of them leave", async () => {
    const anyCaller = FastCheck.record({
      script: anyScript,
      begins: FastCheck.integer({ min: 0, max: 1_500 }),
      leaves: FastCheck.option(FastCheck.integer({ min: 1, max: 2_500 }), { nil: undefined })
    })
    const crowd = FastCheck.asyncProperty(
      FastCheck.array(anyCaller, { minLength: 5, maxLength: 12, size: "max" }),
      (callers) =>
        Effect.gen(function* () {
          const breaker = yield* CircuitBreaker.make({ name: "upstream", resetTimeout: 300, healOnProbe: true })
          const [rateLimiter, bulkhead] = [Turnstile.make("limiter"), Turnstile.make("bulkhead")]
          const balance = { begun: 0, ended: 0, calls: 0 }
          const policy = yield* Policy.make({
            name: "upstream",
            deadline,
            attemptTimeout,
            retry,
            breaker,
            rateLimiter,
            bulkhead,
            onEvent: (event) =>
              Effect.sync(() => {
                if (event._tag === "AttemptEnded") balance.ended += 1
                if (event._tag === "CallEnded") balance.calls += 1
              })
          })
          let calls = 0
          const fibers = yield* Effect.forEach(callers, ({ begins, leaves, script }) => {
            let attempt = 0
            const call = Effect.suspend(() => {
              balance.begun += 1
              const { ends, takes, wait } = script.steps[attempt++ % script.steps.length]!
              rateLimiter.waits.push(wait)
              bulkhead.waits.push(Math.floor(wait / 2))
              return Effect.delay(ends === "success" ? Effect.succeed("up") : Effect.fail("down"), takes)
            })
            const guarded = Effect.suspend(() => {
              calls += 1
              return policy.protect(call, { idempotent: script.idempotent })
            })
            const leaving = leaves === undefined ? guarded : Effect.timeout(guarded, leaves)
            return Effect.fork(Effect.delay(leaving, begins))
          })
          yield* TestClock.adjust("10 seconds")
          const exits = yield* Effect.forEach(fibers, Fiber.await)
          assert.isTrue(exits.every((exit) => !Exit.isInterrupted(exit)))
          for (const { counts } of [rateLimiter, bulkhead]) assert.deepInclude(counts, { queued: 0, inside: 0 })
          assert.strictEqual((yield* breaker.status).probesInUse, 0)
          assert.strictEqual(balance.ended, balance.begun)
          assert.strictEqual(balance.calls, calls)
        }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
    )
    await FastCheck.assert(crowd, { numRuns: 20 })
  }, 120_000)
})
