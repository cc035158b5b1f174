import { defineConfig } from "vitest/config"

/**
 * Branch coverage of the policy library, by its own tests and the conformance suite. The kernels decide, so every branch
 * of theirs is taken; of the shells nearly every one. What is left is printed. No build: none of these tests needs it.
 */
export default defineConfig({
  test: {
    include: ["test/resilience/**/*.test.ts", "test/conformance/**/*.test.ts"],
    maxWorkers: 2,
    minWorkers: 1,
    testTimeout: 60_000,
    reporters: ["dot"],
    coverage: {
      enabled: true,
      provider: "v8",
      include: ["src/resilience/**/*.ts"],
      reporter: [["text", { skipFull: true, maxCols: 140 }], "json"],
      // Counts what stands in the source, branch by branch, and not what the engine happened to compile.
      experimentalAstAwareRemapping: true,
      reportsDirectory: "coverage/branches",
      thresholds: {
        branches: 95,
        "src/resilience/kernel/*.ts": { branches: 100 }
      }
    }
  }
})
