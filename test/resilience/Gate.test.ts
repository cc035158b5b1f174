import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Bulkhead from "../../src/resilience/Bulkhead.js"
import type { Gate } from "../../src/resilience/Gate.js"
import { hasEnded, through, walk } from "../../src/resilience/Gate.js"
import { RateLimited } from "../../src/resilience/Rejection.js"
import * as Turnstile from "./support/Turnstile.js"

describe("Gate.through", () => {
  it.effect("bounds all waits together by the caller's patience", () =>
    Effect.gen(function* () {
      const [limiter, bulkhead] = [Turnstile.make("limiter"), Turnstile.make("bulkhead")]
      limiter.waits.push(900)
      bulkhead.waits.push(900)
      const gates = through([limiter, bulkhead], { patience: 1_500 })
      const fiber = yield* Effect.fork(Effect.flip(gates(Effect.void)))
      yield* TestClock.adjust(1_499)
      assert.deepInclude(bulkhead.counts, { queued: 1, inside: 0 })
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).policy, "bulkhead")
      assert.deepInclude(limiter.counts, { queued: 0, inside: 0 })
    })
  )

  it.effect("gives back what was taken when a further gate throws", () =>
    Effect.gen(function* () {
      const bulkhead = Turnstile.make("bulkhead")
      const broken: Gate = {
        name: "broken",
        admit: () => {
          throw new Error("bug")
        }
      }
      const exit = yield* Effect.exit(through([bulkhead, broken])(Effect.void))
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
      assert.deepInclude(bulkhead.counts, { admitted: 1, inside: 0 })
    })
  )

  const bug = () => {
    throw new Error("bug")
  }
  const never = () => Effect.dieMessage("nobody has to wait here")
  const broken: Record<string, Pick<Gate, "admit" | "tryAdmit">> = {
    "throws when it is asked at once": { admit: never, tryAdmit: bug },
    "throws when it is asked": { admit: bug },
    dies: { admit: () => Effect.die("bug") },
    "gives a permit that throws": { admit: () => Effect.succeed(bug) },
    "gives a permit at once that throws": { admit: never, tryAdmit: () => bug },
    "gives a permit that leaves to do what dies": { admit: never, tryAdmit: () => () => Effect.die("bug") },
    "gives a permit that waits and dies": {
      admit: never,
      tryAdmit: () => () => Effect.delay(Effect.die("bug"), "1 second")
    }
  }
  for (const [what, gate] of Object.entries(broken)) {
    it.effect(`breaks a call and keeps nothing when a gate ${what}`, () =>
      Effect.gen(function* () {
        const [outer, inner] = yield* Effect.all([
          Bulkhead.make({ name: "outer", maxConcurrent: 1 }),
          Bulkhead.make({ name: "inner", maxConcurrent: 1 })
        ])
        for (const call of [Effect.void, Effect.fail("no"), Effect.sleep("1 second")]) {
          const caller = yield* Effect.fork(through([outer, gate, inner])(call))
          yield* TestClock.adjust("2 seconds")
          const exit = yield* Fiber.await(caller)
          assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
          assert.deepStrictEqual([(yield* outer.status).inUse, (yield* inner.status).inUse], [0, 0])
        }
      })
    )
  }
})

describe("Gate.walk", () => {
  it.effect("tells the gates whether the call has begun", () =>
    Effect.gen(function* () {
      const started: Array<boolean | undefined> = []
      const meter: Gate = {
        name: "meter",
        admit: () => Effect.succeed((_, began) => Effect.sync(() => void started.push(began)))
      }
      const full = new RateLimited({ policy: "last", reason: "limit", retryAfter: undefined })
      const last = (isFull: boolean): Gate => ({
        name: "last",
        admit: () => (isFull ? Effect.fail(full) : Effect.succeed(() => Effect.void))
      })
      assert.strictEqual(yield* Effect.flip(through([meter, last(true)])(Effect.void)), full)
      yield* through([meter, last(false)])(Effect.void)
      // Who was turned away last of all has cost nothing.
      assert.deepStrictEqual(started, [false, true])
    })
  )

  it.effect("comes back with the exit of a call that met open gates and has ended", () =>
    Effect.gen(function* () {
      const given: Array<string> = []
      const open = (name: string): Gate => ({
        name,
        admit: () => Effect.dieMessage("nobody has to wait here"),
        tryAdmit: () => (exit) => {
          given.push(`${name} ${exit._tag}`)
          return Effect.void
        }
      })
      const walked = (begin: () => Effect.Effect<number>) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.succeed(
            walk([open("outer"), open("inner")], Effect.succeed(0), {
              restore,
              until: Infinity,
              pointless: Effect.never,
              begin
            })
          )
        )
      const ended = yield* walked(() => Exit.succeed(1))
      assert.isTrue(hasEnded(ended))
      assert.deepStrictEqual(given, ["inner Success", "outer Success"])
      const broken = yield* walked(() => {
        throw new Error("bug")
      })
      assert.isTrue(hasEnded(broken) && Exit.isFailure(broken) && broken.cause._tag === "Die")
      assert.deepStrictEqual(given.slice(2), ["inner Failure", "outer Failure"])
      const later = yield* walked(() => Effect.delay(Effect.succeed(2), "1 second"))
      assert.isFalse(hasEnded(later))
      assert.strictEqual(given.length, 4)
    })
  )

  it.effect("runs what a permit leaves to do, after a call that has ended as well", () =>
    Effect.gen(function* () {
      const done: Array<string> = []
      const tidy: Gate = {
        name: "tidy",
        admit: () => Effect.succeed(() => Effect.sync(() => void done.push("tidied")))
      }
      assert.strictEqual(yield* through([tidy])(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(through([tidy])(Effect.fail(2))), 2)
      const walked = Effect.uninterruptibleMask((restore) =>
        walk([tidy], Effect.succeed(0), {
          restore,
          until: Infinity,
          pointless: Effect.never,
          begin: () => Exit.succeed(3)
        })
      )
      assert.strictEqual(yield* walked, 3)
      assert.deepStrictEqual(done, ["tidied", "tidied", "tidied"])
    })
  )

  it.effect("gives each gate what is left of the time until then", () =>
    Effect.gen(function* () {
      const [first, second] = [Turnstile.make("first"), Turnstile.make("second")]
      first.waits.push(400)
      const walked = Effect.uninterruptibleMask((restore) =>
        walk([first, second], Effect.void, { restore, until: 1_000, callLimit: 50, pointless: Effect.never })
      )
      const fiber = yield* Effect.fork(walked)
      yield* TestClock.adjust(400)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        [first, second].map(({ admissions }) => admissions.map(({ callLimit, patience }) => [patience, callLimit])),
        [[[1_000, 50]], [[600, 50]]]
      )
    })
  )
})
