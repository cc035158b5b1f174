import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Readable from "effect/Readable"
import * as Ref from "effect/Ref"
import { StateRef } from "../../src/resilience/StateRef.js"

describe("StateRef", () => {
  it.effect("is a Ref: it can be read, set and changed like any other, and run as an effect", () =>
    Effect.gen(function* () {
      const ref: Ref.Ref<number> = new StateRef(1)
      assert.isTrue(Readable.isReadable(ref))
      assert.isTrue(Ref.RefTypeId in ref)
      assert.strictEqual(yield* ref, 1)
      assert.strictEqual(yield* Ref.getAndSet(ref, 2), 1)
      assert.strictEqual(yield* Ref.updateAndGet(ref, (n) => n + 1), 3)
      assert.strictEqual(yield* Ref.modify(ref, (n) => [`was ${n}`, n * 2] as const), "was 3")
      assert.strictEqual(yield* Ref.get(ref), 6)
    })
  )

  it.effect("shows in place what effects did, and to effects what was done in place", () =>
    Effect.gen(function* () {
      const ref = new StateRef("a")
      yield* Ref.set(ref, "b")
      assert.strictEqual(ref.unsafeCurrent, "b")
      ref.unsafeCurrent = "c"
      assert.strictEqual(yield* Ref.get(ref), "c")
    })
  )
})
