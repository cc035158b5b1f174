import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Writes from "../../src/dialdrill/Writes.js"

/** What happens, in order, to a write and to the database that it needs. */
const rig = Effect.gen(function* () {
  const events = yield* Ref.make<ReadonlyArray<string>>([])
  const note = (event: string) => Ref.update(events, (all) => [...all, event])
  const database = Layer.scopedDiscard(Effect.addFinalizer(() => note("database closed")))
  const scope = yield* Scope.make()
  const context = yield* Layer.buildWithScope(Layer.provide(Writes.layer, database), scope)
  const begun = yield* Deferred.make<void>()
  const end = yield* Deferred.make<void>()
  const write = Deferred.succeed(begun, undefined).pipe(
    Effect.zipRight(Deferred.await(end)),
    Effect.zipRight(note("written")),
    Effect.onInterrupt(() => note("cut short"))
  )
  const caller = yield* Effect.fork(Context.get(context, Writes.Writes).accepted(write))
  yield* Deferred.await(begun)
  return {
    events: Ref.get(events),
    caller,
    end: Deferred.succeed(end, undefined),
    close: Scope.close(scope, Exit.void)
  }
})

describe("Writes", () => {
  it.effect("ends a write whose caller has left", () =>
    Effect.gen(function* () {
      const { caller, close, end, events } = yield* rig
      yield* Fiber.interrupt(caller)
      assert.deepStrictEqual(yield* events, [])
      yield* end
      yield* close
      assert.deepStrictEqual(yield* events, ["written", "database closed"])
    })
  )

  it.effect("awaits what was accepted before the database closes", () =>
    Effect.gen(function* () {
      const { caller, close, end, events } = yield* rig
      yield* Fiber.interrupt(caller)
      const closing = yield* Effect.fork(close)
      yield* Effect.yieldNow()
      assert.deepStrictEqual(yield* events, [])
      yield* end
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* events, ["written", "database closed"])
    })
  )
})
