/**
 * The breaker in motion: calls that begin, end and are interrupted at random under virtual time, compared with the
 * reference model after every step.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Gate from "../../src/resilience/Gate.js"
import { BreakerModel, kinds, type Ticket } from "./support/BreakerModel.js"

type End = "success" | "failure" | "defect" | "interruption"

type Command =
  | { readonly _tag: "begin" }
  | { readonly _tag: "end"; readonly which: number; readonly end: End }
  | { readonly _tag: "wait"; readonly millis: number }

const anyCommand: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  { weight: 4, arbitrary: FastCheck.constant({ _tag: "begin" as const }) },
  {
    weight: 4,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("end" as const),
      which: FastCheck.nat(20),
      end: FastCheck.constantFrom(
        ...(["success", "failure", "failure", "failure", "defect", "interruption", "interruption"] as const)
      )
    })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("wait" as const),
      millis: FastCheck.constantFrom(1, 30, 49, 50, 100, 100)
    })
  }
)

const anyCommands = FastCheck.array(anyCommand, { maxLength: 60, size: "max" })

type Kind = (typeof kinds)[keyof typeof kinds]

type Execute = CircuitBreaker.CircuitBreaker["execute"]

const follow = (
  { model: modelOptions, options }: Kind,
  commands: ReadonlyArray<Command>,
  executeOf: (breaker: CircuitBreaker.CircuitBreaker) => Execute,
  count: (phase: "running" | "probing", interrupted: boolean) => void
) =>
  Effect.gen(function* () {
    const model = new BreakerModel(modelOptions)
    const breaker = yield* CircuitBreaker.make({
      name: "upstream",
      resetTimeout: 100,
      halfOpenMaxCalls: 2,
      probeTimeout: 50,
      ...options
    })
    const execute = executeOf(breaker)
    const calls: Array<{
      readonly ticket: Ticket
      readonly end: Deferred.Deferred<string, string>
      readonly fiber: Fiber.RuntimeFiber<string, unknown>
    }> = []

    for (const command of commands) {
      const now = yield* Clock.currentTimeMillis
      switch (command._tag) {
        case "begin": {
          const ticket = model.enter(now)
          const end = yield* Deferred.make<string, string>()
          const started = yield* Deferred.make<void>()
          const fiber = yield* Effect.fork(
            execute(Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(end)))
          )
          if (typeof ticket === "string") {
            const error = yield* Effect.flip(Fiber.join(fiber))
            assert.deepInclude(error, { _tag: "CircuitOpen", reason: ticket })
          } else {
            yield* Effect.raceFirst(Deferred.await(started), Fiber.join(fiber))
            calls.push({ ticket, end, fiber })
          }
          break
        }
        case "end": {
          const [call] = calls.splice(command.which % Math.max(1, calls.length), 1)
          if (call === undefined) break
          const { end, fiber, ticket } = call
          count(ticket.leasedUntil === undefined ? "running" : "probing", command.end === "interruption")
          switch (command.end) {
            case "success":
              yield* Deferred.succeed(end, "up")
              break
            case "failure":
              yield* Deferred.fail(end, "down")
              break
            case "defect":
              yield* Deferred.die(end, "bug")
              break
            case "interruption":
              yield* Fiber.interrupt(fiber)
          }
          const exit = yield* Fiber.await(fiber)
          assert.strictEqual(Exit.isSuccess(exit), command.end === "success")
          const verdict = command.end === "success" ? "success" : command.end === "interruption" ? "none" : "failure"
          model.leave(ticket, verdict, now)
          break
        }
        case "wait":
          yield* TestClock.adjust(command.millis)
          model.tick(now + command.millis)
      }
      const { failures, probesInUse, state } = yield* breaker.status
      assert.deepStrictEqual(
        { state, failures, probes: probesInUse, late: yield* breaker.lateResults },
        { state: model.state, failures: model.failures, probes: model.probing.size, late: model.late }
      )
    }
    // Whoever is left is sent home: every place must come back.
    yield* Effect.forEach(calls, ({ fiber }) => Fiber.interrupt(fiber), { discard: true })
    assert.strictEqual((yield* breaker.status).probesInUse, 0)
  })

const property = (
  kind: Kind,
  executeOf: (breaker: CircuitBreaker.CircuitBreaker) => Execute,
  count: (phase: "running" | "probing", interrupted: boolean) => void = () => undefined
) =>
  FastCheck.asyncProperty(anyCommands, (commands) =>
    Effect.runPromise(Effect.provide(follow(kind, commands, executeOf, count), TestContext.TestContext))
  )

describe("CircuitBreaker in motion", () => {
  it.each(Object.entries(kinds))(
    "does what its reference model does and gives every place back, whoever is interrupted and when: %s",
    async (_, kind) => {
      const counts = { running: { all: 0, interrupted: 0 }, probing: { all: 0, interrupted: 0 } }
      const run = property(
        kind,
        ({ execute }) => execute,
        (phase, interrupted) => {
          counts[phase].all += 1
          if (interrupted) counts[phase].interrupted += 1
        }
      )
      await FastCheck.assert(run, { numRuns: 60 })
      for (const phase of ["running", "probing"] as const) {
        const { all, interrupted } = counts[phase]
        assert.isAbove(all, 25, `${phase}: too few calls to mean anything`)
        assert.isAtLeast(interrupted / all, 0.05, `${phase}: ${interrupted} of ${all} calls interrupted`)
      }
    },
    120_000
  )

  it.each(Object.entries(kinds))(
    "is caught when it keeps the place of an interrupted probe: %s",
    async (_, kind) => {
      const leaky = ({ admit }: CircuitBreaker.CircuitBreaker): Execute =>
        Gate.through([
          {
            admit: (admission) =>
              Effect.map(
                admit(admission),
                (permit): Gate.Permit =>
                  (exit) =>
                    Exit.isInterrupted(exit) ? Effect.void : permit(exit)
              )
          }
        ])
      const { counterexample, failed } = await FastCheck.check(property(kind, leaky), { numRuns: 300 })
      assert.isTrue(failed)
      const [trace] = counterexample ?? assert.fail("no counterexample")
      assert.isAtMost(trace.length, 10, "the trace shrinks to what a reader can follow")
    },
    120_000
  )

  it("says exactly when a lone caller gets in, however the open time grows and jitters", async () => {
    const anyOptions = FastCheck.record({
      failureThreshold: FastCheck.constant(1),
      resetTimeout: FastCheck.integer({ min: 1, max: 10_000 }),
      resetTimeoutMultiplier: FastCheck.double({ min: 1.001, max: 3, noNaN: true }),
      maxResetTimeout: FastCheck.integer({ min: 10_001, max: 100_000 }),
      resetTimeoutJitter: FastCheck.double({ min: 0, max: 1, noNaN: true })
    })
    const lone = (options: Omit<CircuitBreaker.Options, "name">, openings: number) =>
      Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make({ name: "upstream", ...options })
        for (let opening = 0; opening < openings; opening++) {
          yield* Effect.ignore(breaker.execute(Effect.fail("down")))
          const { retryAfter } = yield* Effect.flip(breaker.look)
          const millis = Duration.toMillis(retryAfter ?? assert.fail("an open circuit knows when"))
          assert.isTrue(Number.isSafeInteger(millis) && millis >= 1, `${millis} ms`)
          yield* TestClock.adjust(millis - 1)
          const still = yield* Effect.flip(breaker.execute(Effect.void))
          assert.deepInclude(still, { reason: "open", retryAfter: Duration.millis(1) })
          yield* TestClock.adjust(1)
          yield* breaker.look
        }
        assert.strictEqual(yield* breaker.execute(Effect.succeed("up")), "up")
      })
    await FastCheck.assert(
      FastCheck.asyncProperty(anyOptions, FastCheck.integer({ min: 1, max: 8 }), (options, openings) =>
        Effect.runPromise(Effect.provide(lone(options, openings), TestContext.TestContext))
      ),
      { numRuns: 60 }
    )
  }, 60_000)
})
