/**
 * Arithmetic of majorities. Recomputed by sorting each time: with at most nine voters an
 * incremental structure saves nothing, and one has cost a peer project a safety bug.
 */
import type { Configuration, NodeId } from './types.js'

/** Whom a decision asks: a majority of the voters and, while joint, one of the outgoing ones. */
export type Halves = Pick<Configuration, 'voters' | 'outgoing'>

export function majorityOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1
}

/** The greatest value that a majority has reached; `values` holds one value for each voter. */
export function majorityValue(values: readonly number[]): number {
  const descending = [...values].sort((a, b) => b - a)
  return descending[majorityOf(values.length) - 1] ?? 0
}

/** The greatest value that a quorum has reached: while joint, a majority of either half (4.3). */
export function quorumValue(halves: Halves, valueOf: (voter: NodeId) => number): number {
  const incoming = majorityValue(halves.voters.map(valueOf))
  if (halves.outgoing.length === 0) return incoming
  return Math.min(incoming, majorityValue(halves.outgoing.map(valueOf)))
}

export function hasQuorum(halves: Halves, holds: (voter: NodeId) => boolean): boolean {
  return quorumValue(halves, (voter) => (holds(voter) ? 1 : 0)) === 1
}

export type VoteResult = 'won' | 'lost' | 'pending'

/**
 * Judges an election: `votes` maps a voter to granted or refused; who is missing is undecided, and
 * who is no voter does not count. While joint, both halves must be won, and one lost is enough.
 */
export function voteResult(halves: Halves, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  if (hasQuorum(halves, (voter) => votes.get(voter) === true)) return 'won'
  return hasQuorum(halves, (voter) => votes.get(voter) !== false) ? 'pending' : 'lost'
}
