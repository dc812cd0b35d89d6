/** What `GET /status` answers: this node's own view, plain JSON, a documented stable shape. */
import type {
  LogFacts,
  MemberFacts,
  NodeStatus,
  ProposalsRefused,
  SnapshotFacts,
} from '../node/ports.js'

type CatchUpStatus = NonNullable<NodeStatus['raft']['peers'][number]['catchUp']>

export interface StatusView {
  readonly node: {
    readonly id: string
    readonly incarnation: string
    readonly version: string
    readonly ready: boolean
    /** The cluster has given this node up: stop it. */
    readonly removed: boolean
    readonly clientAddress: string
    /** Milliseconds since the Unix epoch, by the node's wall clock. */
    readonly startedAtMs: number
    readonly nowMs: number
  }
  readonly cluster: {
    readonly id: string
    readonly name: string
    readonly featureLevel: number
    readonly voters: readonly string[]
    /** The consensus configuration in force, and the index of its entry (0: genesis). */
    readonly members: readonly MemberFacts[]
    readonly configurationIndex: number
    readonly configurationCommitted: boolean
  }
  readonly role: string
  readonly term: number
  /** Null while no leader is known. */
  readonly leader: { readonly id: string; readonly clientAddress: string | null } | null
  readonly indexes: {
    readonly last: number
    readonly durable: number
    readonly commit: number
    readonly applied: number
    /** First one that the log still holds. */
    readonly first: number
  }
  readonly snapshot: SnapshotFacts
  readonly log: LogFacts
  /** A write of the log has not come back for longer than an election timeout. */
  readonly diskStalled: boolean
  /** Equal on every node at an equal applied index. */
  readonly stateDigest: string
  /** Log time, milliseconds since the Unix epoch. */
  readonly logTimeMs: number
  readonly peers: readonly PeerView[]
  readonly changes: { readonly open: number; readonly byState: Readonly<Record<string, number>> }
  readonly refusals: number
  readonly noise: number
  readonly watchers: number
  readonly raft: {
    readonly votedFor: string | null
    readonly transferTarget: string | null
    readonly uncommittedBytes: number
    readonly pendingReads: number
    readonly proposalsRefused: ProposalsRefused
    readonly counters: Readonly<Record<string, number>>
  }
  /** The effective configuration, without secrets. */
  readonly configuration: Readonly<Record<string, unknown>>
}

export interface PeerView {
  readonly id: string
  readonly address: string
  /** Our stream to it stands. */
  readonly connected: boolean
  readonly clientAddress: string | null
  readonly lastError: string | null
  /** What only a leader knows of its followers; null on every other node. */
  readonly replication: {
    readonly state: string
    readonly matchIndex: number
    readonly nextIndex: number
    /** Entries of the leader's log that the peer is not known to hold. */
    readonly lag: number
    readonly inflightMessages: number
    readonly inflightBytes: number
    readonly silentMs: number
    /** False: a learner. */
    readonly votes: boolean
    /** Of a learner that shall be promoted: its catch-up rounds, and what it waits for. */
    readonly catchUp: CatchUpStatus | null
  } | null
}

export interface ViewClock {
  readonly nowMs: number
  /** Length of one tick of the consensus core. */
  readonly tickMs: number
}

export function statusView(status: NodeStatus, clock: ViewClock): StatusView {
  const { raft, machine } = status
  return {
    node: {
      id: status.nodeId,
      incarnation: status.incarnation,
      version: status.version,
      ready: status.ready,
      removed: status.removed,
      clientAddress: status.clientAddress,
      startedAtMs: status.startedAt,
      nowMs: clock.nowMs,
    },
    cluster: {
      id: machine.clusterId,
      name: machine.clusterName,
      featureLevel: machine.featureLevel,
      voters: raft.voters,
      members: status.members,
      configurationIndex: raft.configurationIndex,
      configurationCommitted: raft.configurationCommitted,
    },
    role: raft.role,
    term: raft.term,
    leader:
      raft.leader === null ? null : { id: raft.leader, clientAddress: status.leaderClientAddress },
    indexes: {
      last: raft.lastIndex,
      durable: raft.durableIndex,
      commit: raft.commitIndex,
      applied: raft.appliedIndex,
      first: raft.firstIndex,
    },
    snapshot: status.snapshot,
    log: status.log,
    diskStalled: status.diskStalled,
    stateDigest: machine.stateDigest,
    logTimeMs: machine.logTime,
    peers: status.links.map((link) => peerView(status, link.id, clock)),
    changes: { open: openChanges(machine.changesByState), byState: machine.changesByState },
    refusals: machine.refusals,
    noise: machine.noise,
    watchers: status.watchers,
    raft: {
      votedFor: raft.votedFor,
      transferTarget: raft.transferTarget,
      uncommittedBytes: raft.uncommittedBytes,
      pendingReads: raft.pendingReads,
      proposalsRefused: status.proposalsRefused,
      counters: raft.counters,
    },
    configuration: status.configuration,
  }
}

function peerView(status: NodeStatus, id: string, clock: ViewClock): PeerView {
  const link = status.links.find((candidate) => candidate.id === id)
  const progress = status.raft.peers.find((peer) => peer.id === id)
  return {
    id,
    address: link?.address ?? '',
    connected: link?.connected ?? false,
    clientAddress: link?.hello?.clientAddress ?? null,
    lastError: link?.lastError ?? null,
    replication:
      progress === undefined
        ? null
        : {
            state: progress.state,
            matchIndex: progress.matchIndex,
            nextIndex: progress.nextIndex,
            lag: Math.max(0, status.raft.lastIndex - progress.matchIndex),
            inflightMessages: progress.inflightMessages,
            inflightBytes: progress.inflightBytes,
            silentMs: progress.silentTicks * clock.tickMs,
            votes: progress.votes,
            catchUp: progress.catchUp,
          },
  }
}

/** Changes that still wait for something: people, or their activation. */
export function openChanges(byState: NodeStatus['machine']['changesByState']): number {
  return byState.OPEN + byState.APPROVED
}
