/**
 * The database that needs no server: PGlite, which is PostgreSQL compiled to WebAssembly, in this process, over a data
 * directory that no other process can open.
 *
 * It has one session, so the pool has one connection, through PGlite's adapter for node-postgres; its socket server
 * mixes up the answers of concurrent clients. While it works it blocks the event loop, and it does not know timeouts.
 * What it has acknowledged survives the death of the process, kill -9 included, but not a power cut, since it does not
 * flush to the disk.
 *
 * @since 0.1.0
 */
import type { PGlite } from "@electric-sql/pglite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import type * as Pg from "pg"
import * as DataDirLock from "./DataDirLock.js"
import type { Returning, SqlPoolShape } from "./Pool.js"
import { CleanPool, SqlPool, status } from "./Pool.js"

/**
 * Where the embedded database lives.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The directory, made if need be. */
  readonly directory: string
}

/**
 * A pool of one connection to the embedded database. Takes the lock on the directory now and opens the database with
 * the first query, in the background of whatever else starts; a failed opening is tried again with the next query.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<SqlPoolShape, DataDirLock.DataDirectoryUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    yield* DataDirLock.acquire(options.directory)
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new EmbeddedPool(path.resolve(options.directory))),
      (pool) =>
        Effect.promise(() => pool.shutDown()).pipe(
          Effect.interruptible, // in a finaliser a time limit does nothing without it
          Effect.timeoutOption("5 seconds")
        )
    )
    return SqlPool.of({ kind: "embedded", pool, maxConnections: 1, status: status(pool) })
  })

/**
 * The embedded database as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<SqlPool, DataDirLock.DataDirectoryUnavailable> =>
  Layer.scoped(SqlPool, make(options))

class EmbeddedPool extends CleanPool {
  readonly #directory: string
  #engine: Promise<PGlite> | undefined

  constructor(directory: string) {
    // The one connection stays, since there is nothing to save by closing it. Others wait for it at most five seconds.
    super({ max: 1, idleTimeoutMillis: 0, connectionTimeoutMillis: 5000 }, finishFirst)
    this.#directory = directory
    this.on("connect", (client) => client.on("error", () => this.#discard()))
  }

  override connect(): Promise<Pg.PoolClient>
  override connect(receive: Parameters<Pg.Pool["connect"]>[0] & {}): void
  override connect(
    receive?: (error: Error | undefined, client: Pg.PoolClient | undefined, done: (release?: unknown) => void) => void
  ): Promise<Pg.PoolClient> | void {
    if (receive === undefined) return super.connect()
    this.#open().then(
      // A turn of the event loop for each: the engine works in promises alone, and would serve a whole queue of callers
      // before a socket is read; by then keep-alive timers have closed connections whose requests had arrived.
      () => setImmediate(() => super.connect(receive)),
      (error: unknown) => receive(unopened(error), undefined, () => {})
    )
  }

  async shutDown(): Promise<void> {
    await this.end()
    const engine = await this.#engine?.catch(() => undefined)
    await engine?.close()
  }

  #open(): Promise<PGlite> {
    if (this.#engine === undefined) {
      const engine = this.#start()
      this.#engine = engine
      engine.catch(() => {
        if (this.#engine === engine) this.#engine = undefined
      })
    }
    return this.#engine
  }

  async #start(): Promise<PGlite> {
    // Loaded here because a program with a real database never needs these 27 MB.
    const { PGlite } = await import("@electric-sql/pglite")
    const { createPgConfig } = await import("@electric-sql/pglite/node-postgres")
    const cluster = path.join(this.#directory, "pglite")
    const marker = path.join(this.#directory, "pglite.complete")
    moveIncompleteAside(cluster, marker)
    const engine = new PGlite({ dataDir: cluster })
    await engine.waitReady
    fs.writeFileSync(marker, "")
    Object.assign(this.options, createPgConfig(engine))
    return engine
  }

  /** An error of the one connection is a crash of the engine: the next query opens another over the same directory. */
  #discard(): void {
    const crashed = this.#engine
    if (crashed === undefined) return
    this.#engine = crashed.then(
      async (engine) => {
        await engine.close().catch(() => {}) // two engines on one directory would destroy it
        return this.#start()
      },
      () => this.#start()
    )
    const next = this.#engine
    next.catch(() => {
      if (this.#engine === next) this.#engine = undefined
    })
  }
}

/**
 * A first start that was killed leaves a cluster that may never open again. The marker is written before the first
 * connection is handed out, so a cluster without it holds nothing that anybody was promised.
 */
const moveIncompleteAside = (cluster: string, marker: string): void => {
  if (!fs.existsSync(cluster) || fs.existsSync(marker)) return
  const aside = `${cluster}.incomplete`
  fs.rmSync(aside, { recursive: true, force: true })
  fs.renameSync(cluster, aside)
}

/** The code is the server's for "cannot connect now", so that this is classified like any database that is not up. */
const unopened = (cause: unknown): Error =>
  Object.assign(new Error("The embedded database cannot be opened", { cause }), { code: "57P03" })

/** There is one session and it cannot be replaced, so what runs on it is awaited and what is open is rolled back. */
const finishFirst: Returning = (connection, done) => {
  const { client } = connection
  let settled = false
  const settle = (error?: Error): void => {
    if (settled) return
    settled = true
    client.off("drain", proceed)
    client.off("error", settle)
    done(error)
  }
  const proceed = (): void => {
    if (connection.busy) return
    if (connection.inTransaction) client.query("ROLLBACK", (error: Error | null) => settle(error ?? undefined))
    else settle()
  }
  client.on("drain", proceed)
  client.on("error", settle)
  proceed()
}
