/** What the suites of the practice page have in common. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Page } from "playwright-core"
import { request } from "../../support/Server.js"

/** Things to undo, last first. */
export interface Cleanup {
  readonly add: (undo: () => unknown) => void
  readonly run: () => Promise<void>
}

export const cleanup = (): Cleanup => {
  const undos: Array<() => unknown> = []
  return {
    add: (undo) => void undos.push(undo),
    run: async () => {
      for (const undo of undos.splice(0).reverse()) await undo()
    }
  }
}

/** Starts a stand-in that ends with the cleanup. */
export const opened = async <A>(cleanup: Cleanup, make: Effect.Effect<A, never, Scope.Scope>): Promise<A> => {
  const scope = await Effect.runPromise(Scope.make())
  cleanup.add(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return Effect.runPromise(Scope.extend(make, scope))
}

/** A call that shows a bit of everything. */
export const lines = [
  "Hi Maya, this is Sam from Brightline. I'm calling because home care agencies lose hours to scheduling. Do you have a minute?",
  "What does your current process look like, and what is the most painful part of it?",
  "It sounds like last-minute changes cost you most. What would it mean to get those hours back?",
  "I understand, that is fair. Can we meet on Tuesday at 10 for 20 minutes? I will send you an invite."
]

export const start = async (page: Page, who = "Maya Torres"): Promise<void> => {
  await page.getByRole("radio", { name: new RegExp(who) }).check({ force: true })
  await page.getByRole("button", { name: "Start the call" }).click()
  await page.getByRole("heading", { level: 1, name: who }).waitFor()
}

export const say = async (page: Page, text: string): Promise<void> => {
  const before = await page.locator(".talk .agent").count()
  await page.getByRole("textbox", { name: "What you say" }).fill(text)
  await page.keyboard.press("Enter")
  await page.locator(".talk .agent", { hasNotText: /…$/ }).nth(before).waitFor()
}

export const finish = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: "Finish and score" }).click()
  await page.getByRole("heading", { name: "How it went" }).waitFor()
}

/** A completed call of this user, made without the page; answers its address on the page. */
export const completedCall = async (url: string, user: string): Promise<string> => {
  const { body } = await request(url, "/api/calls", { user, body: { personality: "maya" } })
  const transcript = lines.flatMap((text) => [
    { role: "user", text },
    { role: "agent", text: "We do it by hand, and it costs us hours." }
  ])
  await request(url, `/api/calls/${body.id}/complete`, { user, body: { transcript } })
  return `/#/calls/${body.id}`
}
