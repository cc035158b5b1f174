/** For requests of which everything is optional: no body at all says the same as an empty object. */
import * as Schema from "effect/Schema"

/** The schema of a JSON body that may be left out, which the platform reads as `null`. */
export const bodyOr = <A extends object, I extends object>(schema: Schema.Schema<A, I>, otherwise: A) =>
  Schema.transform(Schema.NullOr(schema), Schema.typeSchema(schema), {
    strict: true,
    decode: (body) => body ?? otherwise,
    encode: (body) => body
  })
