/**
 * Runs a program as this process: signals, exit codes, and one line for a start that cannot succeed.
 *
 * A terminal's Ctrl-C reaches a server started through npm twice within milliseconds: once through the process group
 * and once because npm forwards it. Platform's `runMain` dies of the second one before any finalizer has run, so the
 * signals are counted here: those within a second of the first are the same wish to stop, a later one ends at once.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { StartupError } from "./StartupError.js"

/** Signals closer together than this are one request to stop. */
const sameWishMillis = 1000

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

const report = (cause: Cause.Cause<StartupError>): void => {
  const known = Cause.failures(cause)
  for (const error of known) process.stderr.write(`${error.message}\n`)
  if (known.length === 0) process.stderr.write(`${Cause.pretty(cause, { renderErrorCause: true })}\n`)
}

/**
 * Runs until the program ends or a signal interrupts it. Exit code 0 after a clean stop, 1 when it failed, 130 or 143
 * when a second signal cut the stop short.
 */
export const run = (program: Effect.Effect<void, StartupError>): void => {
  const fiber = Effect.runFork(program)
  let firstAt: number | undefined
  const onSignal = (signal: keyof typeof exitCodes) => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      fiber.unsafeInterruptAsFork(fiber.id())
    } else if (now - firstAt > sameWishMillis) {
      process.exit(exitCodes[signal])
    }
  }
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
  fiber.addObserver((exit) => {
    if (Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause)) {
      report(exit.cause)
      process.exit(1)
    }
    process.exit(0)
  })
}
