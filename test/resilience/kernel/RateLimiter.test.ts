import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as RateLimiter from "../../../src/resilience/kernel/RateLimiter.js"

const limits: RateLimiter.Limits = { permits: 5, interval: 100, maxQueued: 4 }

const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      _tag: fc.constant("Admit" as const),
      cost: fc.integer({ min: 1, max: 5 }),
      patience: fc.constantFrom(0, 30, 100, 250, Infinity)
    })
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("Pass" as const), millis: fc.integer({ min: 1, max: 120 }) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Leave" as const), which: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Refund" as const), which: fc.nat(6) }) }
)

interface Call {
  readonly ticket: number
  readonly cost: number
}

/** The exact log: what started when, and who waits. Every question is answered by looking through all of it. */
class SlidingLog {
  readonly starts: Array<Call & { at: number }> = []
  readonly waiting: Array<Call> = []
  used(now: number, log: ReadonlyArray<{ at: number; cost: number }> = this.starts): number {
    return log
      .filter((start) => start.at <= now && start.at > now - limits.interval)
      .reduce((sum, start) => sum + start.cost, 0)
  }
  serve(now: number): void {
    for (let first = this.waiting[0]; first && this.used(now) + first.cost <= limits.permits; first = this.waiting[0]) {
      this.starts.push({ ...first, at: now })
      this.waiting.shift()
    }
  }
  /** Millisecond by millisecond: when would a newcomer start if nothing else happened? */
  wait(now: number, cost: number): number {
    const log: Array<{ at: number; cost: number }> = [...this.starts]
    const queue = [...this.waiting.map((call) => call.cost), cost]
    for (let at = now; ; at++) {
      for (let first = queue[0]; first && this.used(at, log) + first <= limits.permits; first = queue[0]) {
        log.push({ at, cost: first })
        queue.shift()
        if (queue.length === 0) return at - now
      }
    }
  }
}

describe("the rate limiter's kernel", () => {
  it("agrees with an exact log of everything that started, for any history", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        let state: RateLimiter.State<string> = RateLimiter.initial
        const log = new SlidingLog()
        let now = 0
        const reach = (time: number): void => {
          // As the shell does: the first in line sleeps for as long as it is told, and looks again.
          for (let first = log.waiting[0]; first !== undefined; first = log.waiting[0]) {
            const millis = RateLimiter.sleepOf(limits, state, first.ticket, now)
            assert.isAbove(millis, 0, "nobody who could be served is left waiting")
            for (const other of log.waiting.slice(1)) {
              assert.strictEqual(RateLimiter.sleepOf(limits, state, other.ticket, now), Infinity)
            }
            if (now + millis > time) break
            now += millis
            state = RateLimiter.advance(limits, state, now)[1]
            const before = log.waiting.length
            log.serve(now)
            assert.isBelow(log.waiting.length, before, "whoever wakes on time is served")
            agree()
          }
          now = time
        }
        const agree = (): void => {
          const current = RateLimiter.advance(limits, state, now)[1]
          assert.strictEqual(current.semaphore.inUse, log.used(now))
          assert.strictEqual(current.semaphore.queue.size, log.waiting.length)
          for (const { ticket } of log.starts) assert.strictEqual(RateLimiter.sleepOf(limits, current, ticket, now), 0)
        }
        for (const command of commands) {
          switch (command._tag) {
            case "Admit": {
              const [admission, served, next] = RateLimiter.admit(
                limits,
                state,
                command.cost,
                "door",
                now,
                command.patience
              )
              assert.deepStrictEqual(served, [])
              const wait = log.wait(now, command.cost)
              if (wait === 0) {
                assert.strictEqual(admission._tag, "Taken")
                if (admission._tag === "Taken") {
                  log.starts.push({ ticket: admission.ticket, cost: command.cost, at: now })
                }
              } else if (wait > command.patience) {
                assert.deepStrictEqual(admission, { _tag: "Refused", reason: "wait-too-long", retryAfter: wait })
              } else if (log.waiting.length >= limits.maxQueued) {
                assert.deepStrictEqual(admission, { _tag: "Refused", reason: "queue-full", retryAfter: wait })
              } else {
                assert.strictEqual(admission._tag, "Queued")
                if (admission._tag === "Queued") {
                  assert.strictEqual(admission.wait, wait)
                  log.waiting.push({ ticket: admission.ticket, cost: command.cost })
                }
              }
              state = next
              break
            }
            case "Pass":
              reach(now + command.millis)
              break
            case "Leave": {
              const waiter = log.waiting[command.which]
              if (waiter === undefined) break
              log.waiting.splice(command.which, 1)
              log.serve(now)
              state = RateLimiter.leave(limits, state, waiter.ticket, now)[1]
              break
            }
            case "Refund": {
              const start = log.starts[log.starts.length - 1 - command.which]
              if (start === undefined) break
              log.starts.splice(log.starts.indexOf(start), 1)
              log.serve(now)
              state = RateLimiter.refund(limits, state, start.ticket, start.cost, now)[1]
            }
          }
          agree()
        }
        for (const { at } of log.starts) assert.isAtMost(log.used(at), limits.permits)
      }),
      { numRuns: 1000 }
    )
  })

  it("gives nothing back twice when a call is taken back after the clock has returned its permits", () => {
    const [admission, , taken] = RateLimiter.admit(limits, RateLimiter.initial, 5, "a", 0, 0)
    assert.strictEqual(admission._tag, "Taken")
    const [, , later] = RateLimiter.admit(limits, taken, 5, "b", 100, 0)
    const [, after] = RateLimiter.refund(limits, later, 0, 5, 150)
    assert.strictEqual(after.semaphore.inUse, 5)
  })
})
