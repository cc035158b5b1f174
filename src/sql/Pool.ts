/**
 * The pool of database connections: node-postgres' own, with the settings under which it survived a server that was
 * killed, restarted and frozen, and with one rule added, that a connection may be given back in any state.
 *
 * The rule is what makes interruption cheap. Whoever holds a connection just gives it back, in the middle of a
 * statement or a transaction; the pool cancels the statement and replaces the connection, so that no caller waits for a
 * polite end and no later caller queues behind a statement that is not his. `@effect/sql-pg` alone waits up to five
 * seconds, for a cancel that it sends through the very pool that is full, and then hands the busy connection on.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import * as Pg from "pg"
import * as DatabaseError from "./DatabaseError.js"

/**
 * How to reach a PostgreSQL server and how patient to be with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** `postgres://user:password@host:port/database`; parameters in it win over those here. */
  readonly url: Redacted.Redacted
  /** Most connections at once. Default 10. */
  readonly maxConnections?: number | undefined
  /** For a free connection and, apart from that, for a new one. Default 2 seconds. */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /** The server's own limit for one statement. Default 10 seconds. */
  readonly statementTimeout?: Duration.DurationInput | undefined
  /** The server's own limit for waiting for a lock. Default 5 seconds. */
  readonly lockTimeout?: Duration.DurationInput | undefined
  /** After this a connection that nobody uses is closed. Default 10 seconds. */
  readonly idleTimeout?: Duration.DurationInput | undefined
  /**
   * A socket without traffic for this long is taken for dead and destroyed. Longer than `statementTimeout` and
   * `idleTimeout`, else it would kill healthy ones. Default 15 seconds.
   */
  readonly inactivityTimeout?: Duration.DurationInput | undefined
  /** What the server's `pg_stat_activity` shows. Default "selfheal". */
  readonly applicationName?: string | undefined
}

/**
 * How many connections there are.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  /** Open or being opened. */
  readonly total: number
  /** Of these, free. */
  readonly idle: number
  /** Callers who wait for one. */
  readonly waiting: number
}

/**
 * A pool, and what those who guard it must know about it.
 *
 * @since 0.1.0
 * @category models
 */
export interface SqlPoolShape {
  /** A server over the network, or the engine embedded in this process, which has one connection and blocks it. */
  readonly kind: "server" | "embedded"
  readonly pool: Pg.Pool
  readonly maxConnections: number
  readonly status: Effect.Effect<Status>
}

/**
 * The pool behind this program's `SqlClient`.
 *
 * @since 0.1.0
 * @category tags
 */
export class SqlPool extends Context.Tag("@dialdrill/selfheal/SqlPool")<SqlPool, SqlPoolShape>() {}

/**
 * A pool of connections to a server, closed with the scope. Nothing connects before the first query, so it can be made
 * while the server is down. Fails with reason `configuration` when the options cannot work.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<SqlPoolShape, DatabaseError.DatabaseError, Scope.Scope> =>
  Effect.gen(function* () {
    const millis = resolve(options)
    yield* validate(options, millis)
    const sockets = new Set<net.Socket>()
    const pool = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new CleanPool(
            {
              connectionString: Redacted.value(options.url),
              max: options.maxConnections ?? 10,
              connectionTimeoutMillis: millis.connect,
              statement_timeout: millis.statement,
              lock_timeout: millis.lock,
              idle_in_transaction_session_timeout: millis.inactivity,
              idleTimeoutMillis: millis.idle,
              keepAlive: true,
              application_name: options.applicationName ?? "selfheal",
              stream: () => socket(sockets, millis.inactivity)
            },
            replaceWhenUnclean
          )
      ),
      (pool) => close(pool, sockets)
    )
    return SqlPool.of({ kind: "server", pool, maxConnections: pool.options.max, status: status(pool) })
  })

/**
 * The pool of a server as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<SqlPool, DatabaseError.DatabaseError> =>
  Layer.scoped(SqlPool, make(options))

/**
 * Reads the counters of a pool.
 *
 * @since 0.1.0
 * @category accessors
 */
export const status = (pool: Pg.Pool): Effect.Effect<Status> =>
  Effect.sync(() => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }))

// options

interface Millis {
  readonly connect: number
  readonly statement: number
  readonly lock: number
  readonly idle: number
  readonly inactivity: number
}

const resolve = (options: Options): Millis => ({
  connect: Duration.toMillis(options.connectTimeout ?? "2 seconds"),
  statement: Duration.toMillis(options.statementTimeout ?? "10 seconds"),
  lock: Duration.toMillis(options.lockTimeout ?? "5 seconds"),
  idle: Duration.toMillis(options.idleTimeout ?? "10 seconds"),
  inactivity: Duration.toMillis(options.inactivityTimeout ?? "15 seconds")
})

const refuse = (why: string): Effect.Effect<never, DatabaseError.DatabaseError> =>
  Effect.fail(
    new DatabaseError.DatabaseError({ reason: "configuration", detail: why, original: Redacted.make(undefined) })
  )

/** The driver would throw at the first query, or read nonsense as a host name; this says it at the start, in words. */
const validate = (options: Options, millis: Millis): Effect.Effect<void, DatabaseError.DatabaseError> => {
  const url = Redacted.value(options.url)
  if (!/^postgres(ql)?:\/\//.test(url) || !parses(url)) {
    return refuse("the URL must look like postgres://user:password@host:5432/database")
  }
  const max = options.maxConnections ?? 10
  if (!Number.isInteger(max) || max < 1) return refuse(`maxConnections must be a whole number from 1, not ${max}`)
  if (millis.inactivity <= Math.max(millis.statement, millis.idle)) {
    return refuse("inactivityTimeout must be longer than statementTimeout and idleTimeout")
  }
  return Effect.void
}

const parses = (url: string): boolean => {
  try {
    return new Pg.Client({ connectionString: url }).port > 0
  } catch {
    return false
  }
}

// sockets

/**
 * A network that swallows packets never closes a socket, and the driver would wait for ever. Destroying the socket with
 * an error is the one thing that both fails the statement on it and makes the pool drop the connection.
 */
const socket = (sockets: Set<net.Socket>, inactivity: number): net.Socket => {
  const made = new net.Socket()
  sockets.add(made)
  made.once("close", () => sockets.delete(made))
  made.setTimeout(inactivity, () =>
    made.destroy(Object.assign(new Error("The database connection is silent"), { code: "ETIMEDOUT" }))
  )
  return made
}

/** Says goodbye to the server, but not for longer than a second: a frozen one never answers. */
const close = (pool: Pg.Pool, sockets: ReadonlySet<net.Socket>): Effect.Effect<void> =>
  Effect.promise(() => pool.end()).pipe(
    Effect.interruptible, // in a finaliser a time limit does nothing without it
    Effect.timeoutOption("1 second"),
    Effect.zipRight(Effect.sync(() => sockets.forEach((open) => open.destroy())))
  )

// connections that come back

/**
 * Decides what becomes of a connection that its user has given back. Calls `done` once: with an error the pool drops
 * the connection, without one it keeps it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Returning {
  (connection: Connection, done: (error?: Error) => void): void
}

/** What the driver knows of a connection and its types do not say. */
export interface Connection {
  readonly client: Pg.PoolClient
  /** Whether a statement is running or queued on it. */
  readonly busy: boolean
  /** Whether a transaction is open on it, as far as the last answer of the server tells. */
  readonly inTransaction: boolean
  /** Whether the server has announced the end of the session: the socket will close in a moment. */
  readonly ending: boolean
  /** Asks the server, over a connection of its own and without waiting, to cancel what runs on this one. */
  readonly cancel: () => void
}

/**
 * The `pg.Pool` that takes connections back in any state. The same rule serves everybody who uses the pool, `SqlClient`
 * and others.
 *
 * @since 0.1.0
 * @category models
 */
export class CleanPool extends Pg.Pool {
  readonly #connections = new WeakMap<Pg.PoolClient, Connection>()
  readonly #returning: Returning

  constructor(config: Pg.PoolConfig, returning: Returning) {
    super(config)
    this.#returning = returning
    // Without listeners an error on a connection that nobody is using would end the process. There is nothing to do:
    // the pool has dropped the connection, and whoever comes next gets a new one.
    this.on("error", () => {})
    this.on("connect", (client) => {
      client.on("error", () => {})
      this.#connections.set(client, inspect(client))
    })
  }

  override connect(): Promise<Pg.PoolClient>
  override connect(callback: Parameters<Pg.Pool["connect"]>[0] & {}): void
  override connect(
    callback?: (error: Error | undefined, client: Pg.PoolClient | undefined, done: (release?: unknown) => void) => void
  ): Promise<Pg.PoolClient> | void {
    if (callback === undefined) {
      return new Promise((succeed, fail) =>
        this.connect((error, client) => (client === undefined ? fail(error) : succeed(client)))
      )
    }
    super.connect((error, client, done) => {
      if (client === undefined) return callback(error, undefined, done)
      const release = (problem?: unknown): void => {
        const connection = this.#connections.get(client)
        if (problem || connection === undefined) done(problem)
        else this.#returning(connection, done)
      }
      client.release = release
      callback(undefined, client, release)
    })
  }
}

/** A server ends a session's transaction and statement with the session, so what is unclean is replaced. */
const replaceWhenUnclean: Returning = (connection, done) => {
  if (connection.busy) {
    connection.cancel() // closing alone does not stop it: the server would notice when it sends the result
    done(new Error("The connection was given back while a statement was running on it"))
  } else if (connection.inTransaction || connection.ending) {
    done(new Error("The connection was given back with an open transaction or a closing session"))
  } else {
    done()
  }
}

const inspect = (client: Pg.PoolClient): Connection => {
  // Fields of the driver that its published types leave out; the tests on a real server fail when they change.
  const driver = client as unknown as {
    readonly _activeQuery: unknown
    readonly _queryQueue: ReadonlyArray<unknown>
    processID: number | null | undefined
    readonly secretKey: number | null | undefined
  }
  const { processID, secretKey } = driver
  // sql-pg cancels an interrupted statement by asking the same pool for one more connection, and waits for that up to
  // five seconds, on the embedded engine always. It does so only for a connection whose process it knows.
  driver.processID = undefined
  let ending = false
  // Before the driver's own listener, which already lets the user of the connection give it back.
  client.connection.prependListener("errorMessage", (message: { readonly code?: string }) => {
    ending ||= /^(57P0[1-5]|25P03)$/.test(message.code ?? "")
  })
  return {
    client,
    get busy() {
      return driver._activeQuery != null || driver._queryQueue.length > 0
    },
    get inTransaction() {
      const known = client.getTransactionStatus()
      return known === "T" || known === "E"
    },
    get ending() {
      return ending
    },
    cancel: () => {
      if (processID != null && secretKey != null) requestCancel(client, processID, secretKey)
    }
  }
}

/** The protocol's CancelRequest: sixteen bytes on a fresh connection, which the server never answers. */
const requestCancel = (client: Pg.PoolClient, processId: number, secretKey: number): void => {
  const message = Buffer.alloc(16)
  message.writeInt32BE(16, 0)
  message.writeInt32BE(80877102, 4)
  message.writeInt32BE(processId, 8)
  message.writeInt32BE(secretKey, 12)
  const sender = client.host.startsWith("/")
    ? net.connect({ path: `${client.host}/.s.PGSQL.${client.port}` })
    : net.connect({ host: client.host, port: client.port })
  sender.on("error", () => {})
  sender.setTimeout(2000, () => sender.destroy())
  sender.unref()
  sender.end(message)
}
