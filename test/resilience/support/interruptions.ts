/**
 * What every gate has to survive: callers who come at random, whose calls succeed, fail and die, and who leave while they
 * are behind others, first in line or running, by an interruption, a timeout or the death of their parent. An exact model says
 * when each call must have started; and gates that leak are told apart from the real one.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import type { Gate } from "../../../src/resilience/Gate.js"
import { through } from "../../../src/resilience/Gate.js"
import * as Callers from "../../support/Callers.js"

interface Watched extends Gate {
  readonly status: Effect.Effect<object>
}

export interface Suite<G extends Watched> {
  readonly make: Effect.Effect<G, Error>
  readonly callers: { readonly most: number; readonly gap: number; readonly hold: number }
  /** By when all is over, in milliseconds. */
  readonly until: number
  /** When each caller must have started, by a model that is plainly right. */
  readonly expected: (callers: ReadonlyArray<Callers.Caller>) => ReadonlyArray<number | undefined>
  /** The status in which nothing is held. */
  readonly atRest: object
  /** How a call passes. Default: as through any gate. */
  readonly pass?: (gate: G, call: Effect.Effect<void, "own failure">) => Effect.Effect<void, unknown>
  readonly leaks: Readonly<Record<string, (gate: G) => G>>
}

/** Each virtual instant costs a few real timers, which are late when others compute. In milliseconds. */
const busyMachine = 120_000

/** Enough that a phase in which a sixth of the callers leave never seems to be one in which a twentieth does. */
const runs = 15

export const survivesInterruptions = <G extends Watched>(suite: Suite<G>): void => {
  const pass = suite.pass ?? ((gate: G, call) => through([gate])(call))

  const conserves = (wrap: (gate: G) => G, all: Array<ReadonlyArray<Callers.Ended>>) =>
    Callers.property(Callers.callers(suite.callers), (callers) =>
      Effect.gen(function* () {
        const gate = wrap(yield* suite.make)
        const ended = yield* Callers.drive(callers, (call) => pass(gate, call), suite.until)
        all.push(ended)
        const starts = ended.flatMap((end) => end.startedAt ?? [])
        assert.deepStrictEqual(
          starts,
          [...starts].sort((a, b) => a - b),
          "first come, first served"
        )
        const expected = suite.expected(callers)
        ended.forEach((end, i) => {
          // A place may come free by an interruption at the very instant at which another caller leaves.
          if (end.interrupted && (end.phase === "waiting" || expected[i] === undefined)) return
          assert.strictEqual(end.startedAt, expected[i])
        })
        assert.deepStrictEqual(yield* gate.status, suite.atRest)
      })
    )

  it(
    "loses and doubles nothing, lets no one pass, and serves everyone at the first possible instant",
    async () => {
      const all: Array<ReadonlyArray<Callers.Ended>> = []
      await fc.assert(
        conserves((gate) => gate, all),
        { numRuns: runs }
      )
      const shares = Callers.interruptedShares(all)
      for (const [phase, share] of Object.entries(shares)) assert.isAtLeast(share, 0.05, `left while ${phase}`)
    },
    busyMachine
  )

  for (const [what, leak] of Object.entries(suite.leaks)) {
    it(
      `is found out when ${what}`,
      async () => {
        assert.isTrue((await fc.check(conserves(leak, []), { numRuns: runs, endOnFailure: true })).failed)
      },
      busyMachine
    )
  }
}

/** The wait goes on without its caller, and what it brings is kept by no one. */
export const waitsOnWithoutItsCaller = <G extends Gate>(gate: G): G => ({
  ...gate,
  admit: (admission) =>
    Effect.flatMap(Effect.forkDaemon(gate.admit({ ...admission, restore: (self) => self })), (admitted) =>
      admission.restore(Fiber.join(admitted))
    )
})
