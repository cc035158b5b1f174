/** The types that the browser pages share with the server; only types, so that no server code reaches a page. */
import type { Degraded as DegradedSchema } from "./Degraded.js"

export type Degraded = typeof DegradedSchema.Encoded
