import { assert, describe, it } from "@effect/vitest"
import type * as HttpApi from "@effect/platform/HttpApi"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { join } from "node:path"
import * as Database from "../../src/dependencies/Database.js"
import * as Dependencies from "../../src/dependencies/Dependencies.js"
import * as ElevenLabs from "../../src/dependencies/ElevenLabs.js"
import * as OpenAi from "../../src/dependencies/OpenAi.js"
import * as Settings from "../../src/dependencies/Settings.js"
import { Health } from "../../src/dialdrill/operations/Wire.js"
import * as ElevenLabsStandIn from "../../src/drill/standins/ElevenLabsStandIn.js"
import * as OpenAiStandIn from "../../src/drill/standins/OpenAiStandIn.js"
import * as ErrorLog from "../../src/health/ErrorLog.js"
import * as HealthMonitor from "../../src/health/HealthMonitor.js"
import * as Envelope from "../../src/http/Envelope.js"
import { addHttpApi } from "../../src/http/HttpApiRoutes.js"
import { DependencyUnavailable } from "../../src/http/HttpErrors.js"
import * as Lifecycle from "../../src/http/Lifecycle.js"
import * as Problem from "../../src/http/Problem.js"
import * as RateLimitGroups from "../../src/http/RateLimitGroups.js"
import type * as RouteTable from "../../src/http/RouteTable.js"
import * as Server from "../../src/http/Server.js"
import * as CircuitBreakers from "../../src/resilience/CircuitBreakers.js"
import { KeyedRateLimiters } from "../../src/resilience/KeyedRateLimiter.js"
import * as RateLimitStore from "../../src/resilience/RateLimitStore.js"
import { CircuitOpen } from "../../src/resilience/Rejection.js"
import * as SqlClient from "../../src/sql/Client.js"
import * as Migrations from "../../src/sql/Migrations.js"
import * as Embedded from "../../src/sql/Embedded.js"
import * as EmbeddedData from "../support/EmbeddedData.js"
import { temporary } from "../support/Server.js"
import * as Markdown from "./support/Markdown.js"
import * as Samples from "./support/Samples.js"

const page = Markdown.read("docs/self-healing.md")
const readme = Markdown.read("README.md")

const sources = [page, readme].flatMap(Samples.sourcesOf)

/** What the sample of that name exports. The test says its type; that it compiles is a test of its own. */
const sample = <Exports>(name: string): Effect.Effect<Exports> =>
  Effect.promise(() => Samples.load(Samples.sourceOf(page, Markdown.block(page, name))))

/** What most samples export: a wrapper around the call of a service. */
type Wrapper<R = never> = (call: Effect.Effect<string, Error>) => Effect.Effect<string, Error, R>

/** A service whose state the test decides, and which counts how often it was called. */
const service = Effect.map(Ref.make({ calls: 0, isUp: false }), (state) => ({
  set: (isUp: boolean) => Ref.update(state, (now) => ({ ...now, isUp })),
  calls: Effect.map(Ref.get(state), ({ calls }) => calls),
  call: Effect.flatMap(
    Ref.updateAndGet(state, (now) => ({ ...now, calls: now.calls + 1 })),
    ({ isUp }) => (isUp ? Effect.succeed("answer") : Effect.fail(Object.assign(new Error("down"), { status: 503 })))
  )
}))

/** Runs an effect while virtual time passes, and gives its exit and how long it took at most. */
const over = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust(millis)
    return yield* Fiber.poll(fiber)
  })

/** What an effect that has ended failed with. */
const errorOf = <A, E>(ended: Option.Option<Exit.Exit<A, E>>): E | undefined =>
  Option.getOrUndefined(
    Option.flatMap(ended, (exit) => (Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none()))
  )

const quiet = Logger.remove(Logger.defaultLogger)

const watching = Layer.mergeAll(
  CircuitBreakers.layer,
  Dependencies.layer,
  Layer.provideMerge(HealthMonitor.layerWith({ memory: false, lookEvery: "1 hour" }), ErrorLog.layerWith({})),
  quiet
)

describe("every sample", () => {
  it("compiles with the project's own options, and one that does not is found", { timeout: 120_000 }, () => {
    const broken: Samples.Source = {
      path: "docs/sample-broken.ts",
      code: 'import { retryWithBackoff } from "../src/resilience/Retry.js"\nexport const never = retryWithBackoff(1)\n'
    }
    const missing: Samples.Source = {
      path: "docs/sample-missing.ts",
      code: 'export { retryWithBackof } from "../src/resilience/Retry.js"\n'
    }
    const found = Samples.diagnose([...sources, broken, missing])
    for (const { path } of sources) assert.deepStrictEqual(found.get(path), [], path)
    assert.isAbove(found.get(broken.path)!.length, 0)
    assert.isAbove(found.get(missing.path)!.length, 0)
  })

  it("has a name of its own", () => {
    const names = sources.map(({ path }) => path)
    assert.deepStrictEqual(
      names.filter((name, index) => names.indexOf(name) !== index || name.includes("undefined")),
      []
    )
  })

  it("of the specification is followed by ours", () => {
    const typescript = page.blocks.filter(({ language }) => language === "typescript")
    assert.strictEqual(typescript.length, 16)
    for (const block of typescript) {
      const next = page.blocks[page.blocks.indexOf(block) + 1]
      assert.strictEqual(next?.language, "ts", `after the block of line ${block.line}`)
    }
  })
})

describe("the page", () => {
  it("has the fifteen sections of the specification", () => {
    const headings = [...page.text.matchAll(/^## \*\*(\d+)\. (.+)\*\*$/gm)].map(([, , title]) => title)
    assert.deepStrictEqual(headings, [
      "Health Monitoring",
      "Circuit Breakers",
      "Automatic Retries",
      "Rate Limiting",
      "API Wrapper",
      "Integration Examples",
      "Monitoring & Debugging",
      "Graceful Degradation",
      "Status Codes & Responses",
      "Debugging Workflow",
      "Best Practices",
      "Configuration",
      "What's Protected",
      "Adding Protection to New Services",
      "Monitoring in Production"
    ])
  })
})

describe("section 1", () => {
  it.effect("health: prints the status and records the error", () =>
    Effect.gen(function* () {
      const { program } = yield* sample<{ program: Effect.Effect<HealthMonitor.HealthStatus> }>("health")
      const printed: Array<unknown> = []
      const console = yield* Console.consoleWith(Effect.succeed)
      const listening: Console.Console = { ...console, log: (...parts) => Effect.sync(() => printed.push(...parts)) }
      const health = yield* Effect.withConsole(program, listening)
      assert.include(["healthy", "degraded"], printed[0])
      assert.strictEqual(health.errors?.[0]?.service, "openai")
      assert.strictEqual(health.errors?.[0]?.message, "the model did not answer")
      assert.property(health.checks, "memory")
    }).pipe(Effect.provide(quiet))
  )

  it("shows an answer that the route's own schema accepts", () => {
    const json = JSON.parse(Markdown.block(page, "health-answer").code)
    const decoded = Schema.decodeUnknownEither(Health)(json, { onExcessProperty: "error" })
    assert.isTrue(Either.isRight(decoded), String(decoded))
  })
})

describe("section 2", () => {
  it.effect("circuit breaker: opens after five failures, tries again after 30 seconds, closes after a success", () =>
    Effect.gen(function* () {
      const { guarded } = yield* sample<{ guarded: Wrapper<CircuitBreakers.CircuitBreakers> }>("circuit-breaker")
      const external = yield* service
      const call: Effect.Effect<string, Error, CircuitBreakers.CircuitBreakers> = guarded(external.call)
      for (let n = 0; n < 5; n++) assert.strictEqual((yield* Effect.flip(call)).message, "down")

      assert.match(yield* call, /openai-coaching/)
      yield* TestClock.adjust("29999 millis")
      assert.match(yield* call, /openai-coaching/)
      assert.strictEqual(yield* external.calls, 5)

      yield* external.set(true)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* call, "answer")
      const breaker = yield* CircuitBreakers.getCircuitBreaker("openai-coaching")
      assert.strictEqual((yield* breaker.getStatus).state, "closed")
    }).pipe(Effect.provide(CircuitBreakers.layer))
  )
})

describe("section 3", () => {
  it.effect("retry: three attempts, after one and two seconds", () =>
    Effect.gen(function* () {
      const { retried } = yield* sample<{ retried: Wrapper }>("retry")
      const external = yield* service
      assert.isTrue(Option.isNone(yield* over(retried(external.call), 2999)))
      assert.strictEqual(yield* external.calls, 2)
      const ended = yield* over(retried(external.call), 3000)
      assert.isTrue(Option.isSome(ended) && Exit.isFailure(ended.value))
    })
  )

  it.effect("retry: leaves alone what is not on its list", () =>
    Effect.gen(function* () {
      const { retried } = yield* sample<{ retried: Wrapper }>("retry")
      const calls = yield* Ref.make(0)
      const refused = Effect.zipRight(
        Ref.update(calls, (n) => n + 1),
        Effect.fail(Object.assign(new Error("no"), { status: 400 }))
      )
      yield* over(retried(refused), 10_000)
      assert.strictEqual(yield* Ref.get(calls), 1)
    })
  )

  it.effect("retry with circuit breaker: every attempt counts, and an open circuit ends them", () =>
    Effect.gen(function* () {
      const { protectedCall } = yield* sample<{ protectedCall: Wrapper<CircuitBreakers.CircuitBreakers> }>(
        "retry-with-circuit-breaker"
      )
      const external = yield* service
      yield* over(protectedCall(external.call), 10_000)
      const second = yield* over(protectedCall(external.call), 10_000)
      assert.strictEqual(yield* external.calls, 5)
      assert.instanceOf(errorOf(second), CircuitOpen)
    }).pipe(Effect.provide(CircuitBreakers.layer))
  )
})

describe("section 4", () => {
  it.effect("rate limiter: the hundred-and-first request of a client in a minute is refused, others' are not", () =>
    Effect.gen(function* () {
      const { POST } = yield* sample<{
        POST: (request: { clientAddress: string }, userId?: string) => Effect.Effect<Response, never, KeyedRateLimiters>
      }>("rate-limiter")
      const request = { clientAddress: "192.0.2.1" }
      const answer = (userId?: string): Effect.Effect<Response, never, KeyedRateLimiters> => POST(request, userId)
      for (let n = 0; n < 100; n++) assert.strictEqual((yield* answer()).status, 200)
      const refused = yield* answer()
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers.get("retry-after"), "1")
      assert.strictEqual((yield* answer("user-1")).status, 200)
    }).pipe(Effect.provide(KeyedRateLimiters.layer.pipe(Layer.provide(RateLimitStore.layerMemory))))
  )

  it.effect("configurations: are the numbers of the specification", () =>
    Effect.gen(function* () {
      const { configurations } = yield* sample<{ configurations: ReadonlyArray<unknown> }>("rate-limit-configs")
      assert.deepStrictEqual(configurations, [
        { limit: 10, window: "1 minute" },
        { limit: 100, window: "1 minute" },
        { limit: 1000, window: "1 minute" },
        { limit: 1000, window: "1 hour" }
      ])
    })
  )
})

describe("section 5", () => {
  it.live("withResilience: answers with the limit's headers, and is behind the circuit breaker that it names", () =>
    Effect.gen(function* () {
      const { ExampleApi, POST, things } = yield* sample<{
        // Its groups are the sample's own affair; their handlers are in `things`.
        ExampleApi: HttpApi.HttpApi<"example", never>
        POST: () => Effect.Effect<unknown, DependencyUnavailable, CircuitBreakers.CircuitBreakers>
        things: Layer.Layer<never, never, RouteTable.RouteTable | CircuitBreakers.CircuitBreakers>
      }>("with-resilience")
      const routes = addHttpApi(ExampleApi).pipe(Layer.provide(things), Layer.provideMerge(Envelope.layer()))
      const limits = RateLimitGroups.layer({}).pipe(
        Layer.provide(KeyedRateLimiters.layer),
        Layer.provide(RateLimitStore.layerMemory)
      )
      const app = Server.serve(routes).pipe(
        Layer.provideMerge(Server.layer({ host: "127.0.0.1", port: 0 })),
        Layer.provideMerge(Layer.mergeAll(limits, ErrorLog.layerWith({}), Lifecycle.layer, CircuitBreakers.layer)),
        Layer.provide(quiet)
      )
      const context = yield* Layer.build(app)
      const url = yield* Effect.provide(Server.address, context)
      const reply = yield* Effect.promise(() => fetch(`${url}/api/things`, { method: "POST" }))
      assert.strictEqual(reply.status, 200)
      assert.deepStrictEqual(yield* Effect.promise(() => reply.json()), { success: true })
      assert.strictEqual(reply.headers.get("x-ratelimit-limit"), "100")
      assert.strictEqual(reply.headers.get("x-ratelimit-remaining"), "99")
      for (const header of ["x-ratelimit-reset", "ratelimit", "ratelimit-policy", "x-request-id"]) {
        assert.isNotNull(reply.headers.get(header), header)
      }

      const breaker = yield* Effect.provide(CircuitBreakers.getCircuitBreaker("my-service"), context)
      yield* breaker.force("open")
      const error = yield* Effect.flip(Effect.provide(POST(), context))
      assert.instanceOf(error, DependencyUnavailable)
    }).pipe(Effect.scoped)
  )
})

describe("section 6", () => {
  it.live("OpenAI: the model's answer when there is one, the fallback when there is none", () =>
    Effect.gen(function* () {
      const { tip } = yield* sample<{
        tip: (transcript: string) => Effect.Effect<{ tip: string }, never, OpenAi.OpenAi>
      }>("openai")
      const standIn = yield* OpenAiStandIn.make()
      const ask = (variables: Record<string, string>): Effect.Effect<{ tip: string }> =>
        Effect.provide(
          tip("user: Hello."),
          Layer.fresh(OpenAi.layer).pipe(
            Layer.provide(Settings.layerFrom(variables)),
            Layer.provide(Layer.fresh(watching)),
            Layer.orDie
          )
        )
      const fallback = "Ask one open question before you offer anything."
      assert.strictEqual((yield* ask({})).tip, fallback)
      const answered = yield* ask({ OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: standIn.baseUrl })
      assert.isString(answered.tip)
      assert.notStrictEqual(answered.tip, fallback)
    }).pipe(Effect.scoped)
  )

  it.live(
    "database: answers from the real engine through the policy",
    () =>
      Effect.gen(function* () {
        const { query } = yield* sample<{
          query: (word: string) => Effect.Effect<unknown, unknown, Database.Database>
        }>("database")
        const folder = yield* Effect.acquireRelease(Effect.promise(temporary), ({ remove }) => Effect.promise(remove))
        const directory = join(folder.path, "data")
        yield* Effect.promise(() => EmbeddedData.fill(directory))
        const database = Database.layer.pipe(
          Layer.provide(Migrations.layer({ migrations: {} })),
          Layer.provide(SqlClient.layer),
          Layer.provide(Embedded.layer({ directory })),
          Layer.provide(Settings.layerFrom({ DATABASE_ATTEMPT_TIMEOUT: "90s", DATABASE_DEADLINE: "100s" })),
          Layer.provide(watching)
        )
        assert.deepStrictEqual(yield* Effect.provide(query("healed"), database), [{ word: "healed" }])
      }).pipe(Effect.scoped),
    120_000
  )

  it.live("ElevenLabs: a signed URL when it answers, simulated mode when it does not", () =>
    Effect.gen(function* () {
      const { line } = yield* sample<{
        line: Effect.Effect<{ mode: string; signedUrl: string | null }, never, ElevenLabs.ElevenLabs>
      }>("elevenlabs")
      const standIn = yield* ElevenLabsStandIn.make()
      const ask = (variables: Record<string, string>) =>
        Effect.provide(
          line,
          Layer.fresh(ElevenLabs.layer).pipe(
            Layer.provide(Settings.layerFrom(variables)),
            Layer.provide(Layer.fresh(watching)),
            Layer.orDie
          )
        )
      assert.deepStrictEqual(yield* ask({}), { mode: "simulated", signedUrl: null })
      const voice = yield* ask({
        ELEVENLABS_API_KEY: "xi-test",
        ELEVENLABS_AGENT_ID: "agent_1",
        ELEVENLABS_BASE_URL: standIn.baseUrl
      })
      assert.strictEqual(voice.mode, "voice")
      assert.match(String(voice.signedUrl), /^wss?:/)
    }).pipe(Effect.scoped)
  )
})

describe("section 7", () => {
  it.effect("recent errors: newest first, of one service, and forgotten when old", () =>
    Effect.gen(function* () {
      const { program } = yield* sample<{
        program: Effect.Effect<
          Record<"errors" | "ofOpenAi", ReadonlyArray<ErrorLog.ErrorEntry>> & { cleared: number },
          never,
          HealthMonitor.HealthMonitor
        >
      }>("recent-errors")
      const monitor = yield* HealthMonitor.HealthMonitor
      yield* monitor.recordError("openai", new Error("first"))
      yield* TestClock.adjust("25 hours")
      yield* monitor.recordError("stripe", new Error("second"))
      const { cleared, errors, ofOpenAi } = yield* program
      assert.deepStrictEqual(
        errors.map((entry: ErrorLog.ErrorEntry) => entry.message),
        ["second", "first"]
      )
      assert.strictEqual(ofOpenAi.length, 1)
      assert.strictEqual(cleared, 1)
    }).pipe(Effect.provide(watching))
  )

  it.effect("circuit breaker status: prints what the comment under it says", () =>
    Effect.gen(function* () {
      const { program } = yield* sample<{ program: Effect.Effect<void, never, CircuitBreakers.CircuitBreakers> }>(
        "circuit-breaker-status"
      )
      const printed: Array<unknown> = []
      const console = yield* Console.consoleWith(Effect.succeed)
      const listening: Console.Console = { ...console, log: (...parts) => Effect.sync(() => printed.push(...parts)) }
      yield* Effect.withConsole(program, listening)
      assert.deepStrictEqual(printed, [
        { serviceName: "openai-coaching", state: "closed", mode: "auto", failures: 0, probesInUse: 0 }
      ])
      const { code } = Markdown.block(page, "circuit-breaker-status")
      for (const part of ["serviceName: 'openai-coaching'", "state: 'closed'", "mode: 'auto'", "failures: 0"]) {
        assert.include(code, part)
      }
    }).pipe(Effect.provide(CircuitBreakers.layer))
  )
})

describe("section 9", () => {
  it("shows the problem that a failing dependency really makes", () => {
    const shown = JSON.parse(Markdown.block(page, "problem").code)
    const error = new DependencyUnavailable({
      service: "stripe",
      detail: "Billing is temporarily unavailable",
      retryAfterSeconds: 12
    })
    const info = { id: shown.requestId, url: shown.instance }
    const made: Record<string, unknown> = JSON.parse(JSON.stringify(Either.getOrThrow(Problem.make(error, info))))
    for (const [member, value] of Object.entries(shown)) assert.deepStrictEqual(made[member], value, member)
  })
})

describe("section 14", () => {
  it.effect("step 1: the circuit breaker of the service opens", () =>
    Effect.gen(function* () {
      const { step1 } = yield* sample<{ step1: Wrapper<CircuitBreakers.CircuitBreakers> }>("step-1")
      const external = yield* service
      for (let n = 0; n < 5; n++) yield* Effect.flip(step1(external.call))
      assert.instanceOf(yield* Effect.flip(step1(external.call)), CircuitOpen)
    }).pipe(Effect.provide(CircuitBreakers.layer))
  )

  it.effect("step 2: the service is asked three times", () =>
    Effect.gen(function* () {
      const { step2 } = yield* sample<{ step2: Wrapper }>("step-2")
      const external = yield* service
      yield* over(step2(external.call), 3000)
      assert.strictEqual(yield* external.calls, 3)
    })
  )

  it.effect("step 3: the error is recorded and still seen by the caller", () =>
    Effect.gen(function* () {
      const { step3 } = yield* sample<{ step3: Wrapper<HealthMonitor.HealthMonitor> }>("step-3")
      const external = yield* service
      yield* Effect.flip(step3(external.call))
      const monitor = yield* HealthMonitor.HealthMonitor
      assert.strictEqual((yield* monitor.getRecentErrors(10, "my-service")).length, 1)
    }).pipe(Effect.provide(watching))
  )

  it.effect("step 4: the fallback answers", () =>
    Effect.gen(function* () {
      const { step4 } = yield* sample<{ step4: Wrapper }>("step-4")
      const external = yield* service
      assert.strictEqual(yield* step4(external.call), "yesterday's forecast")
      yield* external.set(true)
      assert.strictEqual(yield* step4(external.call), "answer")
    })
  )

  it.effect("all four at once: a dependency retries, records, falls back, and is on the list", () =>
    Effect.gen(function* () {
      const { forecast } = yield* sample<{
        forecast: (
          call: Effect.Effect<string, Error>
        ) => Effect.Effect<
          Effect.Effect<string>,
          never,
          | Settings.Settings
          | CircuitBreakers.CircuitBreakers
          | Dependencies.Dependencies
          | HealthMonitor.HealthMonitor
          | Scope.Scope
        >
      }>("dependency")
      const external = yield* service
      const read = yield* forecast(external.call)
      const before = yield* external.calls
      const fiber = yield* Effect.fork(read)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "yesterday's forecast")
      assert.isAtLeast((yield* external.calls) - before, 3)
      const dependencies = yield* Dependencies.Dependencies
      assert.isTrue(Option.isSome(yield* dependencies.get("weather")))
      const monitor = yield* HealthMonitor.HealthMonitor
      assert.strictEqual((yield* monitor.getRecentErrors(10, "weather")).length, 1)
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(watching, Layer.orDie(Settings.layerFrom({})))))
  )
})
