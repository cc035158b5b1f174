import { defineConfig } from "vitest/config"

/** The tests of the pure kernels alone, as mutation testing runs them some hundred times: no build, no real parts. */
export default defineConfig({
  test: {
    include: ["test/resilience/kernel/**/*.test.ts"],
    setupFiles: ["test/resilience/support/oneSeed.ts"]
  }
})
