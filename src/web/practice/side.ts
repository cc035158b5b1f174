/** The column beside the call: past calls, and the plan with what is left of it. */
import type { CallSummary } from "../../dialdrill/calls/Wire.js"
import type { BillingState, Plan } from "../../dialdrill/billing/Wire.js"
import { ask } from "./api.js"
import { toast } from "./banners.js"
import { byId, el, show } from "./dom.js"

const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" })
const money = (plan: typeof Plan.Encoded): string =>
  new Intl.NumberFormat(undefined, { style: "currency", currency: plan.currency }).format(plan.priceCents / 100)

const worth = (call: typeof CallSummary.Encoded): string => {
  if (call.status === "active") return "in progress"
  return call.overall === null ? "no score" : `${call.overall.toFixed(1)} / 10`
}

export const drawPast = async (): Promise<void> => {
  const answer = await ask<{ readonly calls: ReadonlyArray<typeof CallSummary.Encoded> }>("/api/calls")
  if (!answer.ok) return show(byId("past"), el("p", { class: "muted" }, answer.problem.detail))
  const { calls } = answer.value
  if (calls.length === 0) return show(byId("past"), el("p", { class: "muted" }, "Your calls will be listed here."))
  show(
    byId("past"),
    el(
      "ul",
      {},
      ...calls
        .slice(0, 12)
        .map((call) =>
          el(
            "li",
            { class: "row" },
            el("a", { class: "grow", href: `#/calls/${call.id}` }, date.format(new Date(call.startedAt))),
            el("span", { class: "badge" }, worth(call))
          )
        )
    )
  )
}

const buy = async (plan: string, button: HTMLButtonElement): Promise<void> => {
  button.disabled = true
  const answer = await ask<{ readonly url: string }>("/api/billing/checkout", { body: { plan } })
  button.disabled = false
  if (answer.ok) location.assign(answer.value.url)
  else toast(answer.problem.detail)
}

export const drawPlans = async (): Promise<void> => {
  const [billing, offers] = await Promise.all([
    ask<typeof BillingState.Encoded>("/api/billing"),
    ask<{ readonly plans: ReadonlyArray<typeof Plan.Encoded> }>("/api/plans")
  ])
  const now = billing.ok
    ? el(
        "p",
        {},
        `${billing.value.plan.name}: ${billing.value.callsUsed} of ${billing.value.plan.callsPerMonth} calls used this month.`
      )
    : el("p", { class: "muted" }, billing.problem.detail)
  const list = offers.ok
    ? offers.value.plans.map((plan) => {
        const button = el("button", { class: "quiet", type: "button" }, `Choose ${plan.name}`)
        button.addEventListener("click", () => void buy(plan.id, button))
        return el(
          "li",
          {},
          el("strong", {}, `${plan.name} · ${money(plan)} a ${plan.interval}`),
          el("p", { class: "muted" }, `${plan.callsPerMonth} calls, ${plan.maxCallSeconds / 60} minutes each`),
          button
        )
      })
    : []
  show(byId("plans"), now, el("ul", {}, ...list))
}
