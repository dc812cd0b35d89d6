/**
 * The safety argument of one node, executable: what must hold at any point, and between any two
 * points in the order of time. Cheap enough to run after every step: nothing here walks the log.
 * The sentences are stable text. After LogCabin's RaftConsensusInvariants and openraft's list.
 */
import { invariant } from '../invariant.js'
import { isSound, membersOf, votesIn } from './membership/configuration.js'
import { quorumValue, voteResult } from './quorum.js'
import {
  term,
  type Configuration,
  type LogIndex,
  type NodeId,
  type PeerStatus,
  type Role,
  type Term,
} from './types.js'

export interface RaftFacts {
  readonly id: NodeId
  /** The configuration in force and the committed one, with the indexes of their entries. */
  readonly configuration: Configuration
  readonly configurationIndex: LogIndex
  readonly committedConfiguration: Configuration
  readonly committedConfigurationIndex: LogIndex
  readonly role: Role
  readonly term: Term
  readonly votedFor: NodeId | null
  readonly leader: NodeId | null
  /** What the disk holds for certain. */
  readonly durableTerm: Term
  readonly durableVotedFor: NodeId | null
  /** Index of the latest synced snapshot, and where the log was cut. */
  readonly snapshotIndex: LogIndex
  readonly anchorIndex: LogIndex
  /** Of the snapshot that replaces the state machine just now. */
  readonly restoringIndex: LogIndex | null
  /** Where each term of the log begins, ascending; the first begins at the anchor. */
  readonly termRuns: readonly { readonly term: Term; readonly first: LogIndex }[]
  readonly lastIndex: LogIndex
  readonly durableIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly applyingIndex: LogIndex
  readonly appliedIndex: LogIndex
  readonly applyingBytes: number
  /** Of a candidate: who has granted, itself included once its own vote is durable. */
  readonly grantedVotes: readonly NodeId[]
  /** Of a leader: index of the no-op that opened its term. */
  readonly termStart: LogIndex | null
  readonly uncommittedBytes: number
  readonly peers: readonly PeerStatus[]
  readonly transferTarget: NodeId | null
  readonly lastReadToken: number
  readonly ackedReadToken: number
  readonly electionElapsedTicks: number
  readonly electionTimeoutTicks: number
  readonly electionTicksMax: number
}

export type PointCheck = readonly [sentence: string, holds: (at: RaftFacts) => boolean]
export type StepCheck = readonly [
  sentence: string,
  holds: (before: RaftFacts, after: RaftFacts) => boolean,
]

export const pointChecks: readonly PointCheck[] = [
  [
    'who campaigns is a voter, at least of the committed configuration',
    (at) =>
      !campaigns(at) ||
      votesIn(at.configuration, at.id) ||
      votesIn(at.committedConfiguration, at.id),
  ],
  ['the configuration in force is a sound one', (at) => isSound(at.configuration)],
  [
    'the configuration in force is the committed one, or stands above the commit index',
    (at) =>
      at.configurationIndex === at.committedConfigurationIndex
        ? at.configuration === at.committedConfiguration
        : at.configurationIndex > at.commitIndex && at.configurationIndex <= at.lastIndex,
  ],
  [
    'the committed configuration is not above the commit index',
    (at) => at.committedConfigurationIndex <= at.commitIndex,
  ],
  [
    'terms in the log rise',
    (at) =>
      at.termRuns.every((run, position) => {
        const next = at.termRuns[position + 1]
        return next === undefined || (next.term > run.term && next.first > run.first)
      }),
  ],
  ['no entry is of a later term than the current one', (at) => termAt(at, at.lastIndex) <= at.term],
  ['the current term is never behind the disk', (at) => at.durableTerm <= at.term],
  ['applied <= applying', (at) => at.appliedIndex <= at.applyingIndex],
  ['applying <= commit', (at) => at.applyingIndex <= at.commitIndex],
  ['only what is durable here is applied', (at) => at.applyingIndex <= at.durableIndex],
  ['commit <= last', (at) => at.commitIndex <= at.lastIndex],
  ['durable <= last', (at) => at.durableIndex <= at.lastIndex],
  ['a snapshot covers what was purged', (at) => at.anchorIndex <= at.snapshotIndex],
  ['a snapshot holds only what is committed', (at) => at.snapshotIndex <= at.commitIndex],
  [
    'what was purged is applied, or a snapshot is being restored',
    (at) => at.anchorIndex <= Math.max(at.appliedIndex, at.restoringIndex ?? 0),
  ],
  [
    'bytes in flight are counted right',
    (at) =>
      at.applyingBytes >= 0 &&
      at.uncommittedBytes >= 0 &&
      (at.applyingIndex > at.appliedIndex || at.applyingBytes === 0) &&
      (at.lastIndex > at.commitIndex || at.uncommittedBytes === 0),
  ],
  [
    'who leads names itself the leader, and nobody else does',
    (at) => (at.role === 'leader') === (at.leader === at.id),
  ],
  ['a candidate knows no leader', (at) => !campaigns(at) || at.leader === null],
  [
    'who leads or is a candidate has voted for itself',
    (at) => (at.role !== 'leader' && at.role !== 'candidate') || at.votedFor === at.id,
  ],
  [
    'who leads has its own vote of this term on disk',
    (at) => at.role !== 'leader' || ownVoteIsDurable(at),
  ],
  [
    'no vote is counted before the own one is durable',
    (at) => at.grantedVotes.length === 0 || ownVoteIsDurable(at),
  ],
  ['a candidate with a majority leads', (at) => at.role !== 'candidate' || !hasWon(at)],
  [
    'a leader opened its term in its own log',
    (at) =>
      at.role !== 'leader' ||
      (at.termStart !== null && termAt(at, Math.max(at.termStart, at.anchorIndex)) === at.term),
  ],
  ['the commit index of a leader is as far as the quorum allows', leaderHasCommitted],
  ['only a leader follows the progress of others', (at) => hasPeersOfRole(at)],
  [
    'matchIndex < nextIndex <= last + 1',
    (at) =>
      at.peers.every(
        (peer) => peer.matchIndex < peer.nextIndex && peer.nextIndex <= at.lastIndex + 1,
      ),
  ],
  [
    'the window of a peer holds what lies between match and next',
    (at) =>
      at.peers.every(
        (peer) =>
          peer.inflightMessages <= Math.max(0, peer.nextIndex - 1 - peer.matchIndex) &&
          peer.inflightMessages > 0 === peer.inflightBytes > 0,
      ),
  ],
  [
    'leadership is handed only to another voter',
    (at) =>
      at.transferTarget === null ||
      (at.transferTarget !== at.id && at.configuration.voters.includes(at.transferTarget)),
  ],
  [
    'no read token is acknowledged before it is made',
    (at) => at.ackedReadToken <= at.lastReadToken,
  ],
  [
    'who does not lead has a timer within the election timeout',
    (at) =>
      at.role === 'leader' ||
      (at.electionElapsedTicks <= at.electionTimeoutTicks &&
        at.electionTimeoutTicks < at.electionTicksMax),
  ],
]

export const stepChecks: readonly StepCheck[] = [
  ['the term never goes back', (before, after) => before.term <= after.term],
  ['the durable term never goes back', (before, after) => before.durableTerm <= after.durableTerm],
  ['the commit index never goes back', (before, after) => before.commitIndex <= after.commitIndex],
  [
    'what is handed out for apply never goes back',
    (before, after) =>
      before.applyingIndex <= after.applyingIndex && before.appliedIndex <= after.appliedIndex,
  ],
  [
    'anchor and snapshot never go back',
    (before, after) =>
      before.anchorIndex <= after.anchorIndex && before.snapshotIndex <= after.snapshotIndex,
  ],
  [
    'the read token never goes back',
    (before, after) => before.lastReadToken <= after.lastReadToken,
  ],
  [
    'a vote is given once in a term',
    (before, after) =>
      before.term !== after.term || before.votedFor === null || before.votedFor === after.votedFor,
  ],
  [
    'a durable vote is not changed within its term',
    (before, after) =>
      before.durableTerm !== after.durableTerm ||
      before.durableVotedFor === null ||
      before.durableVotedFor === after.durableVotedFor,
  ],
  [
    'one term has one leader',
    (before, after) =>
      before.term !== after.term ||
      before.leader === null ||
      after.leader === null ||
      before.leader === after.leader,
  ],
  [
    'nobody leads a term that it did not campaign in',
    (before, after) =>
      after.role !== 'leader' ||
      before.term !== after.term ||
      before.role === 'leader' ||
      before.role === 'candidate',
  ],
  [
    'a leader only appends to its log',
    (before, after) =>
      after.role !== 'leader' ||
      before.role !== 'leader' ||
      before.term !== after.term ||
      (before.lastIndex <= after.lastIndex &&
        termAt(after, before.lastIndex) === termAt(before, before.lastIndex)),
  ],
  [
    'a committed entry never changes',
    (before, after) =>
      before.commitIndex < after.anchorIndex ||
      termAt(after, before.commitIndex) === termAt(before, before.commitIndex),
  ],
  [
    'a committed configuration is replaced by a later one only',
    (before, after) =>
      before.committedConfigurationIndex < after.committedConfigurationIndex ||
      (before.committedConfigurationIndex === after.committedConfigurationIndex &&
        before.committedConfiguration === after.committedConfiguration),
  ],
  [
    'a leader changes its configuration one step at a time',
    (before, after) =>
      before.role !== 'leader' ||
      after.role !== 'leader' ||
      before.term !== after.term ||
      before.configurationIndex === after.configurationIndex ||
      isOneStep(before.configuration, after.configuration),
  ],
  [
    'a campaign asks the voters of one configuration',
    (before, after) =>
      !campaigns(after) ||
      before.role !== after.role ||
      before.term !== after.term ||
      before.configurationIndex === after.configurationIndex,
  ],
  [
    'the known match of a session never goes back',
    (before, after) =>
      before.role !== 'leader' ||
      after.role !== 'leader' ||
      before.term !== after.term ||
      after.peers.every((peer) => {
        const old = before.peers.find(({ id }) => id === peer.id)
        // Only a new session starts again, and it starts at nothing.
        return old === undefined || peer.matchIndex >= old.matchIndex || peer.matchIndex === 0
      }),
  ],
]

/** Watches one node over time. A restarted node gets a new one. */
export class InvariantChecker {
  private before: RaftFacts | null = null
  private leaderOfTerm: { readonly term: Term; readonly leader: NodeId } | null = null

  /** Throws InvariantViolation with the first sentence that does not hold. */
  check(at: RaftFacts): void {
    for (const [sentence, holds] of pointChecks) {
      invariant(holds(at), sentence, { at })
    }
    const { before } = this
    if (before !== null) {
      for (const [sentence, holds] of stepChecks) {
        invariant(holds(before, at), sentence, { before, at })
      }
    }
    this.rememberLeader(at)
    this.before = at
  }

  /** A leader may be forgotten and found again, but it stays the only one of its term. */
  private rememberLeader(at: RaftFacts): void {
    if (at.leader === null) return
    const known = this.leaderOfTerm
    invariant(
      known?.term !== at.term || known.leader === at.leader,
      'one term has one leader, also after it was forgotten',
      { known, at },
    )
    this.leaderOfTerm = { term: at.term, leader: at.leader }
  }
}

function campaigns(at: RaftFacts): boolean {
  return at.role === 'candidate' || at.role === 'preCandidate'
}

function ownVoteIsDurable(at: RaftFacts): boolean {
  return at.durableTerm === at.term && at.durableVotedFor === at.id
}

function hasPeersOfRole(at: RaftFacts): boolean {
  if (at.role !== 'leader') return at.peers.length === 0
  // Those who depart are followed for a while as well.
  const followed = new Set(at.peers.map(({ id }) => id))
  return (
    !followed.has(at.id) &&
    membersOf(at.configuration).every((id) => id === at.id || followed.has(id))
  )
}

/** Voters change only into a joint configuration and out of it (4.3). */
function isOneStep(before: Configuration, after: Configuration): boolean {
  if (before.outgoing.length > 0) {
    return after.outgoing.length === 0 && areSame(before.voters, after.voters)
  }
  return areSame(before.voters, after.outgoing.length > 0 ? after.outgoing : after.voters)
}

function areSame(some: readonly NodeId[], others: readonly NodeId[]): boolean {
  return some.length === others.length && some.every((id, at) => id === others[at])
}

function hasWon(at: RaftFacts): boolean {
  return voteResult(at.configuration, new Map(at.grantedVotes.map((id) => [id, true]))) === 'won'
}

function leaderHasCommitted(at: RaftFacts): boolean {
  if (at.role !== 'leader') return true
  const matches = new Map(at.peers.map((peer) => [peer.id, peer.matchIndex]))
  const held = quorumValue(at.configuration, (voter) =>
    voter === at.id ? at.durableIndex : (matches.get(voter) ?? 0),
  )
  return held <= at.commitIndex || termAt(at, held) !== at.term
}

/** Term 0 for index 0, for an index beyond the log, and for one before its anchor. */
function termAt(at: RaftFacts, index: number): Term {
  if (index > at.lastIndex) return term(0)
  return at.termRuns.findLast((run) => run.first <= index)?.term ?? term(0)
}
