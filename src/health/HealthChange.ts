/**
 * What changed between two looks at the health of everything, as values to be shown, logged and alerted on.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { CheckResult, CheckStatus, OverallStatus } from "./Check.js"

/**
 * Something changed: one check, or the status of the whole. `seq` has no gaps, so that a slow subscriber can tell that it
 * missed something.
 *
 * @since 0.1.0
 * @category models
 */
export type HealthChange =
  | {
      readonly _tag: "CheckChanged"
      readonly seq: number
      readonly at: Date
      readonly name: string
      readonly critical: boolean
      readonly from: CheckStatus
      readonly to: CheckStatus
      readonly message: string | undefined
    }
  | {
      readonly _tag: "StatusChanged"
      readonly seq: number
      readonly at: Date
      readonly from: OverallStatus
      readonly to: OverallStatus
    }

/**
 * A check as it was read.
 *
 * @since 0.1.0
 * @category models
 */
export interface NamedResult {
  readonly name: string
  readonly critical: boolean
  readonly result: CheckResult
}

/**
 * What was last announced: the basis of the next comparison.
 *
 * @since 0.1.0
 * @category models
 */
export interface Announced {
  readonly seq: number
  readonly status: OverallStatus | undefined
  readonly checks: ReadonlyMap<string, { readonly status: CheckStatus; readonly since: string }>
}

/**
 * Before anything was announced.
 *
 * @since 0.1.0
 * @category constructors
 */
export const nothing: Announced = { seq: 0, status: undefined, checks: new Map() }

/**
 * The differences between what was announced and what is, and the new basis. A check that appears or disappears has not
 * changed.
 *
 * @since 0.1.0
 * @category accessors
 */
export const difference = (
  before: Announced,
  status: OverallStatus,
  checks: ReadonlyArray<NamedResult>,
  at: Date
): readonly [ReadonlyArray<HealthChange>, Announced] => {
  const changes: Array<HealthChange> = []
  const seen = new Map<string, { readonly status: CheckStatus; readonly since: string }>()
  for (const { critical, name, result } of checks) {
    const previous = before.checks.get(name)
    if (previous === undefined || previous.status === result.status) {
      seen.set(name, { status: result.status, since: result.since })
      continue
    }
    // What a probe said long ago holds again, as after a circuit that closed: from now on, not from then on.
    const since = result.since > previous.since ? result.since : at.toISOString()
    seen.set(name, { status: result.status, since })
    const [from, to] = [previous.status, result.status]
    changes.push({
      _tag: "CheckChanged",
      seq: before.seq + changes.length,
      at,
      name,
      critical,
      from,
      to,
      message: result.message
    })
  }
  if (before.status !== undefined && before.status !== status) {
    changes.push({ _tag: "StatusChanged", seq: before.seq + changes.length, at, from: before.status, to: status })
  }
  return [changes, { seq: before.seq + changes.length, status, checks: seen }]
}

/**
 * Writes a change to the log: a warning when things got worse.
 *
 * @since 0.1.0
 * @category logging
 */
export const log = (change: HealthChange): Effect.Effect<void> => {
  if (change._tag === "StatusChanged") {
    const text = `health is ${change.to} (was ${change.from})`
    return change.to === "healthy" ? Effect.logInfo(text) : Effect.logWarning(text)
  }
  const why = change.message === undefined ? "" : `: ${change.message}`
  const text = `health check "${change.name}" is ${change.to} (was ${change.from})${why}`
  if (change.to !== "up") return Effect.logWarning(text)
  return change.from === "unavailable" ? Effect.logDebug(text) : Effect.logInfo(text)
}
