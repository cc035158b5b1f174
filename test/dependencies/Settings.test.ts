import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Settings from "../../src/dependencies/Settings.js"
import type { Variables } from "../../src/dependencies/Environment.js"

const problemOf = (variables: Variables): Effect.Effect<string> =>
  Effect.match(Settings.make(variables), { onFailure: (error) => error.message, onSuccess: () => "no problem" })

describe("Settings", () => {
  it.effect("without a variable everything has its default, and no upstream is configured", () =>
    Effect.gen(function* () {
      const settings = yield* Settings.make({})
      assert.isUndefined(settings.openai.key)
      assert.isUndefined(settings.elevenlabs.key)
      assert.isUndefined(settings.stripe.key)
      assert.strictEqual(settings.openai.baseUrl, "https://api.openai.com/v1")
      assert.strictEqual(settings.openai.api, "responses")
      const table = [
        settings.openai.policy,
        settings.elevenlabs.policy,
        settings.stripe.policy,
        settings.database,
        settings.redis
      ]
      assert.deepStrictEqual(
        table.map(({ attemptTimeout, circuit, deadline, maxConcurrent, retry }) => [
          Duration.toMillis(attemptTimeout),
          Duration.toMillis(deadline),
          retry.maxAttempts,
          circuit.failureThreshold,
          Duration.toMillis(circuit.resetTimeout),
          Duration.toMillis(circuit.maxResetTimeout),
          circuit.halfOpenMaxCalls,
          maxConcurrent
        ]),
        [
          [12_000, 20_000, 3, 5, 30_000, 30_000, 3, 20],
          [3000, 5000, 2, 5, 30_000, 30_000, 3, 10],
          [8000, 15_000, 3, 5, 30_000, 30_000, 3, 10],
          [5000, 8000, 3, 5, 2000, 30_000, 1, 8],
          [150, 150, 1, 5, 2000, 2000, 1, undefined]
        ]
      )
      assert.strictEqual(Duration.toMillis(settings.database.retry.initialDelay), 100)
      assert.strictEqual(Duration.toMillis(settings.openai.policy.retry.initialDelay), 1000)
      assert.strictEqual(Duration.toMillis(settings.openai.policy.retry.maxDelay), 10_000)
    })
  )

  it.effect("every parameter of every dependency can be set", () =>
    Effect.gen(function* () {
      for (const prefix of ["OPENAI", "ELEVENLABS", "STRIPE", "DATABASE", "REDIS"]) {
        const settings = yield* Settings.make({
          [`${prefix}_RETRY_MAX_ATTEMPTS`]: "7",
          [`${prefix}_RETRY_INITIAL_DELAY`]: "20ms",
          [`${prefix}_RETRY_MAX_DELAY`]: "2 seconds",
          [`${prefix}_RETRY_BACKOFF_MULTIPLIER`]: "1.5",
          [`${prefix}_CIRCUIT_FAILURE_THRESHOLD`]: "9",
          [`${prefix}_CIRCUIT_RESET_TIMEOUT`]: "1m",
          [`${prefix}_CIRCUIT_HALF_OPEN_MAX_CALLS`]: "4",
          [`${prefix}_ATTEMPT_TIMEOUT`]: "1.5s",
          [`${prefix}_DEADLINE`]: "4 seconds",
          [`${prefix}_MAX_CONCURRENT`]: "33",
          [`${prefix}_RATE_LIMIT`]: "50/10s",
          [`${prefix}_PROBE_INTERVAL`]: "5s"
        })
        const policies: Readonly<Record<string, Settings.PolicySettings>> = {
          OPENAI: settings.openai.policy,
          ELEVENLABS: settings.elevenlabs.policy,
          STRIPE: settings.stripe.policy,
          DATABASE: settings.database,
          REDIS: settings.redis
        }
        assert.deepStrictEqual(policies[prefix], {
          retry: {
            maxAttempts: 7,
            initialDelay: Duration.millis(20),
            maxDelay: Duration.seconds(2),
            backoffMultiplier: 1.5
          },
          circuit: {
            failureThreshold: 9,
            resetTimeout: Duration.minutes(1),
            halfOpenMaxCalls: 4,
            maxResetTimeout: Duration.minutes(1)
          },
          attemptTimeout: Duration.millis(1500),
          deadline: Duration.seconds(4),
          maxConcurrent: 33,
          rateLimit: { limit: 50, interval: Duration.seconds(10) },
          probeInterval: Duration.seconds(5)
        })
      }
    })
  )

  it.effect("keys are redacted, prices are found by plan, and addresses lose their trailing slash", () =>
    Effect.gen(function* () {
      const settings = yield* Settings.make({
        OPENAI_API_KEY: "sk-1",
        OPENAI_BASE_URL: "http://127.0.0.1:1234/v1/",
        STRIPE_SECRET_KEY: "",
        STRIPE_PRICE_PRO: "price_1",
        STRIPE_PRICE_TEAM: " "
      })
      assert.notInclude(JSON.stringify(settings), "sk-1")
      assert.isTrue(settings.openai.key !== undefined && Redacted.value(settings.openai.key) === "sk-1")
      assert.strictEqual(settings.openai.baseUrl, "http://127.0.0.1:1234/v1")
      assert.isUndefined(settings.stripe.key)
      assert.deepStrictEqual(settings.stripe.prices, { pro: "price_1" })
    })
  )

  it.effect("a bad value is told by its variable, what is wrong, and an example", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [string, string, string]> = [
        [
          "OPENAI_RETRY_MAX_ATTEMPTS",
          "many",
          `OPENAI_RETRY_MAX_ATTEMPTS is "many", which is not a whole number of at least 1; for example OPENAI_RETRY_MAX_ATTEMPTS="3"`
        ],
        [
          "STRIPE_DEADLINE",
          "soon",
          `STRIPE_DEADLINE is "soon", which is not a duration from 1 ms to 24 days; for example STRIPE_DEADLINE="15 seconds"`
        ],
        [
          "DATABASE_RETRY_INITIAL_DELAY",
          "0ms",
          `DATABASE_RETRY_INITIAL_DELAY is "0ms", which is not a duration from 1 ms to 24 days; for example DATABASE_RETRY_INITIAL_DELAY="100ms"`
        ],
        [
          "OPENAI_BASE_URL",
          "api.openai.com",
          `OPENAI_BASE_URL is "api.openai.com", which is not an http or https address; for example OPENAI_BASE_URL="https://api.openai.com/v1"`
        ],
        [
          "OPENAI_API",
          "soap",
          `OPENAI_API is "soap", which is not one of responses, chat; for example OPENAI_API="responses"`
        ],
        [
          "REDIS_RATE_LIMIT",
          "fast",
          `REDIS_RATE_LIMIT is "fast", which is not a rate (strict, normal, loose, hourly, or so many in a time); for example REDIS_RATE_LIMIT="60/1m"`
        ],
        [
          "STRIPE_RETRY_BACKOFF_MULTIPLIER",
          "0.5",
          `STRIPE_RETRY_BACKOFF_MULTIPLIER is "0.5", which is not a number of at least 1; for example STRIPE_RETRY_BACKOFF_MULTIPLIER="2"`
        ],
        [
          "OPENAI_ATTEMPT_TIMEOUT",
          "30s",
          `OPENAI_ATTEMPT_TIMEOUT is 30 seconds, which is longer than OPENAI_DEADLINE (20 seconds); for example OPENAI_ATTEMPT_TIMEOUT="20 seconds"`
        ],
        [
          "OPENAI_RETRY_INITIAL_DELAY",
          "1m",
          `OPENAI_RETRY_INITIAL_DELAY is 60 seconds, which is longer than OPENAI_RETRY_MAX_DELAY (10 seconds); for example OPENAI_RETRY_INITIAL_DELAY="10 seconds"`
        ]
      ]
      for (const [variable, value, message] of cases)
        assert.strictEqual(yield* problemOf({ [variable]: value }), message)
    })
  )

  it.effect("all mistakes are told at once, a line each, and a secret's value never", () =>
    Effect.gen(function* () {
      const message = yield* problemOf({
        OPENAI_API_KEY: "sk-1 oops",
        STRIPE_DEADLINE: "-1s",
        REDIS_MAX_CONCURRENT: "0"
      })
      assert.lengthOf(message.split("\n"), 3)
      assert.include(message, "OPENAI_API_KEY has a space")
      assert.notInclude(message, "sk-1")
    })
  )

  it.effect("a shorter deadline takes the attempts down with it", () =>
    Effect.gen(function* () {
      const settings = yield* Settings.make({ OPENAI_DEADLINE: "2s", OPENAI_RETRY_MAX_DELAY: "200ms" })
      assert.deepStrictEqual(settings.openai.policy.attemptTimeout, Duration.seconds(2))
      assert.deepStrictEqual(settings.openai.policy.retry.initialDelay, Duration.millis(200))
    })
  )

  it.effect("a misspelt name of our own is refused with the nearest; those of others are left alone", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* problemOf({ OPENAI_RETRY_MAX_ATEMPTS: "3" }),
        "OPENAI_RETRY_MAX_ATEMPTS is not a variable of this program; the nearest is OPENAI_RETRY_MAX_ATTEMPTS"
      )
      assert.include(yield* problemOf({ STRIPE_CIRCUIT_TIMEOUT: "1s" }), "the nearest is STRIPE_CIRCUIT_RESET_TIMEOUT")
      yield* Settings.make({ OPENAI_ORG_ID: "org", DATABASE_NAME: "x", REDIS_HOST: "y", RATE_LIMIT_READ: "loose" })
    })
  )
})
