/**
 * The configuration in force follows the log: what is appended, cut off or installed may bring
 * another one, at once and whether or not it is committed (4.1).
 */
import type { Core } from '../core.js'
import { trace } from '../trace.js'
import type { Entry, LogIndex, SnapshotMeta } from '../types.js'
import { votesIn } from './configuration.js'
import { followMembers } from './peers.js'

export function appendToLog(core: Core, entries: readonly Entry[]): void {
  core.log.append(entries)
  if (core.configurations.appended(entries)) takeForce(core)
}

export function truncateLog(core: Core, index: LogIndex): void {
  core.log.truncateAfter(index)
  if (core.configurations.truncatedAfter(index)) takeForce(core)
}

/** The log has been replaced by what comes after this snapshot. */
export function restoreConfiguration(core: Core, snapshot: SnapshotMeta): void {
  if (core.configurations.restored(snapshot)) takeForce(core)
}

/**
 * Learners never campaign, nor does who knows that it was removed. Who loses its vote by an entry
 * that is not known to be committed still may, a learner to be as well: it counts nowhere, but
 * perhaps it alone holds that entry, and refuses its vote to all whose log is shorter (4.2.2).
 */
export function mayCampaign(core: Core): boolean {
  const { inForce, committed } = core.configurations
  return votesIn(inForce.configuration, core.id) || votesIn(committed.configuration, core.id)
}

/** Who campaigns never comes here: an append or an install makes it a follower before. */
function takeForce(core: Core): void {
  const { configuration, index } = core.configurations.inForce
  trace(core, 'ApplyConfChange', { index, configuration })
  if (core.role.kind === 'leader') followMembers(core, core.role)
}
