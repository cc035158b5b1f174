/**
 * The bracketed forms that Stripe's API reads: `{ line_items: [{ price: "p" }] }` is `line_items[0][price]=p`.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export type FormValue = string | number | boolean | ReadonlyArray<FormValue> | Form

/**
 * @since 0.1.0
 * @category models
 */
export interface Form {
  readonly [key: string]: FormValue
}

/**
 * Writes a form. The order of the keys is kept: with an idempotency key, the same request must be the same text.
 *
 * @since 0.1.0
 * @category constructors
 */
export const encode = (form: Form): string => {
  const pairs: Array<string> = []
  const write = (name: string, value: FormValue): void => {
    if (typeof value !== "object") {
      pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      return
    }
    for (const [key, inner] of Object.entries(value)) write(name === "" ? key : `${name}[${key}]`, inner)
  }
  write("", form)
  return pairs.join("&")
}
