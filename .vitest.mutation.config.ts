import { defineConfig } from "vitest/config"

/** The tests of the policy library as mutation testing runs them some hundred times: no build, no real parts, one seed. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    setupFiles: [".tools/one-seed.mjs"],
    testTimeout: 30_000
  }
})
