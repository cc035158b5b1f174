/** What becomes of the attempts that lose. */
import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as Hedge from "../../src/resilience/Hedge.js"
import { conformance } from "./support/conformance.js"

type Hedged = (self: Effect.Effect<number, string>) => Effect.Effect<number, string>

const ours: Hedged = (self) => Effect.orDie(Hedge.withHedge(self, { name: "search", delay: 100 }))

describe("Hedge", () => {
  conformance<Hedged>({
    number: 34,
    title:
      "of two attempts that race, the slower one is stopped, and has let go of everything, before the answer is given",
    failing: ["failsafe-go", "Finagle"],
    scenario: (hedged) =>
      Effect.gen(function* () {
        const places = yield* Bulkhead.make({ name: "search", maxConcurrent: 2 })
        const ends: Array<string> = []
        let begun = 0
        const attempt = Effect.suspend(() => {
          const number = ++begun
          // The first attempt is slow, and takes half a second to hang up when it is stopped.
          const work = number === 1 ? Effect.sleep("10 seconds") : Effect.sleep("50 millis")
          return Effect.as(work, number).pipe(
            Effect.onInterrupt(() =>
              Effect.delay(
                Effect.sync(() => ends.push(`attempt ${number} was stopped`)),
                "500 millis"
              )
            )
          )
        })
        const caller = yield* Effect.fork(
          Effect.gen(function* () {
            const answer = yield* hedged(
              Effect.mapError(Bulkhead.withBulkhead(attempt, places), ({ reason }) => reason)
            )
            const { inUse } = yield* places.status
            return { answer, at: yield* Clock.currentTimeMillis, ends: [...ends], inUse }
          })
        )
        yield* TestClock.adjust("1 minute")
        const exit = yield* Fiber.poll(caller)
        if (exit._tag === "None") return assert.fail("the hedged call never answered")
        const seen = yield* exit.value
        assert.strictEqual(seen.answer, 2)
        assert.deepStrictEqual(ends, ["attempt 1 was stopped"], "the loser ran on")
        assert.deepStrictEqual(seen, { answer: 2, at: 650, ends, inUse: 0 }, "the loser still held on at the answer")
      }),
    ours,
    wrong: {
      "failsafe-go, which cancels the losers and does not wait for them": [
        "the loser still held on at the answer",
        (self) => ours(Effect.disconnect(self))
      ],
      "Finagle, which by default lets the losers run on": [
        "the loser ran on",
        (self) => ours(Effect.flatMap(Effect.forkDaemon(self), Fiber.join))
      ]
    }
  })
})
