import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Waiting from "../../src/resilience/Waiting.js"

describe("Waiting", () => {
  it.effect("sleeps for longer than a timer can", () =>
    Effect.gen(function* () {
      const sleeper = yield* Effect.fork(Waiting.sleep(60 * 24 * 3_600_000))
      for (let days = 0; days < 60; days++) {
        assert.isNull(sleeper.unsafePoll())
        const now = yield* TestClock.currentTimeMillis
        for (const wakes of Chunk.toReadonlyArray(yield* TestClock.sleeps())) assert.isBelow(wakes - now, 2 ** 31)
        yield* TestClock.adjust("1 day")
      }
      assert.deepStrictEqual(sleeper.unsafePoll(), Exit.void)
    })
  )

  it.effect("ends as the first does, has stopped the other by then, and stops both with its caller", () =>
    Effect.gen(function* () {
      const stopped: Array<string> = []
      const racer = (name: string, millis: number, end: Effect.Effect<string, string>) =>
        Effect.onInterrupt(Effect.delay(end, millis), () => Effect.sync(() => stopped.push(name)))
      const race = (millis: number, end: Effect.Effect<string, string>) =>
        Effect.fork(Waiting.first(racer("one", millis, end), racer("other", 50, Effect.succeed("other"))))

      const won = yield* race(10, Effect.succeed("one"))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(won.unsafePoll(), Exit.succeed("one"))
      assert.deepStrictEqual(stopped.splice(0), ["other"])
      const failed = yield* race(10, Effect.fail("broken"))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(failed.unsafePoll(), Exit.fail("broken"))
      const lost = yield* race(100, Effect.succeed("one"))
      yield* TestClock.adjust(50)
      assert.deepStrictEqual(lost.unsafePoll(), Exit.succeed("other"))
      assert.deepStrictEqual(stopped.splice(0), ["other", "one"])
      const left = yield* race(100, Effect.succeed("one"))
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(left)
      assert.deepStrictEqual(stopped, ["one", "other"])
    })
  )
})
