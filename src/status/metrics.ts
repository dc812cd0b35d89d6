/** The Prometheus registry of one node: asked for at each scrape, counted as entries are applied. */
import { Registry, collectDefaultMetrics } from 'prom-client'
import type { MachineEvent } from '../machine/index.js'
import type { NodePort, NodeStatus } from '../node/ports.js'
import { metricCatalogue, type MetricKey } from './metric-catalogue.js'
import { fillLoop, RowSet } from './metric-rows.js'

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  close(): void
}

const memberRoles = ['voter', 'outgoing', 'learner']
const refusalReasons = ['notLeader', 'bytesWaiting', 'commandsWaiting'] as const
const peerStates = ['probe', 'replicate', 'snapshot']
const roles = ['follower', 'preCandidate', 'candidate', 'leader']

/** Beside our own it carries what prom-client tells of the process: `process_*` and `nodejs_*`. */
export function createMetrics(node: NodePort, options: { readonly tickMs: number }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const rows = new RowSet(registry, Object.keys(metricCatalogue) as MetricKey[])
  const subscription = node.onApplied(({ events }) => {
    rows.increment('appliedEntries')
    for (const event of events) countEvent(rows, event)
  })
  const latencies = node.onLatency((stage, ms) => {
    rows.observe(stage, ms / 1000)
  })
  return {
    contentType: registry.contentType,
    text: () => {
      fill(rows, node.status(), options.tickMs)
      return registry.metrics()
    },
    close: () => {
      subscription.close()
      latencies.close()
      registry.clear()
    },
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
  rows.set('removed', status.removed ? 1 : 0)
  fillLoop(rows)
  fillSnapshot(rows, status)
  fillLog(rows, status)
  for (const role of memberRoles) {
    rows.set('members', status.members.filter((member) => member.role === role).length, { role })
  }
  rows.set('watchers', status.watchers)
  for (const role of roles) rows.set('role', raft.role === role ? 1 : 0, { role })
  rows.set('leaderKnown', raft.leader === null ? 0 : 1)
  rows.set('term', raft.term)
  rows.set('lastIndex', raft.lastIndex)
  rows.set('durableIndex', raft.durableIndex)
  rows.set('firstIndex', raft.firstIndex)
  rows.set('commitIndex', raft.commitIndex)
  rows.set('appliedIndex', raft.appliedIndex)
  rows.set('uncommittedBytes', raft.uncommittedBytes)
  rows.set('pendingReads', raft.pendingReads)
  rows.total('electionsStarted', raft.counters.electionsStarted)
  rows.total('electionsWon', raft.counters.electionsWon)
  rows.total('electionsLost', raft.counters.electionsLost)
  rows.total('preVotesRefused', raft.counters.preVotesRefused)
  for (const reason of refusalReasons) {
    rows.total('proposalsRefused', status.proposalsRefused[reason], { reason })
  }
  for (const { id, connected } of status.links) {
    rows.set('peerConnected', connected ? 1 : 0, { peer: id })
  }
  for (const peer of raft.peers) {
    rows.set('peerLag', Math.max(0, raft.lastIndex - peer.matchIndex), { peer: peer.id })
    rows.set('peerSilence', (peer.silentTicks * tickMs) / 1000, { peer: peer.id })
    rows.set('peerInflightMessages', peer.inflightMessages, { peer: peer.id })
    rows.set('peerInflightBytes', peer.inflightBytes, { peer: peer.id })
    rows.set('peerNext', peer.nextIndex, { peer: peer.id })
    rows.set('peerMatch', peer.matchIndex, { peer: peer.id })
    for (const state of peerStates) {
      rows.set('peerState', peer.state === state ? 1 : 0, { peer: peer.id, state })
    }
    if (peer.catchUp !== null) {
      rows.set('peerCatchUpRounds', peer.catchUp.rounds, { peer: peer.id })
    }
  }
  for (const [state, count] of Object.entries(machine.changesByState)) {
    rows.set('changes', count, { state })
  }
  rows.set('featureLevel', machine.featureLevel)
  rows.set('logTime', machine.logTime / 1000)
  rows.total('refusals', machine.refusals)
  rows.total('noise', machine.noise)
}

function fillSnapshot(rows: RowSet, { snapshot }: NodeStatus): void {
  rows.set('snapshotIndex', snapshot.index)
  rows.set('snapshotBytes', snapshot.bytes)
  rows.set('snapshotFetched', snapshot.fetching?.storedBytes ?? 0)
  rows.total('snapshotSent', snapshot.sentBytes)
  rows.set('lastRestore', (snapshot.lastRestoreMs ?? 0) / 1000)
}

function fillLog(rows: RowSet, { log, diskStalled }: NodeStatus): void {
  rows.set('logEntries', log.entries)
  rows.set('logBytes', log.bytes)
  if (log.oldestAgeMs !== null) rows.set('oldestLogAge', log.oldestAgeMs / 1000)
  rows.set('diskStalled', diskStalled ? 1 : 0)
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
