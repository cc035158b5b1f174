import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
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

  it.effect("hides no defect that comes with an error", () =>
    Effect.gen(function* () {
      const broken = Effect.ensuring(unreachable, Effect.die("broken finalizer"))
      const lastGood = yield* Fallback.makeStale<string>({ name: "rates", maxAge: "1 minute" })
      yield* lastGood.run("EUR", Effect.succeed("1.1"))
      const answers: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        Fallback.withFallback(broken, () => Effect.succeed("less")),
        Fallback.withFallbackValue(broken, () => "less"),
        Fallback.withFallbackIf(broken, isUnreachable, () => Effect.succeed("less")),
        lastGood.run("EUR", broken)
      ]
      for (const answer of answers) {
        assert.strictEqual(Cause.squash(yield* Effect.flip(Effect.sandbox(answer))), "broken finalizer")
      }
    })
  )
})

describe("Fallback to the last good answer", () => {
  const options = { name: "rates", maxAge: "10 minutes" } as const
  const rates = Fallback.makeStale<string>(options)

  it.effect("answers fresh while it can, and then with the last good answer, its age and the error", () =>
    Effect.gen(function* () {
      const lastGood = yield* rates
      assert.deepStrictEqual(yield* lastGood.run("EUR", Effect.succeed("1.1")), { _tag: "Fresh", value: "1.1" })
      yield* TestClock.adjust("1 minute")
      yield* lastGood.run("EUR", Effect.succeed("1.2"))
      yield* TestClock.adjust("10 minutes")
      const answer: Fallback.Fresh<string> | Fallback.Stale<string, Unreachable | Refused> = yield* lastGood.run(
        "EUR",
        unreachable
      )
      assert.deepStrictEqual(answer, {
        _tag: "Stale",
        value: "1.2",
        age: Duration.minutes(10),
        error: new Unreachable({ service: "openai" })
      })
      assert.deepStrictEqual(yield* lastGood.status, { name: "rates", remembered: 1, served: 1 })
    })
  )

  it.effect("lets the error pass when the answer is too old, and when there is none for this key", () =>
    Effect.gen(function* () {
      const lastGood = yield* rates
      yield* lastGood.run("EUR", Effect.succeed("1.1"))
      assert.strictEqual((yield* Effect.flip(lastGood.run("USD", refused)))._tag, "Refused")
      yield* TestClock.adjust(Duration.millis(600_001))
      assert.strictEqual((yield* Effect.flip(lastGood.run("EUR", refused)))._tag, "Refused")
      assert.deepStrictEqual(yield* lastGood.status, { name: "rates", remembered: 0, served: 0 })
    })
  )

  it.effect("counts the age from the beginning of the call that gave the answer", () =>
    Effect.gen(function* () {
      const lastGood = yield* rates
      const slow = yield* Effect.fork(lastGood.run("EUR", Effect.delay(Effect.succeed("1.1"), "1 minute")))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(slow)
      const answer = yield* lastGood.run("EUR", refused)
      assert.deepStrictEqual(answer._tag === "Stale" && answer.age, Duration.minutes(1))
    })
  )

  it.effect("stands in only for the errors that it is told, and for none when the question throws", () =>
    Effect.gen(function* () {
      const lastGood = yield* Fallback.makeStale<string>({
        ...options,
        when: (error) => error instanceof Unreachable && (error.service === "openai" || assert.fail("not asked"))
      })
      yield* lastGood.run("EUR", Effect.succeed("1.1"))
      assert.strictEqual((yield* lastGood.run("EUR", unreachable))._tag, "Stale")
      assert.strictEqual((yield* Effect.flip(lastGood.run("EUR", refused)))._tag, "Refused")
      const other = Effect.fail(new Unreachable({ service: "stripe" }))
      assert.strictEqual((yield* Effect.flip(lastGood.run("EUR", other))).service, "stripe")
    })
  )

  it.effect("hides neither a defect nor an interruption, and forgets nothing for them", () =>
    Effect.gen(function* () {
      const lastGood = yield* rates
      yield* lastGood.run("EUR", Effect.succeed("1.1"))
      assert.deepStrictEqual(yield* Effect.exit(lastGood.run("EUR", Effect.die("bug"))), Exit.die("bug"))
      assert.isTrue(Exit.isInterrupted(yield* Effect.exit(lastGood.run("EUR", Effect.interrupt))))
      assert.strictEqual((yield* lastGood.run("EUR", refused)).value, "1.1")
    })
  )

  it.effect("remembers as many answers as it has room for", () =>
    Effect.gen(function* () {
      const lastGood = yield* Fallback.makeStale<string>({ ...options, capacity: 2 })
      for (const key of ["EUR", "USD", "GBP"]) yield* lastGood.run(key, Effect.succeed(key))
      assert.strictEqual((yield* lastGood.status).remembered, 2)
      assert.strictEqual((yield* Effect.flip(lastGood.run("EUR", refused)))._tag, "Refused")
      assert.strictEqual((yield* lastGood.run("USD", refused)).value, "USD")
    })
  )

  it.effect("says what is wrong with its options, and serves as a layer", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(Fallback.makeStale({ name: "", maxAge: 0, capacity: 0 }))
      assert.instanceOf(wrong, Fallback.FallbackConfigurationError)
      assert.strictEqual(
        wrong.message,
        'Fallback "": name is empty; give the name of the dependency, such as "openai"; ' +
          "maxAge is 0; give a duration of at least 1 ms and at most 24 days; " +
          "capacity is 0; give a whole number of at least 1 and at most 16777216"
      )
      const Rates = Context.GenericTag<Fallback.StaleFallback<string>>("Rates")
      const asked = Effect.flatMap(Rates, (lastGood) => lastGood.run("EUR", Effect.succeed("1.1")))
      assert.strictEqual((yield* Effect.provide(asked, Fallback.layerStale(Rates, options))).value, "1.1")
    })
  )
})
