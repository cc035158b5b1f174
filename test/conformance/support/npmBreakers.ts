/** The breakers from npm behind one small interface, so that a scenario is written once for both. */
import { load, type Peer } from "./peers.js"

/** What cockatiel exports, as far as it is used here. */
interface Cockatiel {
  readonly circuitBreaker: (policy: unknown, options: CockatielOptions) => CockatielBreaker
  readonly bulkhead: (limit: number) => CockatielPolicy
  readonly handleAll: unknown
  readonly ConsecutiveBreaker: new (threshold: number) => unknown
  readonly SamplingBreaker: new (options: object) => unknown
}

interface CockatielPolicy {
  readonly execute: <A>(call: () => Promise<A>, signal?: AbortSignal) => Promise<A>
}

interface CockatielBreaker extends CockatielPolicy {
  readonly state: 0 | 1 | 2 | 3
  readonly onBreak: (listener: () => void) => unknown
  readonly onReset: (listener: () => void) => unknown
}

interface CockatielOptions {
  readonly halfOpenAfter: number
  readonly breaker: unknown
}

interface OpossumBreaker {
  readonly fire: <A>(call: () => Promise<A>) => Promise<A>
  readonly on: (event: string, listener: () => void) => void
  readonly shutdown: () => void
  readonly opened: boolean
  readonly halfOpen: boolean
}

export interface NpmBreaker {
  readonly call: <A>(call: () => Promise<A>, signal?: AbortSignal) => Promise<A>
  readonly state: () => "closed" | "open" | "half-open"
  /** Registers a listener; it is called when the circuit opens, or closes. */
  readonly on: (event: "open" | "close", listener: () => void) => void
}

type Scenario<Rest extends ReadonlyArray<unknown> = []> = (breaker: NpmBreaker, ...rest: Rest) => Promise<void>

/** A breaker of cockatiel that half-opens after 5 seconds, by default opened by a single failure. */
export const cockatiel =
  (play: Scenario<[library: Cockatiel]>, options: (library: Cockatiel) => Partial<CockatielOptions> = () => ({})) =>
  async (): Promise<void> => {
    const library = load<Cockatiel>("cockatiel")
    const breaker = library.circuitBreaker(library.handleAll, {
      halfOpenAfter: 5000,
      breaker: new library.ConsecutiveBreaker(1),
      ...options(library)
    })
    await play(
      {
        call: (call, signal) => breaker.execute(call, signal),
        state: () => (["closed", "open", "half-open", "open"] as const)[breaker.state],
        on: (event, listener) => (event === "open" ? breaker.onBreak(listener) : breaker.onReset(listener))
      },
      library
    )
  }

/** A breaker of opossum that half-opens after 5 seconds, by default opened by a single failure. */
export const opossum =
  (play: Scenario, options: object = { errorThresholdPercentage: 1 }) =>
  async (): Promise<void> => {
    const Breaker = load<new (fn: unknown, options: object) => OpossumBreaker>("opossum")
    const breaker = new Breaker((call: () => Promise<unknown>) => call(), { resetTimeout: 5000, ...options })
    try {
      await play({
        call: (call) => breaker.fire(call),
        state: () => (breaker.opened ? "open" : breaker.halfOpen ? "half-open" : "closed"),
        on: (event, listener) => breaker.on(event, listener)
      })
    } finally {
      breaker.shutdown()
    }
  }

/** The same scenario for both. */
export const both = (
  play: Scenario,
  options?: { readonly cockatiel?: Parameters<typeof cockatiel>[1]; readonly opossum?: object }
): Partial<Record<Peer, () => Promise<void>>> => ({
  cockatiel: cockatiel(play, options?.cockatiel),
  opossum: opossum(play, options?.opossum)
})

interface NpmCall {
  wasAdmitted: boolean
  result: "pending" | "fulfilled" | "rejected"
  readonly succeed: () => Promise<void>
  readonly fail: () => Promise<void>
}

/** Lets all promises run that can. */
const turn = async (): Promise<void> => {
  for (let index = 0; index < 50; index++) await Promise.resolve()
}

/** Sends a call through; it then waits to be told how to end. No rejection is left without a handler. */
export const beginCall = async (breaker: Pick<NpmBreaker, "call">): Promise<NpmCall> => {
  let end: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined
  const call: NpmCall = {
    wasAdmitted: false,
    result: "pending",
    succeed: () => (end?.resolve(), turn()),
    fail: () => (end?.reject(new Error("down")), turn())
  }
  const body = () =>
    new Promise<void>((resolve, reject) => {
      call.wasAdmitted = true
      end = { resolve, reject }
    })
  breaker.call(body).then(
    () => (call.result = "fulfilled"),
    () => (call.result = "rejected")
  )
  await turn()
  return call
}

/** A call that fails, or succeeds, at once. */
export const down = (breaker: Pick<NpmBreaker, "call">): Promise<void> => beginCall(breaker).then((call) => call.fail())
export const up = (breaker: Pick<NpmBreaker, "call">): Promise<void> =>
  beginCall(breaker).then((call) => call.succeed())
