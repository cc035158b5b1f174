/** The column beside the call: past calls, the plan with what is left of it, and buying another one. */
import type { BillingState, CheckoutSession, Plan } from "../../dialdrill/billing/Wire.js"
import type { CallSummary } from "../../dialdrill/calls/Wire.js"
import { ask } from "./api.js"
import { tell, toast } from "./banners.js"
import { button, byId, el, muted, show } from "./dom.js"
import { nameOf, people } from "./people.js"
import { isMissing } from "./watch.js"

type Offer = typeof Plan.Encoded
type Billing = typeof BillingState.Encoded

const date = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" })
const money = ({ currency, priceCents }: Offer): string =>
  new Intl.NumberFormat(undefined, {
    style: "currency",
    currency,
    minimumFractionDigits: priceCents % 100 === 0 ? 0 : 2
  }).format(priceCents / 100)

const worth = (call: typeof CallSummary.Encoded): string => {
  if (call.status === "active") return "in progress"
  return call.overall === null ? "no score" : `${call.overall.toFixed(1)} / 10`
}

/** As many as fit beside a call; the rest on demand. */
const few = 6
let all = false

export const drawPast = async (): Promise<void> => {
  const [answer] = await Promise.all([
    ask<{ readonly calls: ReadonlyArray<typeof CallSummary.Encoded> }>("/api/calls"),
    people()
  ])
  const place = byId("past")
  if (!answer.ok) return show(place, muted(answer.problem.detail))
  const { calls } = answer.value
  if (calls.length === 0) return show(place, muted("Your calls will be listed here."))
  const more = () => {
    all = true
    void drawPast()
  }
  show(
    place,
    el(
      "ul",
      {},
      ...calls
        .slice(0, all ? calls.length : few)
        .map((call) =>
          el(
            "li",
            {},
            el(
              "a",
              { class: "row", href: `#/calls/${call.id}` },
              el(
                "span",
                { class: "grow" },
                nameOf(call.personality),
                el("small", {}, date.format(new Date(call.startedAt)))
              ),
              el("span", { class: "badge" }, worth(call))
            )
          )
        )
    ),
    !all && calls.length > few && button(`All ${calls.length} calls`, more)
  )
}

const buyingKey = "dialdrill-buying"

const buy = async (plan: string, chosen: HTMLButtonElement): Promise<void> => {
  chosen.disabled = true
  const answer = await ask<typeof CheckoutSession.Encoded>("/api/billing/checkout", { body: { plan } })
  chosen.disabled = false
  if (!answer.ok) return toast(answer.problem.detail)
  sessionStorage.setItem(buyingKey, plan)
  location.assign(answer.value.url)
}

/** The plans that can be bought; where nothing can be, they are shown all the same, and it is said. */
export const offers = (plans: ReadonlyArray<Offer>, quiet = true): HTMLElement =>
  el(
    "div",
    {},
    el(
      "ul",
      { class: "offers" },
      ...plans.map((plan) => {
        const chosen = button(`Choose ${plan.name}`, () => void buy(plan.id, chosen), quiet)
        chosen.disabled = isMissing("stripe")
        return el(
          "li",
          {},
          el("strong", {}, `${plan.name} · ${money(plan)} a ${plan.interval}`),
          muted(`${plan.callsPerMonth} calls, ${plan.maxCallSeconds / 60} minutes each`),
          chosen
        )
      })
    ),
    isMissing("stripe") && muted("Plans cannot be bought on this server: payments are not set up.")
  )

const usage = ({ callsUsed, plan }: Billing): HTMLElement =>
  el(
    "div",
    {},
    el("p", {}, `${plan.name}: ${callsUsed} of ${plan.callsPerMonth} calls used this month.`),
    el("meter", {
      max: plan.callsPerMonth,
      high: plan.callsPerMonth * 0.8,
      optimum: 0,
      value: callsUsed,
      "aria-label": "Calls used this month"
    })
  )

export const drawPlans = async (): Promise<void> => {
  const [billing, listed] = await Promise.all([
    ask<Billing>("/api/billing"),
    ask<{ readonly plans: ReadonlyArray<Offer> }>("/api/plans")
  ])
  const current = billing.ok ? billing.value.plan : undefined
  const others = listed.ok ? listed.value.plans.filter(({ id }) => id !== current?.id) : []
  show(byId("plans"), billing.ok ? usage(billing.value) : muted(billing.problem.detail), offers(others))
}

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

/** Says how a checkout ended. The plan changes when Stripe tells the server, which may be later than the browser's return. */
export const welcomeBack = async (): Promise<void> => {
  const outcome = new URLSearchParams(location.search).get("checkout")
  if (outcome === null) return
  history.replaceState(null, "", location.pathname + location.hash)
  if (outcome !== "success") return tell("checkout", "The checkout was cancelled; nothing was bought.")
  const wanted = sessionStorage.getItem(buyingKey)
  tell("checkout", "Thank you! Your plan changes as soon as the payment is confirmed.")
  for (let looks = 0; looks < 60; looks++) {
    const answer = await ask<Billing>("/api/billing")
    const plan = answer.ok ? answer.value.plan : undefined
    if (plan !== undefined && (wanted === null ? plan.id !== "free" : plan.id === wanted)) {
      tell("checkout", `Thank you! You are on the ${plan.name} plan.`)
      return drawPlans()
    }
    await pause(2000)
  }
}
