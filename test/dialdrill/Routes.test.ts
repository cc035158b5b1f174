/**
 * Every route of the server, as it is built and started, on a real port with the embedded database and all upstreams
 * well. One server for all of it; each test has users of its own.
 */
import { afterAll, beforeAll, describe } from "vitest"
import { billing } from "./suites/Billing.js"
import { calls } from "./suites/Calls.js"
import { coaching } from "./suites/Coaching.js"
import { operations } from "./suites/Operations.js"
import { start, startLimit, type App } from "./support/App.js"

export const adminToken = "an-admin-token-of-this-test"

describe("the server with everything well", { timeout: 90_000 }, () => {
  let app: App
  beforeAll(async () => {
    app = await start({
      ADMIN_TOKEN: adminToken,
      // Slow machines are not the subject here.
      OPENAI_PROBE_INTERVAL: "2s",
      ELEVENLABS_PROBE_INTERVAL: "2s",
      STRIPE_PROBE_INTERVAL: "2s",
      DATABASE_PROBE_INTERVAL: "2s",
      RATE_LIMIT_BILLING: "8/60s"
    })
  }, startLimit)
  afterAll(() => app?.close())

  const get = () => app
  calls(get)
  coaching(get)
  billing(get)
  operations(get, adminToken)
})
