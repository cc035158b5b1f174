import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Deadline from "../../src/resilience/Deadline.js"
import * as MonotonicClock from "../../src/resilience/MonotonicClock.js"
import * as Policy from "../../src/resilience/Policy.js"
import type { DeadlineExceeded } from "../../src/resilience/Rejection.js"
import * as Timeout from "../../src/resilience/Timeout.js"

const left = Effect.map(Deadline.remaining, Duration.toMillis)

/** Runs an effect to its end in virtual time and says when that was. */
const play = <A, E>(self: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.zip(Effect.exit(self), Clock.currentTimeMillis))
    yield* TestClock.adjust("1 hour")
    const [exit, at] = yield* Fiber.join(fiber)
    return { exit, at }
  })

const failed = (exit: Exit.Exit<unknown, unknown>): DeadlineExceeded =>
  Exit.isFailure(exit) && exit.cause._tag === "Fail"
    ? (exit.cause.error as DeadlineExceeded)
    : assert.fail("it has not failed")

describe("Deadline.within", () => {
  it.effect("ends what takes longer, after it has put its things in order", () =>
    Effect.gen(function* () {
      let tidied = false
      const { at, exit } = yield* play(
        Deadline.within(
          Effect.onInterrupt(Effect.never, () => Effect.sync(() => (tidied = true))),
          { name: "report", limit: "5 seconds" }
        )
      )
      assert.isTrue(tidied)
      assert.strictEqual(at, 5_000)
      assert.strictEqual(failed(exit).message, 'The call of "report" did not finish within 5s')
    })
  )

  it.effect("tells everything inside how long there is, and nothing outside", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* left, Infinity)
      const inside = Effect.gen(function* () {
        yield* Effect.sleep(1_500)
        const child = yield* Effect.fork(left)
        return [yield* left, yield* Fiber.join(child)]
      })
      const { exit } = yield* play(Effect.zip(Deadline.within(inside, "5 seconds"), left))
      assert.deepStrictEqual(exit, Exit.succeed([[3_500, 3_500], Infinity]))
    })
  )

  it.effect("of nested deadlines the earliest wins, whichever stands inside", () =>
    Effect.gen(function* () {
      for (const [outer, inner] of [
        [2_000, 5_000],
        [5_000, 2_000]
      ] as const) {
        const nested = Effect.never.pipe(
          Deadline.within({ name: "inner", limit: inner }),
          Deadline.within({ name: "outer", limit: outer })
        )
        const start = yield* Clock.currentTimeMillis
        const { at, exit } = yield* play(nested)
        assert.strictEqual(at - start, 2_000)
        assert.strictEqual(failed(exit).owner, outer < inner ? "outer" : "inner")
        assert.strictEqual(Duration.toMillis(failed(exit).limit), 2_000)
      }
    })
  )

  it.effect("does not begin what has no time left", () =>
    Effect.gen(function* () {
      let begun = false
      const call = Effect.sync(() => (begun = true))
      assert.strictEqual(failed(yield* Effect.exit(Deadline.within(call, 0))).reason, "deadline")
      assert.isFalse(begun)
    })
  )

  it.effect("no deadline is no limit", () =>
    Effect.gen(function* () {
      const { exit } = yield* play(
        Deadline.within(Effect.zipRight(Effect.sleep("30 minutes"), left), Duration.infinity)
      )
      assert.deepStrictEqual(exit, Exit.succeed(Infinity))
    })
  )

  it.effect("what outlives the region is not bounded by it any more", () =>
    Effect.gen(function* () {
      const daemon = yield* Deadline.within(Effect.forkDaemon(Effect.zipRight(Effect.sleep(100), left)), 50)
      yield* TestClock.adjust(100)
      assert.strictEqual(yield* Fiber.join(daemon), Infinity)
    })
  )
})

describe("Deadline.without", () => {
  it.effect("hides the deadline from what must be done, and from nothing else", () =>
    Effect.gen(function* () {
      const { exit } = yield* play(Deadline.within(Effect.zip(Deadline.without(left), left), "5 seconds"))
      assert.deepStrictEqual(exit, Exit.succeed([Infinity, 5_000]))
    })
  )
})

describe("Deadline and policies", () => {
  const policy = Policy.make({ name: "openai", deadline: "20 seconds", attemptTimeout: "12 seconds", retry: {} })

  it.effect("ends a policy's call at the earlier deadline, and says whose it was", () =>
    Effect.gen(function* () {
      const { protect } = yield* policy
      const seen: Array<number> = []
      const call = Effect.zipRight(
        Effect.map(left, (millis) => seen.push(millis)),
        Effect.never
      )
      const { at, exit } = yield* play(
        Effect.exit(Deadline.within(protect(call), { name: "request", limit: "5 seconds" }))
      )
      const error = failed(Exit.flatten(exit))
      assert.strictEqual(at, 5_000)
      assert.deepStrictEqual(seen, [5_000])
      assert.strictEqual(error.owner, "request")
      if (error.policy === "openai") {
        assert.strictEqual(error.message, 'The call of "openai" did not finish within 5s, the deadline of "request"')
      }
    })
  )

  it.effect("a daemon's call keeps the deadline that it began under, unless it was forked under none", () =>
    Effect.gen(function* () {
      const { protect } = yield* policy
      const call = protect(Effect.delay(Effect.succeed("done"), "10 seconds"))
      const forked = Effect.all([call, Deadline.without(call)].map((each) => Effect.forkDaemon(Effect.exit(each))))
      // Under way when the region is left.
      const fibers = yield* Deadline.within(Effect.zipLeft(forked, Effect.yieldNow()), "5 seconds")
      yield* TestClock.adjust("10 seconds")
      const [bound, free] = yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(failed(bound!).reason, "deadline")
      assert.deepStrictEqual(free, Exit.succeed("done"))
    })
  )

  it.effect("what a finalizer does through a policy is done after the deadline only where it is hidden", () =>
    Effect.gen(function* () {
      const { protect } = yield* policy
      const released: Array<string> = []
      const locked = (name: string, hidden: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, E>) =>
        Effect.acquireUseRelease(
          Effect.void,
          () => Effect.never,
          () => Effect.ignore(hidden(protect(Effect.sync(() => released.push(name)))))
        )
      const both = Effect.all([locked("plain", (self) => self), locked("hidden", Deadline.without)], {
        concurrency: "unbounded"
      })
      assert.strictEqual(failed((yield* play(Deadline.within(both, "5 seconds"))).exit).reason, "deadline")
      assert.deepStrictEqual(released, ["hidden"])
    })
  )

  it.effect("a call is not begun, and a retry not waited for, when the time is over by then", () =>
    Effect.gen(function* () {
      const { protect } = yield* policy
      let attempts = 0
      const call = Effect.suspend(() => {
        attempts += 1
        return Effect.fail("down")
      })
      const ends: Array<readonly [string, number]> = []
      const note = (exit: Exit.Exit<unknown, unknown>) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const error = Exit.isFailure(exit) && exit.cause._tag === "Fail" ? exit.cause.error : exit
          ends.push([typeof error === "string" ? error : (error as DeadlineExceeded).owner, now])
        })
      const twice = Effect.gen(function* () {
        yield* Effect.flatMap(Effect.exit(protect(call, { idempotent: true })), note)
        yield* Effect.sleep(1_000)
        yield* Effect.flatMap(Effect.exit(protect(call)), note)
      })
      yield* play(Deadline.within(Effect.uninterruptible(twice), { name: "request", limit: 900 }))
      assert.deepStrictEqual(ends, [
        ["down", 0],
        ["request", 1_000]
      ])
      assert.strictEqual(attempts, 1)
    })
  )

  it.effect("a policy's own deadline holds for the policies inside of its call", () =>
    Effect.gen(function* () {
      const outer = yield* Policy.make({ name: "coaching", deadline: "3 seconds" })
      const { protect } = yield* policy
      const { at, exit } = yield* play(outer.protect(Effect.zip(left, protect(Effect.never))))
      assert.strictEqual(at, 3_000)
      assert.strictEqual(failed(exit).owner, "coaching")
    })
  )

  it("is put back however the region ends: success, failure, defect, interruption, in any nesting", async () => {
    const anyRegion = FastCheck.record({
      limits: FastCheck.array(FastCheck.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 4 }),
      asPolicy: FastCheck.boolean(),
      ends: FastCheck.constantFrom("success", "failure", "defect", "interruption", "late"),
      takes: FastCheck.integer({ min: 0, max: 120 })
    })
    await FastCheck.assert(
      FastCheck.asyncProperty(anyRegion, ({ asPolicy, ends, limits, takes }) =>
        Effect.gen(function* () {
          const end =
            ends === "failure"
              ? Effect.fail("down")
              : ends === "defect"
                ? Effect.die("bug")
                : ends === "interruption"
                  ? Effect.interrupt
                  : ends === "late"
                    ? Effect.never
                    : Effect.void
          const policies = yield* Effect.forEach(limits, (deadline) => Policy.make({ name: "x", deadline }))
          const inside = Effect.zipRight(takes === 0 ? Effect.void : Effect.sleep(takes), end)
          const region = asPolicy
            ? policies.reduce<Effect.Effect<void, unknown>>((self, { protect }) => protect(self), inside)
            : limits.reduce<Effect.Effect<void, unknown>>((self, limit) => Deadline.within(self, limit), inside)
          // In one fibre, so that what the region leaves behind would be seen; and the interrupted fibre by its child.
          const fiber = yield* Effect.fork(Effect.zip(Effect.exit(Effect.onExit(region, () => left)), left))
          yield* TestClock.adjust(200)
          const exit = fiber.unsafePoll() ?? assert.fail("the region has not ended")
          if (Exit.isSuccess(exit)) assert.strictEqual(exit.value[1], Infinity)
        }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
      ),
      { numRuns: 100 }
    )
  })
})

describe("a deadline in the hands of a policy or a server", () => {
  const inherited = Effect.withFiberRuntime<Deadline.Deadline | undefined>((fiber) =>
    Effect.succeed(Deadline.inheritedBy(fiber))
  )
  const outer = Deadline.earliest("request", 10_000, 0, undefined)!

  it("is a new one only where that is earlier than the inherited one", () => {
    assert.deepInclude(outer, { owner: "request", limit: 10_000, endsAt: 10_000, outer: undefined })
    assert.deepInclude(Deadline.earliest("openai", 2_000, 7_000, outer), { owner: "openai", endsAt: 9_000, outer })
    assert.strictEqual(Deadline.earliest("openai", 3_000, 7_000, outer), outer)
    assert.strictEqual(Deadline.earliest("openai", Infinity, 7_000, outer), outer)
    assert.isUndefined(Deadline.earliest("openai", Infinity, 7_000, undefined))
  })

  it.effect("holds from enter to leave, for the fibre and for children that it forked meanwhile", () =>
    Effect.gen(function* () {
      const request = { ...outer }
      const own = Deadline.earliest("openai", 2_000, 0, request)!
      yield* Deadline.enter(request)
      yield* Deadline.enter(own)
      assert.strictEqual(yield* inherited, own)
      const child = yield* Effect.fork(Effect.zipRight(Effect.sleep(1), inherited))
      Deadline.leave(own)
      assert.strictEqual(yield* inherited, request)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(child), request)
      Deadline.leave(request)
      assert.isUndefined(yield* inherited)
    })
  )

  it("has whole milliseconds left, so that microseconds cost nobody one", () => {
    assert.strictEqual(Deadline.millisLeft(outer, 0.25), 10_000)
    assert.strictEqual(Deadline.millisLeft(outer, 9_999.5), 1)
    assert.strictEqual(Deadline.millisLeft(outer, 10_000), 0)
    assert.strictEqual(Deadline.millisLeft(outer, 10_500), -500)
  })

  it.effect("ends an effect in time, and does not begin one too late", () =>
    Effect.gen(function* () {
      const { at, exit } = yield* play(Deadline.endingBy(Effect.never, outer, 7_000, "openai"))
      assert.strictEqual(at, 3_000)
      assert.deepInclude(failed(exit), { policy: "openai", owner: "request", reason: "deadline" })
      let begun = false
      const late = Deadline.endingBy(
        Effect.sync(() => (begun = true)),
        outer,
        10_000,
        "openai"
      )
      assert.strictEqual((yield* Effect.flip(late))._tag, "DeadlineExceeded")
      assert.isFalse(begun)
    })
  )

  it.effect("names in its failure whose time it was, and when another try can help", () =>
    Effect.gen(function* () {
      const exceeded = yield* Effect.flip(Deadline.exceeded(outer, "openai"))
      assert.strictEqual(exceeded.message, 'The call of "openai" did not finish within 10s, the deadline of "request"')
      assert.isUndefined(exceeded.retryAfter)
      const hinted = Deadline.error(outer, "openai", Duration.seconds(4))
      assert.deepStrictEqual(hinted.limit, Duration.seconds(10))
      assert.match(hinted.message, /"request"; try again in 4 s$/)
    })
  )

  it.effect("holds for an effect that gets a fibre of its own, and not for what comes after", () =>
    Effect.gen(function* () {
      const deadline = Deadline.earliest("request", 10_000, yield* MonotonicClock.now, undefined)
      assert.isDefined(deadline)
      const timed = Timeout.timeoutTo(left, {
        limit: "1 minute",
        onTimeout: () => Effect.succeed(0),
        locally: Deadline.locally(deadline)
      })
      assert.deepStrictEqual(yield* Effect.zip(timed, left), [10_000, Infinity])
    })
  )
})
