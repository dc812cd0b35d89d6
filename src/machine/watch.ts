import type { Hex16, Ms, Path, Revision } from '../approval/index.js'
import { invariant } from '../invariant.js'
import type { Activation, WrittenPath } from './events.js'
import { activationRowId, writeRowId } from './records.js'
import type { State } from './state.js'

/** What one activation wrote below a prefix. */
export interface WrittenBatch {
  readonly revision: Revision
  readonly at: Ms
  readonly changeId: Hex16
  readonly written: readonly WrittenPath[]
}

/** A path itself, or, ending in `/`, everything below it. */
export function isBelow(path: Path, prefix: Path): boolean {
  return prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix
}

/**
 * Activations after `revision` in log order. Several of one Tick share a revision and come one
 * after the other: resume only after a revision of which all batches were taken.
 */
export function writtenSince(
  state: State,
  revision: Revision,
  prefix: Path,
): readonly WrittenBatch[] {
  const ids = state.writeIndex.activationIds
  const from = ids.firstAtOrAfter(activationRowId(revision + 1, 0))
  const batches: WrittenBatch[] = []
  for (const id of ids.items.slice(from)) {
    const activation = state.activations.get(id)
    invariant(activation !== undefined, 'The list of activations names one that is not kept.')
    const written = writtenBy(state, activation, prefix)
    if (written.length === 0) continue
    const { index, at, changeId } = activation
    batches.push({ revision: index, at, changeId, written })
  }
  return batches
}

function writtenBy(state: State, activation: Activation, prefix: Path): readonly WrittenPath[] {
  return activation.written
    .filter(({ path }) => isBelow(path, prefix))
    .map(({ path, modRevision }) => {
      const row = state.writes.get(writeRowId(path, modRevision))
      invariant(row !== undefined, 'An activation names a write that is not kept.', { path })
      const { at: _at, changeId: _changeId, ...written } = row
      return written
    })
}
