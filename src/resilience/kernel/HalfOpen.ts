/**
 * The half-open circuit: some calls pass as probes and decide whether it closes or opens again.
 *
 * A probe holds its place on a lease. One that shows no result in time counts as failed, so that a call which never
 * returns cannot keep the circuit half-open for ever.
 *
 * @since 0.1.0
 */

/** A place in the half-open state; its identity is the object itself. */
export interface Probe {
  readonly leasedUntil: number
}

export interface Rules {
  /** How many probes may be on their way at a time. */
  readonly halfOpenMaxCalls: number
  /** How many probes decide, and which share of them must succeed. With one, the first result decides. */
  readonly halfOpenSampleSize: number
  readonly halfOpenSuccessRatio: number
  /** The shortest lease, in milliseconds. */
  readonly probeTimeout: number
}

export interface HalfOpen {
  readonly _tag: "half-open"
  /** Those that led here. */
  readonly failures: number
  readonly opens: number
  /** On their way. */
  readonly probes: ReadonlyArray<Probe>
  /** Probes that have ended. */
  readonly succeeded: number
  readonly failed: number
}

export const initial = (failures: number, opens: number): HalfOpen => ({
  _tag: "half-open",
  failures,
  opens,
  probes: [],
  succeeded: 0,
  failed: 0
})

/**
 * A place for a probe that may take `lease` milliseconds by its own limit; `undefined` when all are taken. A limit that is
 * no number of milliseconds is none: no lease is without end.
 */
export const lend = (
  state: HalfOpen,
  rules: Rules,
  now: number,
  lease: number
): readonly [Probe, HalfOpen] | undefined => {
  if (state.probes.length >= rules.halfOpenMaxCalls) return undefined
  const probe: Probe = {
    leasedUntil: now + (Number.isFinite(lease) ? Math.max(rules.probeTimeout, lease) : rules.probeTimeout)
  }
  return [probe, { ...state, probes: [...state.probes, probe] }]
}

/** Takes a place back without a verdict. */
export const giveBack = (state: HalfOpen, probe: Probe): HalfOpen => ({
  ...state,
  probes: state.probes.filter((other) => other !== probe)
})

/** Takes a place back with the result of its probe. */
export const conclude = (state: HalfOpen, probe: Probe, failed: boolean): HalfOpen => {
  const rest = giveBack(state, probe)
  return failed ? { ...rest, failed: rest.failed + 1 } : { ...rest, succeeded: rest.succeeded + 1 }
}

/**
 * What the results so far decide: `close` as soon as the ratio over all probes is met, whatever the rest does; `open` at
 * the first moment it cannot be met any more.
 */
export const judge = (state: HalfOpen, rules: Rules): "close" | "open" | undefined => {
  const { halfOpenSampleSize: size, halfOpenSuccessRatio: ratio } = rules
  // Both as quotients: a product such as 0.7 * 10 is a little more than 7.
  if (state.succeeded / size >= ratio) return "close"
  return (size - state.failed) / size < ratio ? "open" : undefined
}

/** The probe whose lease ran out first, if any has. */
export const overdue = (state: HalfOpen, now: number): Probe | undefined =>
  state.probes.reduce<Probe | undefined>(
    (first, probe) =>
      probe.leasedUntil <= now && (first === undefined || probe.leasedUntil < first.leasedUntil) ? probe : first,
    undefined
  )
