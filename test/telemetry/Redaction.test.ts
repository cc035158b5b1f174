import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as FiberId from "effect/FiberId"
import * as Redacted from "effect/Redacted"
import * as Redaction from "../../src/telemetry/Redaction.js"

const secret = "h7Qm2xWv9LkZ"

describe("Redaction.text", () => {
  const hidden: ReadonlyArray<readonly [string, string]> = [
    ["a bearer token", `authorization failed for Bearer ${secret}`],
    ["an authorization header", `Authorization: Basic ${secret}${secret}==`],
    ["an OpenAI key", `Incorrect API key provided: sk-proj-${secret}`],
    ["a Stripe key", `No such key sk_live_${secret}`],
    ["a webhook secret", `whsec_${secret}`],
    ["a password in a URL", `connect to postgres://dialdrill:${secret}@db.internal:5432/app failed`],
    ["a password that holds an @ and a slash", `postgres://u:a@b/${secret}@host/db`],
    ["a token in a URL", `clone https://${secret}@github.com/x`],
    ["a password in a query", `wss://host/x?agent_id=1&conversation_signature=${secret}&y=2`],
    ["a JSON field", `{"user":"x","password":"two words ${secret}"}`],
    ["an escaped JSON field", `body: "{\\"api_key\\":\\"${secret}\\"}"`],
    ["a header by name", `xi-api-key: ${secret}`],
    ["a cookie", `Cookie: session=${secret}; theme=dark`],
    ["a JSON web token", `eyJhbGciOi.eyJ${secret}.${secret}`],
    ["an environment line", `OPENAI_API_KEY=${secret}`]
  ]
  for (const [what, input] of hidden) {
    it(`hides ${what}`, () => {
      assert.notInclude(Redaction.text(input), secret)
      assert.include(Redaction.text(input), Redaction.mask)
    })
  }

  it("leaves ordinary messages as they are", () => {
    for (const message of [
      "connect ECONNREFUSED 127.0.0.1:5432",
      "Unexpected token '<', \"<!DOCTYPE\" is not valid JSON",
      "max_tokens: 500 is too small",
      "Bearer token is missing",
      'duplicate key value violates unique constraint "calls_pkey"',
      "https://api.openai.com/v1/responses answered 503",
      "Basic authentication failed"
    ]) {
      assert.strictEqual(Redaction.text(message), message)
    }
  })

  it("cuts long texts, and never through a secret", () => {
    assert.strictEqual(Redaction.text("x ".repeat(4000)).length, 1000)
    assert.strictEqual(Redaction.text("x".repeat(1_000_000)), "…")
    // The end of what is searched falls into the password, so the pattern could not see the "@" behind it.
    const long = `${`sk-${secret} `.repeat(511)} postgres://user:${secret.repeat(100)}@host/db`
    assert.notInclude(Redaction.text(long, 100_000), secret)
  })

  it("takes time in proportion to what it searches, whatever the text", () => {
    for (const part of ["a://b:", "a.", "password=", '\\"', "eyJaaaaa.", "Bearer ", "sk-", "cookie: ", "token:'"]) {
      const before = performance.now()
      Redaction.text(part.repeat(1_000_000 / part.length))
      assert.isBelow(performance.now() - before, 250, part)
    }
  })
})

describe("Redaction.describe", () => {
  it("reads errors, tagged errors, texts, causes and anything else that was thrown", () => {
    class Declined extends Data.TaggedError("Declined")<{ readonly message: string }> {}
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })
    assert.deepStrictEqual(Redaction.describe(new Error("lost")), { name: "Error", message: "lost" })
    assert.deepStrictEqual(Redaction.describe("a text"), { name: "Error", message: "a text" })
    assert.deepStrictEqual(Redaction.describe(new Declined({ message: "no money" })), {
      name: "Declined",
      message: "no money",
      code: "Declined"
    })
    assert.deepStrictEqual(Redaction.describe(new TypeError("fetch failed", { cause: refused })), {
      name: "TypeError",
      message: "fetch failed (connect ECONNREFUSED)",
      code: "ECONNREFUSED"
    })
    assert.strictEqual(Redaction.describe(Cause.fail(new Error("inner"))).message, "inner")
    assert.strictEqual(Redaction.describe(Cause.die(Cause.fail("nested"))).message, "nested")
    assert.strictEqual(Redaction.describe(Cause.interrupt(FiberId.none)).message, "interrupted")
    assert.strictEqual(Redaction.describe({ status: 503 }).message, '{"status":503}')
    assert.strictEqual(Redaction.describe(null).message, "null")
    assert.strictEqual(Redaction.describe(undefined).message, "undefined")
    assert.strictEqual(Redaction.describe(new AggregateError([refused])).message, "connect ECONNREFUSED")
    assert.strictEqual(Redaction.describe(Symbol("s")).message, "Symbol(s)")
  })

  it("survives hostile getters, revoked proxies, circular causes and errors without end", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const trap = (): never => {
      throw new Error("trap")
    }
    const circular = new Error("round and round")
    circular.cause = circular
    const endless: { readonly message: string; readonly cause: unknown } = {
      message: "deeper",
      get cause() {
        return Object.create(endless)
      }
    }
    const hostile: ReadonlyArray<unknown> = [
      proxy,
      new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap }),
      new Proxy(new Error("x"), { get: trap, getPrototypeOf: trap }),
      Object.defineProperty(new Error("x"), "message", { get: trap }),
      { toString: trap, toJSON: trap, [Symbol.toPrimitive]: trap },
      { message: { toString: trap }, code: {}, _tag: 7 },
      circular,
      endless,
      Object.create(null),
      () => 1,
      10n
    ]
    for (const error of hostile) {
      const described = Redaction.describe(error, { stack: true })
      assert.isString(described.message)
      assert.isAbove(described.message.length, 0)
      assert.isString(JSON.stringify(Redaction.value(error)))
    }
  })

  it("gives the stack only when asked, bounded and without secrets", () => {
    const error = new Error(`key sk-${secret}`)
    assert.notProperty(Redaction.describe(error), "stack")
    const { stack } = Redaction.describe(error, { stack: true })
    assert.include(stack, "Redaction.test")
    assert.notInclude(stack, secret)
  })
})

describe("Redaction.value", () => {
  it("masks Redacted values and fields that are named like secrets, at any depth", () => {
    const json = JSON.stringify(
      Redaction.value({
        key: Redacted.make(secret),
        headers: { authorization: secret, "xi-api-key": secret, cookie: secret, accept: "text/html" },
        list: [{ clientSecret: secret }, `Bearer ${secret}`],
        map: new Map([["password", secret]]),
        error: new Error(`sk-${secret}`)
      })
    )
    assert.notInclude(json, secret)
    assert.include(json, "text/html")
  })

  it("bounds depth, width and size, and says where it left something out", () => {
    const circular: Record<string, unknown> = {}
    circular["self"] = circular
    assert.deepStrictEqual(Redaction.value(circular), { self: "[circular]" })
    let deep: unknown = "bottom"
    for (let i = 0; i < 100; i++) deep = { deep }
    assert.include(JSON.stringify(Redaction.value(deep)), "[too deep]")
    const wide = Array.from({ length: 1000 }, () => Array.from({ length: 1000 }, () => ({ a: 1 })))
    assert.isBelow(JSON.stringify(Redaction.value(wide)).length, 20_000)
    assert.strictEqual(Redaction.value(new Uint8Array(5)), "[5 bytes]")
    assert.deepStrictEqual(Redaction.value([1, NaN, 5n, undefined, null, true]), [1, "NaN", "5", null, null, true])
  })
})
