import { assert, describe, it } from "vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import * as ServerSettings from "../../src/cli/ServerSettings.js"
import * as Variables from "../../src/resilience/Variables.js"
import * as Settings from "../../src/dependencies/Settings.js"
import * as Logging from "../../src/telemetry/Logging.js"
import { environment, root } from "../support/Server.js"
import * as Markdown from "./support/Markdown.js"
import * as Samples from "./support/Samples.js"

const readme = Markdown.read("README.md")

const pages = [
  "README.md",
  "CHANGELOG.md",
  ...readdirSync(join(root, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`)
].map(Markdown.read)

const isPicture = (file: string): boolean => /\.(png|svg|jpg)$/.test(file)

describe("links and names", () => {
  it.each(pages.map((page) => [page.path, page] as const))("in %s lead to a file and a heading", (_, page) => {
    for (const { anchor, file } of Markdown.links(page).filter((link) => !isPicture(link.file))) {
      assert.isTrue(existsSync(join(root, file)), `${page.path} links to ${file}`)
      if (anchor !== undefined) {
        assert.isTrue(Markdown.anchors(Markdown.read(file)).has(anchor), `${page.path} links to ${file}#${anchor}`)
      }
    }
  })

  it("to pictures lead to files", () => {
    const pictures = pages.flatMap((page) => Markdown.links(page).filter(({ file }) => isPicture(file)))
    assert.isAbove(pictures.length, 0)
    for (const { file } of pictures) assert.isTrue(existsSync(join(root, file)), file)
  })

  it("of metrics are ours", () => {
    const metrics = Samples.fileOf("src/telemetry/Metrics.ts")
    for (const page of pages) {
      const named = Markdown.codes(page.text).filter((code) => code.startsWith("dialdrill_"))
      for (const name of named) assert.include(metrics, `"${name}"`, page.path)
    }
  })

  it("of files between backticks are those of files that are there", () => {
    for (const page of pages) {
      const paths = Markdown.codes(page.text).filter((code) => /^(src|test|docs)(\/[\w.-]+)+$/.test(code))
      for (const path of paths) assert.isTrue(existsSync(join(root, path)), `${page.path} names ${path}`)
    }
  })
})

describe("configuration", () => {
  const [general = [], policies = []] = splitTables(Markdown.section(readme, "Configuration"))
  const documented = new Map(general.map(([name = "", value = "", meaning = ""]) => [bare(name), { value, meaning }]))
  const prefixes = ["OPENAI", "ELEVENLABS", "STRIPE", "DATABASE", "REDIS"] as const

  /** The variables that the code asks for, found by watching it ask. */
  const asked = async (): Promise<ReadonlySet<string>> => {
    const names = new Set<string>()
    const given: Record<string, string> = { ALERT_WEBHOOK_URL: "https://hooks.example.com" }
    const variables = new Proxy(given, {
      get: (target, name) => {
        names.add(String(name))
        return target[String(name)]
      }
    })
    await Effect.runPromise(Effect.zip(ServerSettings.make(variables), Settings.make(variables)))
    const provider = ConfigProvider.fromMap(new Map())
    const watched = ConfigProvider.fromFlat({
      ...provider.flattened,
      load: (path, primitive, split) => {
        names.add(path.join("_"))
        return provider.flattened.load(path, primitive, split)
      }
    })
    await Effect.runPromise(Effect.withConfigProvider(Logging.config, watched))
    return names
  }

  it("names every variable that the code reads, and no other", async () => {
    const families = policies.flatMap(([suffix = ""]) => prefixes.map((prefix) => `${prefix}${bare(suffix)}`))
    const names = [...documented.keys()].filter((name) => name !== "STRIPE_PRICE_<PLAN>")
    const shown = new Set([...names, ...families])
    const read = await asked()
    assert.deepStrictEqual(
      { missing: [...read].filter((name) => !shown.has(name)), invented: [...shown].filter((name) => !read.has(name)) },
      { missing: [], invented: [] }
    )
  })

  it("gives the defaults that the code has", async () => {
    const server = await Effect.runPromise(ServerSettings.make({}))
    const settings = await Effect.runPromise(Settings.make({}))
    const logging = await Effect.runPromise(
      Effect.withConfigProvider(Logging.config, ConfigProvider.fromMap(new Map<string, string>()))
    )
    const rate = (name: "CALLS" | "COACHING" | "BILLING" | "READ") => {
      const shown = Variables.parseRate(bare(documented.get(`RATE_LIMIT_${name}`)!.value))!
      const { limit, window } = server.rateLimits[name]
      assert.deepStrictEqual([shown.limit, Duration.toMillis(shown.interval)], [limit, Duration.toMillis(window)], name)
    }
    for (const name of ["CALLS", "COACHING", "BILLING", "READ"] as const) rate(name)
    const defaults: Record<string, unknown> = {
      PORT: server.port,
      HOST: server.host,
      PUBLIC_URL: server.publicUrl ?? "where the server listens",
      DATABASE_URL: server.databaseUrl,
      DATA_DIR: server.dataDir,
      REDIS_URL: server.redisUrl,
      OPENAI_API_KEY: settings.openai.key,
      OPENAI_BASE_URL: settings.openai.baseUrl,
      OPENAI_MODEL: settings.openai.model,
      OPENAI_API: settings.openai.api,
      ELEVENLABS_API_KEY: settings.elevenlabs.key,
      ELEVENLABS_AGENT_ID: settings.elevenlabs.agentId,
      ELEVENLABS_BASE_URL: settings.elevenlabs.baseUrl,
      STRIPE_SECRET_KEY: settings.stripe.key,
      STRIPE_BASE_URL: settings.stripe.baseUrl,
      STRIPE_WEBHOOK_SECRET: settings.stripe.webhookSecret,
      "STRIPE_PRICE_<PLAN>": settings.stripe.prices["pro"],
      AUTH_JWKS_URL: server.identity._tag === "Jwks" ? server.identity.url : undefined,
      AUTH_JWT_SECRET: server.identity._tag === "Secret" ? server.identity.secret : undefined,
      ADMIN_TOKEN: server.adminToken,
      TRUSTED_PROXY_HOPS: server.trustedProxyHops,
      SHUTDOWN_GRACE: Variables.format(server.shutdownGrace),
      ALERT_WEBHOOK_URL: server.alertWebhook,
      ALERT_WEBHOOK_SECRET: server.alertWebhook?.secret,
      LOG_FORMAT: logging.format,
      LOG_LEVEL: logging.level?.label.toLowerCase(),
      NODE_ENV: server.production ? "production" : "development"
    }
    for (const [name, { value }] of documented) {
      if (!name.startsWith("RATE_LIMIT_")) assert.strictEqual(bare(value), String(defaults[name] ?? "none"), name)
    }
  })

  it("gives the defaults of every policy", async () => {
    const settings = await Effect.runPromise(Settings.make({}))
    const of = (policy: Settings.PolicySettings): Record<string, string> => ({
      _ATTEMPT_TIMEOUT: inWords(policy.attemptTimeout),
      _DEADLINE: inWords(policy.deadline),
      _RETRY_MAX_ATTEMPTS: String(policy.retry.maxAttempts),
      // Without a second attempt nothing is waited for; the delay is what it would be with one.
      _RETRY_INITIAL_DELAY: inWords(policy.retry.initialDelay),
      _RETRY_MAX_DELAY: inWords(policy.retry.maxDelay),
      _RETRY_BACKOFF_MULTIPLIER: String(policy.retry.backoffMultiplier),
      _CIRCUIT_FAILURE_THRESHOLD: String(policy.circuit.failureThreshold),
      _CIRCUIT_RESET_TIMEOUT: inWords(policy.circuit.resetTimeout),
      _CIRCUIT_HALF_OPEN_MAX_CALLS: String(policy.circuit.halfOpenMaxCalls),
      _MAX_CONCURRENT: String(policy.maxConcurrent ?? "none"),
      _RATE_LIMIT: policy.rateLimit === undefined ? "none" : "some",
      _PROBE_INTERVAL: inWords(policy.probeInterval)
    })
    const columns = [
      settings.openai.policy,
      settings.elevenlabs.policy,
      settings.stripe.policy,
      settings.database,
      settings.redis
    ].map(of)
    for (const [suffix = "", ...cells] of policies) {
      assert.deepStrictEqual(
        cells.slice(0, columns.length),
        columns.map((column) => column[bare(suffix)] ?? "unknown"),
        suffix
      )
    }
    assert.strictEqual(policies.length, Object.keys(columns[0]!).length)
  })

  it("takes what it says is an example", async () => {
    const server = await Effect.runPromise(
      ServerSettings.make({ DATABASE_URL: "postgres://user@127.0.0.1/dialdrill", RATE_LIMIT_CALLS: "60/1m" })
    )
    assert.strictEqual(Redacted.value(server.databaseUrl!), "postgres://user@127.0.0.1/dialdrill")
    assert.strictEqual(server.rateLimits.CALLS.limit, 60)
    for (const text of ["2 seconds", "2s", "500ms"]) assert.isDefined(Variables.parseDuration(text), text)
    const { openai } = await Effect.runPromise(Settings.make({ OPENAI_DEADLINE: "30s" }))
    assert.strictEqual(Duration.toSeconds(openai.policy.deadline), 30)
  })

  function splitTables(section: string): ReadonlyArray<ReadonlyArray<ReadonlyArray<string>>> {
    return section
      .split("\n\n")
      .filter((paragraph) => paragraph.startsWith("|"))
      .map(Markdown.rows)
  }
})

const bare = (cell: string): string => cell.replaceAll("`", "")

const inWords = (duration: Duration.Duration): string => {
  const millis = Duration.toMillis(duration)
  return millis % 1000 === 0 ? `${millis / 1000}s` : `${millis}ms`
}

describe("the first example", () => {
  it("prints the answer that came at the third attempt", { timeout: 60_000 }, async () => {
    let requests = 0
    const service = createServer((incoming, response) => {
      requests += 1
      if (requests < 3) incoming.socket.destroy()
      else response.end("sunny")
    })
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve))
    const { port } = service.address() as AddressInfo
    const code = Markdown.block(readme, "readme").code.replaceAll(":8080", `:${port}`)
    const sample = Samples.place({ path: "example.ts", code })
    try {
      const run = promisify(execFile)
      const { stdout } = await run(process.execPath, ["--import", "tsx", sample.file], {
        cwd: root,
        env: environment({})
      })
      assert.strictEqual(stdout, "sunny\n")
      assert.strictEqual(requests, 3)
    } finally {
      sample.remove()
      service.close()
    }
  })
})
