/** Builds elements without a framework: text is always text, never markup, so nothing that a user said can run. */
type Child = Node | string | null | undefined | false

type Props = {
  readonly class?: string
  readonly on?: { readonly [Event in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Event]) => void }
  readonly [attribute: string]: unknown
}

const present = (children: ReadonlyArray<Child>): ReadonlyArray<Node | string> =>
  children.filter((child): child is Node | string => Boolean(child))

export const el = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: ReadonlyArray<Child>
): HTMLElementTagNameMap[Tag] => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value as object)) element.addEventListener(event, listener)
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, value === true ? "" : String(value))
    }
  }
  element.append(...present(children))
  return element
}

export const button = (label: string, onClick: () => void, quiet = true): HTMLButtonElement =>
  el("button", { type: "button", class: quiet ? "quiet" : "", on: { click: onClick } }, label)

export const muted = (text: string): HTMLElement => el("p", { class: "muted" }, text)

export const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no element #${id}`)
  return found
}

/** Replaces what `target` holds. Whoever was on one of its links or buttons by keyboard is so afterwards. */
export const show = (target: HTMLElement, ...children: ReadonlyArray<Child>): void => {
  const focused = target.contains(document.activeElement) ? document.activeElement?.textContent : undefined
  target.replaceChildren(...present(children))
  if (!focused) return
  const same = [...target.querySelectorAll<HTMLElement>("a, button")].find(({ textContent }) => textContent === focused)
  same?.focus({ preventScroll: true })
}
