/**
 * A process of its own for what would disturb the other measurements, or be disturbed by them. It is told what to do by
 * its arguments and sends back one message.
 */
import * as Effect from "effect/Effect"
import type { Comparison, Effort, Measured } from "./cases.js"
import { compare } from "./harness.js"
import * as Limiters from "./limiters.js"
import * as Memory from "./memory.js"
import * as Scale from "./scale.js"

export type Task =
  | { readonly task: "bytes"; readonly name: keyof typeof Memory.fillings }
  | { readonly task: "comparison"; readonly name: keyof typeof comparisons; readonly effort: Effort }

const comparisons = {
  "keyed-1m": Limiters.makeMillion,
  "scale-callers": Scale.makeCallers
}

const perform = async (task: Task): Promise<number | Measured> => {
  switch (task.task) {
    case "bytes":
      return Memory.bytesEach(task.name)
    case "comparison": {
      const make: Effect.Effect<Comparison, Error> = comparisons[task.name]
      const [measured] = await compare([await Effect.runPromise(make)], task.effort)
      return measured!
    }
  }
}

// Nobody is left to tell.
process.once("disconnect", () => process.exit(1))

// What only our own parent process sends.
const task = JSON.parse(process.argv[2]!) as Task
process.send!(await perform(task), () => process.exit(0))
