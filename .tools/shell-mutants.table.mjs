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
    find: "onFailure: (cause) => finish(permit, Exit.failCause(cause))",
    replace: "onFailure: Effect.failCause",
    test: "test/resilience/Gate.test.ts"
  },
  {
    name: "permits are not given back when the call has ended at once",
    file: "src/resilience/Gate.ts",
    find: "? finish(permit, inside)",
    replace: "? inside",
    test: "test/resilience/Gate.test.ts"
  },
  {
    name: "a gate that throws takes the permits of the gates around it along",
    file: "src/resilience/Gate.ts",
    find: "const inside = enterSafely(index + 1)",
    replace: "const inside = enter(index + 1)",
    test: "test/resilience/Gate.test.ts"
  },
  {
    name: "what a permit leaves to do is not done",
    file: "src/resilience/Gate.ts",
    find: "return rest === Effect.void ? exit : Effect.zipRight(rest, exit)",
    replace: "return rest === Effect.void ? exit : exit",
    test: "test/resilience/Gate.test.ts"
  },
  {
    name: "no mask: an interruption between admission and call loses the permit",
    file: "src/resilience/Gate.ts",
    find: "    Effect.uninterruptibleMask((restore) => {\n      const { callLimit, patience = Infinity",
    replace:
      '    ((use: (restore: Admission["restore"]) => Effect.Effect<A, E | G, R>) => use((inner) => inner))((restore) => {\n      const { callLimit, patience = Infinity',
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "the call is masked: a caller who leaves waits until it has ended",
    file: "src/resilience/Gate.ts",
    find: "until, begin = restore }",
    replace: "until, begin = (inner) => inner }",
    test: "test/resilience/Bulkhead.test.ts"
  },
  {
    name: "a gate is not told how long its caller can wait",
    file: "src/resilience/Gate.ts",
    find: "gate.admit({ restore, patience,",
    replace: "gate.admit({ restore, patience: Infinity,",
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
    name: "a waiter who is served while it leaves keeps the place for ever",
    file: "src/resilience/Semaphore.ts",
    find: "Effect.zipRight(left ? Effect.void : permitOf(permits)(Exit.failCause(cause)), Effect.failCause(cause))",
    replace: "Effect.failCause(cause)",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a waiter who leaves stays in the queue and is served as a ghost",
    file: "src/resilience/Semaphore.ts",
    find: "return left ? Kernel.leave(limits, state, ticket) : [[], state]",
    replace: "return [[], state]",
    test: "test/resilience/Bulkhead.test.ts"
  },
  {
    name: "a waiter whose turn and patience come together is turned away, place in hand",
    file: "src/resilience/Semaphore.ts",
    find: 'left ? refuse("wait-too-long") : Effect.succeed(permitOf(permits))',
    replace: 'refuse("wait-too-long")',
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "who loses a race goes on",
    file: "src/resilience/Waiting.ts",
    find: "return yield* Effect.ensuring(restore(Deferred.await(end)), Fiber.interruptAll(fibers))",
    replace: "return yield* restore(Deferred.await(end))",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "no mask: an interruption while a race begins leaves its fibres behind",
    file: "src/resilience/Waiting.ts",
    find: "  Effect.uninterruptibleMask((restore) =>\n    Effect.gen(function* () {\n      const end",
    replace:
      '  ((use: (restore: Admission["restore"]) => Effect.Effect<A | A2, E | E2, R | R2>) => use((inner) => inner))((restore) =>\n    Effect.gen(function* () {\n      const end',
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a waiter can be interrupted between serving others and waking them",
    file: "src/resilience/RateLimiterState.ts",
    find: "      Effect.uninterruptible(\n        MonotonicClock.nowWith((now) =>\n          Effect.flatMap(\n            Ref.modify(ref",
    replace:
      "      (<B,>(self: Effect.Effect<B>) => self)(\n        MonotonicClock.nowWith((now) =>\n          Effect.flatMap(\n            Ref.modify(ref",
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
    name: "a caller who is served while it leaves keeps the token",
    file: "src/resilience/RateLimiter.ts",
    find: "left === undefined ? permitOf(ticket, cost)(Exit.failCause(cause), false) : Effect.void,",
    replace: "Effect.void,",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a reservation that nobody used is not given back with its scope",
    file: "src/resilience/Reservation.ts",
    find: "yield* Scope.addFinalizer(scope, Effect.whenEffect(giveBack, Ref.getAndSet(held, false)))",
    replace: "yield* Scope.addFinalizer(scope, Effect.void)",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "the store failed and nobody said what then: everyone passes",
    file: "src/resilience/KeyedRateLimiterOptions.ts",
    find: 'options.onStoreFailure ?? "localFallback"',
    replace: 'options.onStoreFailure ?? "failOpen"',
    test: "test/resilience/KeyedRateLimiter.test.ts"
  },
  {
    name: "a client who comes again is not moved to the end of those to be forgotten",
    file: "src/resilience/ClientTable.ts",
    find: "      join(older(slot), newer(slot))\n      append(slot)\n",
    replace: "",
    test: "test/resilience/ClientTable.test.ts"
  },
  {
    name: "a result counts although its permit is of an older generation",
    file: "src/resilience/Circuit.ts",
    find: "const settled = Kernel.settle(state, permit, verdict, now)",
    replace: "const settled = Kernel.settle(state, { ...permit, generation: state.generation }, verdict, now)",
    test: "test/resilience/CircuitBreaker.test.ts"
  },
  {
    name: "a probe that is interrupted does not give its place back",
    file: "src/resilience/Circuit.ts",
    find: "      onExit: (exit, started) => {",
    replace: "      onExit: (exit, started) => {\n        if (Exit.isInterrupted(exit)) return Effect.void",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "the circuit is looked at before its news is listened for: an opening in between is missed",
    file: "src/resilience/CircuitBreaker.ts",
    find: "Effect.flatMap(CircuitTransitions.next(this.history), (news) => Effect.zipRight(this.look, news))",
    replace:
      "Effect.zipRight(Effect.suspend(() => this.look), Effect.flatMap(CircuitTransitions.next(this.history), (news) => news))",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a breaker is handed out although it was made with other options",
    file: "src/resilience/CircuitBreakers.ts",
    find: "if (known !== undefined && options !== undefined) yield* mustAgree(known, options)",
    replace: "",
    test: "test/resilience/CircuitBreakers.test.ts"
  },
  {
    name: "a retry that is interrupted before it begins stays charged to the budget",
    file: "src/resilience/RetryDriver.ts",
    find: ": Effect.zipRight(budget?.refund ?? Effect.void, Effect.failCause(cause))",
    replace: ": Effect.failCause(cause)",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "the wait between attempts cannot be interrupted",
    file: "src/resilience/RetryDriver.ts",
    find: "return Effect.catchAllCause(restore(tried), (cause) =>",
    replace: "return Effect.catchAllCause(tried, (cause) =>",
    test: "test/resilience/Retry.test.ts"
  },
  {
    name: "the place is taken before the token: it is held while waiting",
    file: "src/resilience/PolicyEngine.ts",
    find: "const queues = [rateLimiter, bulkhead].filter",
    replace: "const queues = [bulkhead, rateLimiter].filter",
    test: "test/resilience/Policy.test.ts"
  },
  {
    name: "no look at the circuit: a call that is rejected queues first",
    file: "src/resilience/PolicyEngine.ts",
    find: "return looked === undefined || looked.passesFreely() ? walk() :",
    replace: "return looked === undefined || looked !== undefined ? walk() :",
    test: "test/resilience/Policy.test.ts"
  },
  {
    name: "those who queue are not told that the circuit has opened",
    file: "src/resilience/PolicyEngine.ts",
    find: "const pointless = breaker?.opened ?? Effect.never",
    replace: "const pointless = Effect.never",
    test: "test/resilience/Policy.test.ts"
  },
  {
    name: "a call that may run only once is retried",
    file: "src/resilience/PolicyEngine.ts",
    find: "const retries = idempotent ? schedule : undefined",
    replace: "const retries = schedule",
    test: "test/resilience/Policy.test.ts"
  },
  {
    name: "the deadline is blamed for an attempt that had all of its own time",
    file: "src/resilience/PolicyEngine.ts",
    find: "return attemptTimeout <= left",
    replace: "return attemptTimeout < left",
    test: "test/resilience/Policy.test.ts"
  },
  {
    name: "the timer of a call that has ended goes on",
    file: "src/resilience/Timeout.ts",
    find: "    stopTimer()\n",
    replace: "",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a caller who leaves waits for the call instead of ending it",
    file: "src/resilience/Timeout.ts",
    find: "    child.unsafeInterruptAsFork(caller.id())\n    return end",
    replace: "    return end",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "no mask: an interruption between two steps leaves the attempt behind",
    file: "src/resilience/Timeout.ts",
    find: "    Effect.uninterruptible(Effect.suspend(() => begin(self, boundOf(caller), { caller, runtimeFlags })))",
    replace: "    Effect.suspend(() => begin(self, boundOf(caller), { caller, runtimeFlags }))",
    test: "test/resilience/Interruption.test.ts"
  },
  {
    name: "a deadline goes on after its region has ended",
    file: "src/resilience/Deadline.ts",
    find: "  deadline.left = true\n",
    replace: "",
    test: "test/resilience/Deadline.test.ts"
  },
  {
    name: "the losers of a hedged call go on",
    file: "src/resilience/HedgedCall.ts",
    find: "yield* Fiber.interruptAll([timer, ...attempts.map(({ fiber }) => fiber)])",
    replace: "yield* Fiber.interruptAll([timer])",
    test: "test/resilience/Hedge.test.ts"
  },
  {
    name: "a hedge that never began stays charged to the budget",
    file: "src/resilience/HedgedCall.ts",
    find: "if (budget !== undefined) yield* Effect.replicateEffect(budget.refund, idle, { discard: true })",
    replace: "",
    test: "test/resilience/Hedge.test.ts"
  },
  {
    name: "the first caller takes the shared run with it",
    file: "src/resilience/Coalesce.ts",
    find: "const callers = known.callers - 1",
    replace: "const callers = 0",
    test: "test/resilience/Coalesce.test.ts"
  },
  {
    name: "a run that has ended is given to those who come later",
    file: "src/resilience/Coalesce.ts",
    find: "Ref.update(cell, (state) => ({ ...state, runs: HashMap.remove(state.runs, key) }))",
    replace: "Effect.void",
    test: "test/resilience/Coalesce.test.ts"
  },
  {
    name: "time is the wall's",
    file: "src/resilience/MonotonicClock.ts",
    find: "millisOf(clock.unsafeCurrentTimeNanos())",
    replace: "clock.unsafeCurrentTimeMillis()",
    test: "test/resilience/CircuitBreaker.test.ts"
  }
]
