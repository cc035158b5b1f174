/**
 * A gate for tests that makes each caller wait as long as the script says, and counts who waits and who is inside.
 */
import * as Effect from "effect/Effect"
import type { Admission, Gate } from "../../../src/resilience/Gate.js"
import { BulkheadFull } from "../../../src/resilience/Rejection.js"
import * as Waiting from "../../../src/resilience/Waiting.js"

export interface Turnstile extends Gate {
  /** How long the next callers wait, in milliseconds; nobody waits when it is empty. */
  readonly waits: Array<number>
  readonly counts: { queued: number; inside: number; admitted: number; mostInside: number }
  readonly admissions: Array<Admission>
}

export const make = (name = "turnstile"): Turnstile => {
  const waits: Array<number> = []
  const admissions: Array<Admission> = []
  const counts = { queued: 0, inside: 0, admitted: 0, mostInside: 0 }
  const tooLong = new BulkheadFull({ policy: name, reason: "wait-too-long", retryAfter: undefined })

  const wait = (millis: number, admission: Admission) => {
    const place =
      millis < admission.patience
        ? Effect.sleep(millis)
        : Effect.zipRight(Effect.sleep(admission.patience), Effect.fail(tooLong))
    counts.queued += 1
    return Effect.ensuring(
      admission.restore(Waiting.first(place, admission.pointless)),
      Effect.sync(() => (counts.queued -= 1))
    )
  }

  return {
    name,
    waits,
    counts,
    admissions,
    admit: (admission) =>
      Effect.suspend(() => {
        admissions.push(admission)
        const millis = waits.shift() ?? 0
        return Effect.map(millis === 0 ? Effect.void : wait(millis, admission), () => {
          counts.inside += 1
          counts.admitted += 1
          counts.mostInside = Math.max(counts.mostInside, counts.inside)
          return () => Effect.sync(() => void (counts.inside -= 1))
        })
      })
  }
}
