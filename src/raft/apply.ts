/**
 * What goes to the state machine: committed *and* durable here, in order, each once. A snapshot that
 * was installed goes there as a whole, after all that was handed out before it; what follows waits
 * until the state machine stands at its index.
 */
import { invariant } from '../invariant.js'
import type { Core } from './core.js'
import { logIndex, type Entry, type LogIndex, type SnapshotMeta } from './types.js'

/** The snapshot to restore, once the write that drops the log before it is durable; else null. */
export function takeRestore(core: Core): SnapshotMeta | null {
  const { restoring } = core
  if (restoring === null || restoring.handedOut) return null
  const { snapshot } = restoring
  if (core.log.durableIndex < snapshot.index) return null
  core.restoring = { snapshot, handedOut: true }
  core.applyingIndex = snapshot.index
  return snapshot
}

/** As many entries as the limit of outstanding bytes allows. */
export function takeApply(core: Core): readonly Entry[] {
  if (core.restoring !== null) return []
  const end = Math.min(core.commitIndex, core.log.durableIndex)
  const first = logIndex(core.applyingIndex + 1)
  const limit = core.options.limits.applyingBytesMax
  let last = core.applyingIndex
  while (last < end && (core.applyingBytes < limit || last === core.appliedIndex)) {
    last = logIndex(last + 1)
    core.applyingBytes += core.log.entryAt(last).payload.length
  }
  core.applyingIndex = last
  return last < first ? [] : core.log.range(first, last)
}

/** The state machine stands at `index`. */
export function applied(core: Core, index: LogIndex): void {
  invariant(index <= core.applyingIndex, 'only what was handed out can be applied', {
    index,
    applyingIndex: core.applyingIndex,
  })
  if (index <= core.appliedIndex) return
  // What was out when an install dropped the log is no longer there to be asked for its bytes; they
  // are given back together, since nothing is handed out meanwhile.
  if (core.restoring === null) core.applyingBytes -= core.log.payloadBytes(core.appliedIndex, index)
  else if (index === core.applyingIndex) core.applyingBytes = 0
  core.appliedIndex = index
  if (core.restoring?.handedOut === true && index === core.restoring.snapshot.index) {
    core.restoring = null
  }
}
