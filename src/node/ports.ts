/**
 * Types only: what the rooms around the node see of it, and what it asks of them. compose.ts is
 * the one place where the two sides meet.
 */
import type { CountersignError } from '../errors.js'
import type { Message, NodeId, RaftStatus, Term } from '../raft/index.js'
import type {
  ChangeSummary,
  ChangeView,
  Command,
  CommandResult,
  EntryView,
  HistoryView,
  MachineEvent,
  MachineStatus,
  PreviewView,
  WrittenPath,
} from '../machine/index.js'
import type { ChangeState } from '../approval/index.js'
import type { Envelope } from '../signing/index.js'
import type { FetchAnswer, Wanted } from '../wire/index.js'

// ---- what the node asks of the world ------------------------------------------------------

export interface Clock {
  /** Monotonic milliseconds; for ticks and timeouts. */
  monotonicMs(): number
  /** Wall clock in milliseconds since the epoch; for stamps and log lines only. */
  wallMs(): number
  /** Calls back once after `ms`; returns the cancel. */
  after(ms: number, callback: () => void): () => void
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}

export interface PeerEvents {
  /** A drain's worth of messages of one peer, in order, its identity checked. */
  messages(from: NodeId, messages: readonly Message[]): void
  /** Our stream to this peer stands: a new replication session. */
  connected(peer: NodeId, hello: PeerHello): void
  disconnected(peer: NodeId, why: CountersignError): void
  /** A node that is not known here was let in, and says where it is to be found. */
  introduced(peer: PeerMember): void
  /** Our stream broke and a plain TCP redial was refused. */
  refused(peer: NodeId): void
  /** The peer asks for a stamp of log time; the answer goes to {@link Peers.sendStamp}. */
  stampRequested(from: NodeId, request: { readonly id: number; readonly lastIndex: number }): void
  stampReceived(from: NodeId, stamp: { readonly id: number; readonly envelope: Envelope }): void
  /** The peer fetches something; it sets the pace. Throws FETCH_GONE when it is not held here. */
  fetched(from: NodeId, wanted: Wanted): AsyncIterable<FetchAnswer>
  /** The peer says that this node was removed from the cluster. */
  removedBy(peer: NodeId): void
  /**
   * A person who holds the key of a member asks this node to hand leadership over; null: to the
   * voter that is furthest. Rejects with INPUT_INVALID, TRANSFER_FAILED, NODE_STOPPING.
   */
  transferAsked(to: NodeId | null): Promise<LeaderKnown>
}

/** The answer to the wish for another leader. */
export interface LeaderKnown {
  /** This node led and was asked; false: ask the leader, if one is named. */
  readonly asked: boolean
  /** Who leads now; null when this node knows of nobody. */
  readonly leader: NodeId | null
  readonly term: Term
  /** host:port where peers find the leader. */
  readonly address: string | null
}

export interface PeerMember {
  readonly id: NodeId
  /** host:port */
  readonly address: string
  readonly incarnation: string
}

/** Who a node may talk to. */
export interface KnownMembers {
  readonly members: readonly PeerMember[]
  /** Used ids that are gone: their streams are closed after a moment, and refused from then on. */
  readonly removed: readonly NodeId[]
  /** This node is no member yet. */
  readonly joins: boolean
  /**
   * This node does not know the members, since it joins, or not those of today, since it has heard
   * no leader for long: it lets every node of the cluster CA in.
   */
  readonly anyone: boolean
  /** host:port where the others find this node; null while nobody has said so. */
  readonly ownAddress: string | null
}

export interface PeerHello {
  readonly clusterId: string
  readonly nodeId: NodeId
  readonly incarnation: string
  readonly protocolMin: number
  readonly protocolMax: number
  readonly featureLevelMax: number
  /** host:port where this node serves clients. */
  readonly clientAddress: string
  /** host:port where other nodes find this one; empty when it does not say so. */
  readonly peerAddress: string
}

export interface PeerLink {
  readonly id: NodeId
  readonly address: string
  readonly connected: boolean
  readonly hello: PeerHello | null
  readonly lastError: string | null
}

/** The peer transport; one frame a drain and peer. Never buffers without bound. */
export interface Peers {
  start(events: PeerEvents): Promise<void>
  send(to: NodeId, messages: readonly Message[]): void
  requestStamp(to: NodeId, request: { readonly id: number; readonly lastIndex: number }): void
  sendStamp(to: NodeId, stamp: { readonly id: number; readonly envelope: Envelope }): void
  /** Replaces who is dialled and let in; before `start` too. */
  setMembers(known: KnownMembers): void
  /**
   * Fetches from a member over a connection of its own, as fast as the caller takes it. Throws
   * UNREACHABLE, PEER_REFUSED, FETCH_GONE, MALFORMED_REQUEST.
   */
  fetch(from: NodeId, wanted: Wanted): AsyncIterable<FetchAnswer>
  links(): readonly PeerLink[]
  stop(): Promise<void>
}

// ---- what api/ and status/ see of the node ------------------------------------------------

export interface WatchBatch {
  /** Log index of the activation; resume after it. */
  readonly revision: number
  readonly at: number
  readonly changeId: string
  readonly written: readonly WrittenPath[]
}

export interface Subscription {
  close(): void
}

export interface WatchSubscription extends Subscription {
  /** Everything up to this revision has been delivered: as far as a progress message may say. */
  delivered(): number
}

export interface WatchRequest {
  /** A path, or a prefix ending in `/` or equal to `/`: everything below it. */
  readonly prefix: string
  /** Deliver activations after this revision; absent: from now on. */
  readonly afterRevision?: number
}

export interface ChangeFilter {
  readonly states?: readonly ChangeState[]
  /** Only changes that touch this path or something below it. */
  readonly prefix?: string
  readonly author?: string
  readonly limit: number
  /** Newest first; continue below this log index of opening. */
  readonly before?: number
}

export type Consistency = 'linearizable' | 'local'

/** Reading happens on the applied state of this node, after a ReadIndex round if asked. */
export interface ConfigReads {
  get(path: string): EntryView | undefined
  list(
    prefix: string,
    page: { readonly limit: number; readonly after?: string },
  ): readonly EntryView[]
  history(
    path: string,
    page: { readonly limit: number; readonly before?: number },
  ): readonly HistoryView[]
  change(changeId: string, asker?: string): ChangeView | undefined
  changes(filter: ChangeFilter): readonly ChangeSummary[]
  preview(command: Command): PreviewView
  status(): MachineStatus
}

/** The fetch of a peer's snapshot that is under way. */
export interface FetchProgress {
  readonly from: NodeId
  readonly index: number
  readonly storedBytes: number
  readonly size: number
}

export interface SnapshotFacts {
  /** Of the newest complete one; 0 before the first. */
  readonly index: number
  readonly bytes: number
  readonly isSaving: boolean
  readonly fetching: FetchProgress | null
  /** What peers fetched from this node since the process started, of whichever snapshot. */
  readonly sentBytes: number
  /** How long the last restore from a snapshot took; null before the first. */
  readonly lastRestoreMs: number | null
}

/** The log that is kept, behind what snapshots have cut. */
export interface LogFacts {
  readonly entries: number
  /** Of their payloads. */
  readonly bytes: number
  /**
   * How far back the log reaches at least, by this node's wall clock. Entries carry no time, Ticks
   * do: this is the age of the first Tick near the beginning of the log. Null: none is near.
   */
  readonly oldestAgeMs: number | null
}

/** Commands that this node did not put into the log, since the process started. */
export interface ProposalsRefused {
  /** It did not lead (any more). */
  readonly notLeader: number
  /** Too many payload bytes wait to be committed, or leadership is being handed over. */
  readonly bytesWaiting: number
  /** Too many commands wait for their answer on this node. */
  readonly commandsWaiting: number
}

export type LatencyStage = 'persist' | 'commit' | 'apply'

/** Hears how long a stage took, in milliseconds of the node's clock. */
export type LatencyListener = (stage: LatencyStage, ms: number) => void

/** A node that repairs its log: what is damaged, and what nobody could give yet. */
export interface RepairFacts {
  readonly damages: readonly {
    readonly file: string
    /** Which record, as a person reads it: `entries 4 to 9`. */
    readonly key: string
    readonly problem: string
    readonly range: { readonly from: number; readonly to: number } | null
  }[]
  readonly missing: { readonly from: number; readonly to: number } | null
  readonly rounds: number
}

export interface MemberFacts {
  readonly id: NodeId
  /** `outgoing`: a voter that is being left while the configuration is joint. */
  readonly role: 'voter' | 'outgoing' | 'learner'
  readonly address: string
}

export interface NodeStatus {
  readonly nodeId: NodeId
  readonly incarnation: string
  readonly version: string
  readonly startedAt: number
  readonly ready: boolean
  readonly clientAddress: string
  readonly leaderClientAddress: string | null
  readonly raft: RaftStatus
  readonly machine: MachineStatus
  readonly links: readonly PeerLink[]
  /** The configuration in force, with the addresses that this node dials. */
  readonly members: readonly MemberFacts[]
  /** The cluster has given this node up: it waits to be stopped. */
  readonly removed: boolean
  readonly snapshot: SnapshotFacts
  readonly log: LogFacts
  /** A write of the log has not come back for longer than an election timeout. */
  readonly diskStalled: boolean
  readonly proposalsRefused: ProposalsRefused
  readonly watchers: number
  /** The effective configuration, without secrets. */
  readonly configuration: Readonly<Record<string, unknown>>
}

/** Everything that happens after apply, in log order. */
export type AppliedListener = (applied: {
  readonly index: number
  readonly events: readonly MachineEvent[]
}) => void

export interface NodePort {
  /**
   * Commits and applies one command; its result when the entry is applied here. Rejects with
   * NOT_LEADER (hint in details), BUSY, UNKNOWN_OUTCOME, NODE_STOPPING, NODE_STARTING; refusals of
   * the state machine are results, not rejections.
   */
  submit(command: Command): Promise<CommandResult>
  /** Rejects with NOT_LEADER, NO_QUORUM. `revision` is the applied index of the answer. */
  read<T>(
    consistency: Consistency,
    query: (reads: ConfigReads) => T,
  ): Promise<{ readonly value: T; readonly revision: number }>
  /** Refuses with COMPACTED when the revision is no longer kept. `next` is called in log order. */
  watch(request: WatchRequest, next: (batch: WatchBatch) => void): WatchSubscription
  /** Calls for every applied entry from now on; for the page's and metrics' live view. */
  onApplied(listener: AppliedListener): Subscription
  /** Calls for every write, commit and apply from now on; for metrics. */
  onLatency(listener: LatencyListener): Subscription
  status(): NodeStatus
}
