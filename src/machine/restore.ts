/** A state from stored records: of the state store at start, or of a snapshot. */
import { CountersignError } from '../errors.js'
import type { Hex32, Revision } from '../approval/index.js'
import { recordHash } from './digest.js'
import { State } from './state.js'
import type { StateWrite, Table } from './table.js'

/** A state whose records are known to come to this digest: those of a verified snapshot. */
export interface KnownState {
  /** In any order. */
  readonly records: Iterable<StoredRecord>
  readonly digest: Hex32
}

type StoredRecord = readonly [key: string, value: Uint8Array]

/** In any order; the digest is worked out. Throws STORE_DAMAGED. */
export function stateFrom(records: Iterable<StoredRecord>): State {
  const state = new State()
  const tables = tablesOf(state)
  const { digest } = state.journal
  for (const [key, value] of records) {
    const { table, id } = placeOf(key, tables)
    digest.add(recordHash(key, value))
    table.load(id, value)
  }
  return initialised(state)
}

/**
 * The known state with these records changed, null for those that are gone. Only what changed is
 * hashed, so its digest is right only if that of `known` is. Throws STORE_DAMAGED.
 */
export function stateAfter(known: KnownState, changes: Iterable<StateWrite>): State {
  const state = new State()
  const tables = tablesOf(state)
  const { digest } = state.journal
  for (const [key, value] of known.records) {
    const { table, id } = placeOf(key, tables)
    table.load(id, value)
  }
  digest.startFrom(known.digest)
  for (const { key, value } of changes) {
    const { table, id } = placeOf(key, tables)
    const before = table.record(id)
    if (before !== undefined) digest.remove(recordHash(key, before))
    if (value !== null) digest.add(recordHash(key, value))
    table.load(id, value)
  }
  return initialised(state)
}

type Tables = ReadonlyMap<string, Table<never>>

function tablesOf(state: State): Tables {
  return new Map(state.tables().map((table) => [table.name, table]))
}

function placeOf(
  key: string,
  tables: Tables,
): { readonly table: Table<never>; readonly id: string } {
  const slash = key.indexOf('/')
  const table = tables.get(key.slice(0, slash))
  if (table === undefined) throw damaged(`The state record ${key} belongs to no table.`)
  return { table, id: key.slice(slash + 1) }
}

function initialised(state: State): State {
  if (!state.isInitialised()) throw damaged('The state store holds no meta record.')
  return state
}

/** Throws STORE_DAMAGED when the state is not the one of this index and digest. */
export function judgeState(
  state: State,
  expected: { readonly index: Revision; readonly digest: Hex32 },
): void {
  const { appliedIndex } = state.stored
  if (appliedIndex !== expected.index) {
    throw damaged(
      `The snapshot holds the state of index ${String(appliedIndex)}, not of ${String(expected.index)}.`,
    )
  }
  const digest = state.journal.digest.hex()
  if (digest !== expected.digest) {
    throw damaged(`The snapshot's records have the digest ${digest}, not ${expected.digest}.`)
  }
}

function damaged(message: string): CountersignError {
  return new CountersignError('STORE_DAMAGED', message)
}
