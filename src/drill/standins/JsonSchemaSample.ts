/**
 * What a model does with a strict JSON schema, without a model: finds an instance of it, and says when the schema is
 * not one that OpenAI accepts as strict.
 *
 * @since 0.1.0
 */

/**
 * A small instance of the schema: two items in each list, the first member of each enumeration, text that names its
 * place.
 *
 * @since 0.1.0
 * @category accessors
 */
export const sampleOf = (schema: unknown): unknown => sample(schema, schema, "value")

const sample = (schema: unknown, root: unknown, name: string): unknown => {
  const ref = get(schema, "$ref")
  if (typeof ref === "string") return sample(resolve(root, ref), root, name)
  const choices = get(schema, "enum")
  if (Array.isArray(choices)) return choices[0]
  const constant = get(schema, "const")
  if (constant !== undefined) return constant
  const branches = get(schema, "anyOf")
  if (Array.isArray(branches)) {
    return sample(branches.find((branch) => get(branch, "type") !== "null") ?? branches[0], root, name)
  }
  const type = get(schema, "type")
  switch (Array.isArray(type) ? type[0] : type) {
    case "object": {
      return Object.fromEntries(properties(schema).map(([key, value]) => [key, sample(value, root, key)]))
    }
    case "array": {
      const minimum = Number(get(schema, "minItems") ?? 0)
      const items = get(schema, "items")
      return Array.from({ length: Math.max(2, minimum) }, (_, index) => sample(items, root, `${name} ${index + 1}`))
    }
    case "integer":
    case "number":
      return Number(get(schema, "minimum") ?? 1)
    case "boolean":
      return true
    case "null":
      return null
    default:
      return `A sentence for ${name}.`
  }
}

/**
 * Why the schema is refused with `strict: true`; `undefined` when it is fine. Strict schemas list every property as
 * required and allow no others.
 *
 * @since 0.1.0
 * @category accessors
 */
export const strictnessProblem = (schema: unknown, path: ReadonlyArray<string> = []): string | undefined => {
  const where = `In context=(${path.map((part) => `'${part}'`).join(", ")})`
  const forbidden = ["allOf", "not", "minLength", "maxLength", "default"].find((key) => get(schema, key) !== undefined)
  if (forbidden !== undefined) return `${where}, '${forbidden}' is not permitted.`
  if (get(schema, "type") === "object") {
    if (get(schema, "additionalProperties") !== false) {
      return `${where}, 'additionalProperties' is required to be supplied and to be false.`
    }
    const required = get(schema, "required")
    const missing = properties(schema).find(([key]) => !Array.isArray(required) || !required.includes(key))
    if (missing !== undefined) {
      return `${where}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing[0]}'.`
    }
  } else if (path.length === 0) {
    return `${where}, schema must be a JSON Schema of 'type: "object"'.`
  }
  const children: ReadonlyArray<readonly [string, unknown]> = [
    ...properties(schema).map(([key, value]) => [`properties.${key}`, value] as const),
    ...(get(schema, "items") === undefined ? [] : [["items", get(schema, "items")] as const]),
    ...Object.entries(get(schema, "$defs") ?? {}).map(([key, value]) => [`$defs.${key}`, value] as const)
  ]
  for (const [name, child] of children) {
    const problem = strictnessProblem(child, [...path, name])
    if (problem !== undefined) return problem
  }
  return undefined
}

const get = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && key in value ? Reflect.get(value, key) : undefined

const properties = (schema: unknown): ReadonlyArray<[string, unknown]> =>
  Object.entries(get(schema, "properties") ?? {})

const resolve = (root: unknown, ref: string): unknown =>
  ref
    .replace(/^#\//, "")
    .split("/")
    .reduce((value: unknown, key) => get(value, key), root)
