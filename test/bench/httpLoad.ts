/**
 * A process that asks the two routes for answers over connections that stay open, one route after the other in an order
 * shuffled anew each round. Sends how many requests a second each route answered, a value a round.
 */
import { Agent, get } from "node:http"
import { randomFrom, shuffled } from "./statistics.js"

export interface Load {
  readonly port: number
  readonly rounds: number
  /** How long each route is asked in a round. */
  readonly millis: number
  readonly seed: number
}

export const routes = ["bare", "protected"] as const
export type Answered = Record<(typeof routes)[number], Array<number>>

const connections = 32
const agent = new Agent({ keepAlive: true, maxSockets: connections })

const request = (port: number, route: string): Promise<void> =>
  new Promise((resolve, reject) => {
    get({ agent, host: "127.0.0.1", port, path: `/${route}` }, (response) => {
      response.on("end", response.statusCode === 200 ? resolve : reject).resume()
    }).on("error", reject)
  })

const perSecond = async (port: number, route: string, millis: number): Promise<number> => {
  const start = performance.now()
  let answered = 0
  const connection = async () => {
    while (performance.now() - start < millis) {
      await request(port, route)
      answered += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, connection))
  return (answered * 1_000) / (performance.now() - start)
}

// Nobody is left to tell.
process.once("disconnect", () => process.exit(1))

// What only our own parent process sends.
const { millis, port, rounds, seed } = JSON.parse(process.argv[2]!) as Load
const random = randomFrom(seed)
const answered: Answered = { bare: [], protected: [] }
for (const route of routes) await perSecond(port, route, millis)
for (let round = 0; round < rounds; round++) {
  for (const route of shuffled(routes, random)) answered[route].push(await perSecond(port, route, millis))
}
process.send!(answered, () => process.exit(0))
