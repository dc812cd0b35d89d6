/** What a node is made of. All of the world comes in here, so that a simulator can be the world. */
import type { Logger } from 'pino'
import type { Machine } from '../machine/index.js'
import type { ConfigurationInForce, NodeId, Raft } from '../raft/index.js'
import type { Signer, Verify } from '../signing/index.js'
import type { LogStore, SnapshotStore, StateStore } from '../storage/index.js'
import type { Defer } from './inbox.js'
import type { Clock, PeerMember, Peers } from './ports.js'
import type { Rare } from './rare-sites.js'
import type { SnapshotThresholds } from './snapshot-maker.js'

export interface ClusterNodeOptions {
  readonly identity: {
    readonly nodeId: NodeId
    readonly clusterId: string
    readonly incarnation: string
  }
  readonly version: string
  readonly clientAddress: string
  readonly raft: Raft
  readonly machine: Machine
  readonly verify: Verify
  readonly logStore: LogStore
  readonly stateStore: StateStore
  readonly snapshotStore: SnapshotStore
  readonly snapshots: SnapshotThresholds
  /** The consensus configuration that was committed last, as of what is applied. */
  readonly committed: ConfigurationInForce
  readonly peers: Peers
  /** Members that genesis and this node's own configuration name. */
  readonly known: readonly PeerMember[]
  /** Addresses that this node dials instead of those that the cluster knows. */
  readonly addresses: Readonly<Record<NodeId, string>>
  readonly clock: Clock
  readonly defer: Defer
  readonly log: Logger
  /** Signs this node's stamps of log time. */
  readonly nodeKey: Signer
  readonly ticks: {
    readonly tickMs: number
    readonly heartbeatTicks: number
    readonly electionTicksMax: number
  }
  readonly limits: { readonly commandsInFlightMax: number; readonly watchersMax: number }
  /** Put commands into the log without looking at them: a cheating leader, for tests. */
  readonly admitForged: boolean
  /** The effective configuration, shown by status. */
  readonly configuration: Readonly<Record<string, unknown>>
  /** For a simulator: where something rare happens. Absent: nowhere. */
  readonly rare?: Rare
  /** Called once when the node cannot go on; the process reports it and ends. */
  readonly failed: (thrown: unknown) => void
}
