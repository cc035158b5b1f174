/**
 * Watches the server's health: the line in the header, a banner for each dependency that fails, and news for the rest of
 * the page when something has healed. A dependency that is not set up is no outage and gets no banner.
 */
import type { SystemStatus } from "../../dialdrill/operations/Wire.js"
import type { Degraded } from "../../dialdrill/Wire.js"
import { ask, health, type HealthAnswer } from "./api.js"
import { degrade, healed } from "./banners.js"
import { byId } from "./dom.js"

/** What users are without while a dependency fails. */
const limits: { readonly [service: string]: string } = {
  openai: "AI coaching temporarily unavailable",
  elevenlabs: "Using simulated mode",
  stripe: "Buying a plan is temporarily unavailable",
  database: "Calls are temporarily unavailable"
}

export interface Watcher {
  /** The server is back, or one of its dependencies. */
  readonly onHealed: () => void
  readonly onChange: () => void
}

let now: HealthAnswer | undefined

/** Whether the server is known to lack this dependency for good. */
export const isMissing = (service: string): boolean => now?.checks[service]?.status === "unavailable"

/** Whether the dependency got well after that moment (milliseconds since 1970). */
const healedSince = (service: string, moment: number): boolean => {
  const check = now?.checks[service]
  return check?.status === "up" && Date.parse(check.since) > moment
}

const isFailing = ({ status }: { readonly status: string }): boolean => status === "down" || status === "degraded"

/** Seconds until each circuit lets a call through. Only those may know who may see every check. */
const waits = async (checks: HealthAnswer["checks"]): Promise<ReadonlyMap<string, number | undefined>> => {
  const answer = Object.keys(checks).length > 1 ? await ask<typeof SystemStatus.Encoded>("/api/status") : undefined
  const dependencies = answer?.ok ? answer.value.dependencies : []
  return new Map(dependencies.map(({ circuitBreaker, name }) => [name, circuitBreaker.retryAfterSeconds]))
}

const line = (answer: HealthAnswer | undefined): readonly [string, string] => {
  if (answer === undefined) return ["unhealthy", "Offline"]
  if (answer.status === "healthy") return ["healthy", "All systems work"]
  if (answer.status === "unhealthy") return ["unhealthy", "Out of service"]
  return Object.values(answer.checks).some(isFailing)
    ? ["degraded", "Reduced service"]
    : ["basic", "Running on built-ins"]
}

export const watch = (watcher: Watcher): void => {
  let seen = ""
  let failing: ReadonlyArray<string> = []
  let timer: ReturnType<typeof setTimeout> | undefined

  const take = async (answer: HealthAnswer | undefined): Promise<void> => {
    const [status, text] = line(answer)
    const header = byId("health")
    header.dataset["status"] = status
    if (header.textContent !== text) header.textContent = text
    now = answer
    const checks = answer?.checks ?? {}
    const names = Object.keys(limits).filter((name) => checks[name] !== undefined && isFailing(checks[name]))
    const times = names.length > 0 ? await waits(checks) : undefined
    const entries = names.map((service): Degraded => ({
      service,
      reason: "failing",
      message: limits[service] ?? service,
      retryAfterSeconds: times?.get(service) ?? null
    }))
    if (answer === undefined) {
      entries.push({
        service: "server",
        reason: "failing",
        message: "The server cannot be reached.",
        retryAfterSeconds: 2
      })
    }
    degrade("health", entries)
    const bad = answer === undefined ? ["server"] : names
    const better = failing.some((name) => !bad.includes(name))
    failing = bad
    const signature = JSON.stringify([status, Object.entries(checks).map(([name, check]) => [name, check.status])])
    if (signature !== seen && answer !== undefined) watcher.onChange()
    seen = signature
    if (better && answer !== undefined) watcher.onHealed()
  }

  let looking = false
  const look = async (): Promise<void> => {
    if (looking) return
    looking = true
    clearTimeout(timer)
    const answer = await health()
    await take(answer)
    looking = false
    timer = setTimeout(() => void look(), answer === undefined ? 2000 : failing.length > 0 ? 3000 : 5000)
  }

  addEventListener("online", () => void look())
  addEventListener("visibilitychange", () => document.visibilityState === "visible" && void look())
  void look()
}

/** Takes the banner away that an answer brought, once the dependency it was about has got well. */
export const dropHealed = (scope: string, entries: ReadonlyArray<Degraded>, moment: number): void => {
  if (entries.length > 0 && entries.every(({ service }) => healedSince(service, moment))) healed(scope)
}
