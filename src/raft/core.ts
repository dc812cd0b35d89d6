/**
 * The state of one node that the verbs of the protocol share. Each verb is a file beside this one;
 * raft.ts dispatches to them. What belongs to one role lives in that role's variant only, so a
 * change of role cannot leave any of it behind.
 */
import { invariant } from '../invariant.js'
import { Log } from './log/log.js'
import { ConfigurationHistory } from './membership/history.js'
import { OutputBuffer } from './output.js'
import type { Progress } from './progress/progress.js'
import type { ReadQueue } from './read-index.js'
import {
  logIndex,
  term,
  type HardState,
  type Leadership,
  type LogIndex,
  type NodeId,
  type RaftOptions,
  type SnapshotMeta,
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
  /** All members of the configuration in force but this node, and who departs. */
  readonly peers: Map<NodeId, Progress>
  /** Removed, and perhaps not told of it yet. */
  readonly departing: Set<NodeId>
  /** When at the latest those who depart are let go; null until the removal is committed. */
  farewellUntilTicks: number | null
  /** Of the learners that shall become voters. */
  readonly catchUps: Map<NodeId, CatchUp>
  readonly reads: ReadQueue
  /** The no-op that opened this term; nothing is known to be committed before it is. */
  readonly termStart: LogIndex
  transfer: Transfer | null
  heartbeatAtTicks: number
  heartbeatDue: boolean
  /** Payload bytes above the commit index. */
  uncommittedBytes: number
}

/** How a learner that shall become a voter gets on (membership/catch-up.ts). */
export interface CatchUp {
  /** Rounds that are over. */
  readonly rounds: number
  readonly caughtUp: boolean
  readonly roundEnd: LogIndex
  readonly roundStartedAtTicks: number
  /** How long the round before took; null before the first is over. */
  readonly lastRoundTicks: number | null
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
  readonly log: Log
  readonly configurations: ConfigurationHistory
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

  /** The latest synced snapshot; it covers whatever is cut off. */
  snapshot: SnapshotMeta
  /** The state machine is being replaced by this snapshot: nothing is applied meanwhile. */
  restoring: { readonly snapshot: SnapshotMeta; readonly handedOut: boolean } | null = null
  /** The latest offer of a snapshot, and in which session it is answered. */
  offered: { readonly leader: NodeId; readonly term: Term; readonly session: number } | null = null

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

  /** Voters whose pre-vote was refused for the sake of the leader, and when last. */
  readonly withheldFrom = new Map<NodeId, number>()

  /** Never goes back while the process lives: sessions and read tokens are not used twice. */
  lastSession = 0
  lastReadToken = 0

  electionsStarted = 0
  electionsWon = 0
  preVotesRefused = 0
  proposalsRefused = 0

  constructor(options: RaftOptions) {
    const { id, snapshot, anchor, hardState, entries, applied } = options
    invariant(
      options.electionTicksMin > options.heartbeatTicks &&
        options.electionTicksMax > options.electionTicksMin,
      'heartbeat < least election timeout < greatest election timeout',
    )
    this.options = options
    this.id = id
    invariant(anchor.index <= snapshot.index, 'a snapshot covers what was purged', {
      anchor: anchor.index,
      snapshot: snapshot.index,
    })
    invariant(applied >= anchor.index, 'the state machine is not behind the log', {
      applied,
      anchor: anchor.index,
    })
    this.snapshot = snapshot
    const readBack = new Log(entries, anchor)
    const isInstalled = readBack.matches(snapshot)
    invariant(
      isInstalled || snapshot.index > Math.min(hardState.commit, readBack.lastIndex),
      'a snapshot does not contradict what the log has committed',
      { snapshot: snapshot.index, snapshotTerm: snapshot.term, commit: hardState.commit },
    )
    this.log = isInstalled ? readBack : new Log([], snapshot)
    const movesTerm = snapshot.term > hardState.term
    this.currentTerm = movesTerm ? snapshot.term : hardState.term
    this.votedFor = movesTerm ? null : hardState.votedFor
    this.commitIndex = logIndex(Math.max(hardState.commit, applied, snapshot.index))
    const kept = isInstalled ? entries : []
    this.configurations = new ConfigurationHistory(snapshot, kept, this.commitIndex)
    this.appliedIndex = applied
    this.applyingIndex = applied
    invariant(
      this.commitIndex <= this.log.lastIndex,
      'the log that was read back reaches its commit index',
      { commit: hardState.commit, applied, lastIndex: this.log.lastIndex },
    )
    invariant(
      readBack.lastTerm <= hardState.term,
      'no entry that was read back is of a later term than the hard state',
      { lastTerm: readBack.lastTerm, term: hardState.term },
    )
    this.output = new OutputBuffer(hardState, this.leadership(), this.configurations.inForce)
    if (!isInstalled) {
      // A crash came between the fetch of this snapshot and the write that installs it.
      this.output.install = snapshot
      if (applied < snapshot.index) this.restoring = { snapshot, handedOut: false }
    }
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

  /** The disk owes a completion for longer than an election timeout: it stalls. */
  diskStalls(): boolean {
    const issuedAt = this.log.unstable.oldestIssuedAtTicks()
    return issuedAt !== null && this.now - issuedAt > this.options.electionTicksMax
  }
}
