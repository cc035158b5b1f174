/**
 * Puts a policy around a whole service: one line where the service is made, and no caller can forget it.
 *
 * @example
 * ```ts
 * import { Policy } from "@dialdrill/selfheal"
 * import * as Effect from "effect/Effect"
 *
 * interface Weather {
 *   readonly unit: "C" | "F"
 *   readonly today: (city: string) => Effect.Effect<number, Error>
 *   readonly report: (city: string, degrees: number) => Effect.Effect<void, Error>
 * }
 * declare const weather: Weather
 *
 * const program = Effect.gen(function* () {
 *   const policy = yield* Policy.make(Policy.http({ name: "weather" }))
 *   const { today } = Policy.protectAll(weather, policy, { methods: { today: { idempotent: true } } })
 *   return yield* today("Graz") // Effect<number, Error | Rejection>
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Policy } from "./PolicyEngine.js"
import type { Call } from "./PolicyOptions.js"
import type { Rejection } from "./Rejection.js"

/**
 * What is known about the methods.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<K extends PropertyKey, Skipped extends K> {
  /** By method: whether it may run more than once. Default: none may. For services whose reads are to be retried. */
  readonly methods?: { readonly [M in K]?: Call } | undefined
  /**
   * Members that pass unchanged. For methods that ask nobody, and for members that happen to be effects, as a `Ref`.
   */
  readonly skip?: ReadonlyArray<Skipped> | undefined
}

/**
 * A service whose effects gain `Rejection`. Of a generic or overloaded method the types keep what TypeScript's inference
 * keeps; skip it and protect its effect where that matters.
 *
 * @since 0.1.0
 * @category models
 */
export type Protected<S, Skipped extends keyof S = never> = {
  readonly [K in keyof S]: K extends Skipped ? S[K] : ProtectedMember<S[K]>
}

type ProtectedMember<M> = M extends (...args: infer Args) => infer Result
  ? Result extends Data
    ? M
    : Result extends Effect.Effect<infer A, infer E, infer R>
      ? (...args: Args) => Effect.Effect<A, E | Rejection, R>
      : M
  : M extends Data
    ? M
    : M extends Effect.Effect<infer A, infer E, infer R>
      ? Effect.Effect<A, E | Rejection, R>
      : M

/** Effects by type, but nobody runs them. */
type Data = Option.Option<unknown> | Either.Either<unknown, unknown>

/**
 * Passes every effect of a service through a policy: those that its methods return, and those that are members. What is
 * no effect passes unchanged. The methods run as those of the service that was given, and can be taken out of the result
 * without losing their `this`; getters and fields show what they are when they are looked at.
 *
 * @since 0.1.0
 * @category combinators
 */
export const protectAll = <S extends object, Skipped extends keyof S = never>(
  service: S,
  policy: Pick<Policy, "protect">,
  options: Options<keyof S, Skipped> = {}
): Protected<S, Skipped> => {
  const skipped = new Set<PropertyKey>(options.skip)
  const result: object = {}
  for (const [key, isMethod] of membersOf(service)) {
    const call = options.methods?.[key]
    const guard = (value: unknown): unknown =>
      Effect.isEffect(value) && !Option.isOption(value) && !Either.isEither(value) && !skipped.has(key)
        ? policy.protect(value, call)
        : value
    const read = (): unknown => {
      const member = service[key]
      if (typeof member !== "function") return guard(member)
      // A proxy, because a function may carry more than its body: a name, properties, being a class.
      return new Proxy(member, { apply: (method, _, args) => guard(Reflect.apply(method, service, args)) })
    }
    const how = isMethod ? { value: read(), writable: true } : { get: read }
    Object.defineProperty(result, key, { enumerable: true, configurable: true, ...how })
  }
  // Each member was given the type that `Protected` says; TypeScript cannot follow a loop over keys.
  return result as Protected<S, Skipped>
}

/** A class keeps its methods on its prototype. With each key whether it is a function for good, and no getter. */
const membersOf = <S extends object>(service: S): ReadonlyMap<keyof S, boolean> => {
  const members = new Map<keyof S, boolean>()
  for (
    let level: object | null = service;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const name of Reflect.ownKeys(level)) {
      // Where the loop finds a key, the service has it.
      const key = name as keyof S
      if (name === "constructor" || members.has(key)) continue
      members.set(key, typeof Reflect.getOwnPropertyDescriptor(level, name)?.value === "function")
    }
  }
  return members
}
