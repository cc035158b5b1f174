import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as TestClock from "effect/TestClock"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as Hedge from "../../src/resilience/Hedge.js"
import * as Retry from "../../src/resilience/Retry.js"
import type { RetryBudget } from "../../src/resilience/RetryBudget.js"
import { AttemptTimeout, DeadlineExceeded } from "../../src/resilience/Rejection.js"

class Down extends Data.TaggedError("Down")<{
  readonly attempt: number
  readonly isRetryable?: boolean
  readonly retryAfter?: Duration.Duration
}> {}

interface Script {
  readonly takes: number
  readonly ends: (attempt: number) => Effect.Effect<string, unknown>
  readonly letsGoIn?: number
}

const up = (takes: number): Script => ({ takes, ends: (attempt) => Effect.succeed(`answer ${attempt}`) })
const down = (takes: number): Script => ({ takes, ends: (attempt) => Effect.fail(new Down({ attempt })) })

/** Attempts by script: the n-th call of `attempt` follows the n-th script. `log` says what began and ended when. */
const scripted = (...scripts: ReadonlyArray<Script>) => {
  const log: Array<string> = []
  let begun = 0
  const attempt = Effect.suspend(() => {
    const number = ++begun
    const { ends, letsGoIn = 0, takes } = scripts[number - 1] ?? assert.fail(`attempt ${number} was not expected`)
    const say = (what: string) => Effect.map(Clock.currentTimeMillis, (now) => log.push(`${now}: ${number} ${what}`))
    return Effect.zipRight(say("begins"), Effect.delay(ends(number), takes)).pipe(
      Effect.onExit((exit) =>
        Effect.delay(
          say(
            Exit.match(exit, {
              onSuccess: () => "succeeds",
              onFailure: (cause) => (Cause.isInterruptedOnly(cause) ? "is stopped" : "fails")
            })
          ),
          letsGoIn
        )
      )
    )
  })
  return { attempt, log }
}

/** Runs to the end in virtual time: the exit, and when it came. */
const played = <A, E>(self: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.zip(Effect.exit(self), Clock.currentTimeMillis))
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

/** A budget that grants so many hedges, and tells what was asked of it. */
const budgetOf = (grants: number, thinks = 0) => {
  const moves: Array<string> = []
  const budget: RetryBudget = {
    name: "shared",
    windowMillis: 10_000,
    deposit: Effect.sync(() => void moves.push("deposit")),
    unsafeDeposit: () => void moves.push("deposit"),
    withdraw: Effect.delay(
      Effect.sync(() => {
        const granted = moves.filter((move) => move === "granted").length < grants
        moves.push(granted ? "granted" : "refused")
        return granted
      }),
      thinks
    ),
    refund: Effect.sync(() => void moves.push("refund")),
    status: Effect.dieMessage("not asked here")
  }
  return { budget, moves }
}

const fixed = { name: "search", delay: 100 }
const trusted = <A>(exit: Exit.Exit<A, unknown>): string =>
  Exit.match(exit, { onSuccess: String, onFailure: (cause) => Cause.pretty(cause) })
const attemptsIn = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<number> =>
  Exit.isSuccess(exit)
    ? []
    : Chunk.toReadonlyArray(Cause.failures(exit.cause)).map((error) => (error instanceof Down ? error.attempt : -1))

describe("Hedge", () => {
  it.effect("leaves a call alone that ends within the delay", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(up(100))
      const [exit, at] = yield* played(Hedge.withHedge(attempt, { ...fixed, delay: 101 }))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "100: answer 1")
      assert.deepStrictEqual(log, ["0: 1 begins", "100: 1 succeeds"])
    })
  )

  it.effect("begins a second attempt after the delay and answers with the first success", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(up(1000), up(30))
      const [exit, at] = yield* played(attempt.pipe(Hedge.withHedge(fixed)))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "130: answer 2")
      assert.deepStrictEqual(log, ["0: 1 begins", "100: 2 begins", "130: 2 succeeds", "130: 1 is stopped"])
    })
  )

  it.effect("lets the first attempt answer when it is the first to succeed after all", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(up(120), up(1000))
      const [exit, at] = yield* played(Hedge.withHedge(attempt, fixed))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "120: answer 1")
      assert.deepStrictEqual(log.slice(1), ["100: 2 begins", "120: 1 succeeds", "120: 2 is stopped"])
    })
  )

  it.effect("answers when the losers have let go, and not before", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted({ ...up(1000), letsGoIn: 50 }, up(30))
      const [exit, at] = yield* played(Hedge.withHedge(attempt, fixed))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "180: answer 2")
      assert.strictEqual(log.at(-1), "180: 1 is stopped")
    })
  )

  it.effect("begins one more after each delay, up to maxHedges", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(up(5000), up(4000), up(3000))
      const [exit, at] = yield* played(Hedge.withHedge(attempt, { ...fixed, maxHedges: 2 }))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "3200: answer 3")
      assert.deepStrictEqual(log.slice(0, 4), ["0: 1 begins", "100: 2 begins", "200: 3 begins", "3200: 3 succeeds"])
    })
  )

  it.effect("begins all attempts at once when the delay is zero", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(up(50), up(40), up(60))
      const [exit, at] = yield* played(Hedge.withHedge(attempt, { ...fixed, delay: 0, maxHedges: 2 }))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "40: answer 2")
      assert.deepStrictEqual(log.slice(0, 3), ["0: 1 begins", "0: 2 begins", "0: 3 begins"])
    })
  )

  it.effect("begins the next attempt at once when one fails, and gives that one the whole delay", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(down(60), up(1000), up(10))
      const [exit, at] = yield* played(Hedge.withHedge(attempt, { ...fixed, maxHedges: 2 }))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "170: answer 3")
      assert.deepStrictEqual(log.slice(0, 4), ["0: 1 begins", "60: 1 fails", "60: 2 begins", "160: 3 begins"])
    })
  )

  it.effect("waits for an attempt on its way when another fails", () =>
    Effect.gen(function* () {
      const { attempt } = scripted(up(500), down(50))
      const [exit, at] = yield* played(Hedge.withHedge(attempt, fixed))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "500: answer 1")
    })
  )

  it.effect("fails with the last error when all have failed, and keeps the earlier ones in the cause", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(down(350), down(90), down(10))
      const [exit, at] = yield* played(Hedge.withHedge(attempt, { ...fixed, maxHedges: 2 }))
      assert.deepStrictEqual(log.slice(1), [
        "100: 2 begins",
        "190: 2 fails",
        "190: 3 begins",
        "200: 3 fails",
        "350: 1 fails"
      ])
      assert.strictEqual(at, 350)
      assert.deepStrictEqual(attemptsIn(exit), [1, 3, 2])
      assert.deepStrictEqual(
        Exit.isFailure(exit) ? Retry.attemptErrors(exit.cause) : [],
        [2, 3, 1].map((attempt) => new Down({ attempt })),
        "as they failed"
      )
      const caught = Effect.catchAll(exit, (error) => Effect.succeed(error))
      assert.deepStrictEqual(yield* caught, new Down({ attempt: 1 }), "whoever handles the error sees the last one")
    })
  )

  it.effect("answers at once with an error that every attempt would fail with", () =>
    Effect.gen(function* () {
      const refused = (takes: number): Script => ({
        takes,
        ends: (attempt) => Effect.fail(new Down({ attempt, isRetryable: false }))
      })
      const alone = scripted(refused(50))
      const [exit, at] = yield* played(Hedge.withHedge(alone.attempt, fixed))
      assert.strictEqual(at, 50)
      assert.deepStrictEqual(attemptsIn(exit), [1])
      const late = scripted(up(1000), refused(50))
      const [, lateAt] = yield* played(Hedge.withHedge(late.attempt, fixed))
      assert.strictEqual(lateAt, 60_000 + 150)
      assert.strictEqual(late.log.at(-1), "60150: 1 is stopped")
      const own = scripted(down(50))
      const [ownExit] = yield* played(
        Hedge.withHedge(own.attempt, {
          ...fixed,
          isRetryable: (error) => !(error instanceof Down && error.attempt === 1)
        })
      )
      assert.deepStrictEqual(attemptsIn(ownExit), [1])
    })
  )

  it.effect("waits for the attempts that were let in when a policy turns one away", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ name: "search", maxConcurrent: 1 })
      const { attempt, log } = scripted(up(300))
      const [exit, at] = yield* played(Hedge.withHedge(Bulkhead.withBulkhead(attempt, bulkhead), fixed))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "300: answer 1")
      assert.deepStrictEqual(log, ["0: 1 begins", "300: 1 succeeds"])
    })
  )

  it.effect("tries again after a timed-out attempt, but not after a rejection", () =>
    Effect.gen(function* () {
      const policy = "search"
      const limit = Duration.millis(50)
      const rejections = {
        timeout: new AttemptTimeout({ policy, reason: "attempt-timeout", limit, retryAfter: undefined }),
        deadline: new DeadlineExceeded({ policy, reason: "deadline", owner: "x", limit, retryAfter: undefined })
      }
      const first = (error: unknown): Script => ({ takes: 50, ends: () => Effect.fail(error) })
      const timed = scripted(first(rejections.timeout), up(1))
      assert.strictEqual(trusted((yield* played(Hedge.withHedge(timed.attempt, fixed)))[0]), "answer 2")
      const over = scripted(first(rejections.deadline))
      const [exit] = yield* played(Hedge.withHedge(over.attempt, fixed))
      assert.deepStrictEqual(exit, Exit.fail(rejections.deadline))
    })
  )

  it.effect("begins no further attempt when the dependency asks to be left alone", () =>
    Effect.gen(function* () {
      const later = Duration.seconds(30)
      const throttled: Script = { takes: 50, ends: (attempt) => Effect.fail(new Down({ attempt, retryAfter: later })) }
      const alone = scripted(throttled)
      assert.deepStrictEqual(attemptsIn((yield* played(Hedge.withHedge(alone.attempt, fixed)))[0]), [1])
      const beside = scripted(up(1000), throttled)
      const [exit] = yield* played(Hedge.withHedge(beside.attempt, { ...fixed, maxHedges: 5 }))
      assert.strictEqual(trusted(exit), "answer 1")
    })
  )

  it.effect("begins no further attempt after a defect, and dies of it unless another attempt succeeds", () =>
    Effect.gen(function* () {
      const bug: Script = { takes: 50, ends: () => Effect.die("bug") }
      const alone = scripted(bug)
      assert.deepStrictEqual((yield* played(Hedge.withHedge(alone.attempt, fixed)))[0], Exit.die("bug"))
      const saved = scripted(up(1000), bug)
      const [exit] = yield* played(Hedge.withHedge(saved.attempt, { ...fixed, maxHedges: 5 }))
      assert.strictEqual(trusted(exit), "answer 1")
      const both = scripted(down(1000), bug)
      assert.deepStrictEqual((yield* played(Hedge.withHedge(both.attempt, fixed)))[0], Exit.die("bug"))
    })
  )

  it.effect("takes an attempt that interrupts itself for no answer, and its error for a better one", () =>
    Effect.gen(function* () {
      const gone: Script = { takes: 50, ends: () => Effect.interrupt }
      const alone = scripted(gone)
      assert.isTrue(Exit.isInterrupted((yield* played(Hedge.withHedge(alone.attempt, fixed)))[0]))
      const both = scripted(down(120), gone)
      const [exit] = yield* played(Hedge.withHedge(both.attempt, fixed))
      assert.deepStrictEqual(exit, Exit.fail(new Down({ attempt: 1 })))
    })
  )

  it.effect("tells the budget of each call, and asks it for each hedge", () =>
    Effect.gen(function* () {
      const { budget, moves } = budgetOf(5)
      const { attempt } = scripted(up(1000), down(50), up(10), up(1))
      const hedge = yield* Hedge.make({ ...fixed, maxHedges: 2, budget })
      const [exit] = yield* played(Hedge.withHedge(attempt, hedge))
      assert.strictEqual(trusted(exit), "answer 3")
      assert.deepStrictEqual(moves, ["deposit", "granted", "granted"])
      yield* played(hedge.execute(attempt, { deposited: true }))
      assert.strictEqual(moves.length, 3, "the policy that shares the budget has told it")
      assert.strictEqual(hedge.budget, budget)
    })
  )

  it.effect("has no hedge when the budget is used up, and fails no call for it", () =>
    Effect.gen(function* () {
      const { budget, moves } = budgetOf(0)
      const slow = scripted(up(1000))
      const [exit, at] = yield* played(Hedge.withHedge(slow.attempt, { ...fixed, budget, maxHedges: 2 }))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "1000: answer 1")
      assert.deepStrictEqual(moves, ["deposit", "refused", "refused"])
      const failing = scripted(down(10))
      const [failure] = yield* played(Hedge.withHedge(failing.attempt, { ...fixed, budget }))
      assert.deepStrictEqual(failure, Exit.fail(new Down({ attempt: 1 })))
    })
  )

  it.effect("gives back what it was granted for a hedge that did not begin", () =>
    Effect.gen(function* () {
      const { budget, moves } = budgetOf(1, 50)
      const { attempt, log } = scripted(up(120))
      const hedge = yield* Hedge.make({ ...fixed, budget })
      const [exit, at] = yield* played(Hedge.withHedge(attempt, hedge))
      assert.strictEqual(`${at}: ${trusted(exit)}`, "150: answer 1")
      assert.strictEqual(log.length, 2)
      assert.deepStrictEqual(moves, ["deposit", "granted", "refund"])
      assert.deepInclude(yield* hedge.status, { calls: 1, hedges: 0, won: 0, refused: 0 })
    })
  )

  it.effect("gives the next attempt the whole delay, however long the budget took to think", () =>
    Effect.gen(function* () {
      const { budget } = budgetOf(2, 60)
      const { attempt, log } = scripted(down(50), up(1000), up(10))
      yield* played(Hedge.withHedge(attempt, { ...fixed, maxHedges: 2, budget }))
      assert.deepStrictEqual(
        log.filter((line) => line.endsWith("begins")),
        ["0: 1 begins", "110: 2 begins", "270: 3 begins"]
      )
    })
  )

  it.effect("begins no hedge that the caller of execute does not allow", () =>
    Effect.gen(function* () {
      const { budget, moves } = budgetOf(1)
      const { attempt } = scripted(up(1000))
      const hedge = yield* Hedge.make({ ...fixed, budget })
      const [exit] = yield* played(hedge.execute(attempt, { allowed: Effect.succeed(false) }))
      assert.strictEqual(trusted(exit), "answer 1")
      assert.deepStrictEqual(moves, ["deposit"], "the budget is not charged")
      assert.strictEqual((yield* hedge.status).refused, 1)
    })
  )

  it.effect("lets a caller go who leaves while it is asked whether a hedge may begin", () =>
    Effect.gen(function* () {
      const hedge = yield* Hedge.make(fixed)
      const { attempt, log } = scripted(up(1000))
      const call = yield* Effect.fork(hedge.execute(attempt, { allowed: Effect.never }))
      yield* TestClock.adjust(200)
      yield* Fiber.interruptFork(call)
      yield* TestClock.adjust(1)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(call)))
      assert.strictEqual(log.at(-1), "200: 1 is stopped")
    })
  )

  it.effect("hands on the fiber references of the attempt that answers", () =>
    Effect.gen(function* () {
      const seen = FiberRef.unsafeMake("before")
      const { attempt } = scripted(up(1000), up(30), down(20))
      let number = 0
      const marked = Effect.suspend(() => Effect.zipRight(FiberRef.set(seen, `attempt ${++number}`), attempt))
      const seenAfter = (hedged: Effect.Effect<string, unknown>) =>
        Effect.map(played(Effect.zipRight(Effect.exit(hedged), FiberRef.get(seen))), ([exit]) => trusted(exit))
      assert.strictEqual(yield* seenAfter(Hedge.withHedge(marked, fixed)), "attempt 2")
      const fatal = { ...fixed, isRetryable: () => false }
      assert.strictEqual(yield* seenAfter(Hedge.withHedge(marked, fatal)), "attempt 3", "also when it fails")
    })
  )
})

describe("a hedged call whose caller leaves", () => {
  const slow = () => scripted({ ...up(1000), letsGoIn: 50 }, { ...up(1000), letsGoIn: 70 })

  it.effect("stops all its attempts and waits until they have stopped", () =>
    Effect.gen(function* () {
      const { attempt, log } = slow()
      const fiber = yield* Effect.fork(Hedge.withHedge(attempt, fixed))
      yield* TestClock.adjust(200)
      const left = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* TestClock.adjust(69)
      assert.isNull(left.unsafePoll())
      yield* TestClock.adjust(1)
      assert.isNotNull(left.unsafePoll())
      assert.deepStrictEqual(log.slice(2), ["250: 1 is stopped", "270: 2 is stopped"])
    })
  )

  it.effect("begins nothing after it has left while the first attempt still had time", () =>
    Effect.gen(function* () {
      const { attempt, log } = slow()
      yield* Effect.fork(Effect.timeoutOption(Hedge.withHedge(attempt, fixed), 60))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["0: 1 begins", "110: 1 is stopped"])
    })
  )

  it.effect("stops them when the fibre that forked the caller ends", () =>
    Effect.gen(function* () {
      const { attempt, log } = slow()
      yield* Effect.fork(Effect.zipRight(Effect.fork(Hedge.withHedge(attempt, fixed)), Effect.sleep(150)))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log.slice(2), ["200: 1 is stopped", "220: 2 is stopped"])
    })
  )

  it.effect("answers one who cannot be interrupted, and stops the losers for him too", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(up(1000), up(400))
      const fiber = yield* Effect.fork(Effect.uninterruptible(Hedge.withHedge(attempt, fixed)))
      yield* TestClock.adjust(50)
      yield* Fiber.interruptFork(fiber)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log.slice(1), ["100: 2 begins", "500: 2 succeeds", "500: 1 is stopped"])
    })
  )
})

describe("Hedge with a percentile", () => {
  const answers = (hedge: Hedge.Hedge, latencies: ReadonlyArray<number>) =>
    Effect.forEach(latencies, (takes) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(hedge.execute(Effect.sleep(takes)))
        yield* TestClock.adjust(takes)
        yield* Fiber.join(fiber)
      })
    )
  const delayOf = (hedge: Hedge.Hedge) => Effect.map(hedge.status, ({ delayMillis }) => delayMillis)
  const ninth = { name: "search", delay: 500, percentile: 0.9 }

  it.effect("waits for the fixed delay until it knows twenty latencies, then for the percentile", () =>
    Effect.gen(function* () {
      const hedge = yield* Hedge.make(ninth)
      yield* answers(
        hedge,
        Array.from({ length: 17 }, () => 10)
      )
      yield* answers(hedge, [15, 100])
      assert.strictEqual(yield* delayOf(hedge), 500)
      yield* answers(hedge, [100])
      assert.strictEqual(yield* delayOf(hedge), 15, "the eighteenth of twenty")
      const { attempt, log } = scripted(up(1000), up(1))
      yield* played(hedge.execute(attempt))
      const times = log.map((line) => Number.parseInt(line, 10))
      assert.strictEqual(times[1]! - times[0]!, 15)
    })
  )

  it.effect("waits for as many latencies as the percentile can tell apart", () =>
    Effect.gen(function* () {
      const hedge = yield* Hedge.make({ ...ninth, percentile: 0.98 })
      yield* answers(
        hedge,
        Array.from({ length: 49 }, () => 10)
      )
      assert.strictEqual(yield* delayOf(hedge), 500)
      yield* answers(hedge, [10])
      assert.strictEqual(yield* delayOf(hedge), 10)
    })
  )

  it.effect("forgets latencies when they are two windows old", () =>
    Effect.gen(function* () {
      const hedge = yield* Hedge.make({ ...ninth, window: "10 seconds" })
      yield* answers(
        hedge,
        Array.from({ length: 20 }, () => 10)
      )
      yield* TestClock.adjust("19799 millis")
      assert.strictEqual(yield* delayOf(hedge), 10)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* delayOf(hedge), 500)
    })
  )

  it.effect(
    "learns from an attempt that was stopped after its delay, and from none that failed or was stopped before",
    () =>
      Effect.gen(function* () {
        const hedge = yield* Hedge.make({ ...ninth, window: "1 day" })
        yield* answers(
          hedge,
          Array.from({ length: 19 }, () => 10)
        )
        yield* played(hedge.execute(scripted(down(1), down(1)).attempt))
        yield* played(hedge.execute(scripted(down(1), up(1)).attempt))
        yield* played(Effect.timeoutOption(hedge.execute(Effect.never), 499))
        assert.strictEqual(yield* delayOf(hedge), 500)
        const other = yield* Hedge.make({ ...ninth, window: "1 day" })
        yield* answers(
          other,
          Array.from({ length: 17 }, () => 10)
        )
        const stopped = Effect.suspend(() => other.execute(scripted(up(5000), up(100)).attempt))
        yield* Effect.replicateEffect(played(stopped), 3)
        assert.strictEqual(yield* delayOf(other), 605, "600 ms, to within a tenth")
      })
  )
})

describe("Hedge tells", () => {
  it.effect("which attempt answered, and sums it up", () =>
    Effect.gen(function* () {
      const reports: Array<Hedge.Report> = []
      const hedge = yield* Hedge.make({
        ...fixed,
        onEnd: (report) =>
          Effect.zipRight(
            Effect.sync(() => reports.push(report)),
            Effect.die("a broken listener")
          )
      })
      const { attempt } = scripted({ ...up(1000), letsGoIn: 50 }, up(30), up(10), down(20), down(40))
      yield* played(hedge.execute(attempt))
      yield* played(hedge.execute(attempt))
      yield* played(hedge.execute(attempt))
      yield* played(Effect.timeoutOption(hedge.execute(Effect.never), 70))
      assert.deepStrictEqual(reports, [
        { hedge: "search", attempts: 2, refused: 0, winner: 2, elapsedMillis: 130 },
        { hedge: "search", attempts: 1, refused: 0, winner: 1, elapsedMillis: 10 },
        { hedge: "search", attempts: 2, refused: 0, winner: undefined, elapsedMillis: 60 },
        { hedge: "search", attempts: 1, refused: 0, winner: undefined, elapsedMillis: 70 }
      ])
      assert.deepStrictEqual(yield* hedge.status, { calls: 4, hedges: 2, won: 1, refused: 0, delayMillis: 100 })
    })
  )

  it.effect("what it is", () =>
    Effect.gen(function* () {
      const { budget } = budgetOf(1)
      assert.strictEqual((yield* Hedge.make(fixed)).describe, "up to 1 hedge, each after 100 ms")
      const many = yield* Hedge.make({ ...fixed, percentile: 0.95, maxHedges: 2, budget })
      assert.strictEqual(
        many.describe,
        'up to 2 hedges, each after the 0.95 quantile of recent latencies (at first 100 ms), as far as the budget "shared" goes'
      )
    })
  )

  it.effect("what is wrong with its options and what to change", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(Hedge.make({ name: " ", delay: -1, percentile: 1, maxHedges: 0, window: 0 }))
      assert.strictEqual(
        wrong.message,
        'Hedge " ": percentile is 1; give a number above 0 and below 1, such as 0.95; ' +
          'name is empty; give the name of the dependency, such as "openai"; ' +
          "delay is -1; give a duration of at least zero and at most 24 days; " +
          "window is 0; give a duration of at least 1 ms and at most 24 days; " +
          "maxHedges is 0; give a whole number of at least 1"
      )
      for (const percentile of [0, -0.1, Number.NaN]) {
        assert.include(
          (yield* Effect.flip(Hedge.make({ ...fixed, percentile }))).message,
          `percentile is ${percentile}`
        )
      }
      const idle = yield* Effect.flip(Hedge.make({ ...fixed, window: "1 minute" }))
      assert.include(idle.message, "window is given but no percentile")
      const used: Effect.Effect<string, Hedge.HedgeConfigurationError> = Hedge.withHedge(Effect.succeed("answer"), {
        ...fixed,
        maxHedges: 0.5
      })
      assert.include((yield* Effect.flip(used)).message, "maxHedges is 0.5")
      const learning: Hedge.Options = { ...fixed, percentile: 0.95 }
      const forgetful = Hedge.withHedge(Effect.succeed("answer"), learning)
      assert.include((yield* Effect.flip(forgetful)).message, "make it once with Hedge.make")
    })
  )

  it.effect("a layer what it serves", () =>
    Effect.gen(function* () {
      const Search = Context.GenericTag<Hedge.Hedge>("Search")
      const named = Effect.map(Search, (hedge) => hedge.name)
      assert.strictEqual(yield* Effect.provide(named, Hedge.layer(Search, fixed)), "search")
    })
  )
})
