// For mutation testing: every property runs with one seed, so that a mutant's fate is the same in every run.
import * as FastCheck from "effect/FastCheck"

FastCheck.configureGlobal({ seed: 20_240_229 })
