/** What a node says of itself: its parts, asked one after the other, none of them kept. */
import type { ClusterNodeOptions } from './cluster-node-options.js'
import type { LeaderHint } from './leader-hint.js'
import type { NodeEngine } from './node-engine.js'
import type { NodeStatus } from './ports.js'
import type { Submissions } from './submissions.js'

export interface NodeStatusParts {
  readonly options: ClusterNodeOptions
  readonly engine: NodeEngine
  readonly hint: LeaderHint
  readonly submissions: Submissions
  readonly startedAt: number
  readonly isStopping: boolean
  readonly watchers: number
}

export function nodeStatus(parts: NodeStatusParts): NodeStatus {
  const { options, engine, hint } = parts
  const { identity, raft, machine, peers, ticks } = options
  const { membership, health, snapshots, journal, oldestTick } = engine
  const raftStatus = raft.status()
  const { isRemoved } = membership
  const tickMs = oldestTick.ms()
  const stallMs = ticks.electionTicksMax * ticks.tickMs
  return {
    nodeId: identity.nodeId,
    incarnation: identity.incarnation,
    version: options.version,
    startedAt: parts.startedAt,
    ready: !parts.isStopping && !isRemoved && health.isReady(raftStatus),
    clientAddress: options.clientAddress,
    leaderClientAddress: hint.addressOf(raftStatus.leader),
    raft: raftStatus,
    machine: machine.status(),
    links: peers.links(),
    members: membership.facts(),
    removed: isRemoved,
    snapshot: snapshots.facts(),
    log: {
      entries: raftStatus.lastIndex - raftStatus.firstIndex + 1,
      bytes: raftStatus.logBytes,
      oldestAgeMs: tickMs === null ? null : Math.max(0, options.clock.wallMs() - tickMs),
    },
    diskStalled: journal.writingForMs > stallMs,
    proposalsRefused: parts.submissions.refused,
    watchers: parts.watchers,
    configuration: options.configuration,
  }
}
