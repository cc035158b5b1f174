import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Supervisor from "effect/Supervisor"
import * as TestClock from "effect/TestClock"
import type { AttemptTimeout } from "../../src/resilience/Rejection.js"
import * as Timeout from "../../src/resilience/Timeout.js"

const limited = Timeout.withTimeout({ name: "openai", limit: "2 seconds" })

describe("Timeout", () => {
  it.effect("fails at the limit, and not a millisecond sooner, naming policy and limit", () =>
    Effect.gen(function* () {
      let interrupted = false
      const call = Effect.onInterrupt(Effect.never, () => Effect.sync(() => (interrupted = true)))
      const fiber = yield* Effect.fork(Effect.flip(limited(call)))
      yield* TestClock.adjust(1_999)
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(fiber)
      assert.isTrue(interrupted)
      assert.strictEqual(error._tag, "AttemptTimeout")
      assert.strictEqual(error.policy, "openai")
      assert.strictEqual(Duration.toMillis(error.limit), 2_000)
      assert.notInclude(error.stack ?? "", "\n    at ")
    })
  )

  it.effect("passes what ends in time through as it is", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(limited(Effect.delay(Effect.succeed("up"), 1_999)))
      yield* TestClock.adjust(1_999)
      assert.strictEqual(yield* Fiber.join(fiber), "up")
      assert.strictEqual(yield* Effect.flip(limited(Effect.fail("down"))), "down")
      assert.deepStrictEqual(yield* Effect.exit(limited(Effect.die("bug"))), Exit.die("bug"))
      const own = yield* Effect.exit(limited(Effect.interrupt))
      assert.isTrue(Exit.isInterrupted(own), "an effect that interrupts itself has not taken too long")
    })
  )

  it.effect("decides about its limit when the effect begins, and whether it begins at all", () =>
    Effect.gen(function* () {
      let millis = 100
      let begun = 0
      const call = Effect.suspend(() => {
        begun += 1
        return Effect.sleep("1 minute")
      })
      const bounded = Timeout.boundedBy<void, never, never, string, AttemptTimeout, never>(call, () =>
        millis === 0
          ? Timeout.exceeded({ name: "openai", limit: millis })
          : { limit: millis, onTimeout: () => Effect.succeed("too slow") }
      )
      millis = 200
      const fiber = yield* Effect.fork(bounded)
      yield* TestClock.adjust(199)
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(fiber), "too slow")
      millis = 0
      assert.strictEqual((yield* Effect.flip(bounded)).policy, "openai")
      assert.strictEqual(begun, 1)
    })
  )

  it.effect("ends a call that does not suspend before the caller goes on to anything else", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      yield* Effect.fork(Effect.sync(() => order.push("neighbour")))
      yield* limited(Effect.sync(() => order.push("call")))
      order.push("caller")
      yield* Effect.yieldNow()
      assert.deepStrictEqual(order, ["call", "caller", "neighbour"])
    })
  )

  it.effect(
    "comes back with the exit of what has ended, inside of its caller's step, and else with the wait for it",
    () =>
      Effect.gen(function* () {
        const begun = <A>(self: Effect.Effect<A>) =>
          Effect.withFiberRuntime<[boolean, A | string]>((caller, { runtimeFlags }) =>
            Effect.uninterruptible(
              Effect.suspend(() => {
                const bound = { limit: 10, onTimeout: () => Effect.succeed("too slow") }
                const end = Timeout.begin(self, bound, { caller, runtimeFlags })
                return Effect.map(end, (value) => [Exit.isExit(end), value])
              })
            )
          )
        assert.deepStrictEqual(yield* begun(Effect.succeed(1)), [true, 1])
        const fiber = yield* Effect.fork(Effect.all([begun(Effect.delay(Effect.succeed(2), 5)), begun(Effect.never)]))
        yield* TestClock.adjust(15)
        assert.deepStrictEqual(yield* Fiber.join(fiber), [
          [false, 2],
          [false, "too slow"]
        ])
        const leaving = yield* Effect.fork(begun(Effect.never))
        yield* Effect.yieldNow()
        assert.isTrue(
          Exit.isInterrupted(yield* Fiber.interrupt(leaving)),
          "the flags say that the effect can be interrupted"
        )
      })
  )

  it.effect("holds the answer up until a region that cannot be interrupted has ended", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(limited(Effect.uninterruptible(Effect.sleep("5 seconds")))))
      yield* TestClock.adjust(4_999)
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "AttemptTimeout")
    })
  )

  it.effect("rounds a fraction of a millisecond up", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(Timeout.withTimeout(Effect.never, { name: "x", limit: 0.5 })))
      yield* TestClock.adjust(0)
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "AttemptTimeout")
    })
  )

  it.effect("gives the call the context, the fibre refs and the supervisor of its caller", () =>
    Effect.gen(function* () {
      const Region = Context.GenericTag<"Region", string>("Region")
      const ref = FiberRef.unsafeMake("outer")
      const supervisor = yield* Supervisor.track
      const seen = yield* limited(
        Effect.gen(function* () {
          const supervised = yield* supervisor.value
          const span = yield* Effect.currentSpan
          return [yield* Region, yield* FiberRef.get(ref), span.name, supervised.length] as const
        })
      ).pipe(
        Effect.withSpan("call"),
        Effect.provideService(Region, "north"),
        Effect.locally(ref, "inner"),
        Effect.supervised(supervisor)
      )
      assert.deepStrictEqual(seen, ["north", "inner", "call", 1])
    })
  )

  it.effect("keeps what a call that ended by itself did to fibre refs, and nothing of one that was ended", () =>
    Effect.gen(function* () {
      const ref = FiberRef.unsafeMake(0)
      yield* limited(FiberRef.set(ref, 1))
      assert.strictEqual(yield* FiberRef.get(ref), 1)
      yield* Effect.ignore(limited(Effect.zipRight(FiberRef.set(ref, 2), Effect.fail("down"))))
      assert.strictEqual(yield* FiberRef.get(ref), 2)
      const late = Effect.ignore(limited(Effect.zipRight(FiberRef.set(ref, 3), Effect.never)))
      const fiber = yield* Effect.fork(Effect.zipRight(late, FiberRef.get(ref)))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), 2)
    })
  )

  it.effect("awaits a call that interrupts its own caller", () =>
    Effect.gen(function* () {
      let ended = false
      const call = Effect.withFiberRuntime<void>((self) =>
        Effect.ensuring(
          Effect.zipRight(
            Effect.sync(() => caller.unsafeInterruptAsFork(self.id())),
            Effect.never
          ),
          Effect.sync(() => (ended = true))
        )
      )
      const caller: Fiber.RuntimeFiber<void, unknown> = yield* Effect.fork(Effect.suspend(() => limited(call)))
      const exit = yield* Fiber.await(caller)
      assert.isTrue(Exit.isInterrupted(exit))
      assert.isTrue(ended)
    })
  )

  it.effect("takes no call for late whose caller had left before, however long it takes to let go", () =>
    Effect.gen(function* () {
      const slowToLetGo = Effect.onInterrupt(Effect.never, () => Effect.sleep("1 minute"))
      const caller = yield* Effect.fork(limited(slowToLetGo))
      yield* TestClock.adjust("1 second")
      yield* Effect.fork(Fiber.interrupt(caller))
      yield* TestClock.adjust("1 minute")
      const exit = yield* Fiber.await(caller)
      assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
    })
  )

  it.effect("logs no failure of a call as unhandled", () =>
    Effect.gen(function* () {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => void lines.push(message))
      yield* Effect.ignore(limited(Effect.fail("down"))).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Logger.withMinimumLogLevel(LogLevel.All)
      )
      assert.deepStrictEqual(lines, [])
    })
  )

  it.effect("is as safe on the stack as any recursion of effects", () =>
    Effect.gen(function* () {
      const countDown = (n: number): Effect.Effect<string, unknown> =>
        n === 0 ? Effect.succeed("bottom") : limited(Effect.suspend(() => countDown(n - 1)))
      assert.strictEqual(yield* countDown(2_000), "bottom")
    })
  )

  it.live("works on the real clock", () =>
    Effect.gen(function* () {
      const soon = Timeout.withTimeout({ name: "soon", limit: "5 millis" })
      let ended = 0
      const hangs = Effect.ensuring(
        Effect.never,
        Effect.sync(() => (ended += 1))
      )
      const survivor = yield* Effect.fork(Effect.never)
      assert.strictEqual((yield* Effect.flip(soon(hangs)))._tag, "AttemptTimeout")
      assert.strictEqual(yield* limited(Effect.delay(Effect.succeed("up"), 1)), "up")
      const nested = yield* Effect.flip(limited(Effect.zipRight(Effect.sleep(1), soon(hangs))))
      assert.strictEqual(nested.policy, "soon")
      const leaving = yield* Effect.fork(limited(hangs))
      yield* Effect.sleep(1)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(leaving)))
      assert.strictEqual(ended, 3)
      assert.isNull(survivor.unsafePoll())
    })
  )

  it.live("takes a limit that is too long for a timer as one that is never over", () =>
    Effect.gen(function* () {
      const call = Effect.delay(Effect.succeed("up"), 5)
      assert.strictEqual(yield* Timeout.withTimeout(call, { name: "x", limit: "60 days" }), "up")
      assert.strictEqual(yield* Timeout.withTimeout(call, { name: "x", limit: Duration.infinity }), "up")
    })
  )
})
