import type { ChangeKind, Hex16, Hex32, Op } from '../approval/index.js'
import { invariant } from '../invariant.js'
import type { Json } from '../signing/index.js'
import type { EntryContent, WrittenPath } from './events.js'
import { writeRowId } from './records.js'
import type { State } from './state.js'

/** Values of detached parts by digest. */
export type Parts = ReadonlyMap<Hex32, Json>

/** What stands at the path after this op; undefined after a delete. */
export function contentAfter(op: Op, parts: Parts): EntryContent | undefined {
  if (op.action === 'delete') return undefined
  if ('value' in op) return { kind: 'value', value: op.value }
  if ('sealed' in op) return { kind: 'sealed', ...op.sealed }
  const value = parts.get(op.detached.digest)
  invariant(value !== undefined, 'A detached value is not kept with its change.')
  return { kind: 'detached', ...op.detached, value }
}

/**
 * Writes one op at this log index. `modRevision` of all paths of one activation is its index;
 * a path that comes back after a delete starts a new life with a new `createRevision`.
 */
export function writeOp(
  state: State,
  op: Op,
  written: {
    readonly content: EntryContent | undefined
    readonly index: number
    readonly at: number
    readonly changeId: Hex16 | ''
  },
): WrittenPath {
  const { content, index, at, changeId } = written
  const { path } = op
  const before = state.entries.get(path)
  const createRevision = before?.createRevision ?? index
  if (content === undefined) state.entries.delete(path)
  else {
    const row = { path, content, createRevision, modRevision: index, changeId }
    state.entries.put(path, row)
  }
  const write = {
    path,
    modRevision: index,
    previousModRevision: before?.modRevision ?? 0,
    createRevision,
    content: content ?? ({ kind: 'deleted' } as const),
  }
  state.writes.put(writeRowId(path, index), { ...write, at, changeId })
  return write
}

/** The change that wrote the path last, deletions too; empty for genesis, undefined for nobody. */
export function lastWriter(state: State, path: string): Hex16 | '' | undefined {
  const last = state.writeIndex.revisions(path).at(-1)
  return last === undefined ? undefined : state.writes.get(writeRowId(path, last))?.changeId
}

/** Policies and people decide who may approve; after such a change everything is judged again. */
export function changesGovernance(kind: ChangeKind): boolean {
  return kind === 'policy' || kind === 'identity'
}
