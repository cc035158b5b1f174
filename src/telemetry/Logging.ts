/**
 * One line a log entry, as JSON for machines or as text for people, with the id of the request it belongs to, causes as
 * structure, and without secrets. A logger is the last thing that may break a program, so this one never throws.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Layer from "effect/Layer"
import * as List from "effect/List"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redaction from "./Redaction.js"
import { RequestId } from "./RequestContext.js"

/**
 * @since 0.1.0
 * @category models
 */
export type LogFormat = "json" | "pretty"

/**
 * @since 0.1.0
 * @category models
 */
export interface LoggingOptions {
  /** Default `pretty`. */
  readonly format?: LogFormat | undefined
  /** Entries below are dropped. Default info. */
  readonly level?: LogLevel.LogLevel | undefined
  /** Whether stacks of errors are written. Default `false`. */
  readonly stacks?: boolean | undefined
}

/**
 * A log entry as it is written in the `json` format. Only what there is to say is there.
 *
 * @since 0.1.0
 * @category models
 */
export interface LogEntry {
  readonly timestamp: string
  readonly level: string
  readonly message: string
  readonly requestId?: string
  readonly fiber: string
  readonly data?: ReadonlyArray<Redaction.Json>
  readonly annotations?: { readonly [key: string]: Redaction.Json }
  /** Milliseconds since each enclosing log span began. */
  readonly spans?: { readonly [label: string]: number }
  readonly cause?: ReadonlyArray<{ readonly kind: "failure" | "defect" | "interruption" } & Redaction.Description>
}

/**
 * A logger that turns an entry into one line and gives it to whoever writes it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: LoggingOptions = {}): Logger.Logger<unknown, string> => {
  const stacks = options.stacks === true
  const line = options.format === "json" ? (entry: LogEntry) => JSON.stringify(entry) : pretty
  return Logger.make((entry) => {
    try {
      return line(entryOf(entry, stacks))
    } catch {
      return line({
        timestamp: new Date(0).toISOString(),
        level: "ERROR",
        message: "a log entry could not be written",
        fiber: ""
      })
    }
  })
}

/**
 * Replaces Effect's default logger; lines go to the console, which does not mind a reader that has gone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: LoggingOptions): Layer.Layer<never> =>
  Layer.merge(
    Logger.replace(Logger.defaultLogger, Logger.withConsoleLog(make(options))),
    Logger.minimumLogLevel(options.level ?? LogLevel.Info)
  )

/**
 * What the environment asks for: `LOG_FORMAT` (`json` or `pretty`; default `json` when `NODE_ENV` is `production`, else
 * `pretty`), `LOG_LEVEL` (default `info`), and stacks unless `NODE_ENV` is `production`.
 *
 * @since 0.1.0
 * @category configuration
 */
export const config: Config.Config<Required<LoggingOptions>> = Config.all({
  environment: Config.withDefault(Config.string("NODE_ENV"), "development"),
  format: Config.option(
    Config.mapOrFail(Config.string("LOG_FORMAT"), (value) => {
      const name = value.trim().toLowerCase()
      return name === "json" || name === "pretty"
        ? Either.right<LogFormat>(name)
        : invalid("LOG_FORMAT", value, "json or pretty")
    })
  ),
  level: Config.withDefault(
    Config.mapOrFail(Config.string("LOG_LEVEL"), (value) => {
      const level = levels[value.trim().toLowerCase()]
      return level === undefined ? invalid("LOG_LEVEL", value, Object.keys(levels).join(", ")) : Either.right(level)
    }),
    LogLevel.Info
  )
}).pipe(
  Config.map(({ environment, format, level }) => {
    const production = environment === "production"
    return {
      format: format._tag === "Some" ? format.value : production ? ("json" as const) : ("pretty" as const),
      level,
      stacks: !production
    }
  })
)

/**
 * Logging as the environment asks for it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never, ConfigError.ConfigError> = Layer.unwrapEffect(Effect.map(config, layerWith))

const levels: Readonly<Record<string, LogLevel.LogLevel>> = {
  all: LogLevel.All,
  trace: LogLevel.Trace,
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warn: LogLevel.Warning,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  fatal: LogLevel.Fatal,
  none: LogLevel.None
}

const invalid = (name: string, value: string, known: string) =>
  Either.left(ConfigError.InvalidData([], `${name} is "${Redaction.text(value, 50)}"; it must be one of ${known}`))

const entryOf = (options: Logger.Logger.Options<unknown>, stacks: boolean): LogEntry => {
  const parts = Array.isArray(options.message) ? options.message : [options.message]
  const texts = parts.filter((part) => typeof part === "string")
  const data = parts.filter((part) => typeof part !== "string").map(Redaction.value)
  const requestId = requestIdOf(options.context)
  const annotations = Object.fromEntries(
    [...options.annotations].map(([key, value]) => [Redaction.text(key, 100), value])
  )
  const spans = List.toArray(options.spans).map(
    ({ label, startTime }) => [Redaction.text(label, 100), options.date.getTime() - startTime] as const
  )
  const cause = causeOf(options.cause, stacks)
  return {
    timestamp: options.date.toISOString(),
    level: options.logLevel.label,
    message: Redaction.text(texts.join(" "), 2000),
    ...(requestId === undefined ? {} : { requestId: Redaction.text(requestId, 128) }),
    fiber: FiberId.threadName(options.fiberId),
    ...(data.length === 0 ? {} : { data }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations: fields(annotations) }),
    ...(spans.length === 0 ? {} : { spans: Object.fromEntries(spans) }),
    ...(cause.length === 0 ? {} : { cause })
  }
}

const requestIdOf = (refs: FiberRefs.FiberRefs): string | undefined =>
  Context.get(FiberRefs.getOrDefault(refs, FiberRef.currentContext), RequestId)

const fields = (annotations: Record<string, unknown>): { readonly [key: string]: Redaction.Json } => {
  const json = Redaction.value(annotations)
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? // What is neither null nor a list is an object; `isArray` does not narrow read-only lists.
      (json as { readonly [key: string]: Redaction.Json })
    : { value: json }
}

// More than a few parts of one cause say nothing new.
const maxReasons = 10

const causeOf = (cause: Cause.Cause<unknown>, stacks: boolean): NonNullable<LogEntry["cause"]> => {
  const described = (kind: "failure" | "defect", errors: Chunk.Chunk<unknown>) =>
    [...errors].slice(0, maxReasons).map((error) => ({ kind, ...Redaction.describe(error, { stack: stacks }) }))
  const reasons = [...described("failure", Cause.failures(cause)), ...described("defect", Cause.defects(cause))]
  if (reasons.length > 0 || Cause.isEmpty(cause)) return reasons
  return [{ kind: "interruption", name: "Interrupted", message: "interrupted" }]
}

const pretty = (entry: LogEntry): string => {
  const pairs: Array<string> = []
  const add = (key: string, value: Redaction.Json) =>
    pairs.push(`${key}=${typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)}`)
  if (entry.requestId !== undefined) add("requestId", entry.requestId)
  for (const [key, value] of Object.entries(entry.annotations ?? {})) add(key, value)
  for (const [label, millis] of Object.entries(entry.spans ?? {})) add(label, `${millis}ms`)
  const data = (entry.data ?? []).map((value) => JSON.stringify(value))
  const causes = (entry.cause ?? []).map(({ code, kind, message, name, stack }) => {
    const frames = stack === undefined ? [] : stack.split("\n").filter((frame) => frame.trimStart().startsWith("at "))
    const where =
      frames.length === 0
        ? ""
        : ` ${frames
            .slice(0, 4)
            .map((frame) => frame.trim())
            .join(" < ")}`
    return `[${kind} ${name}${code === undefined || code === name ? "" : ` ${code}`}: ${message}${where}]`
  })
  const time = entry.timestamp.slice(11, 23)
  return visible([time, entry.level.padEnd(5), entry.message, ...data, ...pairs, ...causes].join(" "))
}

// A text from outside must neither break the line nor steer the terminal: every control character (`Cc`) and the two
// line breaks of Unicode are written as escapes.
const visible = (line: string): string =>
  line.replace(/[\p{Cc}\u2028\u2029]/gu, (char) =>
    char === "\n" ? "\\n" : char === "\t" ? " " : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
