/** Log time of one node: the stamp rounds, joined to its core, its machine and its peers. */
import type { Command, Machine } from '../machine/index.js'
import type { Event, NodeId } from '../raft/index.js'
import type { ClusterNodeOptions } from './cluster-node-options.js'
import type { LeadershipRecord } from './leadership-record.js'
import { LogClock } from './log-clock.js'

export interface NodeLogClockParts {
  readonly options: ClusterNodeOptions
  readonly leadership: LeadershipRecord
  readonly appliedIndex: () => number
  readonly propose: (tick: Command) => void
  readonly push: (event: Event) => void
}

export function createNodeLogClock(parts: NodeLogClockParts): LogClock {
  const { leadership, appliedIndex, propose, push } = parts
  const { identity, clock, nodeKey, peers, raft, machine, log, rare } = parts.options
  return new LogClock({
    clock,
    nodeId: identity.nodeId,
    clusterId: identity.clusterId,
    signer: nodeKey,
    nodeKeys: () => voterKeys(machine),
    requestStamp: (to, request) => {
      peers.requestStamp(to, request)
    },
    sendStamp: (to, stamp) => {
      peers.sendStamp(to, stamp)
    },
    lastIndex: () => raft.status().lastIndex,
    isCaughtUp: () => appliedIndex() >= raft.status().commitIndex,
    machine,
    propose,
    ...(rare && { rare }),
    distrustLeader: (why) => {
      log.warn({ leader: leadership.leader, why }, 'leader distrusted')
      push({ kind: 'distrustLeader' })
    },
  })
}

function voterKeys(machine: Machine): ReadonlyMap<NodeId, Uint8Array> {
  const voters = machine.membership().nodes.filter(({ role }) => role === 'voter')
  return new Map(voters.map(({ id, nodeKey }) => [id, nodeKey]))
}
