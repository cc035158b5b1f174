/**
 * What a breaker tells, whatever happens to it: calls, operators, holders, wishes for rest, health probes, other options,
 * and time, at random under virtual time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"

type Command =
  | { readonly _tag: "begin" }
  | { readonly _tag: "end"; readonly which: number; readonly how: "up" | "down" | "interrupted" }
  | { readonly _tag: "wait"; readonly millis: number }
  | { readonly _tag: "force"; readonly to: "open" | "close" | "auto" }
  | { readonly _tag: "isolate" }
  | { readonly _tag: "release"; readonly which: number }
  | { readonly _tag: "holdOff"; readonly millis: number }
  | { readonly _tag: "healthy" }
  | { readonly _tag: "look" }
  | { readonly _tag: "reconfigure"; readonly sample: number; readonly resetTimeout: number }

const only = <const A>(value: A) => FastCheck.constant(value)
const which = FastCheck.nat(20)

const anyCommand: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  { weight: 6, arbitrary: only({ _tag: "begin" }) },
  {
    weight: 6,
    arbitrary: FastCheck.record({
      _tag: only("end"),
      which,
      how: FastCheck.constantFrom(...(["up", "down", "down", "interrupted"] as const))
    })
  },
  {
    weight: 5,
    arbitrary: FastCheck.record({ _tag: only("wait"), millis: FastCheck.constantFrom(1, 20, 30, 49, 50, 51, 100, 250) })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      _tag: only("force"),
      to: FastCheck.constantFrom(...(["open", "close", "auto", "auto"] as const))
    })
  },
  { weight: 1, arbitrary: only({ _tag: "isolate" }) },
  { weight: 2, arbitrary: FastCheck.record({ _tag: only("release"), which }) },
  {
    weight: 2,
    arbitrary: FastCheck.record({ _tag: only("holdOff"), millis: FastCheck.constantFrom(10, 30, 70, 200) })
  },
  { weight: 1, arbitrary: only({ _tag: "healthy" }) },
  { weight: 2, arbitrary: only({ _tag: "look" }) },
  {
    weight: 1,
    arbitrary: FastCheck.record({
      _tag: only("reconfigure"),
      sample: FastCheck.integer({ min: 1, max: 3 }),
      resetTimeout: FastCheck.constantFrom(20, 100, 150)
    })
  }
)

const kinds: ReadonlyArray<Partial<CircuitBreaker.Options>> = [
  { failureThreshold: 2 },
  { failureThreshold: 1, resetTimeoutMultiplier: 2, maxResetTimeout: 400, resetTimeoutJitter: 0.5 },
  { window: { type: "count", size: 4 }, minimumThroughput: 2, slowCallDuration: 40, halfOpenSampleSize: 3 },
  { window: { type: "time", duration: 200 }, minimumThroughput: 2, slowCallDuration: 40 }
]

const follow = (commands: ReadonlyArray<Command>, kind: Partial<CircuitBreaker.Options>) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const breaker = yield* CircuitBreaker.make({
      name: "upstream",
      resetTimeout: 100,
      halfOpenMaxCalls: 2,
      probeTimeout: 50,
      healOnProbe: true,
      ...kind
    })
    const told: Array<CircuitBreaker.Transition> = []
    yield* Effect.forkScoped(Stream.runForEach(yield* breaker.subscribe, (one) => Effect.sync(() => told.push(one))))
    const calls: Array<{
      readonly end: Deferred.Deferred<void, string>
      readonly fiber: Fiber.RuntimeFiber<void, unknown>
    }> = []
    const holders: Array<Scope.CloseableScope> = []
    let waiting = yield* Effect.fork(Effect.either(breaker.opened))
    const settled = Effect.repeatN(Effect.yieldNow(), 20)

    for (const command of commands) {
      switch (command._tag) {
        case "begin": {
          const end = yield* Deferred.make<void, string>()
          const fiber = yield* Effect.fork(breaker.execute(Deferred.await(end)))
          calls.push({ end, fiber })
          break
        }
        case "end": {
          const [call] = calls.splice(command.which % Math.max(1, calls.length), 1)
          if (call === undefined) break
          if (command.how === "interrupted") yield* Fiber.interrupt(call.fiber)
          else if (command.how === "up") yield* Deferred.succeed(call.end, undefined)
          else yield* Deferred.fail(call.end, "down")
          yield* Fiber.await(call.fiber)
          break
        }
        case "wait":
          yield* TestClock.adjust(command.millis)
          break
        case "force":
          yield* breaker.force(command.to)
          break
        case "isolate": {
          const scope = yield* Scope.make()
          yield* Scope.extend(breaker.isolated, scope)
          holders.push(scope)
          break
        }
        case "release": {
          const [scope] = holders.splice(command.which % Math.max(1, holders.length), 1)
          if (scope !== undefined) yield* Scope.close(scope, Exit.void)
          break
        }
        case "holdOff":
          yield* breaker.holdOff(command.millis)
          break
        case "healthy":
          yield* breaker.healthy
          break
        case "look":
          yield* Effect.ignore(breaker.look)
          break
        case "reconfigure":
          yield* breaker.reconfigure({ halfOpenSampleSize: command.sample, resetTimeout: command.resetTimeout })
      }
      yield* settled

      const now = yield* Clock.currentTimeMillis
      const look = yield* Effect.either(breaker.look)
      yield* settled
      const { openedAt, state } = yield* breaker.status
      const last = told.at(-1)
      // Who is turned away has been told why, and so has who waited for that.
      if (Either.isLeft(look) && look.left.reason !== "half-open-full") {
        assert.strictEqual(last?.to, "open", "turned away, and told of no opening")
        assert.strictEqual(state, "open")
        assert.isNotNull(waiting.unsafePoll(), "turned away, and who waited for that waits on")
      }
      if (state === "open") {
        const opened = told.findLast(({ to }) => to === "open")
        assert.strictEqual(Date.parse(openedAt!), opened?.at.getTime(), "opened at another time than was told")
      }
      if (waiting.unsafePoll() !== null && Either.isRight(look))
        waiting = yield* Effect.fork(Effect.either(breaker.opened))
      yield* settled
      // One after the other, from where the one before had led to, and never back in time.
      told.forEach((one, index) => {
        const before = told[index - 1]
        assert.strictEqual(one.seq, index + 1)
        assert.strictEqual(one.from, before?.to ?? "closed")
        assert.notStrictEqual(one.from, one.to)
        assert.isTrue(one.at.getTime() >= (before?.at.getTime() ?? start) && one.at.getTime() <= now, "back in time")
      })
    }
    // Whatever happened: once everybody has gone, and time has passed, it closes again.
    yield* Effect.forEach(calls, ({ fiber }) => Fiber.interrupt(fiber), { discard: true })
    yield* Effect.forEach(holders, (scope) => Scope.close(scope, Exit.void), { discard: true })
    yield* breaker.force("auto")
    // A success may open it first: where it is the call that makes the others enough to speak of a rate.
    yield* Effect.repeatN(Effect.zipRight(TestClock.adjust(60_000), Effect.ignore(breaker.execute(Effect.void))), 4)
    assert.deepInclude(yield* breaker.status, { state: "closed", probesInUse: 0 })
    yield* Fiber.interrupt(waiting)
    return told
  }).pipe(Effect.scoped)

describe("what a circuit breaker tells", () => {
  it("is one story without gaps, in the order of time, that everyone who is turned away can read", async () => {
    let transitions = 0
    const anyCommands = FastCheck.array(anyCommand, { minLength: 20, maxLength: 60, size: "max" })
    const run = FastCheck.asyncProperty(anyCommands, FastCheck.constantFrom(...kinds), async (commands, kind) => {
      const seeded = Effect.withRandom(follow(commands, kind), Random.make("jitter"))
      const told = await Effect.runPromise(Effect.provide(seeded, TestContext.TestContext))
      transitions += told.length
    })
    await FastCheck.assert(run, { numRuns: 100 })
    assert.isAbove(transitions, 200, "too little happened to mean anything")
  }, 120_000)
})
