/** The libraries that we are compared with, as `.tools/peers.mjs` fetched them; their types are ours to state. */
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

export type Peer = "bottleneck" | "cockatiel" | "opossum" | "rate-limiter-flexible"

const folder = fileURLToPath(new URL("../../../.cache/peers/", import.meta.url))

/** Without them their results are missing from the table; CI insists on them. */
export const areThere: boolean = existsSync(`${folder}done`)
if (!areThere && process.env["CI"] === "true") throw new Error("the peers are missing; run: node .tools/peers.mjs")

const require = createRequire(folder)

/** Loads a peer; its interface is as wide as the test needs. */
export const load = <Module>(peer: Peer): Module => require(peer) as Module
