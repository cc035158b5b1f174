/**
 * A start that cannot succeed, told in one line: what is wrong and what to do about it.
 */
import * as Data from "effect/Data"

export class StartupError extends Data.TaggedError("StartupError")<{ readonly message: string }> {}
