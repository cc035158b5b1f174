/**
 * Reads configuration from environment variables. Every mistake is collected, so that one message names each variable,
 * what is wrong with its value, and a value that would do. The values of secrets are never shown.
 *
 * A variable that is set to nothing counts as not set: that is how compose files and shells leave things out.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Variables from "../resilience/Variables.js"

export type { Variables } from "../resilience/Variables.js"

/**
 * The configuration cannot be used; `message` has one line a problem.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConfigurationError extends Data.TaggedError("ConfigurationError")<{
  readonly problems: ReadonlyArray<Variables.Problem>
}> {
  override get message(): string {
    return this.problems.map(Variables.describe).join("\n")
  }
}

/**
 * The readers of `Variables`, and those that a server needs besides.
 *
 * @since 0.1.0
 * @category models
 */
export interface Environment extends Variables.Reader {
  readonly text: (variable: string, otherwise: string) => string
  readonly secret: (variable: string) => Redacted.Redacted | undefined
  /** An absolute http(s) URL, without its trailing slashes. */
  readonly url: (variable: string, otherwise: string) => string
  readonly choice: <A extends string>(variable: string, choices: readonly [A, ...ReadonlyArray<A>]) => A
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (variables: Variables.Variables): Environment => {
  const reader = Variables.reader(variables)
  const { get, read, refuse } = reader
  return {
    ...reader,
    text: (variable, otherwise) => get(variable) ?? otherwise,
    secret: (variable) => {
      const value = get(variable)
      if (value === undefined) return undefined
      // A header cannot carry it, and the error that says so at the first call would show it.
      if (!/^[\x21-\x7e]+$/.test(value)) {
        refuse({
          variable,
          problem: "has a space or a character that no key has (its value is not shown)",
          example: undefined
        })
      }
      return Redacted.make(value)
    },
    url: (variable, otherwise) => read(variable, otherwise, parseUrl, "an http or https address", otherwise),
    choice: (variable, choices) =>
      read(
        variable,
        choices[0],
        (value) => choices.find((choice) => choice === value),
        `one of ${choices.join(", ")}`,
        choices[0]
      )
  }
}

/**
 * The value, or everything that is wrong.
 *
 * @since 0.1.0
 * @category accessors
 */
export const finish = <A>(environment: Environment, value: A): Effect.Effect<A, ConfigurationError> =>
  environment.problems.length === 0
    ? Effect.succeed(value)
    : Effect.fail(new ConfigurationError({ problems: [...environment.problems] }))

const parseUrl = (value: string): string | undefined => {
  if (!URL.canParse(value)) return undefined
  const { protocol, search, hash } = new URL(value)
  return (protocol === "http:" || protocol === "https:") && search === "" && hash === ""
    ? value.replace(/\/+$/, "")
    : undefined
}
