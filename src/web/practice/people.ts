/** Whom one can call, asked once. */
import type { PersonalitySummary } from "../../dialdrill/calls/Wire.js"
import { ask, type Answer } from "./api.js"
import { el } from "./dom.js"

export type Person = typeof PersonalitySummary.Encoded

let known: ReadonlyArray<Person> = []

export const people = async (): Promise<Answer<ReadonlyArray<Person>>> => {
  if (known.length > 0) return { ok: true, value: known }
  const answer = await ask<{ readonly personalities: ReadonlyArray<Person> }>("/api/personalities")
  if (!answer.ok) return answer
  known = answer.value.personalities
  return { ok: true, value: known }
}

export const nameOf = (id: string): string => known.find((person) => person.id === id)?.name ?? "Prospect"

const initials = (name: string): string =>
  name
    .split(" ")
    .map((word) => word.charAt(0))
    .join("")
    .slice(0, 2)

export const face = (name: string): HTMLElement => el("span", { class: "face", "aria-hidden": "true" }, initials(name))
