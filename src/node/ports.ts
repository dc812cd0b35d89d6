/**
 * Types only: what the rooms around the node see of it, and what it asks of them. compose.ts is
 * the one place where the two sides meet.
 */
import type { CountersignError } from '../errors.js'
import type { Message, NodeId, RaftStatus } from '../raft/index.js'
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
  /** Our stream broke and a plain TCP redial was refused. */
  refused(peer: NodeId): void
  /** The peer asks for a stamp of log time; the answer goes to {@link Peers.sendStamp}. */
  stampRequested(from: NodeId, request: { readonly id: number; readonly lastIndex: number }): void
  stampReceived(from: NodeId, stamp: { readonly id: number; readonly envelope: Envelope }): void
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
  status(): NodeStatus
}
