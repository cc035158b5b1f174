/**
 * The built server as a process of its own with all three upstreams standing in for it in the test's process, and the
 * requests that a user or an operator makes.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { join } from "node:path"
import * as ElevenLabsStandIn from "../../../src/drill/standins/ElevenLabsStandIn.js"
import * as OpenAiStandIn from "../../../src/drill/standins/OpenAiStandIn.js"
import * as StripeStandIn from "../../../src/drill/standins/StripeStandIn.js"
import { copyInto } from "../../support/Cluster.js"
import { ready, request, startServer, temporary, type Reply, type RunningServer } from "../../support/Server.js"

interface StandIns {
  readonly openai: OpenAiStandIn.OpenAiStandIn
  readonly elevenlabs: ElevenLabsStandIn.ElevenLabsStandIn
  readonly stripe: StripeStandIn.StripeStandIn
}

export interface App extends StandIns {
  readonly server: RunningServer
  readonly url: string
  /** A user whom no other test knows. */
  readonly user: () => User
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Reply>
  readonly close: () => Promise<void>
}

/** One who has a name, and asks for things under it. */
export interface User {
  readonly name: string
  readonly get: (path: string) => Promise<Reply>
  /** Sends no body when none is given. */
  readonly post: (path: string, body?: unknown) => Promise<Reply>
  /** Starts a call and fails when that fails. */
  readonly start: (personality?: string) => Promise<Reply["body"]>
  /** A call that is completed with the transcript, so that it can be coached. */
  readonly completed: (transcript?: ReadonlyArray<object>) => Promise<Reply["body"]>
}

/** Generous, because the machine may be busy with other suites and the embedded database compiles itself first. */
export const startLimit = 240_000

export const run = <A>(effect: Effect.Effect<A>): Promise<A> => Effect.runPromise(effect)

/** A call with something to say about each part of it. */
export const transcript = [
  { role: "agent", text: "Hello, this is Maya." },
  {
    role: "user",
    text: "Hi Maya, this is Sam from Acme. I am calling because teams like yours lose hours on reports. Do you have two minutes?"
  },
  { role: "agent", text: "Go on." },
  { role: "user", text: "How do you build your reports today, and what does that cost you each week?" },
  { role: "agent", text: "By hand. It takes a day. But I think you are too expensive." },
  {
    role: "user",
    text: "I understand that the price matters. What would a day each week be worth to you? Shall we meet on Tuesday at ten?"
  },
  { role: "agent", text: "Tuesday works." }
] as const

export const userOf = (url: string, name: string, headers: Record<string, string> = { "x-user-id": name }): User => {
  const post: User["post"] = (path, body) =>
    request(url, path, { method: "POST", headers, ...(body === undefined ? {} : { body }) })
  const start: User["start"] = async (personality) => {
    const reply = await post("/api/calls", personality === undefined ? {} : { personality })
    if (reply.status !== 201) throw new Error(`No call: ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.body
  }
  return {
    name,
    get: (path) => request(url, path, { headers }),
    post,
    start,
    completed: async (said = transcript) => {
      const call = await start()
      const reply = await post(`/api/calls/${call.id}/complete`, { transcript: said })
      if (reply.status !== 200) throw new Error(`Not completed: ${reply.status} ${JSON.stringify(reply.body)}`)
      return call
    }
  }
}

/** Keys for the stand-ins, in the form of real ones. */
export const configured = ({ elevenlabs, openai, stripe }: StandIns): Record<string, string> => ({
  OPENAI_API_KEY: "sk-test-0123456789",
  OPENAI_BASE_URL: openai.baseUrl,
  ELEVENLABS_API_KEY: "xi-0123456789",
  ELEVENLABS_AGENT_ID: "agent_1",
  ELEVENLABS_BASE_URL: elevenlabs.baseUrl,
  STRIPE_SECRET_KEY: "sk_test_0123456789",
  STRIPE_BASE_URL: stripe.baseUrl,
  STRIPE_WEBHOOK_SECRET: stripe.webhookSecret
})

/** Starts stand-ins and server; `env` gets the stand-ins first. `waits` is whether the database has to be there. */
export const start = async (env: Record<string, string> = {}, waits = true): Promise<App> => {
  const scope = await run(Scope.make())
  const standIn = <A>(make: Effect.Effect<A, never, Scope.Scope>): Promise<A> => run(Scope.extend(make, scope))
  const standIns: StandIns = {
    openai: await standIn(OpenAiStandIn.make()),
    elevenlabs: await standIn(ElevenLabsStandIn.make()),
    stripe: await standIn(StripeStandIn.make())
  }
  const folder = await temporary()
  const data = join(folder.path, "data")
  if (env["DATABASE_URL"] === undefined) await copyInto(data)
  const server = await startServer({ ...configured(standIns), DATA_DIR: data, ...env })
  const close = async (): Promise<void> => {
    await server.stop()
    await folder.remove()
    await run(Scope.close(scope, Exit.void))
  }
  if (waits) await ready(server.url, startLimit).catch((error: unknown) => close().then(() => Promise.reject(error)))
  let users = 0
  return {
    ...standIns,
    server,
    url: server.url,
    user: () => userOf(server.url, `user-${++users}`),
    get: (path, headers = {}) => request(server.url, path, { headers }),
    close
  }
}

/** Looks again until the value fits, as a person who reloads a page. */
export const until = async <A>(look: () => Promise<A>, fits: (a: A) => boolean, limitMillis = 60_000): Promise<A> => {
  const end = performance.now() + limitMillis
  for (;;) {
    const value = await look()
    if (fits(value)) return value
    if (performance.now() > end) throw new Error(`It never became so; last seen: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The sum of the samples of a metric whose labels include these. */
export const metric = (text: string, name: string, labels: Record<string, string> = {}): number =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0)
