/** Service `Cluster`: this node as it sees itself. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import type { NodePort, NodeStatus } from '../node/ports.js'
import { clusterMethods, type StatusView } from '../wire/index.js'
import { unary, type ServiceContext } from './handlers.js'

export function clusterService(
  context: ServiceContext & { readonly tickMs: number },
  node: NodePort,
): UntypedServiceImplementation {
  return {
    status: unary(context, clusterMethods.status, () =>
      Promise.resolve(statusView(node.status(), context.tickMs)),
    ),
  }
}

export function statusView(status: NodeStatus, tickMs: number): StatusView {
  const { raft, machine } = status
  const connected = new Map(status.links.map((link) => [link.id, link.connected]))
  return {
    nodeId: status.nodeId,
    incarnation: status.incarnation,
    clusterId: machine.clusterId,
    clusterName: machine.clusterName,
    version: status.version,
    ready: status.ready,
    role: raft.role,
    term: raft.term,
    leaderId: raft.leader,
    leaderClientAddress: status.leaderClientAddress,
    clientAddress: status.clientAddress,
    lastIndex: raft.lastIndex,
    durableIndex: raft.durableIndex,
    commitIndex: raft.commitIndex,
    appliedIndex: machine.appliedIndex,
    stateDigest: machine.stateDigest,
    logTime: machine.logTime,
    featureLevel: machine.featureLevel,
    voters: raft.voters,
    peers: raft.peers.map((peer) => ({
      nodeId: peer.id,
      state: peer.state,
      matchIndex: peer.matchIndex,
      nextIndex: peer.nextIndex,
      lag: Math.max(0, raft.lastIndex - peer.matchIndex),
      silentMs: peer.silentTicks * tickMs,
      connected: connected.get(peer.id) ?? false,
      votes: peer.votes,
      catchUpRounds: peer.catchUp?.rounds ?? 0,
      waitsFor: peer.catchUp?.waitsFor ?? null,
      lastRoundMs: (peer.catchUp?.lastRoundTicks ?? 0) * tickMs,
      roundMsMax: (peer.catchUp?.roundTicksMax ?? 0) * tickMs,
    })),
    changesByState: machine.changesByState,
    watchers: status.watchers,
    refusals: machine.refusals,
    noise: machine.noise,
    snapshotIndex: status.snapshot.index,
    firstIndex: raft.firstIndex,
    members: status.members.map(({ id: nodeId, role, address }) => ({ nodeId, role, address })),
    configurationIndex: raft.configurationIndex,
    configurationCommitted: raft.configurationCommitted,
    removed: status.removed,
  }
}
