/**
 * The JSON schema of an Effect schema, in the part of the standard that OpenAI's strict mode takes.
 *
 * Strict mode wants the object itself at the top (no reference), every key required and no others (as Effect writes
 * them), and refuses some keywords, which are left out here: the answer is decoded with the Effect schema anyway, and
 * there they hold.
 *
 * @since 0.1.0
 */
import * as JSONSchema from "effect/JSONSchema"
import type * as Schema from "effect/Schema"

/**
 * @since 0.1.0
 * @category conversions
 */
export const make = <A, I>(schema: Schema.Schema<A, I>): object => {
  const definitions: Record<string, JSONSchema.JsonSchema7> = {}
  const root = JSONSchema.fromAST(schema.ast, { definitions, topLevelReferenceStrategy: "skip" })
  return {
    ...strict(root),
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: mapValues(definitions, strict) })
  }
}

const refused: ReadonlySet<string> = new Set([
  "$id",
  "$comment",
  "title",
  "default",
  "examples",
  "minLength",
  "maxLength"
])

const strict = (node: object): object =>
  Object.fromEntries(
    Object.entries(node).flatMap(([keyword, value]): ReadonlyArray<readonly [string, unknown]> => {
      if (refused.has(keyword)) return []
      if (keyword === "properties" && isObject(value)) return [[keyword, mapValues(value, strict)]]
      if (Array.isArray(value)) return [[keyword, value.map((item: unknown) => (isObject(item) ? strict(item) : item))]]
      return [[keyword, isObject(value) ? strict(value) : value]]
    })
  )

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The keys here are names from the schema and no keywords. */
const mapValues = (named: object, f: (node: object) => object): object =>
  Object.fromEntries(Object.entries(named).map(([name, node]) => [name, isObject(node) ? f(node) : node]))
