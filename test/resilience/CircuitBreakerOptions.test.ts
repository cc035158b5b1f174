import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as CircuitBreakerOptions from "../../src/resilience/CircuitBreakerOptions.js"
import * as Outcomes from "../../src/resilience/Outcomes.js"

type Options = Omit<CircuitBreakerOptions.Options, "name">

const read = (options: Options) => Either.getOrThrow(CircuitBreakerOptions.settingsOf({ name: "openai", ...options }))

const problems = (options: Options): ReadonlyArray<string> =>
  Either.match(CircuitBreakerOptions.settingsOf({ name: "openai", ...options }), {
    onLeft: (error) => error.problems,
    onRight: () => []
  })

const count = (size: number) => ({ type: "count", size }) as const

describe("the options of a circuit breaker", () => {
  it("are those of the specification by default", () => {
    assert.deepStrictEqual(read({}), {
      failureThreshold: 5,
      window: undefined,
      failureRateThreshold: 0.5,
      minimumThroughput: 10,
      slowCallDuration: undefined,
      slowCallRateThreshold: 1,
      resetTimeout: 30_000,
      resetTimeoutMultiplier: 1,
      maxResetTimeout: 30_000,
      resetTimeoutJitter: 0,
      probeTimeout: 30_000,
      halfOpenMaxCalls: 3,
      halfOpenSampleSize: 1,
      halfOpenSuccessRatio: 1,
      healOnProbe: false
    })
  })

  it("take ten calls for enough, or a smaller window", () => {
    assert.strictEqual(read({ window: count(100) }).minimumThroughput, 10)
    assert.strictEqual(read({ window: count(4) }).minimumThroughput, 4)
    assert.strictEqual(read({ window: { type: "time", duration: "10 seconds" } }).minimumThroughput, 10)
    assert.deepStrictEqual(read({ window: { type: "time", duration: "10 seconds" } }).window, {
      type: "time",
      duration: 10_000
    })
  })

  const refused: ReadonlyArray<readonly [Options, string]> = [
    [{ failureRateThreshold: 0.5 }, "failureRateThreshold has no effect without window"],
    [{ minimumThroughput: 5 }, "minimumThroughput has no effect without window"],
    [{ slowCallDuration: 5 }, "slowCallDuration has no effect without window"],
    [{ window: count(10), failureThreshold: 5 }, "which window replaces; leave one of them out"],
    [{ window: count(10), slowCallRateThreshold: 0.5 }, "slowCallRateThreshold has no effect without slowCallDuration"],
    [{ window: count(10), minimumThroughput: 11 }, "minimumThroughput (11) is more than the window holds (10)"],
    [{ window: count(0) }, "window.size is 0; give a whole number of at least 1"],
    // As it comes from a configuration that no compiler has read.
    [{ window: { type: "calls", size: 10 } as never }, 'window.type is "calls"; give one of "count", "time"'],
    [{ window: { size: 10 } as never }, 'window.type is undefined; give one of "count", "time"'],
    [{ window: { type: "time", duration: 9 } }, "window.duration is 9; give a duration of at least 10 ms"],
    [{ window: count(10), failureRateThreshold: 0 }, "failureRateThreshold is 0; give a share above 0 and at most 1"],
    [{ window: count(10), failureRateThreshold: 50 }, "failureRateThreshold is 50; give a share"],
    [{ window: count(10), slowCallDuration: 1, slowCallRateThreshold: NaN }, "slowCallRateThreshold is NaN"],
    [{ window: count(10), slowCallDuration: 0 }, "slowCallDuration is 0"],
    [{ resetTimeoutJitter: 1.1 }, "resetTimeoutJitter is 1.1; give a share from 0 to 1"],
    [{ resetTimeoutJitter: -0.1 }, "resetTimeoutJitter is -0.1"],
    [{ halfOpenSampleSize: 0 }, "halfOpenSampleSize is 0"],
    [{ halfOpenSuccessRatio: 0.5 }, "halfOpenSuccessRatio has no effect where one probe decides"],
    [{ halfOpenSampleSize: 3, halfOpenSuccessRatio: 0 }, "halfOpenSuccessRatio is 0; give a share above 0"],
    [{ isFailure: () => true, classifyError: () => "failure" }, "isFailure and classifyError both classify errors"],
    [{ resetTimeout: 5, maxResetTimeout: 4 }, "maxResetTimeout is shorter than resetTimeout"],
    [{ maxResetTimeout: "1 minute" }, "maxResetTimeout has no effect without resetTimeoutMultiplier"],
    [{ resetTimeoutMultiplier: 2 }, "resetTimeoutMultiplier has no effect without maxResetTimeout"],
    [{ resetTimeoutMultiplier: 2, maxResetTimeout: "30 seconds" }, "resetTimeoutMultiplier has no effect"],
    [{ window: count(2 ** 24 + 1) }, "window.size is 16777217; give a whole number of at least 1 and at most 16777216"]
  ]
  for (const [options, problem] of refused) {
    it(`are refused, with what to change: ${problem}`, () => {
      const found = problems(options)
      assert.lengthOf(found, 1)
      assert.include(found[0], problem)
    })
  }

  it("may lie at their limits", () => {
    assert.deepStrictEqual(
      problems({
        window: count(10),
        minimumThroughput: 10,
        failureRateThreshold: 1,
        slowCallDuration: 1,
        slowCallRateThreshold: 1,
        resetTimeoutJitter: 1,
        halfOpenSampleSize: 2,
        halfOpenSuccessRatio: 1
      }),
      []
    )
  })

  it("classify as they say, and as nobody said otherwise", () => {
    const classifiers = (options: Options) => CircuitBreakerOptions.classifiersOf({ name: "x", ...options })
    assert.strictEqual(classifiers({}), Outcomes.everyError)
    const byPredicate = classifiers({ isFailure: (error) => error === "down" })
    assert.deepStrictEqual([byPredicate.error("down"), byPredicate.error("declined")], ["failure", "ignored"])
    assert.strictEqual(byPredicate.defect("bug"), "failure")
    assert.isUndefined(byPredicate.result)
    assert.strictEqual(classifiers({ classifyError: () => "success" }).error("x"), "success")
    assert.strictEqual(classifiers({ classifyDefect: () => "ignored" }).defect("x"), "ignored")
    assert.strictEqual(classifiers({ classifyDefect: () => "ignored" }).error("x"), "failure")
    assert.strictEqual(classifiers({ classifyResult: () => "failure" }).result?.("x"), "failure")
  })

  it("differ where they mean something else, and are told in words", () => {
    const differences = (a: Options, b: Options) =>
      Either.getOrThrow(CircuitBreakerOptions.differences({ name: "x", ...a }, { name: "x", ...b }))
    assert.deepStrictEqual(differences({ window: count(10) }, { window: count(10) }), [])
    assert.deepStrictEqual(
      differences({ window: count(10) }, { window: { type: "time", duration: "1 second" }, slowCallDuration: 5 }),
      ["window is the last 10 calls, asked for the last 1000 ms", "slowCallDuration is not set, asked for 5"]
    )
    assert.deepStrictEqual(differences({ classifyResult: () => "success" }, {}), ["classifyResult is another function"])
  })
})
