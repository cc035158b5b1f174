import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Coalesce from "../../src/resilience/Coalesce.js"
import * as Deadline from "../../src/resilience/Deadline.js"
import { DeadlineExceeded } from "../../src/resilience/Rejection.js"

/** Runs of 100 ms that say when they begin and how they end; stopping one takes 20 ms. */
const report = (end: Effect.Effect<string, string> = Effect.succeed("report")) => {
  const log: Array<string> = []
  const say = (what: string) => Effect.map(Clock.currentTimeMillis, (now) => void log.push(`${now}: ${what}`))
  const work = Effect.zipRight(say("begins"), Effect.delay(end, 100)).pipe(
    Effect.onInterrupt(() => Effect.delay(say("is stopped"), 20)),
    Effect.tap(() => say("ends"))
  )
  return { log, work }
}

const places = (options?: Coalesce.Options) => Coalesce.make<string, string, string>(options)
const at = (millis: number) => TestClock.setTime(millis)
const exitOf = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => fiber.unsafePoll() ?? assert.fail("it has not ended")

describe("Coalesce", () => {
  it.scoped("lets callers of one key share one run, and begins another one afterwards", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* places()
      const callers = yield* Effect.replicateEffect(Effect.fork(shared.run("a", work)), 3)
      yield* at(99)
      assert.deepStrictEqual(yield* shared.status, { runs: 1, callers: 3, joined: 2, alone: 0 })
      yield* at(100)
      for (const caller of callers) assert.deepStrictEqual(exitOf(caller), Exit.succeed("report"))
      assert.deepStrictEqual(yield* shared.status, { runs: 0, callers: 0, joined: 2, alone: 0 })
      yield* Effect.fork(shared.run("a", work))
      yield* at(200)
      assert.deepStrictEqual(log, ["0: begins", "100: ends", "100: begins", "200: ends"])
    })
  )

  it.scoped("keeps different keys apart, and knows equal ones by value", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* Coalesce.make<unknown, string, string>()
      const keys = ["a", "b", Data.struct({ id: 1 }), Data.struct({ id: 1 }), {}, {}]
      yield* Effect.forEach(keys, (key) => Effect.fork(shared.run(key, work)))
      yield* at(100)
      assert.strictEqual(log.filter((line) => line.endsWith("begins")).length, 5)
    })
  )

  it.scoped("lets each caller wait as long as his own deadline allows, and none of them ends the others' run", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* Coalesce.make<string, string, string | DeadlineExceeded>()
      const run = shared.run("a", Deadline.within(work, { name: "report", limit: "1 second" }))
      const first = yield* Effect.fork(Deadline.within(run, 50))
      yield* at(10)
      const second = yield* Effect.fork(run)
      yield* at(50)
      assert.instanceOf(yield* Effect.flip(Fiber.join(first)), DeadlineExceeded)
      yield* at(100)
      assert.deepStrictEqual(exitOf(second), Exit.succeed("report"))
      assert.deepStrictEqual(log, ["0: begins", "100: ends"])
    })
  )

  it.scoped("shares failures and defects, and keeps neither", () =>
    Effect.gen(function* () {
      const shared = yield* places()
      const ends = [Effect.fail("down"), Effect.die("bug"), Effect.interrupt]
      const kinds = yield* Effect.forEach(ends, (end) =>
        Effect.gen(function* () {
          const { work } = report(end)
          const callers = yield* Effect.replicateEffect(Effect.fork(shared.run("a", work)), 2)
          yield* TestClock.adjust(120)
          assert.strictEqual((yield* shared.status).runs, 0)
          return callers.map(exitOf).map((exit) => (Exit.isFailure(exit) ? exit.cause._tag : "success"))
        })
      )
      assert.deepStrictEqual(kinds, [
        ["Fail", "Fail"],
        ["Die", "Die"],
        ["Interrupt", "Interrupt"]
      ])
      assert.strictEqual(yield* shared.run("a", Effect.succeed("up")), "up")
    })
  )

  it.scoped("goes on when any caller leaves, also the first one", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* places()
      const callers = yield* Effect.replicateEffect(Effect.fork(shared.run("a", work)), 3)
      yield* at(50)
      yield* Fiber.interrupt(callers[0]!)
      yield* Fiber.interrupt(callers[2]!)
      assert.strictEqual((yield* shared.status).callers, 1)
      yield* at(100)
      assert.deepStrictEqual(exitOf(callers[1]!), Exit.succeed("report"))
      assert.deepStrictEqual(log, ["0: begins", "100: ends"])
    })
  )

  it.scoped("goes on when the fibre that forked the first caller ends", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* places()
      yield* Effect.fork(Effect.zipRight(Effect.fork(shared.run("a", work)), Effect.sleep(50)))
      yield* at(10)
      const second = yield* Effect.fork(shared.run("a", work))
      yield* at(100)
      assert.deepStrictEqual(exitOf(second), Exit.succeed("report"))
      assert.deepStrictEqual(log, ["0: begins", "100: ends"])
    })
  )

  it.scoped("stops the run when the last caller leaves, who waits until it has stopped", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* places()
      const callers = yield* Effect.replicateEffect(Effect.fork(Effect.timeoutOption(shared.run("a", work), 50)), 2)
      yield* at(69)
      assert.strictEqual(callers.filter((caller) => caller.unsafePoll() !== null).length, 1)
      yield* at(70)
      callers.forEach(exitOf)
      assert.deepStrictEqual(log, ["0: begins", "70: is stopped"])
      assert.deepInclude(yield* shared.status, { runs: 0, callers: 0 })
    })
  )

  it.scoped("begins anew for one who comes while an abandoned run is being stopped, and not before it has", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* places()
      yield* Effect.fork(Effect.timeoutOption(shared.run("a", work), 50))
      yield* at(60)
      const patient = yield* Effect.fork(shared.run("a", work))
      const impatient = yield* Effect.fork(Effect.timeoutOption(shared.run("a", work), 5))
      yield* at(65)
      assert.isTrue(Exit.isSuccess(exitOf(impatient)))
      yield* at(170)
      assert.deepStrictEqual(exitOf(patient), Exit.succeed("report"))
      assert.deepStrictEqual(log, ["0: begins", "70: is stopped", "70: begins", "170: ends"])
    })
  )

  it.scoped("finishes what everyone has left when told so, and lets latecomers join it", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* places({ whenAbandoned: "finish" })
      yield* Effect.fork(Effect.timeoutOption(shared.run("a", work), 50))
      yield* at(60)
      assert.deepInclude(yield* shared.status, { runs: 1, callers: 0 })
      const late = yield* Effect.fork(shared.run("a", work))
      yield* at(100)
      assert.deepStrictEqual(exitOf(late), Exit.succeed("report"))
      assert.deepStrictEqual(log, ["0: begins", "100: ends"])
      assert.strictEqual((yield* shared.status).runs, 0)
    })
  )

  it.scoped("lets a caller run alone when too many keys are on their way", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* places({ maxKeys: 1 })
      yield* Effect.fork(shared.run("a", work))
      const alone = yield* Effect.replicateEffect(Effect.fork(shared.run("b", work)), 2)
      const joined = yield* Effect.fork(shared.run("a", work))
      yield* at(50)
      assert.deepStrictEqual(yield* shared.status, { runs: 1, callers: 2, joined: 1, alone: 2 })
      yield* Fiber.interruptFork(alone[0]!)
      yield* at(100)
      assert.deepStrictEqual([alone[1]!, joined].map(exitOf), [Exit.succeed("report"), Exit.succeed("report")])
      assert.deepStrictEqual(log, ["0: begins", "0: begins", "0: begins", "70: is stopped", "100: ends", "100: ends"])
    })
  )

  it.scoped("runs with the context of the first caller, and keeps what the run changes from all", () =>
    Effect.gen(function* () {
      const User = Context.GenericTag<string>("User")
      const tenant = FiberRef.unsafeMake("nobody")
      const shared = yield* places()
      const whose = Effect.delay(Effect.zip(User, FiberRef.get(tenant)), 100).pipe(
        Effect.tap(() => FiberRef.set(tenant, "the run")),
        Effect.map(([user, of]) => `${user} of ${of}`)
      )
      const ask = (user: string) =>
        shared.run("a", whose).pipe(
          Effect.zipWith(FiberRef.get(tenant), (report, own) => `${report}, ${own}`),
          Effect.provideService(User, user),
          Effect.locally(tenant, `tenant of ${user}`),
          Effect.fork
        )
      const callers = [yield* ask("ann"), yield* ask("bob")]
      yield* at(100)
      assert.deepStrictEqual(callers.map(exitOf), [
        Exit.succeed("ann of tenant of ann, tenant of ann"),
        Exit.succeed("ann of tenant of ann, tenant of bob")
      ])
    })
  )

  it.scoped("waits with one who cannot be interrupted, and stops a run that such a one began", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const shared = yield* places()
      const stubborn = yield* Effect.fork(Effect.uninterruptible(shared.run("a", work)))
      yield* at(50)
      yield* Fiber.interruptFork(stubborn)
      yield* at(100)
      assert.deepStrictEqual(log, ["0: begins", "100: ends"])
      const scope = yield* Scope.make()
      const other = yield* Scope.extend(places(), scope)
      yield* Effect.fork(Effect.uninterruptible(other.run("a", work)))
      yield* at(150)
      yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* at(1000)
      assert.strictEqual(log.at(-1), "170: is stopped")
    })
  )

  it.effect("stops all runs at once when its scope ends, and runs nothing afterwards", () =>
    Effect.gen(function* () {
      const { log, work } = report()
      const scope = yield* Scope.make()
      const shared = yield* Scope.extend(places({ whenAbandoned: "finish" }), scope)
      const callers = yield* Effect.forEach(["a", "b"], (key) => Effect.fork(shared.run(key, work)))
      yield* at(50)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* at(70)
      exitOf(closing)
      for (const caller of callers) assert.isTrue(Exit.isInterrupted(exitOf(caller)))
      const late = yield* Effect.fork(Effect.exit(shared.run("c", work)))
      yield* at(500)
      const exit = yield* exitOf(late)
      assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
      assert.deepStrictEqual(log, ["0: begins", "0: begins", "70: is stopped", "70: is stopped"])
    })
  )

  it.scoped("says what is wrong with its options, and serves as a layer", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(places({ maxKeys: 0 }))
      assert.instanceOf(wrong, Coalesce.CoalesceConfigurationError)
      assert.strictEqual(wrong.message, "Coalesce: maxKeys is 0; give a whole number of at least 1")
      const Reports = Context.GenericTag<Coalesce.Coalesce<string, string, string>>("Reports")
      const asked = Effect.flatMap(Reports, ({ run }) => run("a", Effect.succeed("report")))
      assert.strictEqual(yield* Effect.provide(asked, Coalesce.layer(Reports)), "report")
    })
  )
})
