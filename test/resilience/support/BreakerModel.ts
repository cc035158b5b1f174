/**
 * What a circuit breaker must do, said as plainly as possible, to be compared with the real one: mutable, one breaker,
 * no operator, and a call is known by the number of the period ("epoch") in which it was let in.
 */
export interface ModelOptions {
  readonly threshold: number
  readonly openFor: number
  readonly probes: number
  readonly lease: number
}

export interface Ticket {
  readonly epoch: number
  readonly leasedUntil: number | undefined
}

export class BreakerModel {
  state: "closed" | "open" | "half-open" = "closed"
  failures = 0
  late = 0
  epoch = 0
  openedAt = 0
  probing = new Set<Ticket>()

  constructor(readonly options: ModelOptions) {}

  private to(state: BreakerModel["state"]): void {
    this.state = state
    this.epoch += 1
    this.probing.clear()
  }

  private trip(at: number): void {
    this.failures += 1
    this.openedAt = at
    this.to("open")
  }

  /** Lets time do its work. */
  tick(now: number): void {
    const over = [...this.probing].map((ticket) => ticket.leasedUntil ?? Infinity).filter((until) => until <= now)
    if (over.length > 0) this.trip(Math.min(...over))
    if (this.state === "open" && this.openedAt + this.options.openFor <= now) this.to("half-open")
  }

  enter(now: number): Ticket | "open" | "half-open-full" {
    this.tick(now)
    if (this.state === "open") return "open"
    if (this.state === "closed") return { epoch: this.epoch, leasedUntil: undefined }
    if (this.probing.size === this.options.probes) return "half-open-full"
    const ticket: Ticket = { epoch: this.epoch, leasedUntil: now + this.options.lease }
    this.probing.add(ticket)
    return ticket
  }

  leave(ticket: Ticket, verdict: "success" | "failure" | "none", now: number): void {
    this.tick(now)
    if (ticket.epoch !== this.epoch) {
      if (verdict !== "none") this.late += 1
      return
    }
    this.probing.delete(ticket)
    if (verdict === "none") return
    if (verdict === "success") {
      this.failures = 0
      if (this.state === "half-open") this.to("closed")
      return
    }
    if (this.state === "half-open" || this.failures + 1 >= this.options.threshold) this.trip(now)
    else this.failures += 1
  }
}
