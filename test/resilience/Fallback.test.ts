import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fallback from "../../src/resilience/Fallback.js"

class Unreachable extends Data.TaggedError("Unreachable")<{ readonly service: string }> {}
class Refused extends Data.TaggedError("Refused")<{}> {}

const unreachable: Effect.Effect<string, Unreachable | Refused> = Effect.fail(new Unreachable({ service: "openai" }))
const refused: Effect.Effect<string, Unreachable | Refused> = Effect.fail(new Refused())
const isUnreachable = (error: Unreachable | Refused): error is Unreachable => error._tag === "Unreachable"

describe("Fallback", () => {
  it.effect("answers with a value that knows what went wrong", () =>
    Effect.gen(function* () {
      const answer: Effect.Effect<string> = Fallback.withFallbackValue(unreachable, ({ _tag }) => `without (${_tag})`)
      assert.strictEqual(yield* answer, "without (Unreachable)")
      assert.strictEqual(yield* Fallback.withFallbackValue(Effect.succeed("full"), () => "less"), "full")
    })
  )

  it.effect("runs another effect, whose errors replace those of the first", () =>
    Effect.gen(function* () {
      const answer: Effect.Effect<string, "both"> = Fallback.withFallback(unreachable, () =>
        Effect.fail("both" as const)
      )
      assert.strictEqual(yield* Effect.flip(answer), "both")
      assert.strictEqual(yield* unreachable.pipe(Fallback.withFallback(() => Effect.succeed("less"))), "less")
    })
  )

  it.effect("falls back for some errors only, and the type shows which are left", () =>
    Effect.gen(function* () {
      const partly = Fallback.withFallbackIf(isUnreachable, ({ service }) => Effect.succeed(`without ${service}`))
      const answer: Effect.Effect<string, Refused> = partly(unreachable)
      assert.strictEqual(yield* answer, "without openai")
      assert.strictEqual((yield* Effect.flip(partly(refused)))._tag, "Refused")
    })
  )

  it.effect("hides neither a defect nor an interruption", () =>
    Effect.gen(function* () {
      const less = Fallback.withFallbackValue(() => "less")
      assert.deepStrictEqual(yield* Effect.exit(less(Effect.die("bug"))), Exit.die("bug"))
      assert.isTrue(Exit.isInterrupted(yield* Effect.exit(less(Effect.interrupt))))
    })
  )
})
