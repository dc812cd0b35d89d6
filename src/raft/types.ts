/**
 * The vocabulary of the consensus core: terms of D. Ongaro, "Consensus: Bridging Theory and
 * Practice" (2014). Everything is plain readonly data; `kind` tells members of a union apart.
 */
export type Term = number & { readonly brand: 'Term' }
export type LogIndex = number & { readonly brand: 'LogIndex' }
export type NodeId = string

export const term = (value: number): Term => value as Term
export const logIndex = (value: number): LogIndex => value as LogIndex

/** `noop` opens a leader's term (dissertation 6.4); `command` belongs to the state machine. */
export type EntryKind = 'noop' | 'command'

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
export type RequestMessage = PreVote | Vote | Append | Heartbeat | TimeoutNow
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
   * The node distrusts this leader (it stalls log time): do not acknowledge it for two election
   * timeouts of this term, and campaign. Say it again when the reason still stands then.
   */
  | { readonly kind: 'distrustLeader' }

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
  /** Committed and durable on this node, in order, each handed out once. */
  readonly apply: readonly Entry[]
  readonly proposals: readonly ProposalOutcome[]
  readonly reads: readonly ReadOutcome[]
  /** Set when role, term or leader changed. */
  readonly leadership: Leadership | null
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
  /** All voters, this node among them. */
  readonly voters: readonly NodeId[]
  readonly hardState: HardState
  /** The whole durable log, from index 1, unbroken. */
  readonly entries: readonly Entry[]
  /** What the state machine has applied already. */
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
}

export interface PeerStatus {
  readonly id: NodeId
  readonly state: 'probe' | 'replicate'
  readonly matchIndex: LogIndex
  readonly nextIndex: LogIndex
  readonly inflightMessages: number
  readonly inflightBytes: number
  /** Ticks since this peer was last heard. */
  readonly silentTicks: number
}

export interface RaftStatus {
  readonly id: NodeId
  readonly role: Role
  readonly term: Term
  readonly votedFor: NodeId | null
  readonly leader: NodeId | null
  readonly voters: readonly NodeId[]
  readonly lastIndex: LogIndex
  readonly durableIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  readonly uncommittedBytes: number
  readonly pendingReads: number
  /** Only of a leader; empty otherwise. */
  readonly peers: readonly PeerStatus[]
  readonly transferTarget: NodeId | null
  readonly counters: {
    readonly electionsStarted: number
    readonly electionsWon: number
    readonly preVotesRefused: number
    readonly proposalsRefused: number
  }
}
