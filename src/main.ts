/**
 * The DialDrill server: the one place where everything is wired. Read from the bottom up: settings, then what watches,
 * then what is depended on, then the features, then the routes, then the server that is started last and stopped first.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { fileURLToPath } from "node:url"
import * as Greeting from "./cli/Greeting.js"
import * as Process from "./cli/Process.js"
import * as ServerSettings from "./cli/ServerSettings.js"
import * as StartupError from "./cli/StartupError.js"
import * as Database from "./dependencies/Database.js"
import * as Dependencies from "./dependencies/Dependencies.js"
import * as ElevenLabs from "./dependencies/ElevenLabs.js"
import * as OpenAi from "./dependencies/OpenAi.js"
import * as Redis from "./dependencies/Redis.js"
import * as Settings from "./dependencies/Settings.js"
import * as Stripe from "./dependencies/Stripe.js"
import { DialDrillApi } from "./dialdrill/Api.js"
import * as Billing from "./dialdrill/billing/Billing.js"
import { PublicUrl } from "./dialdrill/billing/PublicUrl.js"
import * as Calls from "./dialdrill/calls/Calls.js"
import * as Voice from "./dialdrill/calls/Voice.js"
import * as Coach from "./dialdrill/coaching/Coach.js"
import * as CoachingService from "./dialdrill/coaching/CoachingService.js"
import { migrations } from "./dialdrill/Migrations.js"
import * as Pages from "./dialdrill/Pages.js"
import * as Routes from "./dialdrill/Routes.js"
import * as Writes from "./dialdrill/Writes.js"
import * as Alerts from "./health/Alerts.js"
import * as ErrorLog from "./health/ErrorLog.js"
import * as HealthMonitor from "./health/HealthMonitor.js"
import * as Documentation from "./http/Documentation.js"
import * as Envelope from "./http/Envelope.js"
import * as Identity from "./http/Identity.js"
import * as Lifecycle from "./http/Lifecycle.js"
import * as Loopback from "./http/Loopback.js"
import * as OperatorAccess from "./http/OperatorAccess.js"
import * as Probes from "./http/Probes.js"
import * as RateLimitGroups from "./http/RateLimitGroups.js"
import * as Server from "./http/Server.js"
import * as RedisRateLimitStore from "./redis/RedisRateLimitStore.js"
import * as CircuitBreakers from "./resilience/CircuitBreakers.js"
import { KeyedRateLimiters } from "./resilience/KeyedRateLimiter.js"
import * as RateLimitStore from "./resilience/RateLimitStore.js"
import * as SqlClient from "./sql/Client.js"
import type { DatabaseError } from "./sql/DatabaseError.js"
import type { DataDirectoryUnavailable } from "./sql/DataDirLock.js"
import * as Embedded from "./sql/Embedded.js"
import * as Migrations from "./sql/Migrations.js"
import * as Pool from "./sql/Pool.js"
import * as Logging from "./telemetry/Logging.js"

/** Readiness waits this long at most for the first try to reach and migrate the database. */
const firstTry = "15 seconds"

/** Longer than the 60 seconds that proxies keep theirs, so that it is never we who close one that is about to be used. */
const keepAliveTimeout = "65 seconds"

const application = (settings: ServerSettings.ServerSettings) => {
  const watching = Layer.mergeAll(
    HealthMonitor.layerWith({}).pipe(Layer.provideMerge(ErrorLog.layerWith({ stacks: !settings.production }))),
    CircuitBreakers.layer,
    Dependencies.layer,
    Lifecycle.layer
  )

  const pool: Layer.Layer<Pool.SqlPool, DataDirectoryUnavailable | DatabaseError> =
    settings.databaseUrl === undefined
      ? Embedded.layer({ directory: settings.dataDir })
      : Pool.layer({ url: settings.databaseUrl, applicationName: "dialdrill" })
  const database = Database.layer.pipe(
    Layer.provideMerge(Migrations.layer({ migrations })),
    Layer.provideMerge(SqlClient.layer),
    Layer.provideMerge(pool)
  )
  const dependencies = Layer.mergeAll(OpenAi.layer, ElevenLabs.layer, Stripe.layer, database)

  const store =
    settings.redisUrl === undefined
      ? RateLimitStore.layerMemory
      : RedisRateLimitStore.layer.pipe(Layer.provide(Redis.layer({ url: settings.redisUrl })))
  const limits = RateLimitGroups.layer(settings.rateLimits).pipe(
    Layer.provideMerge(KeyedRateLimiters.layer),
    Layer.provide(store)
  )

  const publicUrl = Layer.effect(Greeting.Address, Ref.make(settings.publicUrl ?? "")).pipe((address) =>
    Layer.merge(address, Layer.provide(Layer.effect(PublicUrl, Effect.map(Greeting.Address, Ref.get)), address))
  )

  const features = Layer.mergeAll(Calls.layer, CoachingService.layer, Billing.layer).pipe(
    Layer.provide(Layer.mergeAll(Voice.layer, Coach.layer, Writes.layer)),
    Layer.provideMerge(publicUrl)
  )

  const access = Layer.merge(
    Identity.layer(settings.identity),
    OperatorAccess.layer({ adminToken: settings.adminToken, loopback: Loopback.isLoopback(settings.host) })
  )

  const pages = Layer.unwrapEffect(
    Effect.map(Settings.Settings, ({ elevenlabs }) =>
      Pages.layer({
        directory: fileURLToPath(new URL("./web/practice", import.meta.url)),
        voiceBaseUrl: new URL(elevenlabs.baseUrl)
      })
    )
  )
  const routes = Layer.mergeAll(Routes.layer, Documentation.layer(DialDrillApi), Probes.layer, pages).pipe(
    Layer.provide(
      Envelope.layer({
        trustedProxyHops: settings.trustedProxyHops,
        showStack: !settings.production,
        // Where a token says who asks, a page of another site has none.
        guard: settings.identity._tag === "Loopback" ? Loopback.guard(settings.publicUrl) : undefined
      })
    )
  )

  const readiness = Layer.scopedDiscard(
    Effect.gen(function* () {
      const { tried } = yield* Migrations.Migrations
      const lifecycle = yield* Lifecycle.Lifecycle
      yield* Effect.forkScoped(Effect.zipRight(Effect.timeoutOption(tried, firstTry), lifecycle.started))
    })
  )

  const alerts =
    settings.alertWebhook === undefined
      ? Layer.empty
      : Layer.scopedDiscard(
          Effect.gen(function* () {
            const { watch } = yield* Alerts.Alerts
            const all = yield* (yield* Dependencies.Dependencies).all
            yield* Effect.forEach(all, ({ breaker }) => watch(breaker.changes), { discard: true })
          })
        ).pipe(Layer.provide(Alerts.layerWith(settings.alertWebhook)), Layer.provide(NodeHttpClient.layerUndici))

  return Layer.mergeAll(Greeting.layer(settings), readiness, alerts).pipe(
    Layer.provideMerge(Server.serve(routes, { grace: settings.shutdownGrace })),
    Layer.provideMerge(Server.layer({ host: settings.host, port: settings.port, keepAliveTimeout })),
    Layer.provide(access),
    Layer.provide(limits),
    Layer.provide(features),
    Layer.provide(dependencies),
    Layer.provide(watching),
    Layer.provide(Settings.layer),
    Layer.provide(Logging.layer),
    Layer.provide(NodeContext.layer)
  )
}

const program = Effect.gen(function* () {
  const settings = yield* ServerSettings.make(process.env)
  return yield* Layer.launch(application(settings))
})

Process.run(Effect.mapError(program, StartupError.from))
