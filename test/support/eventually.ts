import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/**
 * Looks again every few real milliseconds until the value fits, for what a kernel or another process does in its own
 * time (a socket that closes). After two seconds it dies and says what it saw last. Only for tests with live clocks.
 */
export const eventually = <A>(look: Effect.Effect<A>, fits: (a: A) => boolean): Effect.Effect<A> =>
  Effect.flatMap(look, (a) => (fits(a) ? Effect.succeed(a) : Effect.fail(a))).pipe(
    Effect.retry(Schedule.intersect(Schedule.spaced("5 millis"), Schedule.recurs(400))),
    Effect.catchAll((last) => Effect.dieMessage(`It never became so; last seen: ${JSON.stringify(last)}`))
  )
