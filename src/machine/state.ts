/**
 * The replicated state: typed tables, and indexes that are derived from them and never stored.
 * Everything a command reads or writes goes through here.
 */
import { invariant } from '../invariant.js'
import { ChangeIndex } from './change-index.js'
import { DecisionIndex } from './decision-index.js'
import { GovernanceIndex } from './governance-index.js'
import type {
  ChangeRow,
  DecisionRow,
  EntryRow,
  KeyRow,
  MetaRow,
  NodeRow,
  PersonRow,
  QuotaRow,
  RevisionRow,
  SeenRow,
  WriteRow,
} from './records.js'
import { signedRows } from './records.js'
import type { Activation } from './events.js'
import { SeenIndex } from './seen-index.js'
import { Journal, Table } from './table.js'
import { WriteIndex } from './write-index.js'

const metaId = 'state'

export class State {
  readonly journal = new Journal()

  readonly meta = new Table<MetaRow>('meta', this.journal)
  readonly entries = new Table<EntryRow>('entry', this.journal)
  readonly writes = new Table<WriteRow>('write', this.journal)
  readonly activations = new Table<Activation>('activation', this.journal)
  readonly changes = new Table<ChangeRow>('change', this.journal)
  readonly revisions = new Table<RevisionRow>('revision', this.journal, signedRows())
  readonly decisions = new Table<DecisionRow>('decision', this.journal, signedRows())
  readonly seen = new Table<SeenRow>('seen', this.journal)
  readonly keys = new Table<KeyRow>('key', this.journal)
  readonly people = new Table<PersonRow>('person', this.journal)
  readonly quotas = new Table<QuotaRow>('quota', this.journal)
  readonly nodes = new Table<NodeRow>('node', this.journal)

  readonly governance = new GovernanceIndex(this.entries, this.keys)
  readonly changeIndex = new ChangeIndex(this.changes)
  readonly decisionIndex = new DecisionIndex(this.decisions)
  readonly seenIndex = new SeenIndex(this.seen)
  readonly writeIndex = new WriteIndex(this.entries, this.writes, this.activations)

  get stored(): MetaRow {
    const row = this.meta.get(metaId)
    invariant(row !== undefined, 'The state has no meta record.')
    return row
  }

  setMeta(change: Partial<MetaRow>): void {
    this.meta.put(metaId, { ...this.stored, ...change })
  }

  initialise(meta: MetaRow): void {
    this.meta.put(metaId, meta)
  }

  isInitialised(): boolean {
    return this.meta.get(metaId) !== undefined
  }

  get logTime(): number {
    return this.stored.logTime
  }

  /** Log index of the last write of a path; 0: it does not exist. */
  modRevision(path: string): number {
    return this.entries.get(path)?.modRevision ?? 0
  }

  tables(): readonly Table<never>[] {
    return [
      this.meta,
      this.entries,
      this.writes,
      this.activations,
      this.changes,
      this.revisions,
      this.decisions,
      this.seen,
      this.keys,
      this.people,
      this.quotas,
      this.nodes,
    ] as unknown as readonly Table<never>[]
  }
}
