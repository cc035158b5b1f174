/** The cases that need processes of their own: memory, a million clients, a crowd of callers, and a server under load. */
import { once } from "node:events"
import type { Effort, Measured, Trial } from "./cases.js"
import type { Answered, Load } from "./httpLoad.js"
import { message, performed, start } from "./processes.js"
import { median, pairedRatio } from "./statistics.js"
import type { Task } from "./worker.js"

/** A comparison that would disturb the others, or be disturbed by them. */
const apart = (name: Extract<Task, { readonly task: "comparison" }>["name"], limit: number, goal: number): Trial => ({
  name,
  unit: "ns/call",
  limit,
  goal,
  measure: (effort) => performed<Measured>({ task: "comparison", name, effort })
})

type Filling = Extract<Task, { readonly task: "bytes" }>["name"]

const bytes = (ours: Filling, theirs: Filling) => async (): Promise<Measured> => {
  const [our, their] = [
    await performed<number>({ task: "bytes", name: ours }),
    await performed<number>({ task: "bytes", name: theirs })
  ]
  return { ratio: our / their, ours: our, theirs: their, floor: null }
}

/** Requests a second with the policy, and without it. */
const http = async ({ rounds, seed, slice }: Effort): Promise<Measured> => {
  const server = start("httpServer.js", "")
  try {
    const port = await message<number>(server)
    const load: Load = { port, rounds, millis: slice * 40, seed }
    const answered = await message<Answered>(start("httpLoad.js", JSON.stringify(load)))
    return {
      ratio: pairedRatio(answered.protected, answered.bare),
      ours: median(answered.protected),
      theirs: median(answered.bare),
      floor: null
    }
  } finally {
    server.kill("SIGKILL")
    await once(server, "exit")
  }
}

export const trials: ReadonlyArray<Trial> = [
  apart("keyed-1m", 0.6, 0.35),
  apart("scale-callers", 2, 1.3),
  { name: "keyed-memory", unit: "bytes", limit: 0.25, goal: 0.12, measure: bytes("our-clients", "their-clients") },
  { name: "window-memory", unit: "bytes", limit: 0.05, goal: 0.03, measure: bytes("our-windows", "their-windows") },
  { name: "http", unit: "requests/s", limit: 0.85, goal: 0.95, higherIsBetter: true, measure: http }
]
