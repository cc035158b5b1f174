/**
 * JSON as PostgreSQL's jsonb takes it: that holds neither NUL nor half a surrogate pair, which a text from outside may
 * well have. Each becomes the replacement character, as it does everywhere else where such text is shown.
 */
const storable = (_: string, value: unknown): unknown =>
  typeof value === "string" ? value.replace(/\0|\p{Surrogate}/gu, "\ufffd") : value

export const stringify = (value: unknown): string => JSON.stringify(value, storable)
