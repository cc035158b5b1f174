// Mistakes that are easily made in the shells of the policies, where a kernel's purity is of no help: a release that is
// dropped, an order that is swapped, a mask that is forgotten. Each names the place (a text that stands there exactly
// once), what is written instead, what that breaks, and the test file that has to notice.

/**
 * @typedef {object} Mutant
 * @property {string} name What was done, and what it breaks.
 * @property {string} file
 * @property {string} find
 * @property {string} replace
 * @property {string} test
 */

/** @type {ReadonlyArray<Mutant>} */
export default [
  {
    name: "permits are not given back after a failure",
    file: "src/resilience/Gate.ts",
    find: "Effect.zipRight(permit(Exit.failCause(cause), started), Effect.failCause(cause))",
    replace: "Effect.failCause(cause)",
    test: "test/resilience/Gate.test.ts"
  },
  {
    name: "no mask: an interruption between admission and call loses the permit",
    file: "src/resilience/Gate.ts",
    find: "    Effect.uninterruptibleMask((restore) =>\n      Effect.flatMap(MonotonicClock.now, (start) => {",
    replace:
      '    ((use: (restore: Admission["restore"]) => Effect.Effect<A, E | G, R>) => use((inner) => inner))((restore) =>\n      Effect.flatMap(MonotonicClock.now, (start) => {',
    test: "test/resilience/Policy.property.test.ts"
  },
  {
    name: "the call runs masked: a caller who leaves waits until it has ended",
    file: "src/resilience/Gate.ts",
    find: "if (gate === undefined) return restore(begin)",
    replace: "if (gate === undefined) return begin",
    test: "test/resilience/Bulkhead.test.ts"
  },
  {
    name: "each gate has the whole patience for itself",
    file: "src/resilience/Gate.ts",
    find: "patience: start + patience - now",
    replace: "patience: patience",
    test: "test/resilience/Gate.test.ts"
  },
  {
    name: "a call turned away by an inner gate counts as started",
    file: "src/resilience/Gate.ts",
    find: "let started = false",
    replace: "let started = true",
    test: "test/resilience/RateLimiter.test.ts"
  },
  {
    name: "a permit can be given back twice",
    file: "src/resilience/Semaphore.ts",
    find: "        held = false\n",
    replace: "",
    test: "test/resilience/Semaphore.test.ts"
  },
  {
    name: "a waiter who was served while giving up keeps the place for ever",
    file: "src/resilience/Semaphore.ts",
    find: "Effect.zipRight(left ? Effect.void : permitOf(permits), Effect.failCause(cause))",
    replace: "Effect.failCause(cause)",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a waiter who gives up stays in the queue and is served as a ghost",
    file: "src/resilience/Semaphore.ts",
    find: "return left ? Kernel.leave(limits, state, ticket) : [[], state]",
    replace: "return [[], state]",
    test: "test/resilience/Bulkhead.test.ts"
  },
  {
    name: "served at the instant at which the wait became too long: turned away with the place in hand",
    file: "src/resilience/Semaphore.ts",
    find: 'left ? refuse("wait-too-long") : Effect.succeed(permitOf(permits))',
    replace: 'refuse("wait-too-long")',
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a waiter can be interrupted between serving others and waking them",
    file: "src/resilience/RateLimiter.ts",
    find: "    ): Effect.Effect<A> =>\n      Effect.uninterruptible(\n",
    replace: "    ): Effect.Effect<A> =>\n      (<B,>(self: Effect.Effect<B>) => self)(\n",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a call that never began is not refunded",
    file: "src/resilience/RateLimiter.ts",
    find: "started === false ? refund : Effect.void",
    replace: "Effect.void",
    test: "test/resilience/RateLimiter.test.ts"
  },
  {
    name: "a caller who was served while leaving keeps the token",
    file: "src/resilience/RateLimiter.ts",
    find: "left === undefined ? permitOf(ticket, cost)(Exit.failCause(cause), false) : Effect.void,",
    replace: "Effect.void,",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "the store failed and nobody said what then: everyone passes",
    file: "src/resilience/KeyedRateLimiter.ts",
    find: 'onStoreFailure = "localFallback" } = options',
    replace: 'onStoreFailure = "failOpen" } = options',
    test: "test/resilience/KeyedRateLimiter.test.ts"
  },
  {
    name: "the client heard of last is forgotten instead of the one heard of first",
    file: "src/resilience/RateLimitStore.ts",
    find: "          clients.delete(key)\n          sweep(now)\n",
    replace: "          sweep(now)\n",
    test: "test/resilience/KeyedRateLimiter.test.ts"
  }
]
