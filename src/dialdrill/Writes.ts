/**
 * A write that was accepted runs to its end, whatever happens to the connection of the one who asked for it: the caller
 * waits for it like for any effect, but only the waiting is interrupted when the caller leaves, and the request's deadline
 * does not bound it. On shutdown the writes under way are awaited before the database closes.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Deadline from "../resilience/Deadline.js"

export interface WritesShape {
  /** Runs the write on a fibre of its own and waits for it. */
  readonly accepted: <A, E, R>(write: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export class Writes extends Context.Tag("@dialdrill/selfheal/dialdrill/Writes")<Writes, WritesShape>() {}

const make = Effect.gen(function* () {
  const running = yield* FiberSet.make<unknown, unknown>()
  // Added after the set's own finalizer and so run before it: what is under way ends, and is not interrupted.
  yield* Effect.addFinalizer(() => Effect.ignore(FiberSet.awaitEmpty(running)))
  return Writes.of({
    accepted: (write) =>
      Effect.flatMap(
        Effect.uninterruptible(FiberSet.run(running, Effect.interruptible(Deadline.without(write)))),
        Fiber.join
      )
  })
})

export const layer: Layer.Layer<Writes> = Layer.scoped(Writes, make)
