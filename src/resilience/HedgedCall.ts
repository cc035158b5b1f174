/**
 * One hedged call from its first attempt to its answer: the shell around `kernel/Hedge.ts`, which decides.
 *
 * The attempts are daemons, because Effect hands the interruption of a fibre on to its children even where the fibre
 * itself is uninterruptible: children would be stopped under a caller who is not. That nothing is left running is seen
 * to here: whatever happens to the call, its attempts and its timer have ended before it has.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Kernel from "./kernel/Hedge.js"
import * as MonotonicClock from "./MonotonicClock.js"
import { isRejection, speaksOfDependency } from "./Rejection.js"
import type { RetryBudget } from "./RetryBudget.js"
import * as Waiting from "./Waiting.js"

/**
 * How one call is hedged; times in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly delay: number
  readonly maxHedges: number
  readonly budget: RetryBudget | undefined
  readonly retry: {
    readonly isRetryable: (error: unknown) => boolean
    readonly retryAfter: (error: unknown) => unknown
  }
  /** Monotonic. */
  readonly start: number
  readonly allowed: Effect.Effect<boolean> | undefined
  /** Told of the end before anyone else is, at this monotonic time. */
  readonly settle: (result: Result, now: number) => Effect.Effect<void>
}

/**
 * What became of a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Result {
  readonly attempts: number
  readonly refused: number
  readonly winner: number | undefined
  readonly elapsed: number
  /**
   * How long the first attempt took or, if it was stopped after its delay, had taken by then; `undefined` if it failed
   * or was stopped before, which says nothing about how long answers take.
   */
  readonly latency: number | undefined
}

interface Attempt<out A, out E> {
  /** From 1. */
  readonly number: number
  readonly fiber: Fiber.RuntimeFiber<A, E>
  readonly begun: () => boolean
}

interface Ended<out A, out E> {
  readonly attempt: Attempt<A, E>
  readonly exit: Exit.Exit<A, E>
}

/** A timer rang; it means something only if no other was set since. */
interface Rang {
  readonly turn: number
}

/**
 * Runs an effect with hedges. See `Hedge` for what that means.
 *
 * @since 0.1.0
 * @category combinators
 */
export const run = <A, E, R>(self: Effect.Effect<A, E, R>, settings: Settings): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { allowed, budget, delay, maxHedges, settle, start } = settings
      const mailbox = yield* Queue.unbounded<Ended<A, E> | Rang>()
      const attempts: Array<Attempt<A, E>> = []
      const failed: Array<Ended<A, E> & { readonly cause: Cause.Cause<E> }> = []
      let timer: Fiber.Fiber<unknown> = Fiber.void
      let turn = 0
      let refused = 0
      let winner: number | undefined

      const begin = Effect.suspend(() => {
        let begun = false
        const body = Effect.suspend(() => {
          begun = true
          return self
        })
        return Effect.map(Effect.forkDaemon(Effect.interruptible(body)), (fiber) => {
          const attempt: Attempt<A, E> = { number: attempts.length + 1, fiber, begun: () => begun }
          attempts.push(attempt)
          fiber.addObserver((exit) => void Queue.unsafeOffer(mailbox, { attempt, exit }))
        })
      })

      const setTimer = Effect.suspend(() => {
        const rang: Rang = { turn: ++turn }
        const ring = Effect.zipRight(Waiting.sleep(delay), Queue.offer(mailbox, rang))
        return Effect.zipRight(
          Fiber.interrupt(timer),
          Effect.map(Effect.forkDaemon(Effect.interruptible(ring)), (fiber) => void (timer = fiber))
        )
      })

      const granted = Effect.if(restore(allowed ?? Effect.succeed(true)), {
        onTrue: () => budget?.withdraw ?? Effect.succeed(true),
        onFalse: () => Effect.succeed(false)
      })

      const answer = Effect.gen(function* () {
        yield* begin
        yield* setTimer
        let state = Kernel.initial(maxHedges)
        while (true) {
          const news = yield* restore(Queue.take(mailbox))
          if ("turn" in news && news.turn !== turn) continue
          if ("exit" in news && Exit.isFailure(news.exit)) failed.unshift({ ...news, cause: news.exit.cause })
          let [decision, next] = Kernel.step(state, "turn" in news ? "overdue" : classify(news.exit, settings))
          if (decision === "hedge") {
            if (yield* granted) yield* begin
            else {
              refused += 1
              ;[decision, next] = Kernel.step(next, "refused")
            }
            if (decision !== "answer" && next.left > 0) yield* setTimer
          }
          state = next
          if (decision !== "answer") continue
          if ("exit" in news && Exit.isSuccess(news.exit)) {
            winner = news.attempt.number
            return news
          }
          return verdict(failed)
        }
      })

      /** Stops what is still running, and waits until it has stopped. */
      const stop = Effect.gen(function* () {
        const now = yield* MonotonicClock.now
        const elapsed = now - start
        const first = attempts[0]
        const stopped = first?.fiber.unsafePoll() === null && elapsed >= delay
        yield* Fiber.interruptAll([timer, ...attempts.map(({ fiber }) => fiber)])
        const idle = attempts.filter(({ begun, number }) => number > 1 && !begun()).length
        if (budget !== undefined) yield* Effect.replicateEffect(budget.refund, idle, { discard: true })
        const result: Result = {
          attempts: attempts.length - idle,
          refused,
          winner,
          elapsed,
          latency: winner === 1 || stopped ? elapsed : undefined
        }
        yield* settle(result, now)
      })

      const { attempt, exit } = yield* Effect.ensuring(answer, stop)
      yield* Fiber.inheritAll(attempt.fiber)
      return yield* exit
    })
  )

const classify = (exit: Exit.Exit<unknown, unknown>, { retry }: Settings): Kernel.Event => {
  if (Exit.isSuccess(exit)) return "success"
  const error = Cause.failureOption(exit.cause)
  if (Cause.isDie(exit.cause) || Option.isNone(error)) return "broken"
  // That one attempt was turned away, as the second at a full bulkhead, says nothing about those that were let in.
  if (isRejection(error.value) && !speaksOfDependency(error.value)) return "pushback"
  if (!retry.isRetryable(error.value)) return "fatal"
  return retry.retryAfter(error.value) === undefined ? "failure" : "pushback"
}

/**
 * Defects before errors, errors before interruptions; of the same kind the latest first, and the earlier ones behind it
 * in the order that `Retry.attemptErrors` reads.
 */
const verdict = <A, E>(failed: ReadonlyArray<Ended<A, E> & { readonly cause: Cause.Cause<E> }>): Ended<A, E> => {
  const died = failed.filter(({ cause }) => Cause.isDie(cause))
  const erred = failed.filter(({ cause }) => Cause.isFailure(cause))
  const told = died.length > 0 ? died : erred.length > 0 ? erred : failed
  const causes = told.map(({ cause }) => cause)
  return {
    // A call that ends without a success has an attempt that failed.
    attempt: told[0]!.attempt,
    exit: Exit.failCause(causes.reduceRight((earlier, cause) => Cause.sequential(cause, earlier)))
  }
}
