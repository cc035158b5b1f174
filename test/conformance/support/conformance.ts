/**
 * One test for each verified defect of a known system. A scenario says what must hold and is played by several subjects:
 * ours, which must pass; wrong variants, each of which differs from ours in the one line that the defect is about, bears
 * the name of a system that has it, and must be caught by the assertion that is about the defect and by no other; and,
 * where the system is an npm package, the system itself, whose result goes into the table as it was measured.
 */
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as TestContext from "effect/TestContext"
import { vi } from "vitest"
import { areThere, type Peer } from "./peers.js"

export interface Requirement<Subject> {
  /** As in the list of verified defects, 1 to 40. */
  readonly number: number
  /** What must hold, as a sentence. */
  readonly title: string
  /** The systems known to fail it. */
  readonly failing: ReadonlyArray<string>
  /** Fails an assertion when the subject has the defect. Runs under the test clock. */
  readonly scenario: (subject: Subject) => Effect.Effect<void, unknown, Scope.Scope>
  readonly ours: Subject
  /** Variants of ours that have the defect, by the system that has it, and a part of what the assertion says that catches it. */
  readonly wrong: Readonly<Record<string, readonly [says: string, subject: Subject]>>
  /** The same scenario for a library from npm, under vitest's fake timers: rejects with an assertion when it fails. */
  readonly peers?: Readonly<Partial<Record<Peer, () => Promise<void>>>>
}

declare module "vitest" {
  interface TaskMeta {
    conformance?: {
      readonly number: number
      readonly title: string
      readonly failing: ReadonlyArray<string>
      readonly peers: Readonly<Record<string, "holds" | "fails" | "not fetched">>
    }
  }
}

/** Registers the test of one requirement. */
export const conformance = <Subject>(requirement: Requirement<Subject>): void => {
  const { failing, number, ours, scenario, title, wrong } = requirement
  it(`${String(number).padStart(2, "0")} ${title}`, async ({ task }) => {
    const peers: Record<string, "holds" | "fails" | "not fetched"> = {}
    task.meta.conformance = { number, title, failing, peers }
    for (const [name, play] of Object.entries(requirement.peers ?? {})) {
      const result = areThere ? await measured(play) : "not fetched"
      peers[name] = result
      if (result !== "not fetched") {
        assert.strictEqual(
          result === "fails",
          failing.includes(name),
          `"${name}" ${result}; \`failing\` says otherwise`
        )
      }
    }
    const play = (subject: Subject) =>
      Effect.runPromiseExit(
        Effect.provide(Effect.scoped(Effect.suspend(() => scenario(subject))), TestContext.TestContext)
      )

    const result = await play(ours)
    if (Exit.isFailure(result)) throw Cause.squash(result.cause)

    assert.isNotEmpty(Object.keys(wrong), "a scenario that no wrong variant fails proves nothing")
    for (const [system, [says, subject]] of Object.entries(wrong)) {
      const caught = await play(subject)
      if (Exit.isSuccess(caught)) assert.fail(`the variant that errs as ${system} does was not caught`)
      const why = Cause.squash(caught.cause)
      if (!isAssertion(why)) throw new Error(`the variant "${system}" broke for another reason`, { cause: why })
      assert.include(why.message, says, `the variant "${system}" was caught for another reason`)
    }
  })
}

/** The name tells: every copy of the assertion library has a class of its own. */
const isAssertion = (error: unknown): error is Error => error instanceof Error && error.name === "AssertionError"

const measured = async (play: () => Promise<void>): Promise<"holds" | "fails"> => {
  vi.useFakeTimers()
  try {
    await play()
    return "holds"
  } catch (error) {
    if (isAssertion(error)) return "fails"
    throw error
  } finally {
    vi.useRealTimers()
  }
}
