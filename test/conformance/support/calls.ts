/** Calls that a scenario begins, looks at, and ends as it likes. They never hold it up, whatever the subject does. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Exit from "effect/Exit"

type Through = <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, unknown>

interface Call {
  /** Whether the protected effect has begun. */
  readonly wasAdmitted: boolean
  /** How the call ended, if it has. */
  readonly result: Effect.Effect<Option.Option<Exit.Exit<unknown, unknown>>>
  readonly succeed: Effect.Effect<void>
  readonly succeedWith: (value: string) => Effect.Effect<void>
  readonly failWith: (error: unknown) => Effect.Effect<void>
  readonly interrupt: Effect.Effect<void>
}

/** Lets all fibres run until none of them can go on without time passing. */
export const settled: Effect.Effect<void> = Effect.repeatN(Effect.yieldNow(), 50)

/** Sends a call through; it then waits to be told how to end. */
export const begin = (through: Through): Effect.Effect<Call, never, Scope.Scope> =>
  Effect.gen(function* () {
    const end = yield* Deferred.make<string, unknown>()
    let wasAdmitted = false
    const call = Effect.suspend(() => {
      wasAdmitted = true
      return Deferred.await(end)
    })
    const fiber = yield* Effect.forkScoped(through(call))
    yield* settled
    return {
      wasAdmitted,
      result: Fiber.poll(fiber),
      succeed: Effect.zipRight(Deferred.succeed(end, "up"), settled),
      succeedWith: (value) => Effect.zipRight(Deferred.succeed(end, value), settled),
      failWith: (error) => Effect.zipRight(Deferred.fail(end, error), settled),
      interrupt: Effect.zipRight(Fiber.interruptFork(fiber), settled)
    }
  })
