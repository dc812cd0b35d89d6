import type { Path, Revision } from '../approval/index.js'
import type { Activation } from './events.js'
import type { EntryRow, WriteRow } from './records.js'
import type { Table } from './table.js'
import { SortedList } from './sorted-list.js'

/** Paths in order, the writes of each path, and activations in log order. */
export class WriteIndex {
  readonly paths = new SortedList<string>()
  /** Ids of activation rows; their code-unit order is log order. */
  readonly activationIds = new SortedList<string>()
  private readonly byPath = new Map<Path, SortedList<Revision>>()

  constructor(entries: Table<EntryRow>, writes: Table<WriteRow>, activations: Table<Activation>) {
    entries.listen((path, before, after) => {
      if (before === undefined && after !== undefined) this.paths.add(path)
      if (before !== undefined && after === undefined) this.paths.remove(path)
    })
    writes.listen((_id, before, after) => {
      if (before !== undefined) this.byPath.get(before.path)?.remove(before.modRevision)
      if (after !== undefined) this.revisionsToExtend(after.path).add(after.modRevision)
    })
    activations.listen((id, before, after) => {
      if (before === undefined && after !== undefined) this.activationIds.add(id)
      if (before !== undefined && after === undefined) this.activationIds.remove(id)
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
