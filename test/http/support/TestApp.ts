/**
 * A small API on a real server: one route for every kind of answer.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ErrorLog from "../../../src/health/ErrorLog.js"
import * as BodyLimit from "../../../src/http/BodyLimit.js"
import { CurrentRequest } from "../../../src/http/CurrentRequest.js"
import * as Documentation from "../../../src/http/Documentation.js"
import type * as Drain from "../../../src/http/Drain.js"
import * as Envelope from "../../../src/http/Envelope.js"
import * as HttpApiRoutes from "../../../src/http/HttpApiRoutes.js"
import {
  DependencyUnavailable,
  dependencyUnavailable,
  MalformedBody,
  NotFound,
  RateLimitExceeded
} from "../../../src/http/HttpErrors.js"
import * as Identity from "../../../src/http/Identity.js"
import * as Lifecycle from "../../../src/http/Lifecycle.js"
import * as OperatorAccess from "../../../src/http/OperatorAccess.js"
import * as Probes from "../../../src/http/Probes.js"
import * as RateLimitGroups from "../../../src/http/RateLimitGroups.js"
import * as Server from "../../../src/http/Server.js"
import { withResilience } from "../../../src/http/WithResilience.js"
import * as CircuitBreakers from "../../../src/resilience/CircuitBreakers.js"
import * as Deadline from "../../../src/resilience/Deadline.js"
import { KeyedRateLimiters, type RateLimitConfig } from "../../../src/resilience/KeyedRateLimiter.js"
import { RequestId } from "../../../src/telemetry/RequestContext.js"
import * as RateLimitStore from "../../../src/resilience/RateLimitStore.js"

export class PlanLimitReached extends Schema.TaggedError<PlanLimitReached>()(
  "PlanLimitReached",
  { plans: Schema.Array(Schema.String) },
  HttpApiSchema.annotations({ status: 402 })
) {
  readonly code = "plan-limit"
  override get message(): string {
    return "The free plan is used up"
  }
}

export class BrokenError extends Schema.TaggedError<BrokenError>()(
  "BrokenError",
  { count: Schema.Number.pipe(Schema.positive()) },
  HttpApiSchema.annotations({ status: 409 })
) {}

export class Flake extends Schema.TaggedError<Flake>()(
  "Flake",
  { attempt: Schema.Number },
  HttpApiSchema.annotations({ status: 502 })
) {}

const Item = Schema.Struct({ id: Schema.String, size: Schema.Number })

const id = HttpApiSchema.param("id", Schema.String)

const items = HttpApiGroup.make("items")
  .add(HttpApiEndpoint.get("read")`/api/items/${id}`.addSuccess(Item).addError(NotFound))
  .add(
    HttpApiEndpoint.post("create", "/api/items")
      .setPayload(Schema.Struct({ name: Schema.String, size: Schema.Number }))
      .addSuccess(Item, { status: 201 })
      .addError(PlanLimitReached)
      .addError(BrokenError)
  )
  .add(
    HttpApiEndpoint.get("search", "/api/search")
      .setUrlParams(Schema.Struct({ limit: Schema.NumberFromString }))
      .addSuccess(Schema.Number)
  )
  .add(HttpApiEndpoint.get("nonsense", "/api/nonsense").addSuccess(Item))
  .add(HttpApiEndpoint.get("crash", "/api/crash").addSuccess(Item))
  .add(HttpApiEndpoint.get("needy", "/api/needy").addSuccess(Item))
  .add(HttpApiEndpoint.get("slow", "/api/slow").addSuccess(Schema.Void))
  .add(HttpApiEndpoint.post("write", "/api/write").addSuccess(Schema.String))
  .add(HttpApiEndpoint.post("raw", "/api/raw").addSuccess(Schema.Number).addError(MalformedBody))
  .add(HttpApiEndpoint.get("limited", "/api/limited").addSuccess(Schema.String))
  .add(HttpApiEndpoint.get("flaky", "/api/flaky").addSuccess(Schema.Number).addError(Flake))
  .add(HttpApiEndpoint.get("fragile", "/api/fragile").addSuccess(Schema.Number))
  .addError(DependencyUnavailable)
  .addError(RateLimitExceeded)

const mine = HttpApiGroup.make("mine")
  .add(HttpApiEndpoint.get("me", "/api/me").addSuccess(Schema.Struct({ id: Schema.String })))
  .middleware(Identity.Authentication)

const operations = HttpApiGroup.make("operations")
  .add(HttpApiEndpoint.get("status", "/api/status").addSuccess(Schema.String).middleware(OperatorAccess.OperatorRead))
  .add(
    HttpApiEndpoint.post("command", "/api/command").addSuccess(Schema.String).middleware(OperatorAccess.OperatorCommand)
  )

export class Api extends HttpApi.make("test").add(items).add(mine).add(operations) {}

/** What tests look at and turn. */
export interface Probe {
  readonly events: Array<string>
  attempts: number
  slowFor: Duration.DurationInput
  /** What the slow route was told about the request's deadline. */
  timeLeft?: Duration.Duration
  fail: boolean
}

export class TestProbe extends Context.Tag("test/Probe")<TestProbe, Probe>() {}

const loose = { rateLimitConfig: "READ" } as const

const itemHandlers = HttpApiRoutes.group(Api, "items", (handlers) =>
  Effect.map(TestProbe, (probe) =>
    handlers
      .handle(
        "read",
        withResilience(
          ({ path }) =>
            path.id === "none"
              ? Effect.fail(new NotFound({ detail: "No such item" }))
              : Effect.succeed({ id: path.id, size: 1 }),
          loose
        )
      )
      .handle(
        "create",
        withResilience(({ payload }): Effect.Effect<typeof Item.Type, PlanLimitReached | BrokenError> => {
          if (payload.name === "plan") return Effect.fail(new PlanLimitReached({ plans: ["starter"] }))
          // An error that breaks its own schema: made without the check that the constructor does.
          if (payload.name === "broken") return Effect.fail(new BrokenError({ count: -1 }, { disableValidation: true }))
          return Effect.succeed({ id: payload.name, size: payload.size })
        }, loose)
      )
      .handle(
        "search",
        withResilience(({ urlParams }) => Effect.succeed(urlParams.limit), loose)
      )
      // What a mistake in the program looks like: the type says number, the value is a string.
      .handle(
        "nonsense",
        withResilience(() => Effect.succeed({ id: "a", size: "<secret>" as unknown as number }), loose)
      )
      .handle(
        "crash",
        withResilience(
          () =>
            Effect.sync((): typeof Item.Type => {
              throw new Error("password=hunter2")
            }),
          loose
        )
      )
      .handle(
        "needy",
        withResilience(() => Effect.fail(dependencyUnavailable("database")), loose)
      )
      .handle(
        "slow",
        withResilience(
          () =>
            Effect.map(Deadline.remaining, (left) => {
              probe.timeLeft = left
            }).pipe(
              Effect.zipRight(Effect.sleep(probe.slowFor)),
              Effect.onExit((exit) =>
                Effect.sync(() => {
                  probe.events.push(`slow ${exit._tag}`)
                })
              )
            ),
          loose
        )
      )
      .handle(
        "write",
        withResilience(
          () =>
            Effect.uninterruptible(
              Effect.sleep(probe.slowFor).pipe(
                Effect.tap(() => {
                  probe.events.push("written")
                }),
                Effect.as("written")
              )
            ),
          loose
        )
      )
      .handleRaw(
        "raw",
        withResilience(
          ({ request }) => Effect.map(BodyLimit.bytes(request), (body) => HttpServerResponse.unsafeJson(body.length)),
          loose
        )
      )
      .handle(
        "limited",
        withResilience(() => Effect.succeed("ok"), { rateLimitConfig: "TINY" })
      )
      .handle(
        "flaky",
        withResilience(
          () =>
            Effect.suspend(() => {
              probe.attempts += 1
              return probe.attempts < 3
                ? Effect.fail(new Flake({ attempt: probe.attempts }))
                : Effect.succeed(probe.attempts)
            }),
          { ...loose, enableRetry: true, idempotent: true, retryOptions: { initialDelay: "1 millis" } }
        )
      )
      .handle(
        "fragile",
        withResilience(
          () =>
            Effect.suspend(() => {
              probe.attempts += 1
              return probe.fail ? Effect.die(new Error("fragile")) : Effect.succeed(probe.attempts)
            }),
          { ...loose, enableCircuitBreaker: true, circuitBreakerService: "fragile" }
        )
      )
  )
)

const mineHandlers = HttpApiRoutes.group(Api, "mine", (handlers) =>
  handlers.handle(
    "me",
    withResilience(() => Identity.CurrentUser, { rateLimitConfig: "READ" })
  )
)

const operationHandlers = HttpApiRoutes.group(Api, "operations", (handlers) =>
  handlers
    .handle(
      "status",
      withResilience(() => Effect.succeed("fine"), loose)
    )
    .handle(
      "command",
      withResilience(() => Effect.succeed("done"), loose)
    )
)

const streams = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpLayerRouter.HttpRouter
    const probe = yield* TestProbe
    const lifecycle = yield* Lifecycle.Lifecycle
    const beats = Stream.make(":\n\n").pipe(
      Stream.concat(Stream.repeatEffectWithSchedule(Effect.succeed(": beat\n\n"), Schedule.spaced("50 millis"))),
      Stream.ensuring(
        Effect.sync(() => {
          probe.events.push("stream ended")
        })
      )
    )
    yield* router.add(
      "GET",
      "/events",
      Effect.succeed(
        HttpServerResponse.stream(
          Stream.provideService(Lifecycle.endOnDrain(beats), Lifecycle.Lifecycle, lifecycle).pipe(
            Stream.concat(Stream.make("event: bye\ndata: draining\n\n")),
            Stream.encodeText
          ),
          { contentType: "text/event-stream" }
        )
      )
    )
    yield* router.add(
      "GET",
      "/endless",
      Effect.succeed(HttpServerResponse.stream(Stream.encodeText(beats), { contentType: "text/plain" }))
    )
    yield* router.add(
      "GET",
      "/who",
      Effect.zipWith(CurrentRequest, RequestId, ({ clientAddress, id }, logged) =>
        HttpServerResponse.unsafeJson({ clientAddress, id, logged })
      )
    )
    yield* router.prefixed("/v1").add(
      "GET",
      "/hello",
      withResilience(() => Effect.succeed(HttpServerResponse.text("hello")), loose)
    )
  })
)

export interface Options {
  readonly envelope?: Envelope.Options
  readonly server?: Partial<Server.Options>
  readonly drain?: Drain.Options
  readonly identity?: Identity.Mode
  readonly operator?: OperatorAccess.Options
  /** Off by default: the page is three megabytes. */
  readonly docs?: boolean
  readonly limits?: Readonly<Record<string, RateLimitConfig>>
}

const services = (options: Options) =>
  Layer.mergeAll(
    RateLimitGroups.layer({
      READ: { limit: 1000, window: "1 minute" },
      TINY: { limit: 2, window: "1 minute" },
      ...options.limits
    }).pipe(Layer.provide(KeyedRateLimiters.layer), Layer.provide(RateLimitStore.layerMemory)),
    Layer.effect(ErrorLog.ErrorLog, ErrorLog.make()),
    Lifecycle.layer,
    CircuitBreakers.layer,
    Identity.layer(options.identity ?? { _tag: "Loopback" }),
    OperatorAccess.layer(options.operator ?? { adminToken: Redacted.make("admin-token"), loopback: false }),
    Layer.sync(TestProbe, (): Probe => ({ events: [], attempts: 0, slowFor: "30 seconds", fail: true }))
  )

/** The whole application; listens on a free port of the loopback address. */
export const layer = (options: Options = {}) =>
  Server.serve(
    Layer.mergeAll(
      HttpApiRoutes.addHttpApi(Api).pipe(
        Layer.provide(itemHandlers),
        Layer.provide(mineHandlers),
        Layer.provide(operationHandlers)
      ),
      options.docs === true ? Documentation.layer(Api) : Layer.empty,
      Probes.layer,
      streams
    ).pipe(Layer.provideMerge(Envelope.layer(options.envelope))),
    options.drain
  ).pipe(
    Layer.provideMerge(Server.layer({ host: "127.0.0.1", port: 0, ...options.server })),
    Layer.provideMerge(services(options))
  )

export interface App {
  readonly url: string
  readonly port: number
  readonly probe: Probe
  readonly context: Context.Context<Layer.Layer.Success<ReturnType<typeof layer>>>
}

/** The port that an application listens on. */
export const portOf = (context: App["context"]): number => {
  const { address } = Context.get(context, HttpServer.HttpServer)
  return address._tag === "TcpAddress" ? address.port : 0
}

/** Starts the application in the current scope. */
export const start = (options: Options = {}) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(layer(options))
    const url = yield* Effect.provide(Server.address, context)
    const app: App = { url, port: portOf(context), probe: Context.get(context, TestProbe), context }
    return app
  })

/** Runs a test against an application of its own, without log lines. */
export const withApp = <A>(use: (app: App) => Effect.Effect<A, never, Scope.Scope>, options?: Options) =>
  Effect.scoped(Effect.flatMap(start(options), use)).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
