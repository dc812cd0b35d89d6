/**
 * The vocabulary of the consensus core: terms of D. Ongaro, "Consensus: Bridging Theory and
 * Practice" (2014). Everything is plain readonly data; `kind` tells members of a union apart.
 */
export type Term = number & { readonly brand: 'Term' }
export type LogIndex = number & { readonly brand: 'LogIndex' }
export type NodeId = string

export const term = (value: number): Term => value as Term
export const logIndex = (value: number): LogIndex => value as LogIndex

/**
 * `noop` opens a leader's term (dissertation 6.4); `command` belongs to the state machine; the
 * payload of `configuration` is an encoded {@link Configuration} (membership/codec.ts).
 */
export type EntryKind = 'noop' | 'command' | 'configuration'

export interface Entry {
  readonly index: LogIndex
  readonly term: Term
  readonly kind: EntryKind
  readonly payload: Uint8Array
}

/** One record, always written whole: a term without its vote is how nodes vote twice. */
export interface HardState {
  readonly term: Term
  readonly votedFor: NodeId | null
  readonly commit: LogIndex
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader'

/**
 * Who takes part. In force on a node from the moment it is in its log, committed or not (4.1).
 * Each list is sorted and names an id once. Who is about to turn from a voter into a learner stands
 * among the learners already, and votes until the voters are switched; else no learner is a voter.
 */
export interface Configuration {
  readonly voters: readonly NodeId[]
  /** While joint (4.3): the voters of the configuration that is being left. Else empty. */
  readonly outgoing: readonly NodeId[]
  /** They receive the log and count in no majority. */
  readonly learners: readonly NodeId[]
  /**
   * The voters to switch to as soon as each of them that is a learner has caught up (4.2.1) and a
   * majority of them answers: a duty of every leader, which it reads off the log. Null: nothing is
   * planned.
   */
  readonly target: readonly NodeId[] | null
}

/** What a snapshot stands for; its content is the state machine's. */
export interface SnapshotMeta {
  readonly index: LogIndex
  readonly term: Term
  /** The latest *committed* configuration at `index`, and the index of its entry. */
  readonly configuration: Configuration
  readonly configurationIndex: LogIndex
}

/** The position before the first entry that is kept. */
export interface LogAnchor {
  readonly index: LogIndex
  readonly term: Term
}

// ---- messages -----------------------------------------------------------------------------

interface Addressed {
  readonly from: NodeId
  readonly to: NodeId
  /** Current term of the sender; in `preVote` the term that it would campaign in. */
  readonly term: Term
}

export interface PreVote extends Addressed {
  readonly kind: 'preVote'
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
}

export interface Vote extends Addressed {
  readonly kind: 'vote'
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
  /** The sender was asked by the leader to take over (3.10): vote withholding does not apply. */
  readonly transfer: boolean
}

export interface Append extends Addressed {
  readonly kind: 'append'
  /** Replication session: grows with each new stream to the follower, echoed in the reply. */
  readonly session: number
  readonly prevIndex: LogIndex
  readonly prevTerm: Term
  readonly entries: readonly Entry[]
  readonly commit: LogIndex
}

export interface Heartbeat extends Addressed {
  readonly kind: 'heartbeat'
  readonly session: number
  /** Never beyond what the follower is known to hold: min(match, commit). */
  readonly commit: LogIndex
  /** Leader-made read token (6.4), 0 when no read waits. */
  readonly readToken: number
}

export interface TimeoutNow extends Addressed {
  readonly kind: 'timeoutNow'
}

/**
 * The log no longer holds what the follower needs: it shall fetch this snapshot from the sender,
 * outside the core, and answer with the AppendReply `matched` when it is installed (5, 4.1).
 */
export interface SnapshotOffer extends Addressed {
  readonly kind: 'snapshotOffer'
  readonly session: number
  readonly snapshot: SnapshotMeta
}

export interface PreVoteReply extends Addressed {
  readonly kind: 'preVoteReply'
  readonly granted: boolean
}

export interface VoteReply extends Addressed {
  readonly kind: 'voteReply'
  readonly granted: boolean
}

export interface AppendReply extends Addressed {
  readonly kind: 'appendReply'
  readonly session: number
  readonly result:
    | { readonly kind: 'matched'; readonly matchIndex: LogIndex }
    | {
        readonly kind: 'rejected'
        /** prevIndex of the append that did not fit. */
        readonly rejectedIndex: LogIndex
        /** Where the follower's log could fit: an index and the term it has there. */
        readonly hintIndex: LogIndex
        readonly hintTerm: Term
      }
}

export interface HeartbeatReply extends Addressed {
  readonly kind: 'heartbeatReply'
  readonly session: number
  readonly readToken: number
}

/**
 * Messages that promise nothing about the sender's disk and may leave at once. A `vote` is among
 * them because the core makes it only after the candidate's own vote is durable.
 */
export type RequestMessage = PreVote | Vote | Append | Heartbeat | TimeoutNow | SnapshotOffer
/** Messages that acknowledge: only the second queue, after the disk, accepts this type. */
export type ReplyMessage = PreVoteReply | VoteReply | AppendReply | HeartbeatReply
export type Message = RequestMessage | ReplyMessage

// ---- events in ----------------------------------------------------------------------------

export type Event =
  | { readonly kind: 'tick'; readonly ticks: number }
  | { readonly kind: 'receive'; readonly message: Message }
  | { readonly kind: 'propose'; readonly id: number; readonly payload: Uint8Array }
  | { readonly kind: 'read'; readonly id: number }
  /** A persist effect and the guard record behind it are durable. */
  | { readonly kind: 'persisted'; readonly token: number }
  /** The state machine has applied up to here. */
  | { readonly kind: 'applied'; readonly index: LogIndex }
  /** A new stream to this peer stands: a new replication session. */
  | { readonly kind: 'peerConnected'; readonly peer: NodeId }
  /** The peer's stream broke and its port refused a redial: its process is gone. */
  | { readonly kind: 'peerRefused'; readonly peer: NodeId }
  /** Hand leadership over, to the named or to the most up-to-date voter (3.10). */
  | { readonly kind: 'transferLeadership'; readonly to: NodeId | null }
  /**
   * Make these the voters and learners. New voters become learners first and are promoted by the
   * leader when they have caught up. `basedOn`: index of the configuration entry that the asker
   * knew, an optimistic lock; null: whichever.
   */
  | {
      readonly kind: 'changeMembership'
      readonly id: number
      readonly basedOn: LogIndex | null
      readonly voters: readonly NodeId[]
      readonly learners: readonly NodeId[]
    }
  /** A snapshot of the own state machine is synced and verified: the log may be cut. */
  | { readonly kind: 'snapshotSaved'; readonly snapshot: SnapshotMeta }
  /** A peer's snapshot is fetched, synced and verified, and waits to be installed. */
  | { readonly kind: 'snapshotFetched'; readonly snapshot: SnapshotMeta }
  /**
   * The node distrusts this leader (it stalls log time): do not acknowledge it for two election
   * timeouts of this term, and campaign. Say it again when the reason still stands then.
   */
  | { readonly kind: 'distrustLeader' }
  /** A peer fetches this snapshot here, and takes bytes up to there: its pin lives on by that. */
  | {
      readonly kind: 'snapshotServed'
      readonly peer: NodeId
      readonly index: LogIndex
      readonly bytes: number
    }

// ---- effects out --------------------------------------------------------------------------

/**
 * One write of the single FIFO writer. `thenSend` may leave only when the write and all before it
 * are durable. An effect may hold replies alone: then there is nothing to write, but the order
 * still holds. Every effect is answered by one `persisted` event with its token, that of replies
 * alone too.
 */
export interface PersistEffect {
  readonly token: number
  /** Null when unchanged. */
  readonly hardState: HardState | null
  /** Entries after this index are removed before `entries` are written; null when none. */
  readonly truncateAfter: LogIndex | null
  readonly entries: readonly Entry[]
  /**
   * Before anything else of this effect: the whole log is dropped and restarts after this snapshot,
   * which the snapshot store holds already. Null: none is installed.
   */
  readonly install: SnapshotMeta | null
  /** Entries up to this index are removed; a synced snapshot covers them. Null when none. */
  readonly purgeTo: LogIndex | null
  readonly thenSend: readonly ReplyMessage[]
}

export type ProposalOutcome =
  | {
      readonly id: number
      readonly kind: 'appended'
      readonly index: LogIndex
      readonly term: Term
    }
  /** Certain: nothing was appended. BUSY: the byte limit, or leadership is being handed over. */
  | {
      readonly id: number
      readonly kind: 'refused'
      readonly code: 'NOT_LEADER' | 'BUSY'
      readonly leader: NodeId | null
    }

export type ReadOutcome =
  /** Answer once the state machine has applied `index` (the core has already waited for it). */
  | { readonly id: number; readonly kind: 'ready'; readonly index: LogIndex }
  | { readonly id: number; readonly kind: 'failed'; readonly leader: NodeId | null }

export type MembershipOutcome =
  | {
      readonly id: number
      readonly kind: 'appended'
      readonly index: LogIndex
      readonly term: Term
    }
  /**
   * Certain: nothing was appended. PENDING: another change is under way (`pendingIndex`), or the
   * own no-op is not committed. STALE: `basedOn` is no longer the latest. INVALID: no voter is
   * left, an id is named twice.
   */
  | {
      readonly id: number
      readonly kind: 'refused'
      readonly code: 'NOT_LEADER' | 'BUSY' | 'PENDING' | 'STALE' | 'INVALID'
      readonly leader: NodeId | null
      readonly pendingIndex: LogIndex | null
    }

/** The configuration in force, and the index of its entry (0: the founding one). */
export interface ConfigurationInForce {
  readonly configuration: Configuration
  readonly index: LogIndex
}

export interface Leadership {
  readonly role: Role
  readonly term: Term
  readonly leader: NodeId | null
}

/** Everything that one drain of the inbox made; taken as one immutable batch. */
export interface Output {
  /** Leaves at once, in this order. */
  readonly send: readonly RequestMessage[]
  readonly persist: PersistEffect | null
  /**
   * The state machine is replaced by this snapshot, after all that was handed out to apply before;
   * answered by `applied` with its index, and nothing is handed out until then. It stands in the
   * snapshot store, and the write that drops the log before it is durable.
   */
  readonly restore: SnapshotMeta | null
  /** Committed and durable on this node, in order, each handed out once. */
  readonly apply: readonly Entry[]
  readonly proposals: readonly ProposalOutcome[]
  readonly reads: readonly ReadOutcome[]
  readonly memberships: readonly MembershipOutcome[]
  /**
   * Fetch this snapshot from this peer, then say `snapshotFetched`. Said again with each offer: a
   * fetch of the same index that is under way goes on, one that failed resumes, one of an older
   * index gives way. A failed fetch says nothing: the leader offers again.
   */
  readonly fetchSnapshot: { readonly from: NodeId; readonly snapshot: SnapshotMeta } | null
  /** Set when role, term or leader changed. */
  readonly leadership: Leadership | null
  /** Set when the configuration in force changed. */
  readonly configuration: ConfigurationInForce | null
  readonly trace: readonly TraceEvent[]
}

/** One transition as data; written as NDJSON by whoever wants it. Names: see trace.ts. */
export interface TraceEvent {
  readonly name: string
  readonly nid: NodeId
  readonly state: { readonly term: Term; readonly vote: NodeId | null; readonly commit: LogIndex }
  readonly role: Role
  readonly log: LogIndex
  readonly facts?: Readonly<Record<string, unknown>>
}

// ---- construction and status --------------------------------------------------------------

export interface RaftOptions {
  readonly id: NodeId
  /**
   * The latest synced snapshot; before the first one `foundingSnapshot(voters)`. One that the log
   * does not hold (a crash came between its fetch and its install) is installed at once.
   */
  readonly snapshot: SnapshotMeta
  /** Where the log was cut; at or below the snapshot. `origin` when it never was. */
  readonly anchor: LogAnchor
  readonly hardState: HardState
  /** The durable log after the anchor, unbroken. */
  readonly entries: readonly Entry[]
  /** What the state machine has applied already; not below the anchor. */
  readonly applied: LogIndex
  readonly heartbeatTicks: number
  /** The election timeout is drawn anew from [min, max) each time. */
  readonly electionTicksMin: number
  readonly electionTicksMax: number
  /** After a refused redial the pre-vote starts within [0, max] ticks. */
  readonly refusalTicksMax: number
  readonly limits: RaftLimits
  /** Uniform in [0, 1). The only source of randomness. */
  readonly random: () => number
  /** Trace events are made only when asked for. */
  readonly trace: boolean
}

export interface RaftLimits {
  /** Bytes of one append message: payloads, and 32 for the rest of each entry. One always fits. */
  readonly appendBytesMax: number
  /** Unacknowledged append messages to one peer. */
  readonly inflightMessagesMax: number
  readonly inflightBytesMax: number
  /** Payload bytes not yet committed; above it proposals are refused with BUSY. */
  readonly uncommittedBytesMax: number
  /** Payload bytes handed out for apply and not yet applied. */
  readonly applyingBytesMax: number
  /** Entries kept below a snapshot, so that a slow follower needs no snapshot. */
  readonly keptEntries: number
  /** Who is fed a snapshot keeps the log behind it from being cut: so long without progress... */
  readonly pinTicksMax: number
  /** ... and up to so many payload bytes. */
  readonly pinnedBytesMax: number
}

export interface PeerStatus {
  readonly id: NodeId
  readonly state: 'probe' | 'replicate' | 'snapshot'
  /** False: a learner. */
  readonly votes: boolean
  readonly matchIndex: LogIndex
  readonly nextIndex: LogIndex
  readonly inflightMessages: number
  readonly inflightBytes: number
  /** Of the snapshot that it is being fed: nobody may remove it yet. Null: none is. */
  readonly fedIndex: LogIndex | null
  /** Ticks since this peer was last heard. */
  readonly silentTicks: number
  /** Of a learner that shall be promoted. Null otherwise. */
  readonly catchUp: CatchUpStatus | null
}

/** How far a learner that shall be promoted is (4.2.1), and why it is none yet. */
export interface CatchUpStatus {
  readonly rounds: number
  readonly caughtUp: boolean
  /** A round has to be shorter than `roundTicksMax`; null before the first is over. */
  readonly lastRoundTicks: number | null
  readonly roundTicksMax: number
  /**
   * `silent`: it does not answer. `round`: its first round is not over. `slow`: its last round took
   * too long. `others`: another learner of the plan has not caught up. `majority`: too few of the
   * new voters answer. Null: nothing, it is promoted with the next answer.
   */
  readonly waitsFor: 'silent' | 'round' | 'slow' | 'others' | 'majority' | null
}

export interface RaftStatus {
  readonly id: NodeId
  readonly role: Role
  readonly term: Term
  readonly votedFor: NodeId | null
  readonly leader: NodeId | null
  readonly voters: readonly NodeId[]
  readonly configuration: Configuration
  readonly configurationIndex: LogIndex
  /** The configuration in force is committed. */
  readonly configurationCommitted: boolean
  /** First index that the log still holds (it may be last + 1), and the latest synced snapshot. */
  readonly firstIndex: LogIndex
  readonly snapshotIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly durableIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  /** Payload bytes of the entries that the log still holds. */
  readonly logBytes: number
  readonly uncommittedBytes: number
  readonly pendingReads: number
  /** Only of a leader; empty otherwise. */
  readonly peers: readonly PeerStatus[]
  readonly transferTarget: NodeId | null
  readonly counters: {
    readonly electionsStarted: number
    readonly electionsWon: number
    readonly electionsLost: number
    readonly preVotesRefused: number
    readonly proposalsRefused: number
  }
}
