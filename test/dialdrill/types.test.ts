/**
 * The signatures say what can fail: no error of an upstream is left in what the features promise.
 */
import type * as Effect from "effect/Effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, expectTypeOf, it } from "vitest"
import type { BillingShape } from "../../src/dialdrill/billing/Billing.js"
import type { AlreadyOnPlan, InvalidSignature, PaymentRefused } from "../../src/dialdrill/billing/Errors.js"
import type { BillingState, CheckoutSession } from "../../src/dialdrill/billing/Wire.js"
import type { CallsShape } from "../../src/dialdrill/calls/Calls.js"
import type {
  ActiveCallExists,
  CallCompleted,
  CallEnded,
  CallNotFound,
  PlanLimitReached,
  VoiceCall
} from "../../src/dialdrill/calls/Errors.js"
import type { VoiceLine, VoiceShape } from "../../src/dialdrill/calls/Voice.js"
import type { CompletedCall, StartedCall, TurnReply } from "../../src/dialdrill/calls/Wire.js"
import type { CoachShape } from "../../src/dialdrill/coaching/Coach.js"
import type { CoachingShape } from "../../src/dialdrill/coaching/CoachingService.js"
import type { CallNotScored, NoCoachingYet } from "../../src/dialdrill/coaching/Errors.js"
import type { Coaching } from "../../src/dialdrill/coaching/Wire.js"
import type {
  BillingUnavailable,
  CoachingUnavailable,
  SimulatedLine,
  StorageUnavailable,
  VoiceUnavailable
} from "../../src/dialdrill/Unavailable.js"
import { root } from "../support/Server.js"

type Result<F extends (...args: never) => unknown> = ReturnType<F>

describe("the types of the features", () => {
  it("leave a call nothing to fail with but the user's own situation and the database", () => {
    expectTypeOf<Result<CallsShape["start"]>>().toEqualTypeOf<
      Effect.Effect<StartedCall, ActiveCallExists | PlanLimitReached | StorageUnavailable>
    >()
    expectTypeOf<Result<CallsShape["simulate"]>>().toEqualTypeOf<
      Effect.Effect<StartedCall, CallNotFound | CallCompleted | StorageUnavailable>
    >()
    expectTypeOf<Result<CallsShape["say"]>>().toEqualTypeOf<
      Effect.Effect<TurnReply, CallNotFound | CallCompleted | CallEnded | VoiceCall | StorageUnavailable>
    >()
    expectTypeOf<Result<CallsShape["complete"]>>().toEqualTypeOf<
      Effect.Effect<CompletedCall, CallNotFound | StorageUnavailable>
    >()
  })

  it("leave coaching no error of OpenAI", () => {
    expectTypeOf<Result<CoachingShape["coach"]>>().toEqualTypeOf<
      Effect.Effect<Coaching, CallNotFound | CallNotScored | StorageUnavailable>
    >()
    expectTypeOf<Result<CoachingShape["stored"]>>().toEqualTypeOf<
      Effect.Effect<Coaching, CallNotFound | NoCoachingYet | StorageUnavailable>
    >()
  })

  it("show what can degrade, and into what", () => {
    expectTypeOf<VoiceShape["line"]>().toEqualTypeOf<Effect.Effect<VoiceLine, VoiceUnavailable>>()
    expectTypeOf<VoiceUnavailable["fallback"]>().toEqualTypeOf<SimulatedLine>()
    expectTypeOf<Result<CoachShape["advise"]>>().toEqualTypeOf<Effect.Effect<Coaching, CoachingUnavailable>>()
    expectTypeOf<CoachingUnavailable["fallback"]>().toEqualTypeOf<Coaching>()
  })

  it("say where there is no fallback", () => {
    expectTypeOf<Result<BillingShape["checkout"]>>().toEqualTypeOf<
      Effect.Effect<CheckoutSession, AlreadyOnPlan | PaymentRefused | BillingUnavailable | StorageUnavailable>
    >()
    expectTypeOf<Result<BillingShape["receive"]>>().toEqualTypeOf<
      Effect.Effect<void, InvalidSignature | BillingUnavailable | StorageUnavailable>
    >()
    expectTypeOf<Result<BillingShape["state"]>>().toEqualTypeOf<Effect.Effect<BillingState, StorageUnavailable>>()
    expectTypeOf<BillingUnavailable>().not.toHaveProperty("fallback")
    expectTypeOf<StorageUnavailable>().not.toHaveProperty("fallback")
  })

  it("do not fit a caller who leaves out an error", () => {
    // The database can be down, and whoever starts a call has to say what then.
    expectTypeOf<Result<CallsShape["start"]>>().not.toExtend<
      Effect.Effect<StartedCall, ActiveCallExists | PlanLimitReached>
    >()
  })
})

describe("the sources of the application", () => {
  const folder = join(root, "src/dialdrill")
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))

  it("are found", () => {
    assert.isAbove(sources.length, 50)
  })

  it.each(["catchAll", "catchAllCause", "catchAllDefect", "catchSomeCause", "sandbox"])(
    "catch what they know by its name, and never use %s",
    (word) => {
      const pattern = new RegExp(`\\b${word}\\b`)
      const offenders = sources.filter((file) => pattern.test(readFileSync(join(folder, file), "utf8")))
      assert.deepStrictEqual(offenders, [])
    }
  )
})
