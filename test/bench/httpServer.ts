/** A process that serves one route twice: as it is, and behind the full policy. Sends its port. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import { makePolicy } from "./policies.js"

const Plan = Schema.Struct({ id: Schema.String, priceCents: Schema.Number })

const Plans = HttpApiGroup.make("plans")
  .add(HttpApiEndpoint.get("bare", "/bare").addSuccess(Plan))
  .add(HttpApiEndpoint.get("protected", "/protected").addSuccess(Plan))
const Api = HttpApi.make("bench").add(Plans)

const Handlers = HttpApiBuilder.group(Api, "plans", (handlers) =>
  Effect.gen(function* () {
    const policy = yield* Effect.orDie(makePolicy(1_000))
    const plan = Effect.sync(() => ({ id: "team", priceCents: 4_900 }))
    return handlers
      .handle("bare", () => plan)
      .handle("protected", () => Effect.orDie(policy.protect(plan, { idempotent: true })))
  })
)

const tellPort = HttpServer.addressWith((address) =>
  Effect.sync(() => process.send!(address._tag === "TcpAddress" ? address.port : 0))
)

// Nobody is left to serve.
process.once("disconnect", () => process.exit(1))

HttpApiBuilder.serve().pipe(
  Layer.merge(Layer.effectDiscard(tellPort)),
  Layer.provide(Layer.provide(HttpApiBuilder.api(Api), Handlers)),
  Layer.provide(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
  Layer.launch,
  NodeRuntime.runMain
)
