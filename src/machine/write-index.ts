import type { Path, Revision } from '../approval/index.js'
import type { Activation } from './events.js'
import { writeOfRowId, type EntryRow, type WriteRow } from './records.js'
import type { Table } from './table.js'
import { SortedList } from './sorted-list.js'

/** Paths in order, the writes of each path, and activations in log order. */
export class WriteIndex {
  readonly paths = new SortedList<string>()
  /** Ids of activation rows; their code-unit order is log order. */
  readonly activationIds = new SortedList<string>()
  private readonly byPath = new Map<Path, SortedList<Revision>>()

  constructor(entries: Table<EntryRow>, writes: Table<WriteRow>, activations: Table<Activation>) {
    entries.listenToIds((path, isThere) => {
      if (isThere) this.paths.add(path)
      else this.paths.remove(path)
    })
    writes.listenToIds((id, isThere) => {
      const { path, modRevision } = writeOfRowId(id)
      if (isThere) this.revisionsToExtend(path).add(modRevision)
      else this.byPath.get(path)?.remove(modRevision)
    })
    activations.listenToIds((id, isThere) => {
      if (isThere) this.activationIds.add(id)
      else this.activationIds.remove(id)
    })
  }

  /** Revisions at which a path was written, deletions too, oldest first. */
  revisions(path: Path): readonly Revision[] {
    return this.byPath.get(path)?.items ?? []
  }

  private revisionsToExtend(path: Path): SortedList<Revision> {
    let revisions = this.byPath.get(path)
    if (revisions === undefined) {
      revisions = new SortedList<Revision>()
      this.byPath.set(path, revisions)
    }
    return revisions
  }
}
