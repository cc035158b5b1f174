// The house has floors: a file may import from its own floor and from those below it, never from above, never in a circle.
const floor1 = "^src/(resilience|testing)/"
const floor2 = "^src/(health|http|sql|redis|telemetry)/"
const floor3 = "^src/dependencies/"
const floor4 = "^src/(dialdrill|drill)/"
const floor5 = "^src/(main\\.ts|cli/)"
const web = "^src/web/"

const above = (name, from, floors) => ({
  name,
  severity: "error",
  from: { path: from },
  to: { path: floors.join("|") }
})

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    above("floor-1-rests-on-nothing", floor1, [floor2, floor3, floor4, floor5, web]),
    above("floor-2-rests-on-1", floor2, [floor3, floor4, floor5, web]),
    above("floor-3-rests-on-2-and-1", floor3, [floor4, floor5, web]),
    above("floor-4-rests-on-3-to-1", floor4, [floor5, web]),
    {
      name: "web-shares-only-wire-types",
      severity: "error",
      from: { path: web },
      to: { path: "^src/", pathNot: [web, "^src/dialdrill/.*Wire\\.ts$"] }
    },
    {
      name: "features-do-not-know-the-drills",
      severity: "error",
      from: { path: "^src/dialdrill/" },
      to: { path: "^src/drill/" }
    },
    {
      name: "floor-1-imports-effect-alone",
      severity: "error",
      from: { path: floor1 },
      to: { pathNot: [floor1, "^node_modules/effect/", "^effect(/|$)", "^node_modules/fast-check/"] }
    },
    {
      name: "kernels-are-pure",
      severity: "error",
      from: { path: "^src/resilience/kernel/" },
      to: { pathNot: "^src/resilience/kernel/" }
    },
    {
      name: "runtime-code-needs-runtime-dependencies",
      severity: "error",
      from: { path: "^src/", pathNot: web },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"]
    }
  }
}
