// Mutation testing of the pure kernels: every small change of the code must make a test of the kernels fail.
// `npm run mutation` tests what changed since the last run; `npm run mutation -- --force` tests all of it.
// What the figures mean, and why a survivor may stay: docs/testing.md.

export default {
  mutate: ["src/resilience/kernel/*.ts"],
  testRunner: "vitest",
  // Only kernel tests run, so there is no need to ask vitest which of them are related to a mutant.
  vitest: { configFile: ".vitest.kernels.config.ts", dir: "test/resilience/kernel", related: false },
  coverageAnalysis: "perTest",
  concurrency: 2,
  // A kernel never waits: what takes this long runs for ever.
  timeoutMS: 5_000,
  timeoutFactor: 3,
  thresholds: { high: 100, low: 95, break: 90 },

  incremental: true,
  incrementalFile: ".cache/mutation.json",
  tempDirName: "coverage/mutation/sandboxes",
  cleanTempDir: "always",
  // The sandbox holds only what the kernel tests need.
  ignorePatterns: [
    "**",
    "!src/resilience/**",
    "!test/resilience/**",
    "!.vitest.kernels.config.ts",
    "!.vitest.mutation.config.ts",
    "!.tools/one-seed.mjs",
    "!package.json",
    "!tsconfig.json"
  ],

  reporters: ["clear-text", "html"],
  htmlReporter: { fileName: "coverage/mutation/report.html" },
  clearTextReporter: { allowEmojis: false, logTests: false, reportTests: false },
  allowConsoleColors: false,
  logLevel: "warn",
  fileLogLevel: "off",
  warnings: { slow: false }
}
