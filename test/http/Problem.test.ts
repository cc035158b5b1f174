import { assert, describe, it } from "@effect/vitest"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as HttpErrors from "../../src/http/HttpErrors.js"
import * as Problem from "../../src/http/Problem.js"
import { Api, PlanLimitReached, withApp } from "./support/TestApp.js"

const request = { id: "request-1", url: "/api/x?key=secret" }

describe("Problem", () => {
  it("has the members of RFC 9457 and ours, and the error's own that do not hide them", () => {
    class Odd extends Schema.TaggedError<Odd>()(
      "OddHTTPThing",
      { status: Schema.String, when: Schema.Date },
      HttpApiSchema.annotations({ status: 418 })
    ) {
      override get message(): string {
        return "Odd."
      }
    }
    const odd = new Odd({ status: "mine", when: new Date(0) })
    assert.deepStrictEqual(Either.getOrThrow(Problem.make(odd, request)), {
      _tag: "OddHTTPThing",
      when: "1970-01-01T00:00:00.000Z",
      type: "/problems/odd-http-thing",
      title: "I'm a Teapot",
      status: 418,
      detail: "Odd.",
      instance: "/api/x",
      code: "odd-http-thing",
      requestId: "request-1"
    })
  })

  it("says in words when to try again, rounded up", () => {
    const detail = (retryAfterSeconds: number) =>
      Problem.of({ status: 503, code: "x", detail: "It is away.", retryAfterSeconds }, request).detail
    assert.strictEqual(detail(12), "It is away; try again in 12 seconds")
    assert.strictEqual(detail(1), "It is away; try again in 1 second")
    assert.strictEqual(HttpErrors.wholeSeconds(11_001), 12)
    assert.strictEqual(HttpErrors.wholeSeconds(0), 1)
    assert.strictEqual(HttpErrors.wholeSeconds(Infinity), 1)
  })

  it("is made of nothing that was not made for it", () => {
    class Internal extends Schema.TaggedError<Internal>()("Internal", { secret: Schema.String }) {}
    assert.isFalse(Problem.isHttpError(new Internal({ secret: "x" })))
    assert.isFalse(Problem.isHttpError(new Error("x")))
    assert.isFalse(Problem.isHttpError({ _tag: "NotFound" }))
    assert.isTrue(Problem.isHttpError(new HttpErrors.NotFound({ detail: "x" })))
  })

  it.live("is what the platform's typed client decodes to the error it was", () =>
    withApp((app) =>
      Effect.gen(function* () {
        const client = yield* HttpApiClient.make(Api, { baseUrl: app.url })
        const plan = yield* Effect.flip(client.items.create({ payload: { name: "plan", size: 1 } }))
        assert.instanceOf(plan, PlanLimitReached)
        const needy = yield* Effect.flip(client.items.needy())
        assert.instanceOf(needy, HttpErrors.DependencyUnavailable)
        const missing = yield* Effect.flip(client.items.read({ path: { id: "none" } }))
        assert.instanceOf(missing, HttpErrors.NotFound)
      }).pipe(Effect.provide(FetchHttpClient.layer), Effect.orDie)
    )
  )
})
