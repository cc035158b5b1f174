import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { CheckOutcome, CircuitView } from "../../src/health/Check.js"
import { HealthConfigurationError, type Registration } from "../../src/health/CheckRunner.js"
import type { HealthChange } from "../../src/health/HealthChange.js"
import * as ErrorLog from "../../src/health/ErrorLog.js"
import * as HealthMonitor from "../../src/health/HealthMonitor.js"

const withMonitor = <A, E>(
  use: (monitor: HealthMonitor.HealthMonitorShape) => Effect.Effect<A, E, Scope.Scope>,
  // Looking for changes each second would wake the virtual clock thousands of times in the tests of long spans.
  options: HealthMonitor.HealthMonitorOptions = { memory: false, lookEvery: "1 day" }
) =>
  Effect.scoped(Effect.flatMap(HealthMonitor.HealthMonitor, use)).pipe(
    Effect.provide(HealthMonitor.layerWith(options).pipe(Layer.provideMerge(ErrorLog.layerWith({}))))
  )

/** Begins at that time; a later jump would wake every sleeper once for each of the seconds between. */
const at = <A, E>(
  time: string,
  use: Parameters<typeof withMonitor<A, E>>[0],
  options?: HealthMonitor.HealthMonitorOptions
) => Effect.zipRight(TestClock.setTime(Date.parse(time)), withMonitor(use, options))

/** With the default of looking for changes every second. */
const looking: HealthMonitor.HealthMonitorOptions = { memory: false }

const up = Effect.succeed<CheckOutcome>({ status: "up" })

/** Lets every fibre that can go on go on. */
const settle = Effect.repeatN(Effect.yieldNow(), 100)

const answered = (outcome: () => Effect.Effect<CheckOutcome | void, unknown>) => Effect.suspend(outcome)

describe("HealthMonitor: the status of the whole", () => {
  it.effect("is healthy when every check is up, with timestamp, uptime and errors as documented", () =>
    at("2025-01-15T12:00:00Z", (monitor) =>
      Effect.gen(function* () {
        yield* monitor.register({ name: "database", critical: true, check: up })
        yield* monitor.register({ name: "openai", check: Effect.void })
        yield* TestClock.adjust("1 second")
        const health = yield* monitor.getHealthStatus
        assert.strictEqual(health.status, "healthy")
        assert.strictEqual(health.timestamp, "2025-01-15T12:00:01.000Z")
        assert.deepStrictEqual(Object.keys(health), ["status", "timestamp", "checks", "uptime", "errors"])
        assert.deepStrictEqual(Object.keys(health.checks), ["database", "openai"])
        assert.strictEqual(health.checks["database"]?.status, "up")
        assert.strictEqual(health.checks["database"]?.responseTime, 0)
        assert.isTrue(health.checks["database"]!.since.startsWith("2025-01-15T12:00:00."))
        assert.deepStrictEqual(health.errors, [])
      })
    )
  )

  it.effect("counts uptime in milliseconds on the monotonic clock", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* monitor.getHealthStatus).uptime, 3_600_000)
      })
    )
  )

  it.effect("is unhealthy only when a critical check is down; anything else that is not up degrades", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const database = yield* Ref.make<CheckOutcome>({ status: "up" })
        yield* monitor.register({ name: "database", critical: true, check: Ref.get(database) })
        yield* monitor.register({ name: "stripe", check: Effect.fail("no route to host") })
        yield* TestClock.adjust("1 second")
        const one = yield* monitor.getHealthStatus
        assert.strictEqual(one.status, "degraded")
        assert.strictEqual(one.checks["stripe"]?.status, "down")
        assert.strictEqual(one.checks["stripe"]?.message, "no route to host")
        yield* Ref.set(database, { status: "degraded", message: "slow" })
        yield* monitor.probeNow("database")
        assert.strictEqual((yield* monitor.getHealthStatus).status, "degraded")
        yield* Ref.set(database, { status: "down" })
        yield* monitor.probeNow("database")
        assert.strictEqual((yield* monitor.getHealthStatus).status, "unhealthy")
      })
    )
  )

  it.effect("shows a dependency that is not configured, or not checked yet, as unavailable and degraded", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const runs = yield* Ref.make(0)
        yield* monitor.register({ name: "openai", configured: false, check: Ref.update(runs, (n) => n + 1) })
        yield* monitor.register({ name: "database", critical: true, check: Effect.never })
        const health = yield* monitor.getHealthStatus
        assert.strictEqual(health.status, "degraded")
        assert.include(health.checks["openai"], { status: "unavailable", message: "not configured" })
        assert.include(health.checks["database"], { status: "unavailable", message: "not checked yet" })
        yield* TestClock.adjust("1 hour")
        yield* monitor.probeNow("openai")
        assert.strictEqual(yield* Ref.get(runs), 0)
        assert.strictEqual((yield* monitor.getHealthStatus).checks["openai"]?.status, "unavailable")
      })
    )
  )

  it.effect("leaves a check that is not listed out of the answer and out of the verdict", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        yield* monitor.register({ name: "database", critical: true, check: up })
        yield* monitor.register({ name: "redis", configured: false, listed: false, check: up })
        yield* TestClock.adjust("1 second")
        const health = yield* monitor.getHealthStatus
        assert.strictEqual(health.status, "healthy")
        assert.notProperty(health.checks, "redis")
      })
    )
  )

  it.effect("is decided by the database alone in the quick answer, which shows nothing else and nothing internal", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const missing = yield* monitor.quick
        assert.strictEqual(missing.status, "degraded")
        assert.include(missing.checks["database"], { status: "unavailable", message: "not checked yet" })
        const database = yield* Ref.make<Effect.Effect<void, string>>(Effect.void)
        yield* monitor.register({ name: "openai", critical: true, check: Effect.fail("down") })
        yield* monitor.register({ name: "database", check: Effect.flatten(Ref.get(database)) })
        yield* TestClock.adjust("1 second")
        const well = yield* monitor.quick
        assert.strictEqual(well.status, "healthy")
        assert.deepStrictEqual(Object.keys(well), ["status", "timestamp", "checks", "uptime"])
        assert.deepStrictEqual(Object.keys(well.checks), ["database"])
        yield* Ref.set(database, Effect.fail("connect ECONNREFUSED 10.0.0.3:5432"))
        yield* monitor.probeNow("database")
        const ill = yield* monitor.quick
        assert.strictEqual(ill.status, "unhealthy")
        assert.include(ill.checks["database"], { status: "down", message: "the check failed" })
        assert.strictEqual(
          (yield* monitor.getHealthStatus).checks["database"]?.message,
          "connect ECONNREFUSED 10.0.0.3:5432"
        )
      })
    )
  )
})

describe("HealthMonitor: running checks", () => {
  it.effect("runs each check at its own interval, varied by a tenth", () =>
    withMonitor(
      (monitor) =>
        Effect.gen(function* () {
          const starts = yield* Ref.make<ReadonlyArray<readonly [name: string, at: number]>>([])
          const checkNamed = (name: string) =>
            Effect.flatMap(Clock.currentTimeMillis, (now) =>
              Ref.update(starts, (all) => [...all, [name, now] as const])
            )
          yield* monitor.register({ name: "fast", interval: "10 seconds", check: checkNamed("fast") })
          yield* monitor.register({ name: "slow", interval: "1 minute", check: checkNamed("slow") })
          // From one wake-up to the next, so that every sleep is seen to end at its own time.
          for (let i = 0; i < 60; i++) {
            yield* settle
            const now = yield* Clock.currentTimeMillis
            const due = [...(yield* TestClock.sleeps())].filter((time) => time > now)
            yield* TestClock.setTime(Math.min(...due))
          }
          for (const [name, interval] of [
            ["fast", 10_000],
            ["slow", 60_000]
          ] as const) {
            const times = (yield* Ref.get(starts)).filter(([which]) => which === name).map(([, time]) => time)
            const gaps = times.slice(1).map((time, index) => time - times[index]!)
            assert.isAtLeast(gaps.length, 3)
            assert.isAtMost(times[0]!, 500)
            for (const gap of gaps) {
              assert.isTrue(gap >= interval * 0.9 && gap <= interval * 1.1 + 1, `${name} paused for ${gap} ms`)
            }
            assert.isAbove(new Set(gaps).size, 1, "the pauses vary")
          }
        }),
      { memory: false, lookEvery: "1 day" }
    )
  )

  it.effect("interrupts a check that hangs exactly at its timeout and calls it down", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const interruptedAt = yield* Ref.make<ReadonlyArray<number>>([])
        const hangs = Effect.onInterrupt(Effect.never, () =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.update(interruptedAt, (all) => [...all, now]))
        )
        yield* monitor.register({ name: "openai", check: hangs, timeout: "2 seconds", interval: "1 minute" })
        const probe = yield* Effect.fork(monitor.probeNow("openai"))
        yield* TestClock.adjust(1999)
        assert.deepStrictEqual(yield* Ref.get(interruptedAt), [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* Ref.get(interruptedAt), [2000])
        const result = Option.getOrThrow(yield* Fiber.join(probe))
        assert.strictEqual(result.status, "down")
        assert.strictEqual(result.message, "no answer within 2s")
        assert.strictEqual(result.responseTime, 2000)
      })
    )
  )

  it.live("answers within 50 ms of real time while every check hangs, uninterruptible ones among them", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const release = yield* Deferred.make<void>()
        for (let i = 0; i < 20; i++) {
          const check = i % 2 === 0 ? Effect.never : Effect.uninterruptible(Deferred.await(release))
          const [interval, timeout] = ["200 millis", "20 millis"] as const
          yield* monitor.register({ name: `check-${i}`, critical: true, check, interval, timeout })
        }
        const times: Array<number> = []
        let last: HealthMonitor.HealthStatus | undefined
        for (let i = 0; i < 50; i++) {
          yield* Effect.sleep("5 millis")
          const before = performance.now()
          last = yield* monitor.getHealthStatus
          yield* monitor.quick
          times.push(performance.now() - before)
        }
        yield* Deferred.succeed(release, undefined)
        assert.strictEqual(last?.status, "unhealthy")
        // Nine of ten: what the machine does to the tenth says nothing about the monitor.
        assert.isBelow(times.sort((a, b) => a - b)[44]!, 50)
      })
    )
  )

  it.effect("a caller who is interrupted takes the answer away from nobody", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        yield* monitor.register({ name: "database", check: Effect.sleep("1 second"), interval: "1 hour" })
        const first = yield* Effect.fork(monitor.probeNow("database"))
        yield* TestClock.adjust("100 millis")
        const second = yield* Effect.fork(monitor.probeNow("database"))
        yield* TestClock.adjust("100 millis")
        yield* Fiber.interrupt(first)
        yield* TestClock.adjust("800 millis")
        assert.strictEqual(Option.getOrThrow(yield* Fiber.join(second)).status, "up")
      })
    )
  )

  it.effect("never starts a second run beside one that cannot be interrupted, stays fresh, and recovers", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const runs = yield* Ref.make(0)
        const release = yield* Deferred.make<void>()
        yield* monitor.register({
          name: "database",
          critical: true,
          interval: "10 seconds",
          timeout: "1 second",
          check: Effect.zipRight(
            Ref.update(runs, (n) => n + 1),
            Effect.uninterruptible(Deferred.await(release))
          )
        })
        for (let i = 0; i < 60; i++) yield* TestClock.adjust("1 second")
        const stuck = (yield* monitor.getHealthStatus).checks["database"]!
        assert.strictEqual(yield* Ref.get(runs), 1)
        assert.strictEqual(stuck.status, "down")
        assert.match(stuck.message!, /^a check that began \d+ s ago does not end$/)
        yield* Deferred.succeed(release, undefined)
        yield* settle
        yield* monitor.probeNow("database")
        assert.strictEqual(yield* Ref.get(runs), 2)
        assert.strictEqual((yield* monitor.getHealthStatus).checks["database"]?.status, "up")
      })
    )
  )

  it.effect("survives failures, defects and self-interruption of a check, and calls each down", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const refused: unknown = new Error("refused")
        const ends: ReadonlyArray<Effect.Effect<void, unknown>> = [
          Effect.fail(refused),
          Effect.die(new Error("a bug")),
          Effect.interrupt,
          Effect.sync(() => {
            throw new Error("thrown")
          })
        ]
        const round = yield* Ref.make(0)
        const check = answered(() =>
          Effect.flatMap(
            Ref.getAndUpdate(round, (n) => n + 1),
            (n) => ends[n] ?? Effect.void
          )
        )
        yield* monitor.register({ name: "openai", check, interval: "1 hour" })
        const messages: Array<string | undefined> = []
        for (const _ of ends) {
          const result = Option.getOrThrow(yield* monitor.probeNow("openai"))
          assert.strictEqual(result.status, "down")
          messages.push(result.message)
        }
        assert.deepStrictEqual(messages, ["refused", "a bug", "interrupted", "thrown"])
        assert.strictEqual(Option.getOrThrow(yield* monitor.probeNow("openai")).status, "up")
      })
    )
  )

  it.effect("stops a check with the scope it was registered in, and forgets it", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const runs = yield* Ref.make(0)
        const interrupted = yield* Ref.make(false)
        const scope = yield* Scope.make()
        const check = Effect.zipRight(
          Ref.update(runs, (n) => n + 1),
          Effect.onInterrupt(Effect.never, () => Ref.set(interrupted, true))
        )
        yield* Scope.extend(monitor.register({ name: "database", check, timeout: "1 minute" }), scope)
        yield* TestClock.adjust("1 second")
        const waiting = yield* Effect.fork(monitor.probeNow("database"))
        yield* TestClock.adjust("1 second")
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(yield* Ref.get(interrupted))
        assert.notProperty((yield* monitor.getHealthStatus).checks, "database")
        assert.isTrue(Option.isNone(yield* monitor.probeNow("database")))
        yield* Fiber.join(waiting)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* Ref.get(runs), 1)
      })
    )
  )

  it.effect("ends within a second of its scope although a check cannot be interrupted", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const release = yield* Deferred.make<void>()
        const check = Effect.uninterruptible(Deferred.await(release))
        yield* Scope.extend(monitor.register({ name: "database", check }), scope)
        yield* TestClock.adjust("1 second")
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(closing)
        yield* Deferred.succeed(release, undefined)
      })
    )
  )

  it.effect("refuses a second check of a name and times that cannot work", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        yield* monitor.register({ name: "database", check: up })
        const refused = (registration: Registration) =>
          Effect.map(Effect.exit(monitor.register(registration)), (exit) => {
            assert.isTrue(Exit.isFailure(exit))
            const defect = Option.getOrThrow(Cause.dieOption(Exit.isFailure(exit) ? exit.cause : Cause.empty))
            assert.instanceOf(defect, HealthConfigurationError)
          })
        yield* refused({ name: "database", check: up })
        yield* refused({ name: "a", check: up, interval: 0 })
        yield* refused({ name: "a", check: up, timeout: Infinity })
        yield* refused({ name: "a", check: up, downAfter: 0 })
        yield* refused({ name: "a", check: up, interval: "10 seconds", staleAfter: "5 seconds" })
        assert.deepStrictEqual(Object.keys((yield* monitor.getHealthStatus).checks), ["database"])
      })
    )
  )
})

describe("HealthMonitor: what a status rests on", () => {
  it.effect("hysteresis: one lost probe does not turn the status when three are asked for", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const outcome = yield* Ref.make<Effect.Effect<void, string>>(Effect.void)
        yield* monitor.register({
          name: "database",
          critical: true,
          interval: "1 hour",
          check: Effect.flatten(Ref.get(outcome)),
          downAfter: 3,
          upAfter: 2
        })
        const next = (effect: Effect.Effect<void, string>) =>
          Effect.zipRight(
            Ref.set(outcome, effect),
            Effect.map(monitor.probeNow("database"), (result) => Option.getOrThrow(result).status)
          )
        assert.strictEqual(yield* next(Effect.void), "up")
        assert.strictEqual(yield* next(Effect.fail("lost")), "up")
        assert.strictEqual(yield* next(Effect.fail("lost")), "up")
        assert.strictEqual(yield* next(Effect.void), "up")
        assert.strictEqual(yield* next(Effect.fail("lost")), "up")
        assert.strictEqual(yield* next(Effect.fail("lost")), "up")
        assert.strictEqual(yield* next(Effect.fail("lost")), "down")
        assert.strictEqual(yield* next(Effect.void), "down")
        assert.strictEqual(yield* next(Effect.fail("lost")), "down")
        assert.strictEqual(yield* next(Effect.void), "down")
        assert.strictEqual(yield* next(Effect.void), "up")
      })
    )
  )

  it.effect(
    "an open circuit is down whatever the probe says, with the time of the next try; half-open is degraded",
    () =>
      at(
        "2025-01-15T12:00:00Z",
        (monitor) =>
          Effect.gen(function* () {
            const circuit = yield* Ref.make<CircuitView>({ state: "closed" })
            yield* monitor.register({ name: "openai", check: up, circuit: Ref.get(circuit), interval: "1 hour" })
            yield* monitor.probeNow("openai")
            const shown = Effect.map(monitor.getHealthStatus, (health) => health.checks["openai"])
            assert.include(yield* shown, { status: "up" })
            yield* TestClock.adjust("1 minute")
            const openedAt = "2025-01-15T12:01:00.000Z"
            yield* Ref.set(circuit, { state: "open", failures: 5, openedAt, retryAfterSeconds: 12 })
            assert.include(yield* shown, {
              status: "down",
              message: "the circuit is open after 5 failures; next try in 12 s",
              since: openedAt
            })
            yield* Ref.set(circuit, { state: "half-open", openedAt })
            assert.include(yield* shown, { status: "degraded" })
            yield* Ref.set(circuit, { state: "open", mode: "forced-open" })
            assert.include(yield* shown, { status: "down", message: "an operator opened the circuit" })
            yield* TestClock.adjust("5 seconds")
            yield* Ref.set(circuit, { state: "closed" })
            yield* TestClock.adjust("2 seconds")
            // Up again since the circuit closed, not since the probe first said so.
            assert.include(yield* shown, { status: "up", since: "2025-01-15T12:01:06.000Z" })
          }),
        looking
      )
  )

  it.effect("keeps the time since when a status holds while it holds", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const outcome = yield* Ref.make<CheckOutcome>({ status: "up" })
        yield* monitor.register({ name: "database", check: Ref.get(outcome), interval: "1 hour" })
        yield* monitor.probeNow("database")
        const since = Effect.map(monitor.getHealthStatus, (health) => health.checks["database"]?.since)
        const first = yield* since
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* since, first)
        yield* Ref.set(outcome, { status: "down" })
        yield* monitor.probeNow("database")
        assert.strictEqual(yield* since, new Date(300_000).toISOString())
      })
    )
  )

  it.effect("memory is built in and never more than degraded, even when it cannot be measured", () => {
    const reader = Ref.unsafeMake<
      Effect.Effect<{ heapUsed: number; heapLimit: number; rss: number; containerLimit: number | undefined }, string>
    >(Effect.succeed({ heapUsed: 1, heapLimit: 100, rss: 1, containerLimit: 100 }))
    return withMonitor(
      (monitor) =>
        Effect.gen(function* () {
          yield* TestClock.adjust("1 second")
          assert.include((yield* monitor.getHealthStatus).checks["memory"], { status: "up" })
          yield* Ref.set(reader, Effect.succeed({ heapUsed: 95, heapLimit: 100, rss: 1, containerLimit: undefined }))
          assert.strictEqual(Option.getOrThrow(yield* monitor.probeNow("memory")).status, "degraded")
          yield* Ref.set(reader, Effect.fail("unreadable"))
          assert.strictEqual(Option.getOrThrow(yield* monitor.probeNow("memory")).status, "degraded")
          assert.strictEqual((yield* monitor.getHealthStatus).status, "degraded")
        }),
      { memory: { reader: Effect.flatten(Ref.get(reader)) } }
    )
  })
})

describe("HealthMonitor: changes", () => {
  it.effect("announces every change once and in order, also those of the circuit", () =>
    withMonitor(
      (monitor) =>
        Effect.gen(function* () {
          const outcome = yield* Ref.make<CheckOutcome>({ status: "up" })
          const circuit = yield* Ref.make<CircuitView>({ state: "closed" })
          const changes = yield* Queue.unbounded<HealthChange>()
          yield* monitor.register({
            name: "database",
            critical: true,
            check: Ref.get(outcome),
            circuit: Ref.get(circuit),
            interval: "1 hour"
          })
          yield* Effect.forkScoped(Stream.runForEach(monitor.changes, (change) => Queue.offer(changes, change)))
          yield* TestClock.adjust("2 seconds")
          yield* Ref.set(outcome, { status: "down", message: "gone" })
          yield* monitor.probeNow("database")
          yield* monitor.probeNow("database")
          yield* Ref.set(outcome, { status: "up" })
          yield* monitor.probeNow("database")
          yield* Ref.set(circuit, { state: "open" })
          yield* TestClock.adjust("1 second")
          const seen = [...(yield* Queue.takeAll(changes))].map((change) =>
            change._tag === "CheckChanged"
              ? `${change.name} ${change.from}>${change.to}`
              : `${change.from}>${change.to}`
          )
          assert.deepStrictEqual(seen, [
            "database unavailable>up",
            "degraded>healthy",
            "database up>down",
            "healthy>unhealthy",
            "database down>up",
            "unhealthy>healthy",
            "database up>down",
            "healthy>unhealthy"
          ])
        }),
      looking
    )
  )

  it.effect("loses no change when the check that told it is taken away in the middle", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const changes = yield* monitor.subscribe
        const outcome = yield* Ref.make<CheckOutcome>({ status: "up" })
        const scope = yield* Scope.make()
        const database = { name: "database", critical: true, check: Ref.get(outcome) }
        yield* Scope.extend(monitor.register(database), scope)
        yield* TestClock.adjust("1 second")
        yield* Queue.takeAll(changes)
        yield* Ref.set(outcome, { status: "down" })
        // The first change is logged between the two: a moment at which the test can step in.
        const takeAway = Logger.make(() => void Effect.runFork(Scope.close(scope, Exit.void)))
        yield* Effect.provide(monitor.probeNow("database"), Logger.add(takeAway))
        const told = yield* Queue.takeAll(changes)
        assert.deepStrictEqual(
          Array.from(told, ({ _tag }) => _tag),
          ["CheckChanged", "StatusChanged"]
        )
      })
    )
  )

  it.effect("a subscriber that does not read holds up nobody and costs bounded memory", () =>
    withMonitor((monitor) =>
      Effect.gen(function* () {
        const flip = yield* Ref.make(false)
        const seqs = yield* Ref.make<ReadonlyArray<number>>([])
        const open = yield* Deferred.make<void>()
        yield* monitor.register({
          name: "database",
          interval: "1 hour",
          check: Effect.map(
            Ref.updateAndGet(flip, (value) => !value),
            (value): CheckOutcome => ({ status: value ? "up" : "down" })
          )
        })
        yield* Effect.forkScoped(
          Stream.runForEach(monitor.changes, (change) =>
            Effect.zipRight(
              Deferred.await(open),
              Ref.update(seqs, (all) => [...all, change.seq])
            )
          )
        )
        yield* TestClock.adjust("1 second")
        for (let i = 0; i < 400; i++) yield* monitor.probeNow("database")
        yield* Deferred.succeed(open, undefined)
        yield* TestClock.adjust("1 second")
        const got = yield* Ref.get(seqs)
        assert.isAtMost(got.length, 256 + 32)
        assert.isAbove(got.length, 100)
        assert.deepStrictEqual(
          got,
          [...got].sort((a, b) => a - b)
        )
        assert.strictEqual(got.at(-1), 801)
      })
    )
  )
})
