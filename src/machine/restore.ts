/** A state from stored records: of the state store at start, or of a snapshot. */
import { CountersignError } from '../errors.js'
import type { Hex32, Revision } from '../approval/index.js'
import { State } from './state.js'

/** In any order. Throws STORE_DAMAGED. */
export function stateFrom(records: Iterable<readonly [key: string, value: Uint8Array]>): State {
  const state = new State()
  const tables = new Map(state.tables().map((table) => [table.name, table]))
  for (const [key, value] of records) {
    const slash = key.indexOf('/')
    const table = tables.get(key.slice(0, slash))
    if (table === undefined) throw damaged(`The state record ${key} belongs to no table.`)
    table.load(key.slice(slash + 1), value)
  }
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
