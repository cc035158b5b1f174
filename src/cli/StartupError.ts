/**
 * A start that cannot succeed, told in one line: the variable that it is about, what is wrong, and what to do.
 */
import * as Data from "effect/Data"

export class StartupError extends Data.TaggedError("StartupError")<{ readonly message: string }> {}

/** The variables that the parts of the server know nothing of, by the errors that are about them. */
const variables: { readonly [tag: string]: string } = {
  DataDirectoryUnavailable: "DATA_DIR",
  DatabaseError: "DATABASE_URL",
  RedisConfigurationError: "REDIS_URL"
}

export const from = (error: { readonly _tag: string; readonly message: string }): StartupError => {
  const variable = variables[error._tag]
  return new StartupError({ message: variable === undefined ? error.message : `${variable}: ${error.message}` })
}
