import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { sampleOf, strictnessProblem } from "../../src/drill/standins/JsonSchemaSample.js"
import * as StrictSchema from "../../src/dependencies/StrictSchema.js"

class Phrase extends Schema.Class<Phrase>("Phrase")({
  title: Schema.NonEmptyString,
  why: Schema.NullOr(Schema.String)
}) {}

class Advice extends Schema.Class<Advice>("Advice")({
  strengths: Schema.Array(Schema.String.pipe(Schema.maxLength(200))).pipe(Schema.minItems(1)),
  phrases: Schema.Array(Phrase),
  best: Phrase,
  level: Schema.Literal("low", "high"),
  points: Schema.Int
}) {}

describe("StrictSchema", () => {
  it("has the object itself at the top and passes the strict mode's checks", () => {
    const schema = StrictSchema.make(Advice)
    assert.propertyVal(schema, "type", "object")
    assert.notProperty(schema, "$schema")
    assert.isUndefined(strictnessProblem(schema))
    assert.notInclude(JSON.stringify(schema), "minLength")
  })

  it("keeps a property that is named like a keyword", () => {
    assert.include(JSON.stringify(StrictSchema.make(Phrase)), `"required":["title","why"]`)
    assert.include(JSON.stringify(StrictSchema.make(Phrase)), `"properties":{"title"`)
  })

  it("describes values that the schema decodes", () => {
    const value = Schema.decodeUnknownSync(Advice)(sampleOf(StrictSchema.make(Advice)))
    assert.strictEqual(value.level, "low")
    assert.lengthOf(value.phrases, 2)
  })
})
