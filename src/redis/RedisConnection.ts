/**
 * A connection to Redis that never keeps a caller waiting: while Redis is down a command fails at once, while it does
 * not answer a command fails after `commandTimeout`, and the connection comes back by itself. Starting needs no Redis,
 * and closing cannot fail.
 *
 * ioredis by default queues commands while it is disconnected and waits without bound for an answer: a request that
 * only wants its rate limit checked would hang for as long as Redis does.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Redis } from "ioredis"

/**
 * A command failed.
 *
 * - `unreachable`: there is no connection, or it broke; `cause` says why.
 * - `timeout`: no answer in time. The command may still have run.
 * - `refused`: Redis answered with an error.
 *
 * @since 0.1.0
 * @category errors
 */
export class RedisError extends Data.TaggedError("RedisError")<{
  readonly operation: string
  readonly reason: "unreachable" | "timeout" | "refused"
  /** Whether the same command can succeed later without a change of ours. */
  readonly isRetryable: boolean
  readonly cause: unknown
}> {
  override get message(): string {
    const detail = this.cause instanceof Error ? `: ${this.cause.message}` : ""
    return `Redis could not do "${this.operation}" (${this.reason})${detail}`
  }
}

/**
 * The address is none that Redis can be reached at. The message does not repeat it, since it may hold a password.
 *
 * @since 0.1.0
 * @category errors
 */
export class RedisConfigurationError extends Data.TaggedError("RedisConfigurationError")<{
  readonly problem: string
}> {
  override get message(): string {
    return `Redis: ${this.problem}`
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. */
  readonly url: Redacted.Redacted
  /** How long a command may take. Default 150 milliseconds. */
  readonly commandTimeout?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RedisConnectionShape {
  /** Runs commands on the client; `operation` names them in errors. */
  readonly run: <A>(operation: string, use: (client: Redis) => Promise<A>) => Effect.Effect<A, RedisError>
  /** Asks Redis for a sign of life. */
  readonly ping: Effect.Effect<void, RedisError>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class RedisConnection extends Context.Tag("@dialdrill/selfheal/RedisConnection")<
  RedisConnection,
  RedisConnectionShape
>() {}

/** How long connecting may take, and how long a start waits for Redis before it goes on without. */
const connectTimeoutMillis = 500
/**
 * A connection on which nothing is heard for so long after a command is given up and made anew. Without it a peer that
 * vanished silently is kept for as long as TCP retransmits, a quarter of an hour. ioredis does not disarm the timer when
 * the connection breaks in between, so a fresh connection may be remade once; a caller then sees one `unreachable`.
 */
const silenceMillis = 1000

/**
 * Connects, and goes on trying in the background when that does not succeed within half a second.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<RedisConnectionShape, RedisConfigurationError, Scope.Scope> =>
  Effect.gen(function* () {
    const url = Redacted.value(options.url)
    const problem = problemOf(url)
    if (problem !== undefined) return yield* new RedisConfigurationError({ problem })

    const commandTimeout = Duration.toMillis(options.commandTimeout ?? "150 millis")
    let lastFailure: unknown
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const client = new Redis(url, {
          enableOfflineQueue: false,
          maxRetriesPerRequest: 0,
          commandTimeout,
          connectTimeout: connectTimeoutMillis,
          // Not before the command itself: it may take the time it was given.
          socketTimeout: Math.max(silenceMillis, commandTimeout),
          retryStrategy: (attempt) => Math.min(50 * attempt, 1000)
        })
        // Without a listener ioredis prints every failed attempt; what a caller has to know is in its own error.
        client.on("error", (error) => {
          lastFailure = error
        })
        return client
      }),
      close
    )
    yield* firstReady(client)

    const run: RedisConnectionShape["run"] = (operation, use) =>
      Effect.tryPromise({
        try: () => use(client),
        catch: (error) => classify(operation, error, client.status === "ready" ? undefined : lastFailure)
      })
    return { run, ping: Effect.asVoid(run("ping", (client) => client.ping())) }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<RedisConnection, RedisConfigurationError> =>
  Layer.scoped(RedisConnection, make(options))

const firstReady = (client: Redis): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const ready = () => resume(Effect.void)
    if (client.status === "ready") return ready()
    client.once("ready", ready)
    return Effect.sync(() => client.off("ready", ready))
  }).pipe(Effect.timeoutOption(Duration.millis(connectTimeoutMillis)), Effect.asVoid)

/** Says goodbye when there is someone to say it to, and then lets go in any case. */
const close = (client: Redis): Effect.Effect<void> =>
  Effect.zipRight(
    Effect.when(Effect.ignore(Effect.tryPromise(() => client.quit())), () => client.status === "ready"),
    Effect.sync(() => client.disconnect())
  )

const classify = (operation: string, error: unknown, connectionFailure: unknown): RedisError => {
  const message = error instanceof Error ? error.message : String(error)
  // ioredis has no class for this one; the text is the only sign.
  if (message === "Command timed out") {
    return new RedisError({ operation, reason: "timeout", isRetryable: true, cause: error })
  }
  if (error instanceof Error && error.name === "ReplyError") {
    return new RedisError({ operation, reason: "refused", isRetryable: isPassing(message), cause: error })
  }
  return new RedisError({ operation, reason: "unreachable", isRetryable: true, cause: connectionFailure ?? error })
}

/** Error replies that speak of the state of the server and not of the command. */
const isPassing = (message: string): boolean =>
  /^(LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS)\b/.test(message)

const problemOf = (url: string): string | undefined => {
  const example = "an example is redis://localhost:6379"
  if (!URL.canParse(url)) return `the address is not a URL; ${example}`
  const { hostname, protocol } = new URL(url)
  if (protocol !== "redis:" && protocol !== "rediss:") {
    return `the address begins with ${protocol}// and not with redis:// or rediss://; ${example}`
  }
  return hostname === "" ? `the address names no host; ${example}` : undefined
}
