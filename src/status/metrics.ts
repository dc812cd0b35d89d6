/** The Prometheus registry of one node: asked for at each scrape, counted as entries are applied. */
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { MachineEvent } from '../machine/index.js'
import type { NodePort, NodeStatus } from '../node/ports.js'
import { metricCatalogue, type MetricKey } from './metric-catalogue.js'

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  close(): void
}

const roles = ['follower', 'preCandidate', 'candidate', 'leader']

/** Beside our own it carries what prom-client tells of the process: `process_*` and `nodejs_*`. */
export function createMetrics(node: NodePort, options: { readonly tickMs: number }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const rows = new RowSet(registry)
  const subscription = node.onApplied(({ events }) => {
    rows.increment('appliedEntries')
    for (const event of events) countEvent(rows, event)
  })
  return {
    contentType: registry.contentType,
    text: () => {
      fill(rows, node.status(), options.tickMs)
      return registry.metrics()
    },
    close: () => {
      subscription.close()
      registry.clear()
    },
  }
}

type Labels = Readonly<Record<string, string>>

/** One metric object for each row of the catalogue. */
class RowSet {
  readonly #gauges = new Map<MetricKey, Gauge>()
  readonly #counters = new Map<MetricKey, Counter>()

  constructor(registry: Registry) {
    for (const key of Object.keys(metricCatalogue) as MetricKey[]) {
      const { name, type, help, labels } = metricCatalogue[key]
      const settings = { name, help, labelNames: [...labels], registers: [registry] }
      if (type === 'gauge') this.#gauges.set(key, new Gauge(settings))
      else this.#counters.set(key, new Counter(settings))
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
  total(key: MetricKey, value: number): void {
    const counter = this.#counters.get(key)
    counter?.reset()
    counter?.inc(value)
  }

  increment(key: MetricKey, labels: Labels = {}): void {
    this.#counters.get(key)?.inc(labels)
  }
}

function fill(rows: RowSet, status: NodeStatus, tickMs: number): void {
  const { raft, machine } = status
  rows.clear()
  rows.set('buildInfo', 1, {
    version: status.version,
    node: status.nodeId,
    cluster: machine.clusterName,
  })
  rows.set('ready', status.ready ? 1 : 0)
  rows.set('watchers', status.watchers)
  for (const role of roles) rows.set('role', raft.role === role ? 1 : 0, { role })
  rows.set('leaderKnown', raft.leader === null ? 0 : 1)
  rows.set('term', raft.term)
  rows.set('lastIndex', raft.lastIndex)
  rows.set('durableIndex', raft.durableIndex)
  rows.set('commitIndex', raft.commitIndex)
  rows.set('appliedIndex', raft.appliedIndex)
  rows.set('uncommittedBytes', raft.uncommittedBytes)
  rows.set('pendingReads', raft.pendingReads)
  rows.total('electionsStarted', raft.counters.electionsStarted)
  rows.total('electionsWon', raft.counters.electionsWon)
  rows.total('preVotesRefused', raft.counters.preVotesRefused)
  rows.total('proposalsRefused', raft.counters.proposalsRefused)
  for (const { id, connected } of status.links) {
    rows.set('peerConnected', connected ? 1 : 0, { peer: id })
  }
  for (const peer of raft.peers) {
    rows.set('peerLag', Math.max(0, raft.lastIndex - peer.matchIndex), { peer: peer.id })
    rows.set('peerSilence', (peer.silentTicks * tickMs) / 1000, { peer: peer.id })
    rows.set('peerInflightBytes', peer.inflightBytes, { peer: peer.id })
  }
  for (const [state, count] of Object.entries(machine.changesByState)) {
    rows.set('changes', count, { state })
  }
  rows.set('featureLevel', machine.featureLevel)
  rows.set('logTime', machine.logTime / 1000)
  rows.total('refusals', machine.refusals)
  rows.total('noise', machine.noise)
}

function countEvent(rows: RowSet, event: MachineEvent): void {
  switch (event.kind) {
    case 'proposed':
      rows.increment('proposed')
      break
    case 'decided':
      rows.increment('decided', { decision: event.decision })
      break
    case 'activated':
      rows.increment('activated')
      break
    case 'stateChanged':
      rows.increment('enteredState', { state: event.to })
      break
    case 'revisionSuperseded':
    case 'acknowledged':
    case 'timeAdvanced':
    case 'refused':
    case 'noise':
      break
  }
}
