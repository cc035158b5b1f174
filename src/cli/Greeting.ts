/**
 * What a start prints: where everything is, and a line for each dependency that says whether it is configured and what
 * happens without it. For people, on standard output, whatever the log level is.
 */
import type * as HttpServer from "@effect/platform/HttpServer"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { Dependencies, type Dependency } from "../dependencies/Dependencies.js"
import * as Server from "../http/Server.js"
import { SqlPool } from "../sql/Pool.js"
import type { ServerSettings } from "./ServerSettings.js"

/** Where users reach the server; empty until it listens, unless `PUBLIC_URL` says it. */
export class Address extends Context.Tag("@dialdrill/selfheal/cli/Address")<Address, Ref.Ref<string>>() {}

const lineOf = (dependency: Dependency): string => {
  const name = dependency.name.padEnd(12)
  if (dependency.configured) return `${name}configured`
  return `${name}not configured${dependency.fallback === undefined ? "" : `: ${dependency.fallback}`}`
}

export const layer = (
  settings: ServerSettings
): Layer.Layer<never, never, Address | Dependencies | SqlPool | HttpServer.HttpServer> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const listening = yield* Server.address
      const address = yield* Address
      yield* Ref.update(address, (known) => (known === "" ? listening : known))
      const dependencies = yield* (yield* Dependencies).all
      const { kind } = yield* SqlPool
      const database = kind === "server" ? "PostgreSQL at DATABASE_URL" : `embedded, in ${settings.dataDir}`
      const lines = [
        "",
        `  DialDrill      ${listening}`,
        `  documentation  ${listening}/docs`,
        `  health         ${listening}/api/health?detailed=true`,
        "",
        `  ${"database".padEnd(12)}${database}`,
        ...dependencies.filter(({ name }) => name !== "database").map((dependency) => `  ${lineOf(dependency)}`),
        ""
      ]
      // The console does not mind a reader that has gone; the stream itself would end the process.
      yield* Console.log(lines.join("\n"))
    })
  )
