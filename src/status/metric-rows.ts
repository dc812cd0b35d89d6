/** The rows of the catalogue as metrics of a registry. */
import { performance } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { latencyBuckets, metricCatalogue, type MetricKey } from './metric-catalogue.js'

type Labels = Readonly<Record<string, string>>

/** One metric object for each row of the catalogue that is asked for. */
export class RowSet {
  readonly #gauges = new Map<MetricKey, Gauge>()
  readonly #counters = new Map<MetricKey, Counter>()
  readonly #histograms = new Map<MetricKey, Histogram>()

  constructor(registry: Registry, keys: readonly MetricKey[]) {
    for (const key of keys) {
      const { name, type, help, labels } = metricCatalogue[key]
      const settings = { name, help, labelNames: [...labels], registers: [registry] }
      if (type === 'gauge') this.#gauges.set(key, new Gauge(settings))
      else if (type === 'counter') this.#counters.set(key, new Counter(settings))
      else {
        const buckets = [...latencyBuckets]
        this.#histograms.set(key, new Histogram({ ...settings, buckets }))
      }
    }
  }

  /** Forgets the labels of the scrape before: a peer or a follower's view may be gone. */
  clear(): void {
    for (const gauge of this.#gauges.values()) gauge.reset()
  }

  set(key: MetricKey, value: number, labels: Labels = {}): void {
    this.#gauges.get(key)?.set(labels, value)
  }

  /** A counter that is kept elsewhere: shown as it stands there. */
  total(key: MetricKey, value: number, labels: Labels = {}): void {
    const counter = this.#counters.get(key)
    counter?.remove(labels)
    counter?.inc(labels, value)
  }

  observe(key: MetricKey, seconds: number): void {
    this.#histograms.get(key)?.observe(seconds)
  }

  increment(key: MetricKey, labels: Labels = {}): void {
    this.#counters.get(key)?.inc(labels)
  }
}

/** Of the process since its start, so that several who scrape do not disturb each other. */
export function fillLoop(rows: RowSet): void {
  rows.total('loopBusy', performance.eventLoopUtilization().active / 1000)
}
