import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CircuitBreakerStatus } from "../../../src/dialdrill/operations/Wire.js"
import * as CircuitBreaker from "../../../src/resilience/CircuitBreaker.js"

describe("The status of a circuit breaker, as operators read it", () => {
  const sent = (breaker: CircuitBreaker.CircuitBreaker) =>
    Effect.map(breaker.getStatus, (status) => ({ status, wire: Schema.encodeSync(CircuitBreakerStatus)(status) }))

  it.scoped("loses nothing on its way, whatever the circuit is doing", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "database", failureThreshold: 1 })
      const closed = yield* sent(breaker)
      assert.deepStrictEqual(closed.wire, closed.status)
      yield* Effect.ignore(breaker.execute(Effect.fail("down")))
      const open = yield* sent(breaker)
      assert.strictEqual(open.wire.state, "open")
      assert.deepStrictEqual(open.wire, open.status)
      yield* breaker.isolated
      const isolated = yield* sent(breaker)
      assert.strictEqual(isolated.wire.handles, 1)
      assert.deepStrictEqual(isolated.wire, isolated.status)
    })
  )
})
