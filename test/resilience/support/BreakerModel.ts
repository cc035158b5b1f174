/**
 * What a circuit breaker must do, said as plainly as possible, to be compared with the real one: mutable, one breaker,
 * no operator, and a call is known by the number of the period ("epoch") in which it was let in.
 */
export interface ModelOptions {
  /** Failures in a row; not asked where there are `rates`. */
  readonly threshold: number
  readonly openFor: number
  readonly probes: number
  readonly lease: number
  readonly rates?: {
    /** Over the last so many calls, or over the last ten buckets of so many milliseconds. */
    readonly window: { readonly calls: number } | { readonly bucket: number }
    readonly minimum: number
    readonly failures: number
    readonly slow: number
  }
  readonly slowAfter?: number
  /** So many of so many probes must succeed; one of one without. */
  readonly sample?: { readonly needed: number; readonly of: number }
}

export interface Ticket {
  readonly epoch: number
  readonly since: number
  readonly leasedUntil: number | undefined
}

interface Result {
  readonly at: number
  readonly failed: boolean
  readonly slow: boolean
}

export class BreakerModel {
  state: "closed" | "open" | "half-open" = "closed"
  late = 0
  epoch = 0
  openedAt = 0
  probing = new Set<Ticket>()
  /** The failures that led here, while not closed. */
  private led = 0
  private results: Array<Result> = []
  private probed = { succeeded: 0, failed: 0 }
  private now = 0

  constructor(readonly options: ModelOptions) {}

  get failures(): number {
    return this.state === "closed" ? this.counting().filter(({ failed }) => failed).length : this.led
  }

  /** The results that the rule looks at. */
  private counting(): ReadonlyArray<Result> {
    const window = this.options.rates?.window
    if (window === undefined) return this.results.slice(this.results.findLastIndex(({ failed }) => !failed) + 1)
    if ("calls" in window) return this.results.slice(-window.calls)
    const bucketOf = (at: number) => Math.floor(at / window.bucket)
    return this.results.filter(({ at }) => bucketOf(this.now) - bucketOf(at) < 10)
  }

  private mustOpen(): boolean {
    const { rates, threshold } = this.options
    const counting = this.counting()
    if (rates === undefined) return counting.length >= threshold
    const share = (of: "failed" | "slow") => counting.filter((result) => result[of]).length / counting.length
    return counting.length >= rates.minimum && (share("failed") >= rates.failures || share("slow") >= rates.slow)
  }

  private to(state: BreakerModel["state"]): void {
    this.state = state
    this.epoch += 1
    this.probing.clear()
    this.results = []
    this.probed = { succeeded: 0, failed: 0 }
  }

  private trip(at: number): void {
    this.led = this.failures + this.probed.failed
    this.openedAt = at
    this.to("open")
  }

  private probeEnded(ticket: Ticket, failed: boolean, at: number): void {
    const { needed, of } = this.options.sample ?? { needed: 1, of: 1 }
    this.probing.delete(ticket)
    this.probed[failed ? "failed" : "succeeded"] += 1
    if (this.probed.succeeded === needed) this.to("closed")
    else if (this.probed.failed > of - needed) this.trip(at)
  }

  /** Lets time do its work. */
  tick(now: number): void {
    this.now = now
    const overdue = [...this.probing]
      .filter(({ leasedUntil = Infinity }) => leasedUntil <= now)
      .sort((a, b) => (a.leasedUntil ?? 0) - (b.leasedUntil ?? 0))
    for (const ticket of overdue) {
      if (this.probing.has(ticket)) this.probeEnded(ticket, true, ticket.leasedUntil ?? now)
    }
    if (this.state === "open" && this.openedAt + this.options.openFor <= now) this.to("half-open")
  }

  enter(now: number): Ticket | "open" | "half-open-full" {
    this.tick(now)
    if (this.state === "open") return "open"
    if (this.state === "closed") return { epoch: this.epoch, since: now, leasedUntil: undefined }
    if (this.probing.size === this.options.probes) return "half-open-full"
    const ticket: Ticket = { epoch: this.epoch, since: now, leasedUntil: now + this.options.lease }
    this.probing.add(ticket)
    return ticket
  }

  leave(ticket: Ticket, verdict: "success" | "failure" | "none", now: number): void {
    this.tick(now)
    const failed = verdict === "failure"
    const slow = now - ticket.since > (this.options.slowAfter ?? Infinity)
    if (ticket.epoch !== this.epoch || (this.state === "half-open" && !this.probing.has(ticket))) {
      if (verdict !== "none") this.late += 1
    } else if (verdict === "none") {
      this.probing.delete(ticket)
    } else if (this.state === "half-open") {
      this.probeEnded(ticket, failed || slow, now)
    } else {
      this.results.push({ at: now, failed, slow })
      if (this.mustOpen()) this.trip(now)
    }
  }
}

/** Breakers of every kind: the options of the real one, with the same said to the model. */
export const kinds = {
  "failures in a row": {
    model: { threshold: 2, openFor: 100, probes: 2, lease: 50 },
    options: { failureThreshold: 2 }
  },
  "a window of calls and most of five probes": {
    model: {
      threshold: 0,
      openFor: 100,
      probes: 2,
      lease: 50,
      rates: { window: { calls: 5 }, minimum: 3, failures: 0.6, slow: 0.8 },
      slowAfter: 30,
      sample: { needed: 3, of: 5 }
    },
    options: {
      window: { type: "count", size: 5 },
      minimumThroughput: 3,
      failureRateThreshold: 0.6,
      slowCallDuration: 30,
      slowCallRateThreshold: 0.8,
      halfOpenSampleSize: 5,
      halfOpenSuccessRatio: 0.6
    }
  },
  "a window of time and both of two probes": {
    model: {
      threshold: 0,
      openFor: 100,
      probes: 2,
      lease: 50,
      rates: { window: { bucket: 10 }, minimum: 2, failures: 0.5, slow: 1 },
      slowAfter: 49,
      sample: { needed: 2, of: 2 }
    },
    options: {
      window: { type: "time", duration: 100 },
      minimumThroughput: 2,
      slowCallDuration: 49,
      halfOpenSampleSize: 2
    }
  }
} as const
