/**
 * The `Ref` that a policy keeps its state in where every nanosecond of a call counts: a step that runs anyway can read
 * and set it in place, instead of asking the runtime for one step more each time. (Those steps are most of what a policy
 * costs: with them a closed circuit breaker took twice as long.) In every other respect it is a `Ref` like any other, of
 * immutable data; JavaScript runs nothing else between a read and the write that follows it in one function.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Readable from "effect/Readable"
import * as Ref from "effect/Ref"

/**
 * @since 0.1.0
 * @category models
 */
export class StateRef<in out A> extends Effectable.Class<A> implements Ref.Ref<A> {
  get [Ref.RefTypeId]() {
    return variance
  }
  get [Readable.TypeId](): Readable.TypeId {
    return Readable.TypeId
  }

  /** The value. Read and set it only inside of a step that the runtime runs, never while an effect is being built. */
  unsafeCurrent: A

  constructor(initial: A) {
    super()
    this.unsafeCurrent = initial
  }

  get get(): Effect.Effect<A> {
    return Effect.sync(() => this.unsafeCurrent)
  }

  modify<B>(f: (current: A) => readonly [B, A]): Effect.Effect<B> {
    return Effect.sync(() => {
      const [result, next] = f(this.unsafeCurrent)
      this.unsafeCurrent = next
      return result
    })
  }

  commit(): Effect.Effect<A> {
    return this.get
  }
}

const variance = { _A: <A>(a: A): A => a }
