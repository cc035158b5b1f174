/**
 * The `http.Server` that the platform's server and the drain share.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { Server } from "node:http"
import type { Connections } from "./Connections.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface NodeServerShape {
  readonly node: Server
  readonly connections: Connections
}

/**
 * @since 0.1.0
 * @category tags
 */
export class NodeServer extends Context.Tag("@dialdrill/selfheal/NodeServer")<NodeServer, NodeServerShape>() {}
