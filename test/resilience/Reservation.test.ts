import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as RateLimiter from "../../src/resilience/RateLimiter.js"
import * as RateLimiterState from "../../src/resilience/RateLimiterState.js"
import { RateLimited } from "../../src/resilience/Rejection.js"
import * as Reservation from "../../src/resilience/Reservation.js"

const options: RateLimiter.Options = {
  name: "reports",
  limit: 1,
  interval: "10 seconds",
  mode: "wait",
  maxWait: "1 minute",
  maxQueued: 10
}

const now = Clock.currentTimeMillis
const call = (limiter: RateLimiter.RateLimiter) => RateLimiter.withRateLimiter(now, limiter)

describe("a reservation of a rate limiter", () => {
  it.scoped("says how long to wait, and the call starts then", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      const first = yield* limiter.reserve
      const second = yield* limiter.reserve
      assert.deepStrictEqual(yield* first.wait, Duration.zero)
      assert.deepStrictEqual(yield* second.wait, Duration.seconds(10))
      assert.strictEqual(yield* first.use(now), 0)
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(yield* second.wait, Duration.seconds(6))
      const started = yield* Effect.fork(second.use(now))
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* Fiber.join(started), 10_000)
    })
  )

  it.scoped("keeps its turn without anyone who waits for it, and holds up nobody behind", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make({ ...options, limit: 2 })
      yield* Effect.replicateEffect(call(limiter), 2)
      yield* limiter.reserve
      const behind = yield* Effect.fork(call(limiter))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(behind), 10_000)
    })
  )

  it.scoped("is given back when it is cancelled, in the queue and after its turn has come, and only once", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      const served = yield* limiter.reserve
      const queued = yield* limiter.reserve
      const behind = yield* limiter.reserve
      yield* queued.cancel
      assert.deepStrictEqual(yield* behind.wait, Duration.seconds(10))
      yield* served.cancel
      yield* served.cancel
      assert.deepStrictEqual(yield* behind.wait, Duration.zero)
      assert.deepStrictEqual(yield* limiter.status, { inUse: 1, queued: 0, limit: 1 })
    })
  )

  it.effect("is given back when its scope closes, unless the call has started", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      yield* Effect.scoped(limiter.reserve)
      assert.strictEqual((yield* limiter.status).inUse, 0)
      yield* Effect.scoped(Effect.flatMap(limiter.reserve, (place) => Effect.ignore(place.use(Effect.fail("own")))))
      assert.strictEqual((yield* limiter.status).inUse, 1, "a call that failed has been made")
    })
  )

  it.scoped("is good for one call", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      const place = yield* limiter.reserve
      yield* place.use(Effect.void)
      const again = yield* Effect.flip(place.use(Effect.void))
      assert.strictEqual(again.reason, "limit")
      assert.deepStrictEqual(again.retryAfter, Duration.seconds(10))
      yield* place.cancel
      assert.strictEqual((yield* limiter.status).inUse, 1)
    })
  )

  it.scoped("tells a caller who waits for its turn when it is cancelled meanwhile", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      yield* call(limiter)
      const place = yield* limiter.reserve
      const waiting = yield* Effect.fork(Effect.flip(place.use(Effect.void)))
      yield* TestClock.adjust("1 second")
      yield* place.cancel
      assert.strictEqual((yield* Fiber.join(waiting)).reason, "limit")
    })
  )

  it.scoped("leaves the queue also when a caller comes to use it while it is being cancelled", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      yield* call(limiter)
      const place = yield* limiter.reserve
      yield* TestClock.adjust("1 second")
      const cancelling = yield* Effect.fork(place.cancel)
      yield* Effect.yieldNow()
      const using = yield* Effect.fork(Effect.flip(place.use(Effect.void)))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(cancelling)
      assert.strictEqual((yield* Fiber.join(using)).reason, "limit")
      assert.strictEqual((yield* limiter.status).queued, 0)
    })
  )

  it.effect("leaves nothing behind in a scope that lives on after it was used or cancelled", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make({ ...options, limit: 2 })
      const scope = yield* Scope.make()
      const reserve = Scope.extend(limiter.reserve, scope)
      yield* (yield* reserve).use(Effect.void)
      yield* (yield* reserve).cancel
      // Effect tells nobody what a scope still has to do.
      const { finalizers } = (
        scope as unknown as { readonly state: { readonly finalizers: ReadonlyMap<unknown, unknown> } }
      ).state
      assert.strictEqual(finalizers.size, 0)
    })
  )

  it.scoped("is given back whole when the one who cancels it is interrupted", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      yield* call(limiter)
      const place = yield* limiter.reserve
      yield* TestClock.adjust("1 second")
      const cancelling = yield* Effect.fork(place.cancel)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(cancelling)
      assert.strictEqual((yield* limiter.status).queued, 0)
    })
  )

  it.scoped("is still held when a wait for it was interrupted", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      yield* call(limiter)
      const place = yield* limiter.reserve
      const waiting = yield* Effect.fork(place.use(now))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(waiting)
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(yield* place.use(now), 10_000)
    })
  )

  it.scoped("counts a call from when it starts, not from when its turn came", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      const place = yield* limiter.reserve
      yield* TestClock.adjust("9 seconds")
      yield* place.use(Effect.void)
      const next = yield* Effect.fork(call(limiter))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(next), 19_000)
    })
  )

  it.scoped("lapses when it is left unused for an interval after its turn", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make(options)
      const place = yield* limiter.reserve
      yield* TestClock.adjust("10 seconds")
      yield* call(limiter)
      assert.strictEqual((yield* Effect.flip(place.use(Effect.void))).reason, "limit")
      yield* place.cancel
      assert.strictEqual((yield* limiter.status).inUse, 1)
    })
  )

  it.scoped("is refused as a call would be, and has a call's cost", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.make({ name: "reports", limit: 3, interval: "10 seconds", mode: "reject" })
      const two = yield* limiter.withCost(2)
      yield* two.reserve
      const error = yield* Effect.flip(two.reserve)
      assert.strictEqual(error.reason, "limit")
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(10))
      const impatient = yield* RateLimiter.make({ ...options, maxWait: "9 seconds" })
      yield* impatient.reserve
      assert.strictEqual((yield* Effect.flip(impatient.reserve)).reason, "wait-too-long")
    })
  )
})

/** Times in milliseconds; whether the owner uses the place, how late after it reserved, and when it leaves. */
const owner = fc.record({
  gap: fc.nat(8),
  pause: fc.nat(90),
  plan: fc.constantFrom("use", "use", "cancel", "nothing"),
  stay: fc.option(fc.nat(120), { nil: undefined, freq: 2 })
})
const limit = 3
const interval = 50
type Reserve = RateLimiter.RateLimiter["reserve"]

const keepsTheLimit = (wrap: (reserve: Reserve) => Reserve) =>
  fc.asyncProperty(fc.array(owner, { minLength: 6, maxLength: 20, size: "max" }), (owners) =>
    Effect.runPromise(
      Effect.provide(
        Effect.gen(function* () {
          const limiter = yield* RateLimiter.make({
            ...options,
            limit,
            interval,
            maxWait: "1 hour",
            maxQueued: 100
          })
          const starts: Array<number> = []
          const reserve = wrap(limiter.reserve)
          const start = Effect.flatMap(now, (at) => Effect.sync(() => starts.push(at)))
          const fibers = yield* Effect.forEach(owners, ({ gap, pause, plan, stay }) =>
            Effect.gen(function* () {
              const work = Effect.scoped(
                Effect.gen(function* () {
                  const place = yield* reserve
                  yield* Effect.sleep(pause)
                  if (plan === "use") yield* Effect.ignore(place.use(start))
                  if (plan === "cancel") yield* place.cancel
                })
              )
              const fiber = yield* Effect.fork(work)
              if (stay !== undefined) yield* Effect.fork(Effect.delay(Fiber.interrupt(fiber), stay))
              yield* TestClock.adjust(gap)
              return fiber
            })
          )
          yield* TestClock.adjust("5 seconds")
          for (const fiber of fibers) {
            const end = yield* Fiber.poll(fiber)
            assert.isTrue(end._tag === "Some" && (Exit.isSuccess(end.value) || Exit.isInterrupted(end.value)))
          }
          for (const from of starts) {
            assert.isAtMost(starts.filter((at) => at >= from && at < from + interval).length, limit)
          }
          assert.deepStrictEqual(yield* limiter.status, { inUse: 0, queued: 0, limit })
        }),
        TestContext.TestContext
      )
    )
  )

/** In a scope that nobody closes. */
const kept = (reserve: Reserve): Reserve => Effect.flatMap(Scope.make(), (scope) => Scope.extend(reserve, scope))

describe("reservations that are used late, cancelled and left", () => {
  it("never let more calls start in any window than the limit, and hold up no one for ever", async () => {
    await fc.assert(
      keepsTheLimit((reserve) => reserve),
      { numRuns: 30 }
    )
  }, 120_000)

  it("are found out when a late call counts from when its turn came", async () => {
    const early = (reserve: Reserve): Reserve =>
      Effect.map(kept(reserve), (place) => ({
        ...place,
        use: (self) => Effect.flatMap(place.wait, (wait) => Effect.delay(self, wait))
      }))
    assert.isTrue((await fc.check(keepsTheLimit(early), { numRuns: 60, endOnFailure: true })).failed)
  }, 120_000)
})

describe("Reservation.make", () => {
  const reserve = (state: RateLimiterState.RateLimiterState, cost: number, patience: number) =>
    Reservation.make({
      state,
      cost,
      patience,
      reject: (reason, after) =>
        Effect.fail(new RateLimited({ policy: "reports", reason, retryAfter: Duration.millis(after) }))
    })

  it.scoped("takes places of any cost on the state of a limiter, as far as the patience goes", () =>
    Effect.gen(function* () {
      const state = yield* RateLimiterState.make({ permits: 3, interval: 10_000, maxQueued: 10 })
      const two = yield* reserve(state, 2, 0)
      const impatient = yield* Effect.flip(reserve(state, 2, 9_999))
      assert.deepInclude(impatient, { reason: "wait-too-long", retryAfter: Duration.seconds(10) })
      const patient = yield* reserve(state, 2, 10_000)
      assert.deepStrictEqual(yield* patient.wait, Duration.seconds(10))
      yield* two.cancel
      assert.deepStrictEqual(yield* patient.wait, Duration.zero)
      assert.strictEqual((yield* state.look).inUse, 2)
    })
  )
})
