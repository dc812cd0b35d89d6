/** Service `Cluster` (proto/countersign/v1/cluster.proto): a node's own view. */
import type { ChangeState, MemberView, PeerStatusView, StatusView } from './api-codec-types.js'
import { isChangeState, oneOf, text } from './api-codec-values.js'
import { countersign, decodeBytes, encodeView, safeInteger } from './protobuf.js'

const v1 = countersign.v1
type V1Member = countersign.v1.Member.$Properties
type V1PeerStatus = countersign.v1.PeerStatus.$Properties

const roles = ['follower', 'preCandidate', 'candidate', 'leader'] as const
const peerStates = ['probe', 'replicate', 'snapshot'] as const
const waits = ['silent', 'round', 'slow', 'others', 'majority'] as const
const memberRoles = ['voter', 'outgoing', 'learner'] as const

export const statusRequest = {
  encode: (_request: object) => encodeView(v1.StatusRequest, {}),
  decode(bytes: Uint8Array): object {
    decodeBytes(v1.StatusRequest, bytes, 'The request')
    return {}
  },
}

export const statusResponse = {
  encode: (status: StatusView) =>
    encodeView(v1.StatusResponse, {
      ...status,
      leaderId: status.leaderId ?? '',
      leaderClientAddress: status.leaderClientAddress ?? '',
      voters: [...status.voters],
      peers: status.peers.map((peer) => ({ ...peer, waitsFor: peer.waitsFor ?? '' })),
      members: status.members.map((member) => ({ ...member })),
      changesByState: Object.entries(status.changesByState).map(([state, count]) => ({
        state,
        count,
      })),
    }),
  decode(bytes: Uint8Array): StatusView {
    const wire = decodeBytes(v1.StatusResponse, bytes, 'The answer')
    return {
      nodeId: text(wire.nodeId),
      incarnation: text(wire.incarnation),
      clusterId: text(wire.clusterId),
      clusterName: text(wire.clusterName),
      version: text(wire.version),
      ready: wire.ready,
      role: oneOf(roles, wire.role, 'role'),
      term: safeInteger(wire.term, 'term'),
      leaderId: text(wire.leaderId) || null,
      leaderClientAddress: text(wire.leaderClientAddress) || null,
      clientAddress: text(wire.clientAddress),
      lastIndex: safeInteger(wire.lastIndex, 'last_index'),
      durableIndex: safeInteger(wire.durableIndex, 'durable_index'),
      commitIndex: safeInteger(wire.commitIndex, 'commit_index'),
      appliedIndex: safeInteger(wire.appliedIndex, 'applied_index'),
      stateDigest: text(wire.stateDigest),
      logTime: safeInteger(wire.logTime, 'log_time'),
      featureLevel: wire.featureLevel,
      voters: wire.voters,
      peers: wire.peers.map(peerFromWire),
      changesByState: countsFromWire(wire.changesByState),
      watchers: safeInteger(wire.watchers, 'watchers'),
      refusals: safeInteger(wire.refusals, 'refusals'),
      noise: safeInteger(wire.noise, 'noise'),
      snapshotIndex: safeInteger(wire.snapshotIndex, 'snapshot_index'),
      firstIndex: safeInteger(wire.firstIndex, 'first_index'),
      members: wire.members.map(memberFromWire),
      configurationIndex: safeInteger(wire.configurationIndex, 'configuration_index'),
      configurationCommitted: wire.configurationCommitted,
      removed: wire.removed,
    }
  },
}

function peerFromWire(wire: V1PeerStatus): PeerStatusView {
  return {
    nodeId: text(wire.nodeId),
    state: oneOf(peerStates, wire.state, 'peer.state'),
    matchIndex: safeInteger(wire.matchIndex, 'match_index'),
    nextIndex: safeInteger(wire.nextIndex, 'next_index'),
    lag: safeInteger(wire.lag, 'lag'),
    silentMs: safeInteger(wire.silentMs, 'silent_ms'),
    connected: wire.connected ?? false,
    votes: wire.votes ?? false,
    catchUpRounds: safeInteger(wire.catchUpRounds, 'catch_up_rounds'),
    waitsFor: text(wire.waitsFor) === '' ? null : oneOf(waits, wire.waitsFor, 'peer.waits_for'),
    lastRoundMs: safeInteger(wire.lastRoundMs, 'last_round_ms'),
    roundMsMax: safeInteger(wire.roundMsMax, 'round_ms_max'),
  }
}

function memberFromWire(wire: V1Member): MemberView {
  return {
    nodeId: text(wire.nodeId),
    role: oneOf(memberRoles, wire.role, 'member.role'),
    address: text(wire.address),
  }
}

/** States that this build does not know are left out: counts are for people. */
function countsFromWire(
  wire: readonly countersign.v1.StateCount.$Properties[],
): Partial<Record<ChangeState, number>> {
  const counts: Partial<Record<ChangeState, number>> = {}
  for (const { state, count } of wire) {
    const word = text(state)
    if (isChangeState(word)) counts[word] = safeInteger(count, 'count')
  }
  return counts
}
