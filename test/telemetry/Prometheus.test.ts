import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type * as MetricPair from "effect/MetricPair"
import * as Metrics from "../../src/telemetry/Metrics.js"
import * as Prometheus from "../../src/telemetry/Prometheus.js"

interface Sample {
  readonly name: string
  readonly labels: Record<string, string>
  readonly value: number
}

interface Family {
  readonly type: string
  readonly help: string | undefined
  readonly samples: ReadonlyArray<Sample>
}

/** Reads the text format 0.0.4 strictly: throws at the first thing that a scraper could stumble over. */
const parse = (text: string): ReadonlyMap<string, Family> => {
  assert.isTrue(text === "" || text.endsWith("\n"), "the last line ends with a line feed")
  const families = new Map<string, { type: string; help: string | undefined; samples: Array<Sample> }>()
  const series = new Set<string>()
  let help: readonly [name: string, text: string] | undefined
  let current: string | undefined
  for (const line of text.split("\n").slice(0, -1)) {
    const helped = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line)
    if (helped !== null) {
      assert.match(helped[2]!, /^(?:[^\\]|\\\\|\\n)*$/, "HELP is escaped")
      help = [helped[1]!, helped[2]!]
      continue
    }
    const typed = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary)$/.exec(line)
    if (typed !== null) {
      current = typed[1]!
      assert.isFalse(families.has(current), `one TYPE line for ${current}`)
      if (help !== undefined) assert.strictEqual(help[0], current, "HELP stands before its TYPE")
      families.set(current, { type: typed[2]!, help: help?.[1], samples: [] })
      help = undefined
      continue
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|NaN|[+-]Inf)$/.exec(
      line
    )
    assert.isNotNull(sample, `a line that is nothing: ${line}`)
    const [, name, block, figure] = sample!
    const family = families.get(current ?? "")!
    const suffix = name!.slice(current!.length)
    const allowed = {
      counter: [""],
      gauge: [""],
      histogram: ["_bucket", "_sum", "_count"],
      summary: ["", "_sum", "_count"]
    }
    assert.isTrue(name!.startsWith(current!), `${name} stands under its TYPE ${current}`)
    assert.include(allowed[family.type as keyof typeof allowed], suffix)
    if (family.type === "counter") assert.match(name!, /_total$/)
    const labels: Record<string, string> = {}
    let rest = block ?? ""
    while (rest.length > 0) {
      const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/.exec(rest)
      assert.isNotNull(label, `labels that cannot be read: ${rest}`)
      assert.isFalse(label![1]!.startsWith("__"), "no reserved label")
      assert.notProperty(labels, label![1]!, "no label twice")
      labels[label![1]!] = label![2]!.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c))
      rest = rest.slice(label![0].length)
    }
    const id = `${name}${JSON.stringify(Object.entries(labels).sort())}`
    assert.isFalse(series.has(id), `no series twice: ${id}`)
    series.add(id)
    const value = figure === "+Inf" ? Infinity : figure === "-Inf" ? -Infinity : Number(figure)
    if (family.type === "counter") assert.isAtLeast(value, 0)
    family.samples.push({ name: name!, labels, value })
  }
  for (const [name, family] of families) {
    if (family.type !== "histogram") continue
    const groups = new Map<string, Array<Sample>>()
    for (const sample of family.samples) {
      const { le: _, ...labels } = sample.labels
      const key = JSON.stringify(Object.entries(labels).sort())
      groups.set(key, [...(groups.get(key) ?? []), sample])
    }
    for (const group of groups.values()) {
      const buckets = group.filter((sample) => sample.name === `${name}_bucket`)
      const bounds = buckets.map(({ labels }) => (labels["le"] === "+Inf" ? Infinity : Number(labels["le"])))
      assert.deepStrictEqual(
        bounds,
        [...bounds].sort((a, b) => a - b)
      )
      assert.strictEqual(bounds.at(-1), Infinity)
      const counts = buckets.map(({ value }) => value)
      assert.deepStrictEqual(
        counts,
        [...counts].sort((a, b) => a - b),
        "buckets are cumulative"
      )
      assert.strictEqual(counts.at(-1), group.find((sample) => sample.name === `${name}_count`)?.value)
      assert.strictEqual(group.filter((sample) => sample.name === `${name}_sum`).length, 1)
    }
  }
  return families
}

const snapshotOf = (prefix: string): ReadonlyArray<MetricPair.MetricPair.Untyped> =>
  Metric.unsafeSnapshot().filter(({ metricKey }) => metricKey.name.startsWith(prefix))

const valueOf = (
  families: ReadonlyMap<string, Family>,
  family: string,
  labels: Record<string, string>,
  name = family
) =>
  families
    .get(family)
    ?.samples.find(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
    )?.value

describe("Prometheus", () => {
  it.effect("writes every instrument of ours with its labels", () =>
    Effect.gen(function* () {
      const openai = Metrics.forDependency("prom-openai")
      yield* openai.call("success", 120)
      yield* openai.call("success", 30_000)
      yield* openai.call("failure", 40_000)
      yield* openai.call("rejected", 0)
      yield* openai.retry
      yield* openai.fallback("rules")
      yield* openai.transition("closed", "open")
      yield* Metrics.recordRateLimited("prom-coaching")
      yield* Metrics.recordHttpRequest({ route: "/prom/:id", method: "GET", status: 200, elapsedMillis: 12 })
      yield* Metrics.recordHttpRequest({ route: undefined, method: "BREW", status: 99, elapsedMillis: 1 })
      yield* Metrics.setHealthStatus("prom-check", "down")
      const families = parse(yield* Prometheus.text)
      const dependency = { dependency: "prom-openai" }
      const calls = "dialdrill_dependency_calls_total"
      assert.strictEqual(valueOf(families, calls, { ...dependency, outcome: "success" }), 2)
      assert.strictEqual(valueOf(families, calls, { ...dependency, outcome: "rejected" }), 1)
      const latency = "dialdrill_dependency_latency_seconds"
      assert.strictEqual(families.get(latency)?.type, "histogram")
      assert.strictEqual(valueOf(families, latency, dependency, `${latency}_count`), 3)
      assert.approximately(valueOf(families, latency, dependency, `${latency}_sum`)!, 70.12, 1e-9)
      assert.strictEqual(valueOf(families, latency, { ...dependency, le: "0.1" }, `${latency}_bucket`), 0)
      assert.strictEqual(valueOf(families, latency, { ...dependency, le: "0.25" }, `${latency}_bucket`), 1)
      assert.strictEqual(valueOf(families, latency, { ...dependency, le: "30" }, `${latency}_bucket`), 2)
      assert.strictEqual(valueOf(families, "dialdrill_retries_total", dependency), 1)
      assert.strictEqual(valueOf(families, "dialdrill_fallbacks_total", { ...dependency, kind: "rules" }), 1)
      assert.strictEqual(valueOf(families, "dialdrill_breaker_state", dependency), 2)
      assert.strictEqual(
        valueOf(families, "dialdrill_breaker_transitions_total", { ...dependency, from: "closed", to: "open" }),
        1
      )
      assert.strictEqual(valueOf(families, "dialdrill_rate_limited_total", { group: "prom-coaching" }), 1)
      const requests = "dialdrill_http_requests_total"
      assert.strictEqual(valueOf(families, requests, { route: "/prom/:id", method: "GET", status: "200" }), 1)
      assert.isAtLeast(valueOf(families, requests, { route: "unmatched", method: "OTHER", status: "0" })!, 1)
      assert.strictEqual(families.get("dialdrill_http_request_duration_seconds")?.type, "histogram")
      assert.strictEqual(valueOf(families, "dialdrill_health_status", { check: "prom-check" }), 2)
      assert.strictEqual(families.get("dialdrill_health_status")?.type, "gauge")
      // Effect's own come along, and its counter that can fall is no counter to Prometheus.
      assert.strictEqual(families.get("effect_fiber_started_total")?.type ?? "counter", "counter")
      assert.strictEqual(families.get("effect_fiber_active")?.type ?? "gauge", "gauge")
    })
  )

  it.effect("escapes labels and help, and makes names fit", () =>
    Effect.gen(function* () {
      const nasty = 'a "quoted" \\ back\nnew line, {x="y"} 1'
      const gauge = Metric.gauge("fit.9 metric-é", { description: "line one\nline \\ two" })
      yield* Metric.set(Metric.tagged(Metric.tagged(gauge, "la-bel", nasty), "__reserved", "x"), -1.5)
      yield* Metric.set(Metric.tagged(Metric.tagged(gauge, "a-b", "1"), "a.b", "2"), 1e21)
      const families = parse(Prometheus.format(snapshotOf("fit.9")))
      const family = families.get("fit_9_metric__")!
      assert.strictEqual(family.help, "line one\\nline \\\\ two")
      assert.strictEqual(family.samples.find(({ labels }) => labels["la_bel"] === nasty)?.value, -1.5)
      assert.deepStrictEqual(family.samples.find(({ value }) => value === 1e21)?.labels, { a_b: "1", a_b_2: "2" })
    })
  )

  it.effect("loses nothing when names collide: by kind, by spelling, by description, by labels of the format", () =>
    Effect.gen(function* () {
      yield* Metric.increment(Metric.counter("clash_x", { incremental: true }))
      yield* Metric.incrementBy(Metric.counter("clash_x_total", { incremental: true, description: "other" }), 2)
      yield* Metric.set(Metric.gauge("clash_x_total"), 3)
      yield* Metric.set(Metric.gauge("clash-y"), 4)
      yield* Metric.set(Metric.gauge("clash.y"), 5)
      const histogram = Metric.histogram("clash_h", MetricBoundaries.fromIterable([1]))
      yield* Metric.update(Metric.tagged(histogram, "le", "mine"), 2)
      yield* Metric.set(Metric.tagged(Metric.gauge("clash_z"), "le", "x"), 6)
      yield* Metric.increment(Metric.tagged(Metric.counter("clash_k", { incremental: true }), "key", "x"))
      const families = parse(Prometheus.format(snapshotOf("clash")))
      const plain = [...families.values()]
        .filter(({ type }) => type !== "histogram")
        .flatMap(({ samples }) => samples.map(({ value }) => value))
      assert.deepStrictEqual(plain.sort(), [1, 1, 2, 3, 4, 5, 6])
      assert.strictEqual(valueOf(families, "clash_z", { le: "x" }), 6)
      assert.strictEqual(valueOf(families, "clash_k_total", { key: "x" }), 1)
      assert.strictEqual(valueOf(families, "clash_h", { le_2: "mine", le: "+Inf" }, "clash_h_bucket"), 1)
    })
  )

  it.effect("writes frequencies, summaries, big counters, infinities and NaN", () =>
    Effect.gen(function* () {
      const words = Metric.frequency("kinds_words")
      yield* Metric.update(words, "yes")
      yield* Metric.update(words, "yes")
      yield* Metric.update(words, "no")
      const summary = Metric.summary({
        name: "kinds_summary",
        maxAge: "1 hour",
        maxSize: 10,
        error: 0,
        quantiles: [0.5, 0.99]
      })
      yield* Metric.update(summary, 7)
      yield* Metric.incrementBy(Metric.counter("kinds_big", { bigint: true, incremental: true }), 9007199254740993n)
      yield* Metric.set(Metric.gauge("kinds_infinite"), -Infinity)
      yield* Metric.set(Metric.gauge("kinds_nan"), NaN)
      const timer = Metric.histogram("kinds_timer", MetricBoundaries.fromIterable([1, 2]))
      yield* Metric.update(timer, NaN)
      yield* Metric.update(timer, 1.5)
      const text = Prometheus.format(snapshotOf("kinds_"))
      const families = parse(text)
      assert.strictEqual(valueOf(families, "kinds_words_total", { key: "yes" }), 2)
      assert.strictEqual(valueOf(families, "kinds_words_total", { key: "no" }), 1)
      assert.strictEqual(families.get("kinds_summary")?.type, "summary")
      assert.strictEqual(valueOf(families, "kinds_summary", {}, "kinds_summary_count"), 1)
      assert.include(text, "kinds_big_total 9007199254740993\n")
      assert.strictEqual(valueOf(families, "kinds_infinite", {}), -Infinity)
      assert.isNaN(valueOf(families, "kinds_nan", {}))
      assert.strictEqual(valueOf(families, "kinds_timer", {}, "kinds_timer_count"), 2)
    })
  )

  it.effect("formats a thousand series in a few milliseconds", () =>
    Effect.gen(function* () {
      const gauge = Metric.gauge("many_series")
      for (let i = 0; i < 1000; i++) yield* Metric.set(Metric.tagged(gauge, "n", String(i)), i)
      const snapshot = snapshotOf("many_series")
      const before = performance.now()
      const text = Prometheus.format(snapshot)
      assert.isBelow(performance.now() - before, Duration.toMillis("250 millis"))
      assert.strictEqual(parse(text).get("many_series")?.samples.length, 1000)
    })
  )

  it("names the media type that scrapers ask for", () => {
    assert.strictEqual(Prometheus.contentType, "text/plain; version=0.0.4; charset=utf-8")
    assert.strictEqual(Prometheus.format([]), "")
  })
})
