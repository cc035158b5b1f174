import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Queue from "../../../src/resilience/kernel/Queue.js"
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
      fc.property(fc.array(command, { maxLength: 40, size: "max" }), (commands) => {
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

  /** Everything taken at 0; then those who wait, each with this many permits. */
  const nothing: RateLimiter.State<string> = RateLimiter.initial
  const fullWith = (...waiters: ReadonlyArray<number>): RateLimiter.State<string> => {
    let state = RateLimiter.admit(limits, nothing, 5, "first", 0, 0)[2]
    waiters.forEach((permits, i) => (state = RateLimiter.admit(limits, state, permits, `waiter ${i}`, 0, Infinity)[2]))
    return state
  }

  it("gives permits back exactly an interval after they were taken", () => {
    const state = fullWith()
    assert.strictEqual(RateLimiter.advance(limits, state, 99)[1], state, "a step that changes nothing")
    assert.strictEqual(RateLimiter.advance(limits, state, 100)[1].semaphore.inUse, 0)
  })

  it("queues who is patient for exactly the wait, and refuses who is a millisecond less so", () => {
    const state = RateLimiter.admit(limits, nothing, 5, "first", 0, 0)[2]
    assert.deepStrictEqual(RateLimiter.admit(limits, state, 1, "door", 30, 70)[0], {
      _tag: "Queued",
      ticket: 1,
      wait: 70
    })
    const [refused, , after] = RateLimiter.admit(limits, state, 1, "door", 30, 69)
    assert.deepStrictEqual(refused, { _tag: "Refused", reason: "wait-too-long", retryAfter: 70 })
    assert.strictEqual(after, state)
  })

  it("tells each waiter when its turn comes, and one who was served that it is now", () => {
    const state = fullWith(3, 3, 2)
    const waits = [0, 1, 2, 3].map((ticket) => RateLimiter.waitOfTicket(limits, state, ticket, 40))
    assert.deepStrictEqual(waits, [0, 60, 160, 160])
    assert.strictEqual(RateLimiter.waitOf(limits, state, 1, 40), 260)
  })

  it("lets the first in line watch the clock, and the others sleep", () => {
    const state = fullWith(3, 3)
    const sleeps = [0, 1, 2].map((ticket) => RateLimiter.sleepOf(limits, state, ticket, 40))
    assert.deepStrictEqual(sleeps, [0, 60, Infinity])
    assert.strictEqual(RateLimiter.sleepOf(limits, state, 1, 100), 0)
    assert.strictEqual(RateLimiter.sleepOf(limits, state, 1, 130), 0, "never a time in the past")
  })

  it("wakes those who were served, and the first in line when the permits it waits for move", () => {
    const state = fullWith(3, 3)
    const [served, next] = RateLimiter.advance(limits, state, 100)
    assert.deepStrictEqual(RateLimiter.concerned(state, next, served), ["waiter 0", "waiter 1"])
    const [, late, moved] = RateLimiter.restart(limits, state, 0, 5, 50)
    assert.deepStrictEqual(RateLimiter.concerned(state, moved, late), ["waiter 0"])
    const [behind, shorter] = RateLimiter.leave(limits, state, 2, 50)
    assert.deepStrictEqual(RateLimiter.concerned(state, shorter, behind), [], "one who left behind it is no news")
    const [, , longer] = RateLimiter.admit(limits, state, 1, "newcomer", 50, Infinity)
    assert.deepStrictEqual(RateLimiter.concerned(state, longer, []), [])
    const [idle, empty] = RateLimiter.advance(limits, fullWith(), 100)
    assert.deepStrictEqual(RateLimiter.concerned(fullWith(), empty, idle), [], "there is nobody to wake")
  })

  it("wakes whoever is first in line from now on, though no permit moves", () => {
    const state = fullWith(3, 3)
    const [served, next] = RateLimiter.leave(limits, state, 1, 50)
    assert.deepStrictEqual(served, [])
    assert.deepStrictEqual(RateLimiter.concerned(state, next, served), ["waiter 1"])
    assert.deepStrictEqual(RateLimiter.concerned(fullWith(), fullWith(3), []), ["waiter 0"])
  })

  it("makes the next one first in line when the first leaves, and serves all who then fit", () => {
    let state = RateLimiter.admit(limits, nothing, 3, "first", 0, 0)[2]
    for (const permits of [4, 1, 5])
      state = RateLimiter.admit(limits, state, permits, `needs ${permits}`, 10, Infinity)[2]
    const [served, next] = RateLimiter.leave(limits, state, 1, 20)
    assert.deepStrictEqual(RateLimiter.concerned(state, next, served), ["needs 1", "needs 5"])
    assert.strictEqual(next.semaphore.inUse, 4)
    assert.strictEqual(RateLimiter.advance(limits, next, 119)[1].semaphore.inUse, 1, "lent when it was served, at 20")
    assert.strictEqual(RateLimiter.sleepOf(limits, next, 3, 20), 100, "until the one served at 20 is back")
  })

  it("does nothing for one who leaves after it was served, or whose time to leave is its turn", () => {
    const state = fullWith(3)
    const [served, next] = RateLimiter.leave(limits, state, 1, 100)
    assert.deepStrictEqual(
      served.map((waiter) => waiter.door),
      ["waiter 0"]
    )
    assert.strictEqual(next.semaphore.inUse, 3)
    assert.deepStrictEqual(RateLimiter.leave(limits, next, 1, 110), [[], next])
  })

  it("counts a call that starts late from then, unless the clock was faster", () => {
    const [counts, , moved] = RateLimiter.restart(limits, fullWith(), 0, 5, 99)
    assert.isTrue(counts)
    assert.strictEqual(RateLimiter.advance(limits, moved, 198)[1].semaphore.inUse, 5)
    assert.strictEqual(RateLimiter.advance(limits, moved, 199)[1].semaphore.inUse, 0)
    const [late, served, state] = RateLimiter.restart(limits, fullWith(2), 0, 5, 100)
    assert.isFalse(late)
    assert.deepStrictEqual(
      served.map((waiter) => waiter.door),
      ["waiter 0"]
    )
    assert.strictEqual(state.semaphore.inUse, 2)
  })

  it("serves with a refund those who wait, and counts them from then", () => {
    const [served, state] = RateLimiter.refund(limits, fullWith(2, 4), 0, 5, 60)
    assert.deepStrictEqual(
      served.map((waiter) => waiter.door),
      ["waiter 0"]
    )
    assert.deepStrictEqual([...Queue.items(state.returns)], [{ ticket: 1, permits: 2, at: 160 }])
    const [, same] = RateLimiter.refund(limits, state, 7, 2, 60)
    assert.strictEqual(same, state, "a ticket that nobody has")
  })

  it("has no room in the queue for more than it may, not even for one who would be served soon", () => {
    const state = fullWith(1, 1, 1, 1)
    assert.deepStrictEqual(RateLimiter.admit(limits, state, 1, "door", 10, Infinity)[0], {
      _tag: "Refused",
      reason: "queue-full",
      retryAfter: 90
    })
  })
})
