import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as ClientTable from "../../src/resilience/ClientTable.js"

type Row = ReadonlyArray<number>

/** A list, oldest first. */
class Model {
  readonly all: Array<{ readonly key: string; row: Row }> = []
  constructor(readonly most: number) {}
  at(key: string): number {
    return this.all.findIndex((entry) => entry.key === key)
  }
  add(key: string, row: Row): void {
    if (this.all.length >= this.most) this.all.shift()
    this.all.push({ key, row })
  }
}

const keys = fc.constantFrom(...Array.from({ length: 40 }, (_, i) => `client-${i}`))
const numbers = fc.array(fc.double({ noNaN: true }), { minLength: 3, maxLength: 3 })

const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("Enter" as const), key: keys, row: numbers }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Touch" as const), key: keys }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Remove" as const), key: keys }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("RemoveOldest" as const) }) }
)

const everyone = (table: ClientTable.ClientTable): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  for (let slot = table.newer(0); slot !== 0; slot = table.newer(slot)) rows.push(table.read(slot))
  return rows
}

describe("ClientTable", () => {
  it("agrees with a list that is kept in order of use, whatever the width and the bound", () => {
    const arbitrary = fc.record({
      width: fc.integer({ min: 1, max: 3 }),
      most: fc.integer({ min: 1, max: 45 }),
      commands: fc.array(command, { maxLength: 120, size: "max" })
    })
    fc.assert(
      fc.property(arbitrary, ({ commands, most, width }) => {
        const table = ClientTable.make(width, most)
        const model = new Model(most)
        for (const command of commands) {
          const [key, at] = "key" in command ? [command.key, model.at(command.key)] : ["", 0]
          const slot = command._tag === "RemoveOldest" ? table.newer(0) : table.find(key)
          assert.strictEqual(slot === undefined, at === -1)
          const entry = model.all[at]
          switch (command._tag) {
            case "Enter": {
              const row = command.row.slice(0, width)
              if (slot !== undefined && entry !== undefined) {
                table.write(slot, row)
                entry.row = row
              } else {
                table.add(key, row)
                model.add(key, row)
              }
              break
            }
            case "Touch":
              if (slot === undefined || entry === undefined) break
              table.touch(slot)
              model.all.push(...model.all.splice(at, 1))
              break
            case "Remove":
            case "RemoveOldest":
              if (slot === undefined || entry === undefined) break
              table.remove(slot)
              model.all.splice(at, 1)
          }
          assert.strictEqual(table.size(), model.all.length)
          assert.isAtMost(table.size(), most)
          assert.deepStrictEqual(
            everyone(table),
            model.all.map(({ row }) => row)
          )
        }
        for (const { key, row } of model.all) assert.deepStrictEqual(table.read(table.find(key) ?? 0), row)
      }),
      { numRuns: 500 }
    )
  })

  it("uses a removed client's place again, so that it never needs more places than clients at once", () => {
    const table = ClientTable.make(1, 1000)
    const slots = new Set<number | undefined>()
    for (let i = 0; i < 5000; i++) {
      table.add(`client-${i}`, [i])
      slots.add(table.find(`client-${i}`))
      if (i >= 20) table.remove(table.newer(0))
    }
    assert.strictEqual(table.size(), 20)
    assert.isAtMost(slots.size, 21)
  })

  it("removes nobody where nobody is", () => {
    const table = ClientTable.make(1, 2)
    table.remove(0)
    table.add("ann", [1])
    assert.strictEqual(table.size(), 1)
    assert.deepStrictEqual(everyone(table), [[1]])
  })
})
