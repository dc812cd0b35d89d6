import type { Hex16, Id } from '../approval/index.js'
import type { DecisionRow } from './records.js'
import type { Table } from './table.js'

/** Decisions and actions of each change, in log order. */
export class DecisionIndex {
  private readonly byChange = new Map<Hex16, DecisionRow[]>()

  constructor(table: Table<DecisionRow>) {
    table.listen((_id, before, after) => {
      if (before !== undefined) this.remove(before)
      if (after !== undefined) this.add(after)
    })
  }

  of(changeId: Hex16): readonly DecisionRow[] {
    return this.byChange.get(changeId) ?? []
  }

  /** Approve, reject or revoke: the last one of each person, across revisions. */
  latest(changeId: Hex16): ReadonlyMap<Id, DecisionRow> {
    const latest = new Map<Id, DecisionRow>()
    for (const row of this.of(changeId)) {
      if (row.word !== 'withdraw' && row.word !== 'activate') latest.set(row.person, row)
    }
    return latest
  }

  /** Highest sequence number that the person has used on this change; undefined: none. */
  lastSeq(changeId: Hex16, person: Id): number | undefined {
    let last: number | undefined
    for (const row of this.of(changeId)) {
      if (row.person === person && (last === undefined || row.seq > last)) last = row.seq
    }
    return last
  }

  private add(row: DecisionRow): void {
    const rows = this.byChange.get(row.changeId)
    if (rows === undefined) {
      this.byChange.set(row.changeId, [row])
      return
    }
    rows.push(row)
    const previous = rows[rows.length - 2]
    // Only records read back at start can come out of order.
    if (previous !== undefined && previous.index > row.index) {
      rows.sort((a, b) => a.index - b.index)
    }
  }

  private remove(row: DecisionRow): void {
    const rows = (this.byChange.get(row.changeId) ?? []).filter((other) => other !== row)
    if (rows.length === 0) this.byChange.delete(row.changeId)
    else this.byChange.set(row.changeId, rows)
  }
}
