import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Hedge from "../../src/resilience/Hedge.js"
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

const budgetOf = (allowed: number) => {
  const moves: Array<string> = []
  return {
    moves,
    name: "shared",
    deposit: Effect.sync(() => void moves.push("deposit")),
    withdraw: Effect.sync(() => {
      const granted = moves.filter((move) => move === "granted").length < allowed
      moves.push(granted ? "granted" : "refused")
      return granted
    }),
    refund: Effect.sync(() => void moves.push("refund"))
  }
}

const fixed = { name: "search", delay: 100 }

describe("Hedge", () => {
  it.effect("leaves a call alone that ends within the delay", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted(up(100))
      assert.deepStrictEqual(yield* played(Hedge.withHedge(attempt, { ...fixed, delay: 101 })), [
        Exit.succeed("answer 1"),
        100
      ])
      assert.deepStrictEqual(log, ["0: 1 begins", "100: 1 succeeds"])
    })
  )

  it.effect("begins a second attempt after the delay, answers with the first success, and stops the other before", () =>
    Effect.gen(function* () {
      const { attempt, log } = scripted({ ...up(1000), letsGoIn: 50 }, up(30))
      assert.deepStrictEqual(yield* played(Hedge.withHedge(attempt, fixed)), [Exit.succeed("answer 2"), 180])
      assert.deepStrictEqual(log, ["0: 1 begins", "100: 2 begins", "130: 2 succeeds", "180: 1 is stopped"])
    })
  )
})
