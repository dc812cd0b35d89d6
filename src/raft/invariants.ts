/**
 * The safety argument of one node, executable: what must hold at any point, and between any two
 * points in the order of time. Cheap enough to run after every step: nothing here walks the log.
 * The sentences are stable text. After LogCabin's RaftConsensusInvariants and openraft's list.
 */
import { invariant } from '../invariant.js'
import { majorityOf, majorityValue } from './quorum.js'
import { term, type LogIndex, type NodeId, type PeerStatus, type Role, type Term } from './types.js'

export interface RaftFacts {
  readonly id: NodeId
  readonly voters: readonly NodeId[]
  readonly role: Role
  readonly term: Term
  readonly votedFor: NodeId | null
  readonly leader: NodeId | null
  /** What the disk holds for certain. */
  readonly durableTerm: Term
  readonly durableVotedFor: NodeId | null
  /** Where each term of the log begins, ascending. */
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
  ['this node is a voter', (at) => at.voters.includes(at.id)],
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
  [
    'bytes in flight are counted right',
    (at) =>
      at.applyingBytes >= 0 &&
      at.uncommittedBytes >= 0 &&
      (at.applyingIndex > at.appliedIndex || at.applyingBytes === 0) &&
      (at.lastIndex > at.commitIndex || at.uncommittedBytes === 0),
  ],
  ['the known leader is a voter', (at) => at.leader === null || at.voters.includes(at.leader)],
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
  [
    'a candidate with a majority leads',
    (at) => at.role !== 'candidate' || at.grantedVotes.length < majorityOf(at.voters.length),
  ],
  [
    'a leader opened its term in its own log',
    (at) => at.role !== 'leader' || (at.termStart !== null && termAt(at, at.termStart) === at.term),
  ],
  ['the commit index of a leader is as far as the majority allows', leaderHasCommitted],
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
    (at) => at.transferTarget === null || at.peers.some((peer) => peer.id === at.transferTarget),
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
    (before, after) => termAt(after, before.commitIndex) === termAt(before, before.commitIndex),
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
  return at.peers.length === (at.role === 'leader' ? at.voters.length - 1 : 0)
}

function leaderHasCommitted(at: RaftFacts): boolean {
  if (at.role !== 'leader') return true
  const held = majorityValue([at.durableIndex, ...at.peers.map((peer) => peer.matchIndex)])
  return held <= at.commitIndex || termAt(at, held) !== at.term
}

/** Term 0 for index 0 and for an index beyond the log. */
function termAt(at: RaftFacts, index: number): Term {
  if (index > at.lastIndex) return term(0)
  return at.termRuns.findLast((run) => run.first <= index)?.term ?? term(0)
}
