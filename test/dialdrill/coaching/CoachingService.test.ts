import * as Deferred from "effect/Deferred"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { assert, describe, it } from "@effect/vitest"
import { Database, type DatabaseShape } from "../../../src/dependencies/Database.js"
import { CallId, UserId } from "../../../src/dialdrill/calls/Wire.js"
import { Coach, type ScoredCall } from "../../../src/dialdrill/coaching/Coach.js"
import * as CoachingService from "../../../src/dialdrill/coaching/CoachingService.js"
import * as Rules from "../../../src/dialdrill/coaching/Rules.js"
import type { Coaching } from "../../../src/dialdrill/coaching/Wire.js"
import { score } from "../../../src/dialdrill/scoring/Scoring.js"
import { CoachingUnavailable, type Why } from "../../../src/dialdrill/Unavailable.js"
import * as Writes from "../../../src/dialdrill/Writes.js"
import { RequestId } from "../../../src/telemetry/RequestContext.js"
import { transcript } from "../support/App.js"

const user = UserId.make("ann")
const id = CallId.make("00000000-0000-4000-8000-000000000001")

const advice: Coaching = {
  source: "openai",
  pending: false,
  strengths: ["You asked."],
  improvements: [],
  suggestedPhrases: [],
  recommendedPractice: [],
  degraded: []
}

const byRules = (call: ScoredCall, { degraded, reason, retryAfter }: Why): CoachingUnavailable => {
  const message = "AI coaching temporarily unavailable"
  return new CoachingUnavailable({
    service: "openai",
    reason,
    retryAfter,
    message,
    fallback: {
      source: "rules",
      pending: true,
      ...Rules.coach(call),
      message,
      degraded: [{ service: "openai", message, ...degraded }]
    }
  })
}

/** The service over one call that is kept in memory, and a coach who answers when he is told to. */
const rigWith = (slow: { readonly find?: Duration.DurationInput; readonly save?: Duration.DurationInput }) =>
  Effect.gen(function* () {
    const answer = yield* Deferred.make<Coaching>()
    const left = yield* Ref.make(0)
    const fellBack = yield* Ref.make(0)
    const stored = yield* Ref.make<Coaching | null>(null)
    const row = {
      id,
      userId: user,
      mode: "simulated",
      status: "completed",
      personality: "maya",
      startedAt: DateTime.unsafeMake(0),
      completedAt: DateTime.unsafeMake(1),
      durationSeconds: null,
      prospect: null,
      transcript,
      score: score({ transcript: [...transcript], durationSeconds: undefined }),
      analytics: null,
      degraded: []
    }
    const saved = yield* Ref.make(0)
    const requestIds = yield* Ref.make<ReadonlyArray<string | undefined>>([])
    // Casts: a database of one row answers just the two statements that the service makes.
    const call = ((operation: string) =>
      operation === "coaching.find"
        ? Effect.delay(
            Effect.map(Ref.get(stored), (coaching) => ({ _tag: "Some", value: { ...row, coaching } })),
            slow.find ?? 0
          )
        : Effect.delay(
            Ref.update(saved, (n) => n + 1),
            slow.save ?? 0
          )) as unknown as DatabaseShape["call"]
    const database = Layer.succeed(Database, { call, transaction: call } as DatabaseShape)
    const coach = Layer.succeed(Coach, {
      unavailable: byRules,
      fellBack: Ref.update(fellBack, (n) => n + 1),
      advise: () =>
        Effect.zipRight(
          Effect.flatMap(RequestId, (requestId) => Ref.update(requestIds, (all) => [...all, requestId])),
          Effect.onInterrupt(Deferred.await(answer), () => Ref.update(left, (n) => n + 1))
        )
    })
    const context = yield* Layer.build(
      Layer.provide(CoachingService.layer, Layer.mergeAll(database, coach, Writes.layer))
    )
    const service = yield* Effect.provide(CoachingService.CoachingService, context)
    const asked = Effect.map(Ref.get(requestIds), (all) => all.length)
    return { service, answer, asked, left, fellBack, requestIds, saved, ask: Effect.fork(service.coach(user, id)) }
  })

const rig = rigWith({})

describe("CoachingService", () => {
  it.scoped("lets the rules answer within five seconds when the coach does not, and goes on asking", () =>
    Effect.gen(function* () {
      const { answer, ask, asked, fellBack, left, saved } = yield* rig
      const first = yield* ask
      yield* TestClock.adjust("4499 millis")
      assert.isNull(yield* Fiber.poll(first).pipe(Effect.map((exit) => (exit._tag === "None" ? null : exit.value))))
      yield* TestClock.adjust("500 millis")
      const rules = yield* Fiber.join(first)
      assert.strictEqual(rules.source, "rules")
      assert.isTrue(rules.pending)
      assert.deepStrictEqual(rules.degraded, [
        {
          service: "openai",
          reason: "timeout",
          message: "AI coaching temporarily unavailable",
          retryAfterSeconds: 5
        }
      ])
      assert.strictEqual(yield* Ref.get(fellBack), 1)
      assert.strictEqual(yield* Ref.get(left), 0, "the request was given up with its caller")

      const second = yield* ask
      yield* Effect.yieldNow()
      yield* Deferred.succeed(answer, advice)
      assert.deepStrictEqual(yield* Fiber.join(second), advice)
      assert.strictEqual(yield* asked, 1, "the second caller made a request of its own")
      assert.strictEqual(yield* Ref.get(saved), 2)
    })
  )

  it.scoped.each([{ find: "3 seconds" }, { save: "8 seconds" }, { find: "2 seconds", save: "8 seconds" }] as const)(
    "answers within five seconds on a slow database: %j",
    (slow) =>
      Effect.gen(function* () {
        const { ask, saved } = yield* rigWith(slow)
        const caller = yield* ask
        yield* TestClock.adjust("5 seconds")
        const polled = yield* Fiber.poll(caller)
        assert.isTrue(polled._tag === "Some", "there was no answer")
        yield* TestClock.adjust("8 seconds")
        assert.strictEqual(yield* Ref.get(saved), 1, "what was answered is not kept")
      })
  )

  it.scoped("asks in the name of the request that came first", () =>
    Effect.gen(function* () {
      const { requestIds, service } = yield* rig
      const ask = (requestId: string) =>
        Effect.fork(Effect.provideService(service.coach(user, id), RequestId, requestId))
      yield* ask("first")
      yield* ask("second")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Ref.get(requestIds), ["first"])
    })
  )

  it.scoped("shares a request among callers, and keeps it when the first of them leaves", () =>
    Effect.gen(function* () {
      const { answer, ask, asked, left } = yield* rig
      const callers = yield* Effect.all([ask, ask, ask])
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(callers[0])
      assert.strictEqual(yield* Ref.get(left), 0)
      yield* Deferred.succeed(answer, advice)
      assert.deepStrictEqual(yield* Fiber.join(callers[1]), advice)
      assert.deepStrictEqual(yield* Fiber.join(callers[2]), advice)
      assert.strictEqual(yield* asked, 1)
    })
  )

  it.effect("leaves no request behind when the server stops", () =>
    Effect.gen(function* () {
      const left = yield* Effect.scoped(
        Effect.gen(function* () {
          const { ask, left } = yield* rig
          yield* ask
          yield* TestClock.adjust(Duration.seconds(1))
          return left
        })
      )
      assert.strictEqual(yield* Ref.get(left), 1)
    })
  )
})
