import { defineConfig, mergeConfig } from "vitest/config"
import mutation from "./.vitest.mutation.config.js"

/** Kernels do not know Effect, and neither do their tests: without it each of some thousand runs begins sooner. */
export default mergeConfig(mutation, defineConfig({ test: { alias: { "@effect/vitest": "vitest" } } }))
