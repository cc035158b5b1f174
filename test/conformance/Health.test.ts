/** Health and lifecycle: numbers 35 to 40. */
import { assert } from "@effect/vitest"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type { Registration } from "../../src/health/CheckRunner.js"
import * as ErrorLog from "../../src/health/ErrorLog.js"
import * as HealthMonitor from "../../src/health/HealthMonitor.js"
import * as Envelope from "../../src/http/Envelope.js"
import { Lifecycle } from "../../src/http/Lifecycle.js"
import * as LifecycleModule from "../../src/http/Lifecycle.js"
import * as Probes from "../../src/http/Probes.js"
import * as RateLimitGroups from "../../src/http/RateLimitGroups.js"
import * as Server from "../../src/http/Server.js"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import { KeyedRateLimiters } from "../../src/resilience/KeyedRateLimiter.js"
import * as RateLimitStore from "../../src/resilience/RateLimitStore.js"
import * as Wire from "../http/support/Wire.js"
import { conformance } from "./support/conformance.js"

type Monitor = HealthMonitor.HealthMonitorShape

const makeMonitor = Effect.flatMap(ErrorLog.make(), (log) =>
  // Looking for changes each second would wake the virtual clock thousands of times.
  Effect.provideService(HealthMonitor.make({ memory: false, lookEvery: "1 day" }), ErrorLog.ErrorLog, log)
)

const quietly = Effect.provide(Logger.remove(Logger.defaultLogger))

const hasEnded = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.map(Fiber.poll(fiber), (exit) => exit._tag === "Some")

interface Endpoint {
  readonly watch: (monitor: Monitor, checks: ReadonlyArray<Registration>) => Effect.Effect<void, never, Scope.Scope>
  readonly answer: (monitor: Monitor, names: ReadonlyArray<string>) => Effect.Effect<HealthMonitor.HealthStatus>
}

const endpoint: Endpoint = {
  watch: (monitor, checks) => Effect.forEach(checks, monitor.register, { discard: true }),
  answer: (monitor) => monitor.getHealthStatus
}

conformance<Endpoint>({
  number: 35,
  title: "a health check that hangs delays neither the health endpoint nor the other checks",
  failing: ["Spring", "terminus"],
  scenario: ({ answer, watch }) =>
    Effect.gen(function* () {
      const monitor = yield* makeMonitor
      yield* watch(monitor, [
        { name: "hangs", check: Effect.never, timeout: "1 hour", interval: "1 hour" },
        { name: "database", check: Effect.void }
      ])
      yield* TestClock.adjust("1 second")
      const asked = yield* Effect.fork(answer(monitor, ["hangs", "database"]))
      yield* TestClock.adjust(0)
      assert.isTrue(yield* hasEnded(asked), "the endpoint waits for a check")
      const { checks } = yield* Fiber.join(asked)
      assert.strictEqual(checks["database"]?.status, "up", "one check waits for another")
      assert.strictEqual(checks["hangs"]?.status, "unavailable")
    }).pipe(quietly),
  ours: endpoint,
  wrong: {
    "Spring: one check after the other": [
      "one check waits for another",
      {
        ...endpoint,
        watch: (monitor, checks) =>
          Effect.gen(function* () {
            let before: Effect.Effect<void> = Effect.void
            for (const check of checks) {
              const ended = yield* Deferred.make<void>()
              const inTurn = Effect.ensuring(check.check, Deferred.succeed(ended, undefined))
              yield* monitor.register({ ...check, startAfter: before, check: inTurn })
              before = Deferred.await(ended)
            }
          })
      }
    ],
    "terminus: checks when it is asked": [
      "the endpoint waits for a check",
      {
        ...endpoint,
        answer: (monitor, names) =>
          Effect.zipRight(
            Effect.forEach(names, monitor.probeNow, { concurrency: "unbounded" }),
            monitor.getHealthStatus
          )
      }
    ]
  }
})

/** A clock that goes on while nobody who sleeps is woken any more, from when `dead` is set. */
const mortal = (clock: Clock.Clock, dead: Ref.Ref<boolean>): Clock.Clock =>
  new Proxy(clock, {
    get: (target, key) =>
      key === "sleep"
        ? (duration: Duration.Duration) =>
            Effect.zipRight(
              target.sleep(duration),
              Effect.flatMap(Ref.get(dead), (is) => (is ? Effect.never : Effect.void))
            )
        : Reflect.get(target, key, target)
  })

conformance<Pick<Registration, "staleAfter">>({
  number: 36,
  title: "when checks are no longer run, the health status says so after a while, and then fails",
  failing: ["a cache around ASP.NET's checks"],
  scenario: ({ staleAfter }) =>
    Effect.gen(function* () {
      const dead = yield* Ref.make(false)
      const scenario = Effect.gen(function* () {
        const monitor = yield* makeMonitor
        const timing = { interval: "10 seconds", timeout: "5 seconds", staleAfter } as const
        yield* monitor.register({ name: "database", critical: true, check: Effect.void, ...timing })
        for (let i = 0; i < 30; i++) yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* monitor.quick).status, "healthy")
        yield* Ref.set(dead, true)
        yield* monitor.probeNow("database")
        yield* TestClock.adjust(24_999)
        assert.strictEqual((yield* monitor.quick).status, "healthy")
        yield* TestClock.adjust(1)
        const stale = yield* monitor.quick
        assert.strictEqual(stale.status, "degraded", "a result that is old")
        assert.strictEqual(
          stale.checks["database"]?.message,
          "not checked for 25 s (last result: up): the monitor has stopped"
        )
        assert.strictEqual(stale.checks["database"]?.since, stale.timestamp)
        yield* TestClock.adjust(24_999)
        assert.strictEqual((yield* monitor.quick).status, "degraded")
        yield* TestClock.adjust(1)
        const failing = yield* monitor.quick
        assert.strictEqual(failing.status, "unhealthy", "a result that is twice as old")
        assert.strictEqual(failing.checks["database"]?.since, failing.timestamp)
        yield* TestClock.adjust("6 days")
        assert.strictEqual((yield* monitor.quick).status, "unhealthy")
      })
      yield* Effect.withClock(scenario, mortal(yield* Effect.clock, dead))
    }).pipe(quietly),
  ours: { staleAfter: undefined },
  wrong: {
    "a cache around ASP.NET's checks, without expiry": ["a result that is old", { staleAfter: "1000 days" }]
  }
})

const oneForAll = {}
const parts: { checks?: HealthMonitor.HealthStatus["checks"] } = {}

conformance<(answer: Effect.Effect<HealthMonitor.HealthStatus>) => Effect.Effect<HealthMonitor.HealthStatus>>({
  number: 37,
  title: "whoever changes a health answer changes that one alone, of no other endpoint or instance",
  failing: ["terminus"],
  scenario: (respond) =>
    Effect.gen(function* () {
      const [one, other] = [yield* makeMonitor, yield* makeMonitor]
      for (const monitor of [one, other]) {
        yield* monitor.register({ name: "database", critical: true, check: Effect.void })
        yield* monitor.recordError("database", new Error("lost"))
      }
      yield* TestClock.adjust("1 second")
      const before = yield* respond(other.getHealthStatus)
      // Whoever got an answer may do anything to it.
      for (const answer of [yield* respond(one.getHealthStatus), yield* respond(one.quick)]) {
        Object.assign(answer, { status: "spoiled" })
        Object.assign(answer.checks["database"]!, { status: "spoiled" })
        for (const error of answer.errors ?? []) Object.assign(error, { message: "spoiled" })
      }
      assert.strictEqual(before.status, "healthy", "the answer of another instance")
      for (const answer of [one.getHealthStatus, one.quick, other.getHealthStatus, other.quick]) {
        const { checks, errors = [], status } = yield* respond(answer)
        assert.strictEqual(status, "healthy")
        assert.strictEqual(checks["database"]?.status, "up", "a part of another answer")
        for (const { message } of errors) assert.strictEqual(message, "lost")
      }
    }).pipe(quietly),
  ours: (answer) => answer,
  wrong: {
    "terminus: one object that all answers are copied into": [
      "the answer of another instance",
      (answer) => Effect.map(answer, (status) => Object.assign(oneForAll, status))
    ],
    "an answer that is new, of parts that are not": [
      "a part of another answer",
      (answer) =>
        Effect.map(answer, (status) => {
          parts.checks ??= status.checks
          return { ...status, checks: parts.checks }
        })
    ]
  }
})

/** Routes on a real server, on a free port. */
const serve = <E>(
  routes: Layer.Layer<never, E, HttpLayerRouter.HttpRouter | Lifecycle>,
  drain?: Duration.DurationInput
) =>
  Server.serve(routes, { delay: drain }).pipe(
    Layer.provideMerge(Server.layer({ host: "127.0.0.1", port: 0 })),
    Layer.provideMerge(LifecycleModule.layer)
  )

const alive = HttpServerResponse.unsafeJson({ status: "live" })
const dead = HttpServerResponse.unsafeJson({ status: "draining" }, { status: 503 })

conformance<Layer.Layer<never, never, HttpLayerRouter.HttpRouter | Lifecycle>>({
  number: 38,
  title: "a server that finishes its work before it stops still answers that it lives",
  failing: ["lightship", "terminus"],
  scenario: (probes) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(serve(probes, "30 seconds"), scope)
      const lifecycle = Context.get(context, Lifecycle)
      const url = yield* Effect.provide(Server.address, context)
      yield* lifecycle.started
      // The server is draining until the virtual clock goes on.
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* lifecycle.draining
      const live = yield* Wire.send(`${url}/livez`)
      for (let i = 0; i < 3; i++) yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(closing)
      assert.strictEqual(live.status, 200, "an orchestrator would kill what is only finishing its work")
    }),
  ours: Probes.layer,
  wrong: {
    "lightship, terminus: unwell as soon as they stop": [
      "an orchestrator would kill",
      Layer.effectDiscard(
        Effect.gen(function* () {
          const router = yield* HttpLayerRouter.HttpRouter
          const { state } = yield* Lifecycle
          yield* router.add(
            "GET",
            "/livez",
            Effect.map(state, (is) => (is === "draining" ? dead : alive))
          )
        })
      )
    ]
  }
})

type Gatekeeper = (bulkhead: Bulkhead.Bulkhead) => Layer.Layer<never, never, HttpLayerRouter.HttpRouter | Lifecycle>

conformance<Gatekeeper>({
  number: 39,
  title: "a probe is answered at once while ten times the work that the server can do waits",
  failing: ["Keycloak on Quarkus"],
  scenario: (probes) =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ name: "workers", maxConcurrent: 10, maxQueued: 1_000, maxWait: "1 hour" })
      const release = yield* Deferred.make<void>()
      const work = Layer.effectDiscard(
        Effect.flatMap(HttpLayerRouter.HttpRouter, (router) =>
          router.add(
            "GET",
            "/work",
            Effect.orDie(Bulkhead.withBulkhead(Effect.as(Deferred.await(release), alive), bulkhead))
          )
        )
      )
      const services = Layer.mergeAll(
        RateLimitGroups.layer({}).pipe(
          Layer.provide(KeyedRateLimiters.layer),
          Layer.provide(RateLimitStore.layerMemory)
        ),
        Layer.effect(ErrorLog.ErrorLog, ErrorLog.make())
      )
      const routes = Layer.mergeAll(probes(bulkhead), work).pipe(
        Layer.provide(Envelope.layer()),
        Layer.provide(services)
      )
      const context = yield* Layer.build(serve(routes))
      const url = yield* Effect.provide(Server.address, context)
      const queued = Effect.map(bulkhead.status, (status) => status.queued)
      const until = (is: Effect.Effect<boolean>) =>
        Effect.repeat(Effect.delay(is, "2 millis"), { until: (done) => done })
      const crowd = yield* Effect.fork(
        Effect.forEach(Array.from({ length: 100 }), () => Wire.send(`${url}/work`), { concurrency: "unbounded" })
      )
      yield* until(Effect.map(queued, (n) => n === 90))
      const probe = yield* Effect.fork(Wire.send(`${url}/livez`))
      // Either it has its answer, or it stands in the queue.
      yield* until(Effect.zipWith(hasEnded(probe), queued, (ended, n) => ended || n > 90))
      const answered = yield* hasEnded(probe)
      yield* Deferred.succeed(release, undefined)
      assert.strictEqual((yield* Fiber.join(probe)).status, 200)
      for (const { status } of yield* Fiber.join(crowd)) assert.strictEqual(status, 200)
      assert.isTrue(answered, "the probe queues with the work")
    }).pipe(Effect.scoped, Effect.withClock(Clock.make())),
  ours: () => Probes.layer,
  wrong: {
    "Keycloak on Quarkus: probes take their turn": [
      "the probe queues with the work",
      (bulkhead) =>
        Layer.effectDiscard(
          Effect.flatMap(HttpLayerRouter.HttpRouter, (router) =>
            router.add("GET", "/livez", Effect.orDie(Bulkhead.withBulkhead(Effect.succeed(alive), bulkhead)))
          )
        )
    ]
  }
})

conformance<(monitor: Monitor, check: Effect.Effect<void>) => Effect.Effect<unknown>>({
  number: 40,
  title: "any number of probes that come at the same time run the check once",
  failing: ["ASP.NET", "Spring", "terminus"],
  scenario: (probe) =>
    Effect.gen(function* () {
      const monitor = yield* makeMonitor
      const runs = yield* Ref.make(0)
      const begun = Ref.update(runs, (n) => n + 1)
      const check = Effect.zipRight(begun, Effect.sleep("100 millis"))
      yield* monitor.register({ name: "database", check, interval: "1 hour" })
      const probes = yield* Effect.fork(
        Effect.forEach(Array.from({ length: 50 }), () => probe(monitor, check), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("100 millis")
      assert.isTrue(yield* hasEnded(probes), "all of them have their answer when the check has ended")
      assert.strictEqual(yield* Ref.get(runs), 1, "how often the check ran")
      assert.strictEqual((yield* monitor.getHealthStatus).checks["database"]?.status, "up")
    }).pipe(quietly),
  ours: (monitor) => monitor.probeNow("database"),
  wrong: { "ASP.NET, Spring, terminus: each probe checks": ["how often the check ran", (_, check) => check] }
})
