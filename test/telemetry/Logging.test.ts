import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import type * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as LogLevel from "effect/LogLevel"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Logging from "../../src/telemetry/Logging.js"
import { RequestId } from "../../src/telemetry/RequestContext.js"

/** Runs an effect with our logger and returns the lines that it wrote. */
const linesOf = (effect: Effect.Effect<unknown>, options: Logging.LoggingOptions = { format: "json" }) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.map(Logging.make(options), (line) => void lines.push(line))
    yield* Effect.exit(effect).pipe(Effect.provide(Logger.add(logger)))
    return lines
  })

const entryOf = (effect: Effect.Effect<unknown>, options?: Logging.LoggingOptions) =>
  Effect.map(linesOf(effect, options), (lines) => {
    assert.strictEqual(lines.length, 1)
    assert.notMatch(lines[0]!, /[\n\r\u2028\u2029]/)
    return JSON.parse(lines[0]!) as Logging.LogEntry
  })

class Refused extends Data.TaggedError("Refused")<{ readonly message: string; readonly code: string }> {}

describe("Logging in json", () => {
  it.effect("writes time, level, message, fibre and what was annotated, one line an entry", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2025-01-15T12:00:00Z"))
      const entry = yield* entryOf(
        Effect.logWarning("the circuit opened\nagain", { dependency: "openai" }).pipe(
          Effect.annotateLogs("failures", 5),
          Effect.withLogSpan("call")
        )
      )
      assert.strictEqual(entry.timestamp, "2025-01-15T12:00:00.000Z")
      assert.strictEqual(entry.level, "WARN")
      assert.strictEqual(entry.message, "the circuit opened\nagain")
      assert.match(entry.fiber, /^#\d+$/)
      assert.deepStrictEqual(entry.data, [{ dependency: "openai" }])
      assert.deepStrictEqual(entry.annotations, { failures: 5 })
      assert.deepStrictEqual(entry.spans, { call: 0 })
      assert.notProperty(entry, "cause")
      assert.notProperty(entry, "requestId")
    })
  )

  it.effect("adds the id of the request that it is written in, in forked fibres too", () =>
    Effect.gen(function* () {
      const work = Effect.flatten(Effect.map(Effect.fork(Effect.log("x")), (fiber) => fiber.await))
      const entry = yield* entryOf(Effect.provideService(work, RequestId, "r-42"))
      assert.strictEqual(entry.requestId, "r-42")
    })
  )

  it.effect("writes causes as structure: failures, defects, and interruption when there is nothing else", () =>
    Effect.gen(function* () {
      const refused = new Refused({ message: "no", code: "E7" })
      const both = Cause.parallel(Cause.fail(refused), Cause.die(new TypeError("a bug")))
      const { cause } = yield* entryOf(Effect.logError("failed", both))
      assert.deepStrictEqual(cause, [
        { kind: "failure", name: "Refused", message: "no", code: "E7" },
        { kind: "defect", name: "TypeError", message: "a bug" }
      ])
      const interrupted = yield* entryOf(Effect.logError("stopped", Cause.interrupt(yield* Effect.fiberId)))
      assert.deepStrictEqual(
        interrupted.cause?.map(({ kind }) => kind),
        ["interruption"]
      )
    })
  )

  it.effect("writes stacks only when told to", () =>
    Effect.gen(function* () {
      const failing = Effect.logError("failed", Cause.die(new Error("x")))
      assert.notProperty((yield* entryOf(failing)).cause![0]!, "stack")
      assert.include((yield* entryOf(failing, { format: "json", stacks: true })).cause![0]!.stack, "Logging.test")
    })
  )

  it.effect("hides secrets in messages, data, annotations and causes, in both formats", () =>
    Effect.gen(function* () {
      const secret = "h7Qm2xWv9LkZ"
      const leaky = Effect.logError(
        `calling with Bearer ${secret}`,
        { key: Redacted.make(secret), headers: { authorization: secret } },
        Cause.fail(new Error(`postgres://u:${secret}@host`))
      ).pipe(
        Effect.annotateLogs({ apiKey: secret, note: `sk-${secret}` }),
        Effect.provideService(RequestId, `token=${secret}`)
      )
      for (const format of ["json", "pretty"] as const) {
        const [line] = yield* linesOf(leaky, { format, stacks: true })
        assert.notInclude(line, secret)
        assert.include(line, "calling with")
      }
    })
  )

  it.effect("never throws and never loses the line, whatever is logged", () =>
    Effect.gen(function* () {
      const trap = (): never => {
        throw new Error("trap")
      }
      const hostile = new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap })
      const circular: Record<string, unknown> = {}
      circular["self"] = circular
      for (const format of ["json", "pretty"] as const) {
        for (const value of [
          hostile,
          circular,
          10n,
          Symbol("s"),
          undefined,
          null,
          () => 1,
          "\ud800",
          { toJSON: trap }
        ]) {
          // Inside something: Effect itself looks at every top-level part, and a trap there is not ours to catch.
          const lines = yield* linesOf(
            Effect.logError("x", { value }, Cause.die(hostile)).pipe(Effect.annotateLogs("value", { value })),
            { format, stacks: true }
          )
          assert.strictEqual(lines.length, 1)
          assert.include(lines[0]!, "x")
        }
      }
    })
  )

  it.effect("bounds what one entry can cost", () =>
    Effect.gen(function* () {
      const huge = Array.from({ length: 10_000 }, (_, i) => ({ i, text: "word ".repeat(10_000) }))
      const [line] = yield* linesOf(Effect.log("word ".repeat(100_000), huge))
      assert.isBelow(line!.length, 200_000)
    })
  )
})

describe("Logging in pretty", () => {
  it.effect("writes one readable line", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2025-01-15T12:00:00.250Z"))
      const lines = yield* linesOf(
        Effect.logError("coaching failed", Cause.fail(new Refused({ message: "two\nlines", code: "E7" }))).pipe(
          Effect.annotateLogs({ service: "openai", note: "two words" }),
          Effect.provideService(RequestId, "r-42")
        ),
        { format: "pretty" }
      )
      assert.deepStrictEqual(lines, [
        '12:00:00.250 ERROR coaching failed requestId=r-42 note="two words" service=openai [failure Refused E7: two\\nlines]'
      ])
    })
  )

  it.effect("lets no text break the line or steer the terminal", () =>
    Effect.gen(function* () {
      const [line] = yield* linesOf(Effect.log("a\u001b[2Jb\r\nc\u2028d"), { format: "pretty" })
      assert.include(line, "a\\u001b[2Jb\\u000d\\nc\\u2028d")
    })
  )
})

describe("Logging by the environment", () => {
  const configured = (environment: Record<string, string>) =>
    Effect.either(
      Effect.withConfigProvider(Logging.config, ConfigProvider.fromMap(new Map(Object.entries(environment))))
    )

  it.effect("is pretty at info with stacks, and json without stacks in production", () =>
    Effect.gen(function* () {
      const development = { format: "pretty", level: LogLevel.Info, stacks: true }
      assert.deepStrictEqual(yield* configured({}), Either.right(development as never))
      const production = { format: "json", level: LogLevel.Info, stacks: false }
      assert.deepStrictEqual(yield* configured({ NODE_ENV: "production" }), Either.right(production as never))
      const chosen = { format: "pretty", level: LogLevel.Debug, stacks: false }
      assert.deepStrictEqual(
        yield* configured({ NODE_ENV: "production", LOG_FORMAT: "pretty", LOG_LEVEL: "DEBUG" }),
        Either.right(chosen as never)
      )
    })
  )

  it.effect("refuses values it does not know, naming variable, value and what it knows", () =>
    Effect.gen(function* () {
      for (const [name, value, known] of [
        ["LOG_FORMAT", "xml", "json or pretty"],
        ["LOG_LEVEL", "loud", "debug"]
      ] as const) {
        const result = yield* configured({ [name]: value })
        const message = Either.isLeft(result) ? String(result.left) : ""
        for (const part of [name, value, known]) assert.include(message, part)
      }
    })
  )

  it.effect("replaces the default logger and writes to the console, at the level asked for", () =>
    Effect.gen(function* () {
      const lines: Array<unknown> = []
      const current = yield* Effect.map(Effect.console, (console) => console)
      const recording: Console.Console = {
        ...current,
        unsafe: { ...current.unsafe, log: (...line: ReadonlyArray<unknown>) => void lines.push(...line) }
      }
      yield* Effect.zipRight(Effect.logInfo("dropped"), Effect.logError("kept")).pipe(
        Effect.provide(Logging.layerWith({ format: "json", level: LogLevel.Error })),
        Effect.withConsole(recording)
      )
      assert.deepStrictEqual(
        lines.map((line) => (JSON.parse(String(line)) as Logging.LogEntry).message),
        ["kept"]
      )
      assert.strictEqual(Context.get(yield* Effect.context<never>(), RequestId), undefined)
    })
  )
})
