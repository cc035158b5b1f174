import { assert, describe, it } from "@effect/vitest"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as Policy from "../../src/resilience/Policy.js"

const read = (variables: Record<string, string>, defaults?: Policy.Defaults) =>
  Effect.withConfigProvider(
    Policy.config("OPENAI", defaults),
    ConfigProvider.fromMap(new Map(Object.entries(variables)))
  )

/** The mistakes of a configuration error, each as its path and its message. */
const mistakes = (error: ConfigError.ConfigError): ReadonlyArray<readonly [string, string]> =>
  ConfigError.isAnd(error)
    ? [...mistakes(error.left), ...mistakes(error.right)]
    : ConfigError.isInvalidData(error)
      ? [[error.path.join("."), error.message]]
      : assert.fail(`another error: ${error._op}`)

describe("Policy.config", () => {
  it.effect("reads every parameter, and makes a policy of them", () =>
    Effect.gen(function* () {
      const { circuit, maxConcurrent, rateLimit, ...limits } = yield* read({
        OPENAI_RETRY_MAX_ATTEMPTS: "4",
        OPENAI_RETRY_INITIAL_DELAY: "200ms",
        OPENAI_RETRY_MAX_DELAY: "2 seconds",
        OPENAI_RETRY_BACKOFF_MULTIPLIER: "3",
        OPENAI_CIRCUIT_FAILURE_THRESHOLD: "7",
        OPENAI_CIRCUIT_RESET_TIMEOUT: "1m",
        OPENAI_CIRCUIT_HALF_OPEN_MAX_CALLS: "1",
        OPENAI_ATTEMPT_TIMEOUT: "3s",
        OPENAI_DEADLINE: "9s",
        OPENAI_MAX_CONCURRENT: "5",
        OPENAI_RATE_LIMIT: "60/1m"
      })
      assert.strictEqual(maxConcurrent, 5)
      assert.deepStrictEqual(rateLimit, { limit: 60, interval: Duration.minutes(1) })
      const breaker = yield* CircuitBreaker.make({ name: "openai", ...circuit })
      assert.strictEqual((yield* breaker.options).failureThreshold, 7)
      const policy = yield* Policy.make(Policy.http({ name: "openai", ...limits, breaker }))
      assert.strictEqual(
        policy.describe,
        "deadline 9s > retry up to 4 attempts (first after 200ms, growing 3 times up to 2s, jitter equal), idempotent " +
          'calls only > circuit breaker "openai" > attempt timeout 3s > call of "openai"'
      )
    })
  )

  it.effect("takes defaults for what is not set, the shorter limit following the longer one down", () =>
    Effect.gen(function* () {
      const bare = yield* read({})
      assert.deepStrictEqual([bare.retry.maxAttempts, bare.circuit.failureThreshold], [3, 5])
      assert.isUndefined(bare.maxConcurrent)
      const values = yield* read({ OPENAI_DEADLINE: "2s" }, { attemptTimeout: "12 seconds", maxConcurrent: 20 })
      assert.deepStrictEqual(values.attemptTimeout, Duration.seconds(2))
      assert.strictEqual(values.maxConcurrent, 20)
    })
  )

  it.effect("makes a policy of any deadline that is set alone, the first retry following it down", () =>
    Effect.gen(function* () {
      for (const deadline of ["1ms", "500ms", "1 second", "14 seconds", "1 hour"]) {
        const { attemptTimeout, deadline: limit, retry } = yield* read({ OPENAI_DEADLINE: deadline })
        const policy = yield* Policy.make(Policy.http({ name: "openai", attemptTimeout, deadline: limit, retry }))
        assert.include(policy.describe, "retry up to 3 attempts", deadline)
      }
      const error = yield* Effect.flip(read({ OPENAI_DEADLINE: "500ms", OPENAI_RETRY_INITIAL_DELAY: "1 second" }))
      assert.deepStrictEqual(mistakes(error), [
        [
          "OPENAI_RETRY_INITIAL_DELAY",
          "OPENAI_RETRY_INITIAL_DELAY is 1 second, which leaves no time for a retry before OPENAI_DEADLINE (500ms); " +
            'for example OPENAI_RETRY_INITIAL_DELAY="250ms"'
        ]
      ])
      const once = yield* read({
        OPENAI_DEADLINE: "500ms",
        OPENAI_RETRY_INITIAL_DELAY: "1 second",
        OPENAI_RETRY_MAX_ATTEMPTS: "1"
      })
      assert.strictEqual(once.retry.maxAttempts, 1, "who does not retry waits for nothing")
    })
  )

  it.effect("finds one mistake in a limit that cannot be read, with an example that fits the others", () =>
    Effect.gen(function* () {
      for (const [variable, example] of [
        ["OPENAI_ATTEMPT_TIMEOUT", "500ms"],
        ["OPENAI_RETRY_INITIAL_DELAY", "250ms"]
      ] as const) {
        const error = yield* Effect.flip(read({ OPENAI_DEADLINE: "500ms", [variable]: "soon" }))
        const message = `${variable} is "soon", which is not a duration from 1 ms to 24 days; for example ${variable}="${example}"`
        assert.deepStrictEqual(mistakes(error), [[variable, message]])
      }
    })
  )

  it.effect("names the variable of a duration that no timer can wait for", () =>
    Effect.gen(function* () {
      for (const duration of ["0.1ms", "25 days", "0s"]) {
        const error = yield* Effect.flip(read({ OPENAI_CIRCUIT_RESET_TIMEOUT: duration }))
        const [[variable, message] = [], ...others] = mistakes(error)
        assert.lengthOf(others, 0)
        assert.strictEqual(variable, "OPENAI_CIRCUIT_RESET_TIMEOUT")
        assert.include(message, `is "${duration}", which is not a duration from 1 ms to 24 days`)
      }
    })
  )

  it.effect("finds all mistakes at once, and names variable, value and an example", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        read({ OPENAI_RETRY_MAX_ATTEMPTS: "many", OPENAI_DEADLINE: "5s", OPENAI_ATTEMPT_TIMEOUT: "6s" })
      )
      assert.deepStrictEqual(mistakes(error), [
        [
          "OPENAI_RETRY_MAX_ATTEMPTS",
          'OPENAI_RETRY_MAX_ATTEMPTS is "many", which is not a whole number of at least 1; for example ' +
            'OPENAI_RETRY_MAX_ATTEMPTS="3"'
        ],
        [
          "OPENAI_ATTEMPT_TIMEOUT",
          "OPENAI_ATTEMPT_TIMEOUT is 6 seconds, which is longer than OPENAI_DEADLINE (5 seconds); for example " +
            'OPENAI_ATTEMPT_TIMEOUT="5 seconds"'
        ]
      ])
    })
  )
})

describe("Policy presets", () => {
  it.effect("turn on jitter, bound attempt and call, and delay no healing", () =>
    Effect.gen(function* () {
      const http = yield* Policy.make(Policy.http({ name: "openai" }))
      assert.strictEqual(
        http.describe,
        "deadline 15s > retry up to 3 attempts (first after 1s, growing 2 times up to 10s, jitter equal), idempotent " +
          'calls only > attempt timeout 8s > call of "openai"'
      )
      const database = yield* Policy.make(Policy.database({ name: "database" }))
      assert.include(database.describe, "deadline 8s > retry up to 3 attempts (first after 100ms")
    })
  )

  it.effect("give way to what is given", () =>
    Effect.gen(function* () {
      const { describe } = yield* Policy.make(
        Policy.http({ name: "x", deadline: "3 seconds", retry: { maxAttempts: 2 } })
      )
      assert.include(describe, "deadline 3s > retry up to 2 attempts (first after 200ms")
      assert.include(describe, "jitter equal")
      assert.include(describe, "attempt timeout 1s 600ms")
    })
  )

  it.effect("fit their own to any deadline, and leave alone what is given", () =>
    Effect.gen(function* () {
      for (const preset of [Policy.http, Policy.database]) {
        for (const deadline of ["1 millis", "20 millis", "500 millis", "14 seconds", "1 minute"] as const) {
          const retry = { maxAttempts: 2, initialDelay: undefined }
          const { describe } = yield* Policy.make(preset({ name: "x", deadline, retry }))
          assert.include(describe, `deadline ${Duration.format(deadline)} > retry up to 2 attempts`)
        }
      }
      const shorter = yield* Policy.make(Policy.http({ name: "x", retry: { maxDelay: "500 millis" } }))
      assert.include(shorter.describe, "(first after 500ms, growing 2 times up to 500ms")
      for (const maxDelay of [-5, "soon" as never]) {
        const { problems } = yield* Effect.flip(Policy.make(Policy.http({ name: "x", retry: { maxDelay } })))
        assert.lengthOf(problems, 1)
        assert.include(problems[0], "retry: maxDelay is")
      }
      const half = yield* Policy.make(Policy.http({ name: "x", deadline: "7500 millis" }))
      assert.include(half.describe, "(first after 500ms")
      assert.include(half.describe, "attempt timeout 4s")
      const longer = yield* Policy.make(Policy.http({ name: "x", deadline: "1 minute" }))
      assert.include(longer.describe, "(first after 1s")
      assert.include(longer.describe, "attempt timeout 8s")
      const given = yield* Effect.flip(
        Policy.make(
          Policy.http({
            name: "x",
            deadline: "500 millis",
            attemptTimeout: "1 second",
            retry: { initialDelay: "1 second" }
          })
        )
      )
      assert.lengthOf(given.problems, 2)
      assert.include(given.message, "attemptTimeout (1s) is longer than the deadline (500ms)")
      assert.include(given.message, "the first retry would come after 1s")
    })
  )

  it.effect("leave it to the policy to name a deadline that makes no sense", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<unknown> = ["soon", 0, -5, Number.NaN, "Infinity"]
      for (const deadline of wrong) {
        const error = yield* Effect.flip(Policy.make(Policy.http({ name: "x", deadline: deadline as never })))
        assert.instanceOf(error, Policy.PolicyConfigurationError)
        assert.lengthOf(error.problems, 1)
        assert.match(error.message, /deadline is .*; give a duration/)
      }
    })
  )
})
