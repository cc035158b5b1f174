/**
 * A policy written as the list of its steps, outside in, for those who want to see the order that they get:
 *
 * ```ts
 * const policy = yield* Policy.compose("openai", [
 *   Policy.fallback((error: ModelError | Rejection) => Effect.succeed(rules)),
 *   Policy.deadline("20 seconds"),
 *   Policy.retry({ maxAttempts: 3, jitter: "equal" }),
 *   Policy.bulkhead(places),
 *   Policy.breaker(breaker),
 *   Policy.attemptTimeout("12 seconds")
 * ])
 * ```
 *
 * There is one right order, that of the steps below; another one is refused with what it would do and what to change. What
 * is built is the same as `Policy.make` builds from options.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CircuitBreaker } from "./CircuitBreaker.js"
import * as Fallback from "./Fallback.js"
import type { Gate } from "./Gate.js"
import type { Hedge } from "./Hedge.js"
import * as Engine from "./PolicyEngine.js"
import type { Listener } from "./PolicyEvents.js"
import * as PolicyOptions from "./PolicyOptions.js"
import type { Rejection } from "./Rejection.js"
import type * as Retry from "./Retry.js"
import type { RetryBudget } from "./RetryBudget.js"

/** What a step is about, outside in, with what goes wrong when it stands inside of one that belongs inside of it. */
const order = {
  fallback: { name: "fallback", inside: "its answers would pass for the dependency's own" },
  deadline: { name: "deadline", inside: "it would bound a part of the call and not the whole" },
  retry: { name: "retry", inside: "all its attempts would count there as one, and hold it while they wait" },
  rateLimit: { name: "rate limit", inside: "callers would hold that while they wait for a token" },
  bulkhead: { name: "bulkhead", inside: "callers would hold that while they wait for a place" },
  breaker: { name: "circuit breaker", inside: "it would see a part of an attempt and not the attempt" },
  hedge: { name: "hedge", inside: "the limit of one attempt would end all of them together" },
  attemptTimeout: { name: "attempt timeout", inside: "" }
} as const

type Kind = keyof typeof order

/**
 * One step of a policy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Step {
  readonly kind: Exclude<Kind, "fallback">
  readonly options: Omit<PolicyOptions.Options, "name">
}

/**
 * What answers in place of a call that failed with an error `E`, or with a rejection.
 *
 * @since 0.1.0
 * @category models
 */
export interface FallbackStep<in E, out A2, out E2, out R2> {
  readonly kind: "fallback"
  readonly answer: (error: E | Rejection) => Effect.Effect<A2, E2, R2>
}

/**
 * A policy whose failed calls are answered. It takes the effects whose errors the fallback understands.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicyWithFallback<in E, out A2, out E2, out R2> {
  readonly name: string
  readonly protect: <A, E1 extends E, R>(
    self: Effect.Effect<A, E1, R>,
    call?: PolicyOptions.Call
  ) => Effect.Effect<A | A2, E2, R | R2>
  readonly describe: string
}

/**
 * Outermost: answers with less when the full answer cannot be had. It is given the error that the call ended in.
 *
 * @since 0.1.0
 * @category steps
 */
export const fallback = <E, A2, E2, R2>(
  answer: (error: E | Rejection) => Effect.Effect<A2, E2, R2>
): FallbackStep<E, A2, E2, R2> => ({ kind: "fallback", answer })

/**
 * The longest time for the call as a whole, waits and retries included; see `Options.deadline`.
 *
 * @since 0.1.0
 * @category steps
 */
export const deadline = (limit: Duration.DurationInput): Step => ({ kind: "deadline", options: { deadline: limit } })

/**
 * More attempts for calls that are declared idempotent; see `Retry.Options`. `budget` bounds the retries of everyone who
 * shares it; default: none.
 *
 * @since 0.1.0
 * @category steps
 */
export const retry = (options: Retry.Options & { readonly budget?: RetryBudget | undefined } = {}): Step => {
  const { budget, ...rest } = options
  return { kind: "retry", options: { retry: rest, retryBudget: budget } }
}

/**
 * So many calls in a time; usually a `RateLimiter`. Its queue is left as soon as the circuit opens.
 *
 * @since 0.1.0
 * @category steps
 */
export const rateLimit = (rateLimiter: Gate): Step => ({ kind: "rateLimit", options: { rateLimiter } })

/**
 * So many calls at once; usually a `Bulkhead`. Its queue is left as soon as the circuit opens.
 *
 * @since 0.1.0
 * @category steps
 */
export const bulkhead = (gate: Gate): Step => ({ kind: "bulkhead", options: { bulkhead: gate } })

/**
 * Also looked at before rate limit and bulkhead, so that a call which would be rejected costs neither token nor place.
 *
 * @since 0.1.0
 * @category steps
 */
export const breaker = (circuit: CircuitBreaker): Step => ({ kind: "breaker", options: { breaker: circuit } })

/**
 * A second attempt beside one that is slow, for calls that are declared idempotent, and only while the circuit is closed.
 *
 * @since 0.1.0
 * @category steps
 */
export const hedge = (hedged: Hedge): Step => ({ kind: "hedge", options: { hedge: hedged } })

/**
 * Innermost: the longest time for one attempt; see `Options.attemptTimeout`.
 *
 * @since 0.1.0
 * @category steps
 */
export const attemptTimeout = (limit: Duration.DurationInput): Step => ({
  kind: "attemptTimeout",
  options: { attemptTimeout: limit }
})

/**
 * Builds a policy from its steps, outside in. Fails with `PolicyConfigurationError`, which names every step that stands in
 * the wrong place or twice, and every option that contradicts another, with what to change.
 *
 * @since 0.1.0
 * @category constructors
 */
export function compose<E, A2, E2, R2>(
  name: string,
  steps: readonly [FallbackStep<E, A2, E2, R2>, ...ReadonlyArray<Step>],
  onEvent?: Listener
): Effect.Effect<PolicyWithFallback<E, A2, E2, R2>, PolicyOptions.PolicyConfigurationError>
export function compose(
  name: string,
  steps: ReadonlyArray<Step>,
  onEvent?: Listener
): Effect.Effect<Engine.Policy, PolicyOptions.PolicyConfigurationError>
export function compose(
  name: string,
  steps: ReadonlyArray<Step | FallbackStep<unknown, unknown, unknown, unknown>>,
  onEvent?: Listener
): Effect.Effect<
  Engine.Policy | PolicyWithFallback<unknown, unknown, unknown, unknown>,
  PolicyOptions.PolicyConfigurationError
> {
  return Effect.gen(function* () {
    const parts = steps.map((step) => (step.kind === "fallback" ? {} : step.options))
    const options: PolicyOptions.Options = Object.assign({ name, onEvent }, ...parts)
    const settings = yield* PolicyOptions.settingsOf(options, misplaced(steps))
    const policy = yield* Engine.make(settings)
    const [first] = steps
    if (first?.kind !== "fallback") return policy
    return {
      name,
      protect: (self, call) => Fallback.withFallback(policy.protect(self, call), first.answer),
      describe: `fallback > ${policy.describe}`
    } satisfies PolicyWithFallback<unknown, unknown, unknown, unknown>
  })
}

/** What is wrong with the places of the steps. */
const misplaced = (steps: ReadonlyArray<{ readonly kind: Kind }>): ReadonlyArray<string> => {
  const kinds = steps.map(({ kind }) => kind)
  const ranks = Object.keys(order)
  return kinds.flatMap((kind, index) => {
    const { inside, name } = order[kind]
    if (kinds.indexOf(kind) !== index) return [`${name} stands twice; keep one of them`]
    const outer = kinds.slice(0, index).find((other) => ranks.indexOf(other) > ranks.indexOf(kind))
    return outer === undefined
      ? []
      : [`${name} stands inside of ${order[outer].name}: ${inside}; put ${name} before ${order[outer].name}`]
  })
}
