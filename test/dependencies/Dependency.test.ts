import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { Dependencies } from "../../src/dependencies/Dependencies.js"
import * as Dependency from "../../src/dependencies/Dependency.js"
import * as Settings from "../../src/dependencies/Settings.js"
import type { Variables } from "../../src/dependencies/Environment.js"
import { HealthMonitor } from "../../src/health/HealthMonitor.js"
import type { CircuitBreakers } from "../../src/resilience/CircuitBreakers.js"
import * as Metrics from "../../src/telemetry/Metrics.js"
import { ground } from "./support.js"

class Broken extends Data.TaggedError("Broken")<{
  readonly isRetryable?: boolean
  readonly countsAsFailure?: boolean
  readonly isExpected?: boolean
  readonly retryAfter?: Duration.Duration
}> {}

const world = Layer.fresh(ground)

/** A dependency with OpenAI's defaults unless told otherwise, and a probe that the test plays. */
const make = (
  variables: Variables = {},
  options: Partial<Dependency.Options> = {}
): Effect.Effect<Dependency.Dependency, unknown, CircuitBreakers | Dependencies | HealthMonitor | Scope.Scope> =>
  Effect.gen(function* () {
    const { openai } = yield* Settings.make(variables)
    return yield* Dependency.make({
      name: "openai",
      critical: false,
      configured: true,
      policy: openai.policy,
      probe: Effect.void,
      ...options
    })
  })

/** An effect that fails so often, then succeeds; and how often it was run. */
const failing = (times: number, error: Broken) =>
  Effect.gen(function* () {
    const runs = yield* Ref.make(0)
    const effect = Effect.flatMap(
      Ref.updateAndGet(runs, (n) => n + 1),
      (n) => (n <= times ? Effect.fail(error) : Effect.succeed("well"))
    )
    return { effect, runs: Ref.get(runs) }
  })

const waiting = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(self)
    yield* TestClock.adjust("30 seconds")
    return yield* Fiber.join(fiber)
  })

describe("Dependency", () => {
  it.scoped("retries what is declared idempotent and nothing else", () =>
    Effect.gen(function* () {
      const dependency = yield* make()
      const twice = yield* failing(2, new Broken({}))
      assert.strictEqual(yield* waiting(dependency.call("a", twice.effect, { idempotent: true })), "well")
      assert.strictEqual(yield* twice.runs, 3)
      const once = yield* failing(1, new Broken({}))
      assert.instanceOf(yield* Effect.flip(dependency.call("b", once.effect)), Broken)
      assert.strictEqual(yield* once.runs, 1)
    }).pipe(Effect.provide(world))
  )

  it.scoped("an error decides for itself whether it is retried, counted and recorded", () =>
    Effect.gen(function* () {
      const dependency = yield* make()
      const health = yield* HealthMonitor
      const refused = yield* failing(9, new Broken({ isRetryable: false, countsAsFailure: false, isExpected: true }))
      yield* Effect.flip(dependency.call("buy", refused.effect, { idempotent: true }))
      assert.strictEqual(yield* refused.runs, 1)
      assert.strictEqual((yield* dependency.breaker.status).failures, 0)
      assert.lengthOf(yield* health.getRecentErrors(10), 0)

      const silent = yield* failing(9, new Broken({}))
      yield* waiting(Effect.flip(dependency.call("read", silent.effect, { idempotent: true })))
      assert.strictEqual((yield* dependency.breaker.status).failures, 3)
      const [recorded, ...others] = yield* health.getRecentErrors(10)
      assert.lengthOf(others, 0)
      assert.strictEqual(recorded?.service, "openai")
      assert.strictEqual(recorded?.operation, "read")
    }).pipe(Effect.provide(world))
  )

  it.scoped("what the system did is recorded, also when the circuit opened before the next attempt", () =>
    Effect.gen(function* () {
      const dependency = yield* make()
      const health = yield* HealthMonitor
      const broken = Effect.zipRight(dependency.breaker.force("open"), Effect.fail(new Broken({ isRetryable: true })))
      const error = yield* waiting(Effect.flip(dependency.call("read", broken, { idempotent: true })))
      assert.strictEqual(error._tag, "CircuitOpen")
      const recorded = yield* health.getRecentErrors(10)
      assert.deepStrictEqual(
        recorded.map(({ operation, service }) => [service, operation]),
        [["openai", "read"]]
      )
      yield* Effect.flip(dependency.call("read", broken))
      assert.lengthOf(yield* health.getRecentErrors(10), 1, "a call that was only turned away is counted, not recorded")
    }).pipe(Effect.provide(world))
  )

  it.scoped("a timed-out attempt counts, and is recorded", () =>
    Effect.gen(function* () {
      const dependency = yield* make()
      const health = yield* HealthMonitor
      const error = yield* waiting(Effect.flip(dependency.call("b", Effect.never)))
      assert.strictEqual(error._tag, "AttemptTimeout")
      assert.strictEqual((yield* dependency.breaker.status).failures, 1)
      assert.lengthOf(yield* health.getRecentErrors(10), 1)
    }).pipe(Effect.provide(world))
  )

  it.scoped("a wish for rest is obeyed for at most a minute, and counts neither as failure nor as success", () =>
    Effect.gen(function* () {
      const dependency = yield* make()
      for (let failure = 0; failure < 4; failure++) {
        yield* Effect.flip(dependency.call("a", Effect.fail(new Broken({}))))
      }
      yield* Effect.flip(dependency.call("a", Effect.fail(new Broken({ retryAfter: Duration.hours(1) }))))
      assert.strictEqual((yield* dependency.breaker.status).failures, 4)
      yield* TestClock.adjust("59999 millis")
      const rejected = yield* Effect.flip(dependency.call("a", Effect.void))
      assert.deepInclude(rejected, { _tag: "CircuitOpen", reason: "throttled", retryAfter: Duration.millis(1) })
      yield* TestClock.adjust("1 millis")
      yield* dependency.call("a", Effect.void)
    }).pipe(Effect.provide(world))
  )

  it.scoped("a wish that is short enough is waited for within the call", () =>
    Effect.gen(function* () {
      const dependency = yield* make()
      const { effect, runs } = yield* failing(2, new Broken({ retryAfter: Duration.seconds(4) }))
      const fiber = yield* Effect.fork(dependency.call("a", effect, { idempotent: true }))
      yield* TestClock.adjust("3999 millis")
      assert.strictEqual(yield* runs, 1)
      yield* TestClock.adjust("4001 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "well")
    }).pipe(Effect.provide(world))
  )

  it.scoped("while it rests, probes ask nobody; a probe can be told to rest, too", () =>
    Effect.gen(function* () {
      const probes = yield* Ref.make(0)
      const answer = yield* Ref.make<Effect.Effect<void, Broken>>(Effect.void)
      const probe = Effect.zipRight(
        Ref.update(probes, (n) => n + 1),
        Effect.flatten(Ref.get(answer))
      )
      const dependency = yield* make({}, { probe })
      const health = yield* HealthMonitor
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Ref.get(probes), 1)
      assert.deepInclude(yield* dependency.lastProbe, { status: "up" })

      yield* Ref.set(answer, Effect.fail(new Broken({ retryAfter: Duration.seconds(50) })))
      yield* health.probeNow("openai")
      assert.strictEqual(yield* Ref.get(probes), 2)
      assert.deepInclude(yield* dependency.lastProbe, { status: "down" })
      assert.strictEqual((yield* Effect.flip(dependency.call("a", Effect.void)))._tag, "CircuitOpen")
      yield* health.probeNow("openai")
      assert.strictEqual(yield* Ref.get(probes), 2)
      assert.deepInclude(yield* dependency.lastProbe, { status: "degraded" })

      yield* Ref.set(answer, Effect.void)
      yield* TestClock.adjust("50 seconds")
      yield* dependency.call("a", Effect.void)
    }).pipe(Effect.provide(world))
  )

  it.scoped("a healthy probe lets the next caller heal an open circuit before its time", () =>
    Effect.gen(function* () {
      const isUp = yield* Ref.make(false)
      const probe = Effect.flatMap(Ref.get(isUp), (up) => (up ? Effect.void : Effect.fail(new Broken({}))))
      const dependency = yield* make(
        { OPENAI_CIRCUIT_RESET_TIMEOUT: "1 hour", OPENAI_PROBE_INTERVAL: "10s" },
        { probe }
      )
      const health = yield* HealthMonitor
      for (let failure = 0; failure < 5; failure++) {
        yield* Effect.flip(dependency.call("a", Effect.fail(new Broken({}))))
      }
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Effect.flip(dependency.call("a", Effect.void)))._tag, "CircuitOpen")
      assert.strictEqual((yield* health.getHealthStatus).checks["openai"]?.status, "down")
      yield* Ref.set(isUp, true)
      yield* TestClock.adjust("15 seconds")
      yield* dependency.call("a", Effect.void)
      assert.strictEqual((yield* dependency.breaker.status).state, "closed")
      assert.strictEqual((yield* health.getHealthStatus).checks["openai"]?.status, "up")
    }).pipe(Effect.provide(world))
  )

  it.scoped("calls, retries, transitions and fallbacks are counted under its name", () =>
    Effect.gen(function* () {
      const name = "counted"
      const dependency = yield* make({}, { name })
      const count = (metric: Metric.Metric.Counter<number>, ...labels: ReadonlyArray<readonly [string, string]>) =>
        Effect.map(
          Metric.value(
            labels.reduce(
              (tagged, [key, value]) => Metric.tagged(tagged, key, value),
              Metric.tagged(metric, "dependency", name)
            )
          ),
          (state) => state.count
        )
      const { effect } = yield* failing(2, new Broken({}))
      yield* waiting(dependency.call("a", effect, { idempotent: true }))
      for (let failure = 0; failure < 5; failure++) {
        yield* Effect.flip(dependency.call("a", Effect.fail(new Broken({}))))
      }
      yield* Effect.flip(dependency.call("a", Effect.void))
      yield* dependency.fellBack("rules")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* count(Metrics.dependencyCalls, ["outcome", "success"]), 1)
      assert.strictEqual(yield* count(Metrics.dependencyCalls, ["outcome", "failure"]), 5)
      assert.strictEqual(yield* count(Metrics.dependencyCalls, ["outcome", "rejected"]), 1)
      assert.strictEqual(yield* count(Metrics.retries), 2)
      assert.strictEqual(yield* count(Metrics.fallbacks, ["kind", "rules"]), 1)
      assert.strictEqual(yield* count(Metrics.breakerTransitions, ["from", "closed"], ["to", "open"]), 1)
    }).pipe(Effect.provide(world))
  )

  it.scoped(
    "a call is counted as what became of it: ended by its attempt's limit, or left by its caller in the queue",
    () =>
      Effect.gen(function* () {
        const name = "left"
        const dependency = yield* make({ OPENAI_MAX_CONCURRENT: "1" }, { name })
        const counted = (outcome: Metrics.CallOutcome) =>
          Effect.map(
            Metric.value(
              Metrics.dependencyCalls.pipe(Metric.tagged("dependency", name), Metric.tagged("outcome", outcome))
            ),
            ({ count }) => count
          )
        const slow = yield* Effect.fork(dependency.call("a", Effect.never))
        yield* Effect.yieldNow()
        const queued = yield* Effect.fork(dependency.call("b", Effect.void))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(queued)
        yield* TestClock.adjust("12 seconds")
        assert.propertyVal(yield* Effect.flip(Fiber.join(slow)), "_tag", "AttemptTimeout")
        const outcomes = ["interrupted", "failure", "rejected", "ignored"] as const
        assert.deepStrictEqual(yield* Effect.forEach(outcomes, counted), [1, 1, 0, 0])
      }).pipe(Effect.provide(world))
  )

  it.scoped("a caller who leaves gives the place in the bulkhead back and counts as nothing", () =>
    Effect.gen(function* () {
      const dependency = yield* make({ OPENAI_MAX_CONCURRENT: "1" })
      const health = yield* HealthMonitor
      const begun = yield* Deferred.make<void>()
      const first = yield* Effect.fork(
        dependency.call("a", Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never))
      )
      yield* Deferred.await(begun)
      const second = yield* Effect.fork(dependency.call("a", Effect.succeed("my turn")))
      yield* Fiber.interrupt(first)
      assert.strictEqual(yield* Fiber.join(second), "my turn")
      assert.strictEqual((yield* dependency.breaker.status).failures, 0)
      assert.lengthOf(yield* health.getRecentErrors(10), 0)
    }).pipe(Effect.provide(world))
  )

  it.scoped("over its own rate limit a call waits its turn", () =>
    Effect.gen(function* () {
      const dependency = yield* make({ OPENAI_RATE_LIMIT: "2/10s" })
      yield* dependency.call("a", Effect.void)
      yield* dependency.call("a", Effect.void)
      const third = yield* Effect.fork(dependency.call("a", Effect.succeed("late")))
      yield* TestClock.adjust("9 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(third)))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Fiber.join(third), "late")
    }).pipe(Effect.provide(world))
  )

  it.scoped("a database's open time grows to its limit, as its defaults say", () =>
    Effect.gen(function* () {
      const { database } = yield* Settings.make({})
      const dependency = yield* make({}, { name: "database", policy: database, probe: Effect.fail("down") })
      const fail = Effect.flip(dependency.call("a", Effect.fail(new Broken({}))))
      yield* Effect.replicateEffect(fail, 5)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* fail)._tag, "Broken")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* fail)._tag, "CircuitOpen")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* fail)._tag, "Broken")
    }).pipe(Effect.provide(world))
  )

  it.scoped("is on the list and in the health status until its scope closes, configured or not", () =>
    Effect.gen(function* () {
      const { all, get } = yield* Dependencies
      const health = yield* HealthMonitor
      const scope = yield* Scope.make()
      yield* Scope.extend(make({}, { configured: false, probe: Effect.dieMessage("never to be run") }), scope)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        (yield* all).map(({ name }) => name),
        ["openai"]
      )
      assert.strictEqual((yield* health.getHealthStatus).checks["openai"]?.status, "unavailable")
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Option.isNone(yield* get("openai")))
      assert.notProperty((yield* health.getHealthStatus).checks, "openai")
    }).pipe(Effect.provide(world))
  )

  it.scoped("a second one of a name is a bug of the program", () =>
    Effect.gen(function* () {
      yield* make()
      const exit = yield* Effect.exit(make())
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
    }).pipe(Effect.provide(world))
  )
})
