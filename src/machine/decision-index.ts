import type { Hex16, Id } from '../approval/index.js'
import { changeOfDecision, type DecisionRow } from './records.js'
import { SortedList } from './sorted-list.js'
import type { Table } from './table.js'

/** Decisions and actions of each change, in log order. Holds ids: few of them are ever looked at. */
export class DecisionIndex {
  private readonly idsByChange = new Map<Hex16, SortedList<string>>()
  private readonly table: Table<DecisionRow>

  constructor(table: Table<DecisionRow>) {
    this.table = table
    table.listenToIds((id, isThere) => {
      if (isThere) this.add(id)
      else this.remove(id)
    })
  }

  of(changeId: Hex16): readonly DecisionRow[] {
    const ids = this.idsByChange.get(changeId)?.items ?? []
    return ids.flatMap((id) => this.table.get(id) ?? [])
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

  private add(id: string): void {
    const changeId = changeOfDecision(id)
    const ids = this.idsByChange.get(changeId)
    if (ids === undefined) this.idsByChange.set(changeId, SortedList.of(id))
    else ids.add(id)
  }

  private remove(id: string): void {
    const changeId = changeOfDecision(id)
    const ids = this.idsByChange.get(changeId)
    ids?.remove(id)
    if (ids?.items.length === 0) this.idsByChange.delete(changeId)
  }
}
