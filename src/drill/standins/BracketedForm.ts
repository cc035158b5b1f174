/**
 * The bracketed forms that Stripe's API reads: `line_items[0][price]=p` is `{ line_items: { 0: { price: "p" } } }`.
 * Lists stay objects with their indices as keys.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export interface FormObject {
  readonly [key: string]: string | FormObject
}

/**
 * Reads a bracketed form. A later value for the same place wins; a place that is used both as a value and as an object
 * keeps the later use.
 *
 * @since 0.1.0
 * @category parsers
 */
export const parseForm = (body: string): FormObject => {
  const root: { [key: string]: string | FormObject } = Object.create(null)
  for (const [name, value] of new URLSearchParams(body)) {
    const keys = [name.split("[", 1)[0] ?? "", ...[...name.matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? "")]
    let place = root
    keys.forEach((key, index) => {
      if (index === keys.length - 1) {
        place[key] = value
        return
      }
      const next = place[key]
      // Cast: every object in here was made by this loop and is still being filled.
      const child = (typeof next === "object" ? next : Object.create(null)) as { [key: string]: string | FormObject }
      place[key] = child
      place = child
    })
  }
  return root
}
