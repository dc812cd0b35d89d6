import type { ChangeState, Hex16, Id, Path } from '../approval/index.js'
import { invariant } from '../invariant.js'
import type { ChangeRow } from './records.js'
import { SortedList } from './sorted-list.js'
import type { Table } from './table.js'

/** A change that may still become active. */
export function isOpen(change: ChangeRow): boolean {
  return change.state === 'OPEN' || change.state === 'APPROVED'
}

/** Open changes by author and touched path, what waits for a Tick, and counts. */
export class ChangeIndex {
  /** Open changes; no defined order. */
  readonly open = new Set<Hex16>()
  /** Those of them that are APPROVED. */
  readonly approved = new Set<Hex16>()
  /** Open changes and bakes with a start that is taken from the next Tick. */
  readonly waiting = new Set<Hex16>()
  /** All changes in the order of opening. */
  readonly openedOrder = new SortedList<number>()
  private readonly byOpenedIndex = new Map<number, Hex16>()
  private readonly openByAuthor = new Map<Id, number>()
  private readonly openByPath = new Map<Path, Set<Hex16>>()
  private readonly counts = new Map<ChangeState, number>()

  constructor(table: Table<ChangeRow>) {
    table.listen((_id, before, after) => {
      if (before !== undefined) this.remove(before)
      if (after !== undefined) this.add(after)
      if (before === undefined && after !== undefined) {
        this.openedOrder.add(after.openedIndex)
        this.byOpenedIndex.set(after.openedIndex, after.changeId)
      }
      if (before !== undefined && after === undefined) {
        this.openedOrder.remove(before.openedIndex)
        this.byOpenedIndex.delete(before.openedIndex)
      }
    })
  }

  openedBy(author: Id): number {
    return this.openByAuthor.get(author) ?? 0
  }

  /** Open changes that write or assert one of these paths. */
  openOn(paths: Iterable<Path>): ReadonlySet<Hex16> {
    const found = new Set<Hex16>()
    for (const path of paths) for (const id of this.openByPath.get(path) ?? []) found.add(id)
    return found
  }

  count(state: ChangeState): number {
    return this.counts.get(state) ?? 0
  }

  openedAtIndex(index: number): Hex16 {
    const changeId = this.byOpenedIndex.get(index)
    invariant(changeId !== undefined, 'The list of changes names an index without a change.')
    return changeId
  }

  private add(row: ChangeRow): void {
    this.counts.set(row.state, this.count(row.state) + 1)
    if (waits(row)) this.waiting.add(row.changeId)
    if (!isOpen(row)) return
    this.open.add(row.changeId)
    if (row.state === 'APPROVED') this.approved.add(row.changeId)
    this.openByAuthor.set(row.author, this.openedBy(row.author) + 1)
    for (const path of watchedPaths(row)) {
      const ids = this.openByPath.get(path)
      if (ids === undefined) this.openByPath.set(path, new Set([row.changeId]))
      else ids.add(row.changeId)
    }
  }

  private remove(row: ChangeRow): void {
    this.counts.set(row.state, this.count(row.state) - 1)
    this.waiting.delete(row.changeId)
    if (!isOpen(row)) return
    this.open.delete(row.changeId)
    this.approved.delete(row.changeId)
    const left = this.openedBy(row.author) - 1
    if (left === 0) this.openByAuthor.delete(row.author)
    else this.openByAuthor.set(row.author, left)
    for (const path of watchedPaths(row)) {
      const ids = this.openByPath.get(path)
      ids?.delete(row.changeId)
      if (ids?.size === 0) this.openByPath.delete(path)
    }
  }
}

/** Paths whose next write makes the change STALE: written and asserted ones. */
function watchedPaths(row: ChangeRow): readonly Path[] {
  return row.asserted === undefined ? row.paths : [...row.paths, ...row.asserted]
}

function waits(row: ChangeRow): boolean {
  if (row.state === 'OPEN') return row.openFrom === undefined
  if (row.state === 'APPROVED') return row.openFrom === undefined || row.useFrom === undefined
  return row.bake !== undefined && row.bake.until === undefined
}
