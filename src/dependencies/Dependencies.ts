/**
 * All external systems that the program depends on, in one list: pages, metrics, alerts and operators see every one of
 * them without being told. `Dependency.make` puts them here.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type { CircuitBreaker } from "../resilience/CircuitBreaker.js"
import type { Rejection } from "../resilience/Rejection.js"
import type { PolicySettings } from "./Settings.js"

/**
 * One external system, behind its policy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dependency {
  readonly name: string
  /** Whether the product is unhealthy without it. */
  readonly critical: boolean
  /** Whether it is used at all. */
  readonly configured: boolean
  /** What users get in its place while it fails; `undefined` where nothing can stand in. */
  readonly fallback: string | undefined
  readonly breaker: CircuitBreaker
  readonly policy: PolicySettings
  /** What guards a call, outside in, in words. */
  readonly describe: string
  /** The last health check that ended; `undefined` before the first, and when not configured. */
  readonly lastProbe: Effect.Effect<Probe | undefined>
  /**
   * Makes a call through the policy. The errors of the effect pass through as they are; rejections are added. A call that
   * is not declared idempotent is never retried. What goes wrong is recorded under the operation, a sentence's verb
   * ("create a checkout session").
   */
  readonly call: <A, E, R>(
    operation: string,
    effect: Effect.Effect<A, E, R>,
    options?: { readonly idempotent?: boolean | undefined }
  ) => Effect.Effect<A, E | Rejection, R>
  /** Counts an answer in which a fallback stood in; `kind` is a word from the program, as `rules` or `simulated`. */
  readonly fellBack: (kind: string) => Effect.Effect<void>
}

/**
 * A health check that ended. `at` is ISO 8601, `responseTime` milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Probe {
  readonly at: string
  readonly status: "up" | "degraded" | "down"
  readonly responseTime: number
  readonly message: string | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface DependenciesShape {
  /** Every dependency, in the order of registration. */
  readonly all: Effect.Effect<ReadonlyArray<Dependency>>
  readonly get: (name: string) => Effect.Effect<Option.Option<Dependency>>
  /** Lists a dependency until the scope closes. A second one of a name is a bug of the program, and dies. */
  readonly register: (dependency: Dependency) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * @since 0.1.0
 * @category services
 */
export class Dependencies extends Context.Tag("@dialdrill/selfheal/Dependencies")<Dependencies, DependenciesShape>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<DependenciesShape> = Effect.map(
  Ref.make<ReadonlyArray<Dependency>>([]),
  (list): DependenciesShape => ({
    all: Ref.get(list),
    get: (name) => Effect.map(Ref.get(list), (all) => Option.fromNullable(all.find((one) => one.name === name))),
    register: (dependency) =>
      Effect.acquireRelease(
        Effect.flatten(
          Ref.modify(list, (all) =>
            all.some((one) => one.name === dependency.name)
              ? [Effect.dieMessage(`There is a dependency of the name "${dependency.name}" already`), all]
              : [Effect.void, [...all, dependency]]
          )
        ),
        () => Ref.update(list, (all) => all.filter((one) => one !== dependency))
      )
  })
)

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Dependencies> = Layer.effect(Dependencies, make)
