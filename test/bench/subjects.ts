/** How subjects are made, so that all of them loop in one of two ways, and the floors under them. */
import * as Effect from "effect/Effect"
import type { Subject } from "./cases.js"

/** Calls from within one fibre, one after the other: how a server that lives in Effect calls its dependencies. */
export const inFiber = (name: string, call: () => Effect.Effect<unknown, unknown>): Subject => ({
  name,
  prepare: (calls) => () =>
    Effect.runPromise(
      Effect.suspend(() => {
        let left = calls
        return Effect.whileLoop({
          while: () => left > 0,
          body: call,
          step: () => {
            left -= 1
          }
        })
      })
    )
})

/** Calls that are awaited one after the other. */
export const awaited = (name: string, call: () => Promise<unknown>): Subject => ({
  name,
  prepare: (calls) => async () => {
    for (let left = calls; left > 0; left -= 1) await call()
  }
})

/** What all subjects protect: it succeeds at once, so that only the protection costs anything. */
export const answer = 42
export const effect: Effect.Effect<number> = Effect.sync(() => answer)
export const promise = async (): Promise<number> => answer

/** The same with its cancellation signal delivered and looked at, as `fetch` does. */
export const promiseWithSignal = async (signal: AbortSignal): Promise<number> => (signal.aborted ? 0 : answer)

/** The least that a call from within a fibre costs: the loop itself. */
export const fiberFloor = inFiber("a fibre's loop", () => effect)
export const fiberPromiseFloor = inFiber("a fibre's loop over a promise", () => Effect.promise(promiseWithSignal))
export const runFloor = awaited("one runPromiseExit a call", () =>
  Effect.runPromiseExit(Effect.promise(promiseWithSignal))
)
/** The least that an awaited call costs. */
export const asyncFloor = awaited("an async call", promise)
