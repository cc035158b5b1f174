import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import type * as ConfigError from "effect/ConfigError"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import type * as Bulkhead from "../../src/resilience/Bulkhead.js"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.js"
import * as CircuitBreakerOptions from "../../src/resilience/CircuitBreakerOptions.js"
import * as CircuitBreakers from "../../src/resilience/CircuitBreakers.js"
import type * as Fallback from "../../src/resilience/Fallback.js"
import type { Gate } from "../../src/resilience/Gate.js"
import * as Policy from "../../src/resilience/Policy.js"
import * as PolicyConfig from "../../src/resilience/PolicyConfig.js"
import type * as ProtectedService from "../../src/resilience/ProtectedService.js"
import * as RateLimiter from "../../src/resilience/RateLimiter.js"
import * as Rejection from "../../src/resilience/Rejection.js"
import * as Retry from "../../src/resilience/Retry.js"
import * as RetryBudget from "../../src/resilience/RetryBudget.js"
import * as Variables from "../../src/resilience/Variables.js"
import * as Sql from "../../src/sql/Client.js"
import * as Embedded from "../../src/sql/Embedded.js"
import * as EmbeddedData from "../support/EmbeddedData.js"
import { temporary } from "../support/Server.js"
import * as Markdown from "./support/Markdown.js"
import * as Samples from "./support/Samples.js"

const page = Markdown.read("docs/policies.md")

/** What the sample of that name exports. The test says its type; that it compiles is a test of its own. */
const sample = <Exports>(name: string): Effect.Effect<Exports> =>
  Effect.promise(() => Samples.load(Samples.sourceOf(page, Markdown.block(page, name))))

/** What the page shows as a message. */
const shown = (name: string): string => Markdown.block(page, name).code.trimEnd()

class Down extends Error {
  readonly _tag = "Down"
}

/** A service that fails as often as it is told to, takes its time, and counts its calls. */
const service = (options: { readonly failures?: number; readonly takes?: Duration.DurationInput }) => {
  const state = { calls: 0, interrupted: 0 }
  const call = Effect.suspend(() => {
    const number = (state.calls += 1)
    const answer = number <= (options.failures ?? 0) ? Effect.fail(new Down("down")) : Effect.succeed("answer")
    return options.takes === undefined ? answer : Effect.zipRight(Effect.sleep(options.takes), answer)
  }).pipe(Effect.onInterrupt(() => Effect.sync(() => (state.interrupted += 1))))
  return { call, state }
}

/** Runs an effect to its end in virtual time. */
const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.exit(effect))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

const causeOf = <A, E>(exit: Exit.Exit<A, E>): Cause.Cause<E> => (Exit.isFailure(exit) ? exit.cause : Cause.empty)

/** What an effect failed with. */
const errorOf = <A, E>(exit: Exit.Exit<A, E>): E => Option.getOrThrow(Cause.failureOption(causeOf(exit)))

describe("every sample", () => {
  const sources = Samples.sourcesOf(page)

  it("compiles with the project's own options", { timeout: 120_000 }, () => {
    const found = Samples.diagnose(sources)
    for (const { path } of sources) assert.deepStrictEqual(found.get(path), [], path)
  })

  it("has a name of its own, and is run by a test here", () => {
    const tests = Samples.fileOf("test/docs/Policies.test.ts")
    const names = page.blocks.filter(({ language }) => language === "ts").map(({ name }) => name ?? "without a name")
    assert.deepStrictEqual(
      names.filter(
        (name, index) => names.indexOf(name) !== index || !new RegExp(`>\\(\\s*"${name}"\\s*\\)`).test(tests)
      ),
      []
    )
  })

  it("is short", () => {
    const long = page.blocks.filter(
      ({ code, language }) =>
        language === "ts" && code.split("\n").filter((line) => !/^(import .*)?$/.test(line)).length > 12
    )
    assert.deepStrictEqual(
      long.map(({ name }) => name),
      []
    )
  })
})

describe("the page", () => {
  /** Where the options of each interface stand, from `src`. */
  const documented: ReadonlyArray<{ heading: string; file: string; name: string }> = [
    { heading: "One policy for one dependency", file: "PolicyOptions", name: "Options" },
    { heading: "One policy for one dependency", file: "PolicyOptions", name: "Call" },
    { heading: "From configuration", file: "PolicyConfig", name: "Defaults" },
    { heading: "Around a whole service", file: "ProtectedService", name: "Options" },
    { heading: "Around an HttpClient", file: "../http/ResilientClient", name: "Options" },
    { heading: "Circuit breaker", file: "CircuitBreakerOptions", name: "Options" },
    { heading: "Retry", file: "Retry", name: "Options" },
    { heading: "Retry", file: "Retryable", name: "Options" },
    { heading: "Retry budget", file: "RetryBudget", name: "Options" },
    { heading: "Deadline", file: "Deadline", name: "Options" },
    { heading: "Attempt timeout", file: "Timeout", name: "Options" },
    { heading: "Bulkhead", file: "Bulkhead", name: "Options" },
    { heading: "Rate limiter", file: "RateLimiter", name: "Options" },
    { heading: "Hedge", file: "Hedge", name: "Options" },
    { heading: "Hedge", file: "Hedge", name: "Call" },
    { heading: "Fallback", file: "Fallback", name: "StaleOptions" },
    { heading: "Coalesce", file: "Coalesce", name: "Options" },
    { heading: "Limit for each client", file: "KeyedRateLimiterOptions", name: "Options" },
    { heading: "Limit for each client", file: "KeyedRateLimiterOptions", name: "RateLimitConfig" },
    { heading: "Semaphore", file: "Semaphore", name: "Options" }
  ]

  const interfacesIn = (file: string): ReadonlyArray<ts.InterfaceDeclaration> =>
    ts
      .createSourceFile(file, Samples.fileOf(join("src/resilience", `${file}.ts`)), ts.ScriptTarget.ES2022, true)
      .statements.filter(ts.isInterfaceDeclaration)

  const optionsOf = (file: string, name: string): ReadonlyArray<string> =>
    interfacesIn(file)
      .filter((one) => one.name.text === name)
      .flatMap(({ members }) => members.map((member) => member.name?.getText() ?? ""))

  /** The tables of a section whose first column is "option"; subsections stand for themselves where they are listed. */
  const rowsOf = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
    const subsections = documented.map((one) => `\n### ${one.heading}\n`)
    const section = subsections.reduce((text, next) => text.split(next)[0] ?? "", Markdown.section(page, heading))
    return section
      .split("\n\n")
      .filter((paragraph) => paragraph.startsWith("| option |"))
      .flatMap(Markdown.rows)
  }

  const bare = (cell: string): string => cell.replaceAll("`", "")

  it("has every option of the library in the section about it, and no other", () => {
    for (const heading of new Set(documented.map((one) => one.heading))) {
      const there = documented
        .filter((one) => one.heading === heading)
        .flatMap(({ file, name }) => optionsOf(file, name))
      const named = rowsOf(heading).map(([option = ""]) => bare(option))
      assert.isAbove(there.length, 0, heading)
      assert.deepStrictEqual(named.toSorted(), there.toSorted(), heading)
    }
  })

  it("knows every interface of options that there is", () => {
    const files = readdirSync(join(import.meta.dirname, "../../src/resilience"))
      .filter((file) => file.endsWith(".ts"))
      .map((file) => file.replace(/\.ts$/, ""))
    const found = files.flatMap((file) =>
      interfacesIn(file)
        .map(({ name }) => name.text)
        .filter((name) => /(Options|^Call|^Defaults|^RateLimitConfig)$/.test(name))
        .map((name) => `${file}.${name}`)
    )
    const listed = documented.map(({ file, name }) => `${file}.${name}`).filter((name) => !name.startsWith("../"))
    assert.deepStrictEqual(found.toSorted(), listed.toSorted())
  })

  it("says of every option what it means, what it is by default, and who needs it", () => {
    for (const heading of new Set(documented.map((one) => one.heading))) {
      for (const [option, meaning, value, who] of rowsOf(heading)) {
        assert.isTrue(meaning !== "" && value !== "", `${heading}: ${option}`)
        // What has no default needs no reason.
        assert.isTrue(who !== "" || value === "required", `${heading}: ${option}`)
      }
    }
  })

  it("gives the defaults that the code has", () =>
    Effect.gen(function* () {
      const byRuns = Either.getOrThrow(CircuitBreakerOptions.settingsOf({ name: "weather" }))
      const byRates = Either.getOrThrow(
        CircuitBreakerOptions.settingsOf({ name: "weather", window: { type: "count", size: 100 } })
      )
      const { backoff, maxAttempts } = Either.getOrThrow(Retry.settingsOf())
      const values = PolicyConfig.read(Variables.reader({}), "WEATHER")
      const budget = yield* RetryBudget.make({ name: "weather" })
      const { available } = yield* budget.status
      yield* Effect.repeatN(budget.deposit, 99)
      const defaults: Record<string, Record<string, unknown>> = {
        "Circuit breaker": {
          failureThreshold: byRuns.failureThreshold,
          failureRateThreshold: byRates.failureRateThreshold,
          minimumThroughput: byRates.minimumThroughput,
          slowCallRateThreshold: byRates.slowCallRateThreshold,
          resetTimeout: Duration.millis(byRuns.resetTimeout),
          resetTimeoutMultiplier: byRuns.resetTimeoutMultiplier,
          resetTimeoutJitter: byRuns.resetTimeoutJitter,
          halfOpenMaxCalls: byRuns.halfOpenMaxCalls,
          halfOpenSampleSize: byRuns.halfOpenSampleSize,
          halfOpenSuccessRatio: byRuns.halfOpenSuccessRatio,
          healOnProbe: byRuns.healOnProbe
        },
        Retry: {
          maxAttempts,
          initialDelay: Duration.millis(backoff.initialDelay),
          maxDelay: Duration.millis(backoff.maxDelay),
          backoffMultiplier: backoff.multiplier,
          jitter: `"${backoff.jitter}"`
        },
        "Retry budget": {
          ratio: ((yield* budget.status).available - available) / 100,
          minPerSecond: available / (budget.windowMillis / 1000),
          window: Duration.millis(budget.windowMillis)
        },
        "From configuration": {
          maxAttempts: values.retry.maxAttempts,
          initialDelay: values.retry.initialDelay,
          failureThreshold: values.circuit.failureThreshold,
          resetTimeout: values.circuit.resetTimeout,
          halfOpenMaxCalls: values.circuit.halfOpenMaxCalls,
          attemptTimeout: values.attemptTimeout,
          deadline: values.deadline,
          maxConcurrent: values.maxConcurrent ?? "none"
        }
      }
      for (const [heading, expected] of Object.entries(defaults)) {
        const rows = new Map(rowsOf(heading).map(([option = "", , value = ""]) => [bare(option), bare(value)]))
        for (const [option, value] of Object.entries(expected)) {
          const [said = ""] = rows.get(option)?.split(/[,:] /) ?? []
          const inWords = Duration.isDuration(value) ? Variables.format(value) : String(value)
          assert.strictEqual(said, inWords, `${heading}: ${option}`)
        }
      }
    }).pipe(Effect.runPromise))

  it("names every rejection, with every reason that it can have", () => {
    const rejections = ts.createSourceFile("Rejection.ts", Samples.fileOf("src/resilience/Rejection.ts"), 9, true)
    const classes = rejections.statements.filter(ts.isClassDeclaration)
    const section = Markdown.section(page, "Errors")
    assert.isAbove(classes.length, 5)
    for (const one of classes) {
      assert.include(section, `\`${one.name?.text}\``)
      const [, reasons = ""] = /reason: ([^;}]+)/.exec(one.getText()) ?? []
      for (const [, reason] of reasons.matchAll(/"([\w-]+)"/g)) assert.include(section, `\`${reason}\``)
    }
  })
})

describe("one policy", () => {
  it.effect("retries, and passes the errors of the call through", () =>
    Effect.gen(function* () {
      const { weather } = yield* sample<{
        weather: (
          read: Effect.Effect<string, Down>
        ) => Effect.Effect<Effect.Effect<string, Down | Rejection.Rejection>, unknown>
      }>("policy")
      const twice = service({ failures: 2 })
      assert.deepStrictEqual(yield* play(yield* weather(twice.call)), Exit.succeed("answer"))
      assert.strictEqual(twice.state.calls, 3)
      const slow = service({ takes: "3 seconds" })
      const error = errorOf(yield* play(yield* weather(slow.call)))
      assert.deepInclude(error, { _tag: "DeadlineExceeded", policy: "weather" })
      assert.strictEqual(slow.state.calls, 3)
    })
  )

  it.effect("is composed in the one right order, described, and answers by its fallback", () =>
    Effect.gen(function* () {
      const { forecasts } = yield* sample<{
        forecasts: Effect.Effect<Policy.PolicyWithFallback<Error, string, never, never>>
      }>("compose")
      const policy = yield* forecasts
      assert.strictEqual(policy.describe, shown("described"))
      const { call, state } = service({ failures: 9 })
      const answered = yield* play(policy.protect(call, { idempotent: true }))
      assert.deepStrictEqual(answered, Exit.succeed("no forecast (down)"))
      assert.strictEqual(state.calls, 3)
    })
  )

  it.effect("is refused in any other order, with the message that the page shows", () =>
    Effect.gen(function* () {
      const { wrong } = yield* sample<{ wrong: Effect.Effect<unknown, Error> }>("refused-order")
      assert.strictEqual((yield* Effect.flip(wrong)).message, shown("refused-order-message"))
      const { crossed } = yield* sample<{ crossed: Effect.Effect<unknown, Error> }>("crossed")
      assert.strictEqual((yield* Effect.flip(crossed)).message, shown("crossed-message"))
    })
  )

  it.effect("has presets that do what the table says", () =>
    Effect.gen(function* () {
      const { policies } = yield* sample<{
        policies: Effect.Effect<Record<"api" | "database", Policy.Policy>>
      }>("presets")
      const { api, database } = yield* policies
      assert.match(api.describe, /^deadline 15s > .* circuit breaker "weather" > attempt timeout 8s/)
      // The deadline that was given has shortened the delay and the attempts.
      assert.match(database.describe, /^deadline 3s > .*first after 37ms.*attempt timeout 1s 875ms/)
      const rows = new Map(Markdown.rows(Markdown.section(page, "Presets")).map(([name, ...cells]) => [name, cells]))
      for (const [name, preset, delay] of [
        ["`Policy.http`", Policy.http, "1s"],
        ["`Policy.database`", Policy.database, "100ms"]
      ] as const) {
        const { attemptTimeout = 0, deadline = 0, retry } = preset({ name: "weather" })
        const [saidDeadline, saidAttempt, saidRetry] = rows.get(name) ?? []
        assert.strictEqual(saidDeadline, Variables.format(deadline))
        assert.strictEqual(saidAttempt, Variables.format(attemptTimeout))
        const settings = Either.getOrThrow(Retry.settingsOf(retry))
        assert.strictEqual(Duration.format(Duration.millis(settings.backoff.initialDelay)), delay)
        assert.match(
          String(saidRetry),
          new RegExp(`^${settings.maxAttempts} attempts, .*\`${settings.backoff.jitter}\`$`)
        )
      }
    })
  )

  it.effect("comes out of the configuration, whose mistakes are all named", () =>
    Effect.gen(function* () {
      const { program } = yield* sample<{
        program: Effect.Effect<Policy.Policy, ConfigError.ConfigError, CircuitBreakers.CircuitBreakers>
      }>("config")
      const from = (variables: Record<string, string>) =>
        program.pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))),
          Effect.provide(CircuitBreakers.layer)
        )
      assert.match((yield* from({ WEATHER_RETRY_MAX_ATTEMPTS: "2" })).describe, /^deadline 5s > retry up to 2 attempts/)
      const error = yield* Effect.flip(from({ WEATHER_RETRY_MAX_ATTEMPTS: "many", WEATHER_DEADLINE: "0s" }))
      assert.strictEqual(String(error), shown("config-message"))
    })
  )

  it.effect("guards a whole service", () =>
    Effect.gen(function* () {
      interface Weather {
        readonly unit: "C"
        readonly today: (city: string) => Effect.Effect<number, Down>
        readonly report: (city: string, degrees: number) => Effect.Effect<void, Down>
      }
      const { guarded } = yield* sample<{
        guarded: (weather: Weather, policy: Policy.Policy) => ProtectedService.Protected<Weather>
      }>("protect-all")
      const [read, write] = [service({ failures: 1 }), service({ failures: 1 })]
      const policy = yield* Policy.make({ name: "weather", retry: {} })
      const weather = guarded(
        { unit: "C", today: () => Effect.as(read.call, 21), report: () => Effect.asVoid(write.call) },
        policy
      )
      assert.deepStrictEqual(yield* play(weather.today("Graz")), Exit.succeed(21))
      assert.strictEqual(errorOf(yield* play(weather.report("Graz", 21)))._tag, "Down")
      assert.deepStrictEqual([weather.unit, read.state.calls, write.state.calls], ["C", 2, 1])
    })
  )

  it.live("stands before an HttpClient", () =>
    Effect.gen(function* () {
      const { forecast } = yield* sample<{
        forecast: (
          url: string
        ) => Effect.Effect<string, HttpClientError.HttpClientError | Rejection.Rejection, HttpClient.HttpClient>
      }>("http-client")
      let requests = 0
      const client = HttpClient.make((request) =>
        Effect.sync(() => {
          requests += 1
          const answer = requests < 3 ? new Response("busy", { status: 503 }) : new Response("sunny")
          return HttpClientResponse.fromWeb(request, answer)
        })
      )
      const text = yield* Effect.provideService(forecast("http://weather.example/today"), HttpClient.HttpClient, client)
      assert.deepStrictEqual([text, requests], ["sunny", 3])
    })
  )

  it.live(
    "stands before a SqlClient",
    () =>
      Effect.gen(function* () {
        const { words } = yield* sample<{
          words: Effect.Effect<ReadonlyArray<unknown>, unknown, SqlClient.SqlClient>
        }>("sql-client")
        const folder = yield* Effect.acquireRelease(Effect.promise(temporary), ({ remove }) => Effect.promise(remove))
        const directory = join(folder.path, "data")
        yield* Effect.promise(() => EmbeddedData.fill(directory))
        const database = Layer.provide(Sql.layer, Embedded.layer({ directory }))
        assert.deepStrictEqual(yield* Effect.provide(words, database), [{ word: "healed" }])
      }).pipe(Effect.scoped),
    120_000
  )
})

describe("the circuit breaker", () => {
  it.effect("opens after three failures, for ten seconds", () =>
    Effect.gen(function* () {
      const { guarded } = yield* sample<{
        guarded: (
          call: Effect.Effect<string, Down>
        ) => Effect.Effect<string, Down | Rejection.CircuitOpen, CircuitBreakers.CircuitBreakers>
      }>("circuit-breaker")
      const { call, state } = service({ failures: 3 })
      yield* Effect.repeatN(Effect.flip(guarded(call)), 2)
      const error = yield* Effect.flip(guarded(call))
      assert.deepInclude(error, { _tag: "CircuitOpen", reason: "open", retryAfter: Duration.seconds(10) })
      assert.strictEqual(state.calls, 3)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* guarded(call), "answer")
    }).pipe(Effect.provide(CircuitBreakers.layer))
  )

  it.effect("is held open by a task", () =>
    Effect.gen(function* () {
      const { migrate } = yield* sample<{
        migrate: (breaker: CircuitBreaker.CircuitBreaker, migration: Effect.Effect<void>) => Effect.Effect<void>
      }>("isolated")
      const breaker = yield* CircuitBreaker.make({ name: "database" })
      const fiber = yield* Effect.fork(migrate(breaker, Effect.sleep("1 minute")))
      yield* Effect.yieldNow()
      const error = yield* Effect.flip(breaker.execute(Effect.void))
      assert.deepInclude(error, { reason: "isolated", retryAfter: undefined })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      yield* breaker.execute(Effect.void)
    })
  )
})

describe("retries", () => {
  it.effect("are made as often as the options say", () =>
    Effect.gen(function* () {
      const { retried } = yield* sample<{ retried: <E>(read: Effect.Effect<string, E>) => Effect.Effect<string, E> }>(
        "retry"
      )
      const { call, state } = service({ failures: 9 })
      assert.strictEqual(errorOf(yield* play(retried(call)))._tag, "Down")
      assert.strictEqual(state.calls, 4)
    })
  )

  it.effect("are not made when the budget is spent", () =>
    Effect.gen(function* () {
      const { make } = yield* sample<{ make: Effect.Effect<Policy.Policy> }>("retry-budget")
      const policy = yield* make
      const { call, state } = service({ failures: 9 })
      const error = errorOf(yield* play(policy.protect(call, { idempotent: true })))
      // A tenth of a retry for the call, and one for ten seconds: the second is not granted.
      assert.deepInclude(error, { _tag: "RetryBudgetExhausted", policy: "weather", error: new Down("down") })
      assert.strictEqual(state.calls, 2)
    })
  )

  it.effect("leave the errors of all attempts in the cause", () =>
    Effect.gen(function* () {
      const { noted } = yield* sample<{
        noted: <E>(call: Effect.Effect<string, E>) => Effect.Effect<string, E>
      }>("attempts")
      const said: Array<unknown> = []
      const logger = Logger.make(({ message }) => void said.push(message))
      const breaker = yield* CircuitBreaker.make({ name: "weather", failureThreshold: 2 })
      const policy = yield* Policy.make({ name: "weather", retry: {}, breaker })
      const { call } = service({ failures: 9 })
      const exit = yield* play(noted(policy.protect(call, { idempotent: true }))).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      const errors = Retry.attemptErrors(causeOf(exit))
      assert.deepStrictEqual(said, [["the attempts failed with", errors]])
      // The circuit has opened between the second attempt and the third.
      assert.deepStrictEqual(
        errors.map(({ _tag }) => _tag),
        ["Down", "Down", "CircuitOpen"]
      )
      assert.strictEqual(errorOf(exit)._tag, "CircuitOpen")
    })
  )
})

describe("limits in time", () => {
  it.effect("of a deadline hold for every policy inside", () =>
    Effect.gen(function* () {
      const { report } = yield* sample<{
        report: (
          policy: Policy.Policy,
          parts: ReadonlyArray<Effect.Effect<string, Down>>
        ) => Effect.Effect<ReadonlyArray<string>, Down | Rejection.Rejection>
      }>("deadline")
      const policy = yield* Policy.make({ name: "weather", attemptTimeout: "4 seconds" })
      const parts = [service({ takes: "3 seconds" }), service({ takes: "3 seconds" }), service({})]
      const error = errorOf(
        yield* play(
          report(
            policy,
            parts.map(({ call }) => call)
          )
        )
      )
      assert.deepInclude(error, { _tag: "DeadlineExceeded", owner: "report" })
      assert.deepStrictEqual(
        parts.map(({ state }) => state),
        [
          { calls: 1, interrupted: 0 },
          { calls: 1, interrupted: 1 },
          { calls: 0, interrupted: 0 }
        ]
      )
    })
  )

  it.effect("end an attempt", () =>
    Effect.gen(function* () {
      const { bounded } = yield* sample<{
        bounded: (call: Effect.Effect<string, Down>) => Effect.Effect<string, Down | Rejection.AttemptTimeout>
      }>("timeout")
      assert.deepStrictEqual(yield* play(bounded(service({ takes: "1999 millis" }).call)), Exit.succeed("answer"))
      const slow = service({ takes: "3 seconds" })
      assert.strictEqual(errorOf(yield* play(bounded(slow.call)))._tag, "AttemptTimeout")
      assert.strictEqual(slow.state.interrupted, 1)
    })
  )
})

describe("limits in number", () => {
  it.effect("of a bulkhead: two at once, one waits, the fourth is told so", () =>
    Effect.gen(function* () {
      const { make, render } = yield* sample<{
        make: Effect.Effect<Bulkhead.Bulkhead>
        render: (bulkhead: Bulkhead.Bulkhead) => Effect.Effect<string, Rejection.BulkheadFull>
      }>("bulkhead")
      const bulkhead = yield* make
      const callers = Array.from({ length: 4 }, () => Effect.exit(render(bulkhead)))
      const exits = yield* yield* play(Effect.all(callers, { concurrency: "unbounded" }))
      assert.deepStrictEqual(
        exits.filter(Exit.isSuccess).map(({ value }) => value),
        ["a report", "a report", "a report"]
      )
      assert.deepInclude(errorOf(exits[3]!), { _tag: "BulkheadFull", reason: "queue-full", retryAfter: undefined })
    })
  )

  it.effect("of a rate limiter: the third call waits for a minute", () =>
    Effect.gen(function* () {
      const { limited, make } = yield* sample<{
        make: Effect.Effect<RateLimiter.RateLimiter>
        limited: (
          limiter: RateLimiter.RateLimiter,
          call: Effect.Effect<string>
        ) => Effect.Effect<string, Rejection.RateLimited>
      }>("rate-limiter")
      const limiter = yield* make
      const call = limited(limiter, Effect.succeed("answer"))
      yield* Effect.repeatN(call, 1)
      const third = yield* Effect.fork(call)
      yield* TestClock.adjust("59999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(third)))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(third), "answer")
    })
  )

  it.effect("of a rate limiter: a reservation says how long it will be", () =>
    Effect.gen(function* () {
      const { announced } = yield* sample<{
        announced: (
          limiter: RateLimiter.RateLimiter,
          call: Effect.Effect<string>
        ) => Effect.Effect<{ wait: Duration.Duration; answer: string }, Rejection.RateLimited>
      }>("reservation")
      const limiter = yield* RateLimiter.make({ name: "jobs", limit: 1, interval: "1 minute", mode: "wait" })
      const jobs = Effect.replicateEffect(announced(limiter, Effect.succeed("answer")), 2, { concurrency: 2 })
      const waits = Effect.map(jobs, (all) => all.map(({ wait }) => Duration.toSeconds(wait)))
      assert.deepStrictEqual(yield* play(waits), Exit.succeed([0, 60]))
    })
  )

  it.effect("of each client: two a minute", () =>
    Effect.gen(function* () {
      const { program } = yield* sample<{ program: Effect.Effect<ReadonlyArray<number>> }>("keyed-rate-limiter")
      assert.deepStrictEqual(yield* program, [0, 0, 30_000])
    })
  )

  it.effect("of a semaphore", () =>
    Effect.gen(function* () {
      const { program } = yield* sample<{ program: Effect.Effect<string> }>("semaphore")
      assert.strictEqual(yield* program, "a poster")
    })
  )

  it.effect("of a gate of one's own, in a policy", () =>
    Effect.gen(function* () {
      const { openingHours } = yield* sample<{ openingHours: (open: Ref.Ref<boolean>) => Gate }>("gate")
      const open = yield* Ref.make(true)
      const policy = yield* Policy.make({ name: "shop", rateLimiter: openingHours(open) })
      assert.strictEqual(yield* policy.protect(Effect.succeed("sold")), "sold")
      yield* Ref.set(open, false)
      const error = yield* Effect.flip(policy.protect(Effect.succeed("sold")))
      assert.strictEqual(error.message, 'The rate limit of "shop" is used up (limit); try again in 28800 s')
    })
  )
})

describe("more than one call at a time", () => {
  it.effect("a hedge answers for an attempt that hangs", () =>
    Effect.gen(function* () {
      const { make } = yield* sample<{ make: Effect.Effect<Policy.Policy> }>("hedge")
      const policy = yield* make
      let attempts = 0
      const search = Effect.suspend(() => ((attempts += 1) === 1 ? Effect.never : Effect.succeed("found")))
      const fiber = yield* Effect.fork(policy.protect(search, { idempotent: true }))
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "found")
    })
  )

  it.effect("callers share a run", () =>
    Effect.gen(function* () {
      const { shared } = yield* sample<{
        shared: <E>(month: string, report: Effect.Effect<string, E>) => Effect.Effect<ReadonlyArray<string>, E>
      }>("coalesce")
      const { call, state } = service({ takes: "1 second" })
      assert.deepStrictEqual(yield* play(shared("2026-11", call)), Exit.succeed(["answer", "answer"]))
      assert.strictEqual(state.calls, 1)
    })
  )
})

describe("fallbacks", () => {
  it.effect("answer with a value, by an effect, or for some errors", () =>
    Effect.gen(function* () {
      const { recommended } = yield* sample<{
        recommended: (call: Effect.Effect<ReadonlyArray<string>, Down | Rejection.Rejection>) => Record<
          "value" | "effect",
          Effect.Effect<ReadonlyArray<string>>
        > & {
          some: Effect.Effect<ReadonlyArray<string>, Down>
        }
      }>("fallback")
      const down = recommended(Effect.fail(new Down("down")))
      assert.deepStrictEqual(yield* down.value, [])
      assert.deepStrictEqual(yield* down.effect, ["bestseller"])
      assert.strictEqual((yield* Effect.flip(down.some))._tag, "Down")
      const full = new Rejection.BulkheadFull({ policy: "shop", reason: "queue-full", retryAfter: undefined })
      assert.deepStrictEqual(yield* recommended(Effect.fail(full)).some, [])
    })
  )

  it.effect("answer with the last good answer, and say so", () =>
    Effect.gen(function* () {
      const { make, rate } = yield* sample<{
        make: Effect.Effect<Fallback.StaleFallback<number>>
        rate: (
          lastGood: Fallback.StaleFallback<number>,
          read: Effect.Effect<number, Down>
        ) => Effect.Effect<string, Down>
      }>("stale")
      const lastGood = yield* make
      const down = Effect.fail(new Down("down"))
      assert.strictEqual(yield* rate(lastGood, Effect.succeed(1.1)), "1.1")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* rate(lastGood, down), "1.1, 1h old (down)")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Effect.flip(rate(lastGood, down))).message, "down")
    })
  )
})

describe("what a caller learns", () => {
  it.effect("from errors: one by its tag, all others as rejections, and its own are left", () =>
    Effect.gen(function* () {
      const { answer } = yield* sample<{
        answer: (call: Effect.Effect<string, Down | Rejection.Rejection>) => Effect.Effect<string, Down>
      }>("errors")
      const open = new Rejection.CircuitOpen({ policy: "weather", reason: "open", retryAfter: Duration.seconds(3) })
      const full = new Rejection.BulkheadFull({ policy: "weather", reason: "queue-full", retryAfter: undefined })
      assert.match(yield* answer(Effect.fail(open)), /try again in 3 s$/)
      assert.strictEqual(yield* answer(Effect.fail(full)), "weather: BulkheadFull")
      assert.strictEqual((yield* Effect.flip(answer(Effect.fail(new Down("down")))))._tag, "Down")
    })
  )

  it.effect("from events", () =>
    Effect.gen(function* () {
      const { make } = yield* sample<{ make: Effect.Effect<Policy.Policy> }>("events")
      const policy = yield* make
      yield* play(policy.protect(service({ failures: 1 }).call, { idempotent: true }))
      const counter = Metric.tagged(Metric.counter("weather_calls"), "outcome", "success")
      assert.strictEqual((yield* Metric.value(counter)).count, 1)
    })
  )

  it("from events, whose fields are those that the page names", () => {
    const events = ts.createSourceFile("events.ts", Samples.fileOf("src/resilience/PolicyEvents.ts"), 9, true)
    const rows = new Map(
      Markdown.rows(Markdown.section(page, "Events")).map(([event = "", fields = ""]) => [event, fields])
    )
    for (const [event, fields] of rows) {
      const one = events.statements.filter(ts.isInterfaceDeclaration).find(({ name }) => `\`${name.text}\`` === event)
      const members = one?.members.map((member) => member.name?.getText() ?? "").filter((name) => name !== "_tag")
      assert.deepStrictEqual(Markdown.codes(fields).toSorted(), members?.toSorted(), event)
    }
    assert.strictEqual(rows.size, 3)
  })
})
