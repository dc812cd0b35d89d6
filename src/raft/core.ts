/**
 * The state of one node that the verbs of the protocol share. Each verb is a file beside this one;
 * raft.ts dispatches to them. What belongs to one role lives in that role's variant only, so a
 * change of role cannot leave any of it behind.
 */
import { invariant } from '../invariant.js'
import { Log } from './log/log.js'
import { OutputBuffer } from './output.js'
import type { Progress } from './progress/progress.js'
import type { ReadQueue } from './read-index.js'
import {
  logIndex,
  term,
  type Entry,
  type HardState,
  type Leadership,
  type LogIndex,
  type NodeId,
  type RaftOptions,
  type Term,
} from './types.js'

export interface FollowerState {
  readonly kind: 'follower'
  readonly leader: NodeId | null
}

export interface PreCandidateState {
  readonly kind: 'preCandidate'
  readonly votes: Map<NodeId, boolean>
}

export interface CandidateState {
  readonly kind: 'candidate'
  readonly votes: Map<NodeId, boolean>
  /** Asked by the old leader to take over. */
  readonly transfer: boolean
  /** Own vote and term are durable, and the others have been asked. */
  asked: boolean
}

export interface LeaderState {
  readonly kind: 'leader'
  readonly peers: ReadonlyMap<NodeId, Progress>
  readonly reads: ReadQueue
  /** The no-op that opened this term; nothing is known to be committed before it is. */
  readonly termStart: LogIndex
  transfer: Transfer | null
  heartbeatAtTicks: number
  heartbeatDue: boolean
  /** Payload bytes above the commit index. */
  uncommittedBytes: number
}

export interface Transfer {
  readonly target: NodeId
  readonly startedAtTicks: number
  /** TimeoutNow has left. */
  sent: boolean
}

export type RoleState = FollowerState | PreCandidateState | CandidateState | LeaderState

export class Core {
  readonly options: RaftOptions
  readonly id: NodeId
  readonly voters: readonly NodeId[]
  /** All voters but this node. */
  readonly peers: readonly NodeId[]
  readonly log: Log
  readonly output: OutputBuffer
  /** Ticks since construction. */
  now = 0

  currentTerm: Term
  votedFor: NodeId | null
  role: RoleState = { kind: 'follower', leader: null }

  commitIndex: LogIndex
  appliedIndex: LogIndex
  /** Handed out for apply. Invariant: applied <= applying <= commit, and <= durable when taken. */
  applyingIndex: LogIndex
  applyingBytes = 0

  /** How far the leader of `verifiedTerm` has shown that the logs agree. */
  verifiedTerm: Term = term(0)
  verifiedIndex: LogIndex = logIndex(0)

  /** The first that was followed in this term, also while it is forgotten: there is no second. */
  leaderOfTerm: NodeId | null = null
  leaderHeardAtTicks = 0
  electionStartedAtTicks = 0
  electionTimeoutTicks = 0
  /** The leader of this term is not followed for a while: its word is not acknowledged. */
  distrusted: { readonly term: Term; readonly untilTicks: number } | null = null
  /** Elections in a row in which a rival of the same term was met. */
  splitsInRow = 0
  /** When, and which leader of which term, was last forgotten after a refused redial. */
  forgotten: { readonly leader: NodeId; readonly term: Term; readonly atTicks: number } | null =
    null

  /** Never goes back while the process lives: sessions and read tokens are not used twice. */
  lastSession = 0
  lastReadToken = 0

  electionsStarted = 0
  electionsWon = 0
  preVotesRefused = 0
  proposalsRefused = 0

  constructor(options: RaftOptions) {
    const { id, voters, hardState, entries, applied } = options
    invariant(voters.includes(id), 'this node is one of the voters', { id, voters })
    invariant(new Set(voters).size === voters.length, 'each voter is named once', { voters })
    invariant(
      options.electionTicksMin > options.heartbeatTicks &&
        options.electionTicksMax > options.electionTicksMin,
      'heartbeat < least election timeout < greatest election timeout',
    )
    this.options = options
    this.id = id
    this.voters = [...voters]
    this.peers = voters.filter((voter) => voter !== id)
    this.log = new Log(entries)
    this.currentTerm = hardState.term
    this.votedFor = hardState.votedFor
    this.commitIndex = logIndex(Math.max(hardState.commit, applied))
    this.appliedIndex = applied
    this.applyingIndex = applied
    invariant(
      this.commitIndex <= this.log.lastIndex,
      'the log that was read back reaches its commit index',
      { commit: hardState.commit, applied, lastIndex: this.log.lastIndex },
    )
    invariant(
      this.log.lastTerm <= hardState.term,
      'no entry that was read back is of a later term than the hard state',
      { lastTerm: this.log.lastTerm, term: hardState.term },
    )
    this.output = new OutputBuffer(hardState, this.leadership())
  }

  get leader(): NodeId | null {
    if (this.role.kind === 'leader') return this.id
    return this.role.kind === 'follower' ? this.role.leader : null
  }

  leadership(): Leadership {
    return { role: this.role.kind, term: this.currentTerm, leader: this.leader }
  }

  hardState(): HardState {
    return { term: this.currentTerm, votedFor: this.votedFor, commit: this.commitIndex }
  }

  /** Committed, durable here, and within the limit of outstanding bytes; each handed out once. */
  takeApply(): readonly Entry[] {
    const end = Math.min(this.commitIndex, this.log.durableIndex)
    const first = logIndex(this.applyingIndex + 1)
    const limit = this.options.limits.applyingBytesMax
    let last = this.applyingIndex
    while (last < end && (this.applyingBytes < limit || last === this.appliedIndex)) {
      last = logIndex(last + 1)
      this.applyingBytes += this.log.entryAt(last).payload.length
    }
    this.applyingIndex = last
    return last < first ? [] : this.log.range(first, last)
  }

  applied(index: LogIndex): void {
    invariant(index <= this.applyingIndex, 'only what was handed out can be applied', {
      index,
      applyingIndex: this.applyingIndex,
    })
    while (this.appliedIndex < index) {
      this.appliedIndex = logIndex(this.appliedIndex + 1)
      this.applyingBytes -= this.log.entryAt(this.appliedIndex).payload.length
    }
  }

  /** The disk owes a completion for longer than an election timeout: it stalls. */
  diskStalls(): boolean {
    const issuedAt = this.log.unstable.oldestIssuedAtTicks()
    return issuedAt !== null && this.now - issuedAt > this.options.electionTicksMax
  }
}
