/**
 * The spec's section 8, row by row: each upstream fails in every way that an upstream can, users get what was promised,
 * operators see it, and ordinary requests are all it takes to heal. All three fail at the same time, so that no fallback
 * leans on another upstream.
 */
import { afterAll, beforeAll, assert, describe, it } from "vitest"
import { Fault } from "../../src/drill/standins/Fault.js"
import type { StandIn } from "../../src/drill/standins/StandIn.js"
import { metric, run, start, startLimit, transcript, until, type App, type User } from "./support/App.js"

/** Short times, and still long enough for a busy machine to answer in when all is well. */
const shortened = (prefix: string): Record<string, string> => ({
  [`${prefix}_RETRY_MAX_ATTEMPTS`]: "2",
  [`${prefix}_RETRY_INITIAL_DELAY`]: "20ms",
  [`${prefix}_RETRY_MAX_DELAY`]: "100ms",
  [`${prefix}_ATTEMPT_TIMEOUT`]: "1500ms",
  [`${prefix}_DEADLINE`]: "4s",
  [`${prefix}_CIRCUIT_FAILURE_THRESHOLD`]: "2",
  [`${prefix}_CIRCUIT_RESET_TIMEOUT`]: "4s",
  [`${prefix}_PROBE_INTERVAL`]: "1s"
})

const faults: ReadonlyArray<readonly [string, Fault]> = [
  ["refuse connections", Fault.Refuse()],
  ["reset connections", Fault.Reset()],
  ["hang before the headers", Fault.HangBeforeHeaders()],
  ["hang inside the body", Fault.HangInsideBody()],
  ["answer 500", Fault.ErrorStatus({ status: 500 })],
  ["answer 503", Fault.ErrorStatus({ status: 503 })],
  ["answer 429 with Retry-After", Fault.ErrorStatus({ status: 429, retryAfter: "5" })],
  ["answer with another program's error page", Fault.HtmlError({ status: 502 })],
  ["answer garbage", Fault.Garbage()],
  ["answer JSON of another shape", Fault.WrongShape()],
  ["end in the middle of the answer", Fault.Truncated()]
]

interface Subject {
  readonly name: "openai" | "elevenlabs" | "stripe"
  /** The kind under which fallbacks are counted. */
  readonly fallback: string | undefined
  /** What the product does with the upstream, and whether the user got all of it. */
  readonly ask: () => Promise<boolean>
  /** The same while the upstream fails: asserts the promise. */
  readonly degraded: () => Promise<void>
}

const words = { openai: "AI coaching temporarily unavailable", elevenlabs: "Using simulated mode" } as const

const subjects = (app: App): ReadonlyArray<Subject> => {
  let user: User = app.user()
  let completed: Promise<string> | undefined
  const coach = async () => {
    completed ??= user.completed().then(({ id }) => id)
    return user.post(`/api/calls/${await completed}/coaching`)
  }
  return [
    {
      name: "openai",
      fallback: "rules",
      ask: async () => {
        const { body } = await coach()
        // The next question is about another call: this one's coaching is stored.
        if (body.source === "openai") {
          user = app.user()
          completed = undefined
        }
        return body.source === "openai"
      },
      degraded: async () => {
        const { body, status } = await coach()
        assert.strictEqual(status, 200)
        assert.deepInclude(body, { source: "rules", pending: true, message: words.openai })
        assert.isNotEmpty(body.improvements)
        assert.strictEqual(body.degraded.length, 1)
        assert.deepInclude(body.degraded[0], { service: "openai", message: words.openai })
        assert.isAtLeast(body.degraded[0].retryAfterSeconds, 1)
        const { body: stored } = await user.get(`/api/calls/${await completed}/coaching`)
        assert.deepStrictEqual(stored, body)
      }
    },
    {
      name: "elevenlabs",
      fallback: "simulated",
      ask: async () => (await app.user().start()).mode === "voice",
      degraded: async () => {
        const caller = app.user()
        const call = await caller.start()
        assert.strictEqual(call.mode, "simulated")
        assert.isNull(call.signedUrl)
        assert.strictEqual(call.degraded.length, 1)
        assert.deepInclude(call.degraded[0], { service: "elevenlabs", message: words.elevenlabs })
        assert.isAtLeast(call.degraded[0].retryAfterSeconds, 1)
        const { body } = await caller.post(`/api/calls/${call.id}/turns`, { text: "Hello, do you have a minute?" })
        assert.isNotEmpty(body.reply)
      }
    },
    {
      name: "stripe",
      fallback: undefined,
      ask: async () => (await app.user().post("/api/billing/checkout", { plan: "pro" })).status === 200,
      degraded: async () => {
        const buyer = app.user()
        const { body, headers, status } = await buyer.post("/api/billing/checkout", { plan: "pro" })
        assert.strictEqual(status, 503)
        assert.deepInclude(body, { code: "dependency-unavailable", service: "stripe" })
        assert.strictEqual(headers.get("retry-after"), String(body.retryAfterSeconds))
        assert.isAtLeast(body.retryAfterSeconds, 1)
        assert.match(body.detail, /try again in \d+ seconds?/)
        assert.strictEqual((await buyer.get("/api/billing")).body.plan.id, "free")
        assert.strictEqual((await buyer.get("/api/plans")).status, 200)
      }
    }
  ]
}

describe("an upstream that fails", { timeout: 180_000 }, () => {
  let app: App
  let all: ReadonlyArray<Subject>
  beforeAll(async () => {
    app = await start({
      ...shortened("OPENAI"),
      ...shortened("ELEVENLABS"),
      ...shortened("STRIPE"),
      RATE_LIMIT_COACHING: "1000/60s",
      RATE_LIMIT_BILLING: "1000/60s"
    })
    all = subjects(app)
  }, startLimit)
  afterAll(() => app?.close())

  const standIn = (subject: Subject): StandIn => app[subject.name]
  const circuitOf = async (subject: Subject) => {
    const { body } = await app.get("/api/status")
    return body.dependencies.find(({ name }: { name: string }) => name === subject.name).circuitBreaker
  }
  const metrics = async (): Promise<string> => (await app.get("/metrics")).body
  const calls = (text: string, dependency: string): number =>
    metric(text, "dialdrill_dependency_calls_total", { dependency }) -
    metric(text, "dialdrill_dependency_calls_total", { dependency, outcome: "success" })
  const well = (subject: Subject) => until(subject.ask, (asked) => asked)

  it.each(faults)("may %s", async (_, fault) => {
    const throttles = Fault.$is("ErrorStatus")(fault) && fault.retryAfter !== undefined
    // All is well, from before this fault on.
    await Promise.all(all.map(well))
    const before = await metrics()
    await Promise.all(all.map((subject) => run(standIn(subject).forget)))
    await Promise.all(all.map((subject) => run(standIn(subject).inject(fault))))

    await Promise.all(
      all.map(async (subject) => {
        const at = Date.now()
        await subject.degraded()
        const circuit = await circuitOf(subject)
        assert.include(["open", "half-open"], circuit.state, subject.name)
        if (throttles) assert.strictEqual(circuit.failures, 0, `${subject.name} was counted as failing`)
        // Turned away by the open circuit, users get the same.
        await subject.degraded()

        const { body } = await app.get(`/api/errors?limit=5&service=${subject.name}`)
        const [error] = body.errors
        assert.strictEqual(error.service, subject.name)
        assert.isNotEmpty(error.operation)
        assert.isNotEmpty(error.message)
        assert.isAtLeast(Date.parse(error.timestamp), at - 60_000)
      })
    )

    const { body: health, status } = await until(
      () => app.get("/api/health?detailed=true"),
      ({ body }) => all.every(({ name }) => body.checks[name].status !== "up")
    )
    assert.strictEqual(status, 200)
    assert.strictEqual(health.status, "degraded")
    const { body: score } = await app.user().post("/api/score", { transcript })
    assert.isAbove(score.score.overall, 0)

    const during = await metrics()
    for (const { fallback: kind, name } of all) {
      assert.isAbove(calls(during, name), calls(before, name), `${name}'s failure was not counted`)
      if (kind === undefined) continue
      const labels = { dependency: name, kind }
      const fellBack = (text: string) => metric(text, "dialdrill_fallbacks_total", labels)
      assert.isAtLeast(fellBack(during), fellBack(before) + 2, `${name}'s fallbacks were not counted`)
    }
    if (!throttles) {
      for (const { name } of all) {
        const opened = (text: string) =>
          metric(text, "dialdrill_breaker_transitions_total", { dependency: name, to: "open" })
        assert.isAbove(opened(during), opened(before), `${name}'s circuit opened unseen`)
      }
    }

    await Promise.all(all.map((subject) => run(standIn(subject).heal)))
    await Promise.all(all.map(well))
    for (const subject of all) {
      await until(
        () => circuitOf(subject),
        ({ state }) => state === "closed"
      )
      // What hung was given up, and its socket closed, by us.
      await until(
        () => run(standIn(subject).requests),
        (requests) => requests.every(({ end }) => end !== "pending")
      )
    }
    await until(
      () => app.get("/api/health?detailed=true"),
      ({ body }) => body.status === "healthy"
    )
  })

  it("that is down keeps nobody from what needs it not", async () => {
    await run(app.stripe.inject(Fault.HangBeforeHeaders()))
    const user = app.user()
    const waiting = user.post("/api/billing/checkout", { plan: "pro" })
    assert.isTrue(await until(async () => (await app.user().start()).mode === "voice", Boolean))
    const object = {
      client_reference_id: user.name,
      payment_status: "paid",
      metadata: { plan: "pro" },
      subscription: "sub_down"
    }
    const { body, headers } = await run(app.stripe.event("checkout.session.completed", object))
    const webhook = await fetch(`${app.url}/api/billing/webhook`, { method: "POST", headers, body })
    assert.strictEqual(webhook.status, 200)
    assert.strictEqual((await user.get("/api/billing")).body.plan.id, "pro")
    assert.strictEqual((await waiting).status, 503)
    await run(app.stripe.heal)
  })

  it("keeps the purchase that it failed at: the next click is the same one", async () => {
    await Promise.all(all.map(well))
    await run(app.stripe.forget)
    const fault = Fault.ErrorStatus({ status: 500, headers: { "stripe-should-retry": "false" } })
    await run(app.stripe.inject(fault, { path: "/v1/checkout", times: 1 }))
    const user = app.user()
    assert.strictEqual((await user.post("/api/billing/checkout", { plan: "pro" })).status, 503)
    assert.strictEqual((await user.post("/api/billing/checkout", { plan: "pro" })).status, 200)
    const sent = (await run(app.stripe.requests)).filter(
      ({ body, path }) => path === "/v1/checkout/sessions" && body.includes(user.name)
    )
    assert.strictEqual(sent.length, 2)
    assert.isNotEmpty(sent[0]?.headers["idempotency-key"])
    assert.strictEqual(sent[0]?.headers["idempotency-key"], sent[1]?.headers["idempotency-key"])
  })

  it("cannot be switched off by anybody where no admin token is configured", async () => {
    const reply = await app.user().post("/api/circuit-breakers/openai", { action: "open", reason: "mischief" })
    assert.strictEqual(reply.status, 403)
    assert.strictEqual(reply.body.code, "forbidden")
  })
})
