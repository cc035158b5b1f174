/**
 * Writes everything in Effect's metric registry in the Prometheus text format 0.0.4, so that any scraper can read it.
 *
 * Whatever names and labels the program chose, the document is valid: names are made fit, and metrics that would collide
 * afterwards get a name of their own instead of being lost.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricKeyType from "effect/MetricKeyType"
import type * as MetricPair from "effect/MetricPair"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"

/**
 * The media type of the format.
 *
 * @since 0.1.0
 * @category constants
 */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/**
 * The metrics of this process as they are now.
 *
 * @since 0.1.0
 * @category accessors
 */
export const text: Effect.Effect<string> = Effect.sync(() => format(Metric.unsafeSnapshot()))

/**
 * Writes a snapshot. Counters that only grow get the suffix `_total`; a counter that can fall is a gauge to Prometheus.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (snapshot: ReadonlyArray<MetricPair.MetricPair.Untyped>): string => {
  const families = new Map<string, Family>()
  for (const pair of snapshot) {
    const kind = kindOf(pair)
    if (kind === undefined) continue
    const labels = labelsOf(pair, kind)
    const { family, name } = place(families, pair.metricKey.name, kind, labels)
    family.labels.add(labels)
    family.help ??= Option.getOrUndefined(pair.metricKey.description)
    family.lines.push(...samples(name, labels, pair.metricState))
  }
  return [...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { help, kind, lines }]) => {
      const head = help === undefined ? [] : [`# HELP ${name} ${escapeHelp(help)}`]
      return [...head, `# TYPE ${name} ${kind}`, ...lines].join("\n") + "\n"
    })
    .join("")
}

type Kind = "counter" | "gauge" | "histogram" | "summary"

interface Family {
  readonly kind: Kind
  readonly labels: Set<string>
  readonly lines: Array<string>
  help: string | undefined
}

const kindOf = ({ metricKey, metricState }: MetricPair.MetricPair.Untyped): Kind | undefined => {
  const { keyType } = metricKey
  if (MetricKeyType.isCounterKey(keyType)) return "incremental" in keyType && keyType.incremental ? "counter" : "gauge"
  if (MetricState.isFrequencyState(metricState)) return "counter"
  if (MetricState.isGaugeState(metricState)) return "gauge"
  if (MetricState.isHistogramState(metricState)) return "histogram"
  if (MetricState.isSummaryState(metricState)) return "summary"
  return undefined
}

// A family has one kind and no two samples with the same labels; what does not fit goes into a family of its own.
const place = (families: Map<string, Family>, name: string, kind: Kind, labels: string) => {
  const base = nameOf(name).replace(kind === "counter" ? /_total$/ : /$^/, "")
  const suffix = kind === "counter" ? "_total" : ""
  for (let n = 1; ; n++) {
    const candidate = `${base}${n === 1 ? "" : `_${n}`}${suffix}`
    const family = families.get(candidate)
    if (family === undefined) {
      const created: Family = { kind, labels: new Set(), lines: [], help: undefined }
      families.set(candidate, created)
      return { name: candidate, family: created }
    }
    if (family.kind === kind && !family.labels.has(labels)) return { name: candidate, family }
  }
}

const samples = (
  name: string,
  labels: string,
  state: MetricPair.MetricPair.Untyped["metricState"]
): ReadonlyArray<string> => {
  const line = (suffix: string, extra: string, value: number | bigint) =>
    `${name}${suffix}${block([labels, extra])} ${number(value)}`
  if (MetricState.isCounterState(state)) return [line("", "", state.count)]
  if (MetricState.isGaugeState(state)) return [line("", "", state.value)]
  if (MetricState.isFrequencyState(state)) {
    return [...state.occurrences].map(([word, count]) => line("", `key="${escapeLabel(word)}"`, count))
  }
  if (MetricState.isHistogramState(state)) {
    // Effect's buckets are cumulative already. Its last one misses what no bucket could take (NaN); the count does not.
    const finite = state.buckets.filter(([boundary]) => Number.isFinite(boundary))
    return [
      ...finite.map(([boundary, count]) => line("_bucket", `le="${number(boundary)}"`, count)),
      line("_bucket", `le="+Inf"`, state.count),
      line("_sum", "", state.sum),
      line("_count", "", state.count)
    ]
  }
  if (MetricState.isSummaryState(state)) {
    return [
      ...state.quantiles.map(([quantile, value]) =>
        line(
          "",
          `quantile="${number(quantile)}"`,
          Option.getOrElse(value, () => NaN)
        )
      ),
      line("_sum", "", state.sum),
      line("_count", "", state.count)
    ]
  }
  return []
}

const block = (parts: ReadonlyArray<string>): string => {
  const inner = parts.filter((part) => part.length > 0).join(",")
  return inner.length === 0 ? "" : `{${inner}}`
}

const labelsOf = ({ metricKey, metricState }: MetricPair.MetricPair.Untyped, kind: Kind): string => {
  // These belong to the format where it writes them itself.
  const own = MetricState.isFrequencyState(metricState) ? "key" : kind === "histogram" ? "le" : "quantile"
  const taken = new Set(kind === "gauge" || MetricState.isCounterState(metricState) ? [] : [own])
  const labels: Array<readonly [string, string]> = []
  for (const { key, value } of metricKey.tags) {
    const base = labelNameOf(key)
    let name = base
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`
    taken.add(name)
    labels.push([name, value])
  }
  return labels
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",")
}

const nameOf = (name: string): string => name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=\d|$)/, "_")

// Names that begin with two underscores are Prometheus's own.
const labelNameOf = (name: string): string =>
  name
    .replace(/[^a-zA-Z0-9_]/g, "_")
    .replace(/^__+/, "_")
    .replace(/^(?=\d|$)/, "_")

const escapeHelp = (help: string): string => help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")

const escapeLabel = (value: string): string => value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")

const number = (value: number | bigint): string =>
  value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value)
