/** The commit rule, and the commit index of this node. */
import { invariant } from '../invariant.js'
import type { Core } from './core.js'
import { majorityValue } from './quorum.js'
import { trace } from './trace.js'
import { logIndex, type LogIndex } from './types.js'

/**
 * The greatest index that a majority holds, the own disk among them, and only when it is of the
 * leader's own term: an older entry on a majority may still be overwritten (3.6.2, figure 3.7).
 */
export function advanceCommit(core: Core): void {
  if (core.role.kind !== 'leader') return
  const matches: number[] = [core.log.durableIndex]
  for (const progress of core.role.peers.values()) matches.push(progress.matchIndex)
  const index = logIndex(majorityValue(matches))
  if (index > core.commitIndex && core.log.termAt(index) === core.currentTerm) {
    commitTo(core, index)
  }
}

/** The own reading of the commit index moves; never back, and never beyond the log. */
export function commitTo(core: Core, index: LogIndex): void {
  if (index <= core.commitIndex) return
  invariant(index <= core.log.lastIndex, 'only what is in the log is committed', { index })
  if (core.role.kind === 'leader') {
    for (const entry of core.log.range(logIndex(core.commitIndex + 1), index)) {
      core.role.uncommittedBytes -= entry.payload.length
    }
  }
  core.commitIndex = index
  trace(core, 'Commit', { index })
}
