/**
 * Wrong variants of the whole library: its modules are loaded once more, with some exports of one of them replaced. So a
 * variant differs from ours in the line that stands in the test, and in nothing else.
 */
import { fileURLToPath } from "node:url"
import { vi } from "vitest"
import type * as Circuit from "../../../src/resilience/Circuit.js"
import type * as CircuitBreaker from "../../../src/resilience/CircuitBreaker.js"
import * as Library from "../../../src/resilience/index.js"
import type * as Kernel from "../../../src/resilience/kernel/CircuitBreaker.js"
import type * as HalfOpen from "../../../src/resilience/kernel/HalfOpen.js"
import type * as TimeWindow from "../../../src/resilience/kernel/TimeWindow.js"
import type * as Window from "../../../src/resilience/kernel/Window.js"
import type * as MonotonicClock from "../../../src/resilience/MonotonicClock.js"
import type * as Outcomes from "../../../src/resilience/Outcomes.js"
import type * as PolicyEvents from "../../../src/resilience/PolicyEvents.js"

/** What a scenario about the library as a whole is played by. */
export type Selfheal = typeof Library

/** The library as it is. */
export const ours: Selfheal = Library

/** The modules that a variant can differ in. */
interface Modules {
  readonly Circuit: typeof Circuit
  readonly CircuitBreaker: typeof CircuitBreaker
  readonly MonotonicClock: typeof MonotonicClock
  readonly Outcomes: typeof Outcomes
  readonly PolicyEvents: typeof PolicyEvents
  readonly "kernel/CircuitBreaker": typeof Kernel
  readonly "kernel/HalfOpen": typeof HalfOpen
  readonly "kernel/TimeWindow": typeof TimeWindow
  readonly "kernel/Window": typeof Window
}

/** The library with some exports of one module replaced. */
export const altered = async <Name extends keyof Modules>(
  module: Name,
  lines: (original: Modules[Name]) => Partial<Modules[Name]>
): Promise<Selfheal> => {
  const path = fileURLToPath(new URL(`../../../src/resilience/${module}.ts`, import.meta.url))
  vi.resetModules()
  vi.doMock(path, async (importOriginal: () => Promise<Modules[Name]>) => {
    const original = await importOriginal()
    return { ...original, ...lines(original) }
  })
  try {
    return await import("../../../src/resilience/index.js")
  } finally {
    vi.doUnmock(path)
    vi.resetModules()
  }
}
