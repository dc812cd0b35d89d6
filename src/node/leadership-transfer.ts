/** Handing leadership over by a person's wish (3.10): asks the core, and waits for the new leader. */
import { CountersignError } from '../errors.js'
import type { Event, NodeId } from '../raft/index.js'
import type { LeadershipRecord } from './leadership-record.js'
import type { Clock, LeaderKnown } from './ports.js'

export interface LeadershipTransferParts {
  readonly nodeId: NodeId
  readonly leadership: LeadershipRecord
  readonly voters: () => readonly NodeId[]
  /** host:port where peers find this node; null when it is not known. */
  readonly addressOf: (id: NodeId) => string | null
  readonly clock: Clock
  readonly electionTimeoutMs: number
  readonly push: (event: Event) => void
}

/**
 * `to` null: the voter that is furthest. Resolves with who leads afterwards, or at once with who
 * leads when it is not this node. Throws INPUT_INVALID for one that is no voter, TRANSFER_FAILED
 * when nobody took over.
 */
export async function transferLeadership(
  parts: LeadershipTransferParts,
  to: NodeId | null,
): Promise<LeaderKnown> {
  const { nodeId, leadership, clock, electionTimeoutMs, push } = parts
  if (!leadership.leads) return known(parts, false)
  const voters = parts.voters()
  if (to === nodeId) return known(parts, true)
  if (to === null ? voters.every((id) => id === nodeId) : !voters.includes(to)) {
    throw new CountersignError(
      'INPUT_INVALID',
      to === null
        ? `${nodeId} is the only voter: nobody can take over.`
        : `${to} is no voter. Voters are ${voters.join(', ')}.`,
    )
  }
  push({ kind: 'transferLeadership', to })
  // The core gives a target up after one timeout; an election of the others may take another.
  const moved = await leadership.until(
    ({ leads, leader }) => !leads && leader !== null && leader !== nodeId,
    (giveUp) => clock.after(2 * electionTimeoutMs, giveUp),
  )
  if (moved) return known(parts, true)
  throw new CountersignError(
    'TRANSFER_FAILED',
    `${to ?? 'No other voter'} did not take over from ${nodeId}. Look at \`countersign status\` and try again.`,
  )
}

function known({ leadership, addressOf }: LeadershipTransferParts, asked: boolean): LeaderKnown {
  const { leader, term } = leadership
  return { leader, term, address: leader === null ? null : addressOf(leader), asked }
}
