/** The commit rule, and the commit index of this node. */
import { invariant } from '../invariant.js'
import type { Core } from './core.js'
import { quorumValue } from './quorum.js'
import { trace } from './trace.js'
import { logIndex, type LogIndex } from './types.js'

/**
 * The greatest index that a quorum of the configuration in force holds, the own disk counted when
 * this node is a voter, and only when it is of the leader's own term: an older entry on a majority
 * may still be overwritten (3.6.2, figure 3.7).
 */
export function advanceCommit(core: Core): void {
  if (core.role.kind !== 'leader') return
  const { peers } = core.role
  const held = quorumValue(core.configurations.inForce.configuration, (voter) =>
    voter === core.id ? core.log.durableIndex : (peers.get(voter)?.matchIndex ?? 0),
  )
  const index = logIndex(held)
  if (index > core.commitIndex && core.log.termAt(index) === core.currentTerm) {
    commitTo(core, index)
  }
}

/** The own reading of the commit index moves; never back, and never beyond the log. */
export function commitTo(core: Core, index: LogIndex): void {
  if (index <= core.commitIndex) return
  invariant(index <= core.log.lastIndex, 'only what is in the log is committed', { index })
  if (core.role.kind === 'leader') {
    core.role.uncommittedBytes -= core.log.payloadBytes(core.commitIndex, index)
  }
  core.commitIndex = index
  core.configurations.committedTo(index)
  trace(core, 'Commit', { index })
}
