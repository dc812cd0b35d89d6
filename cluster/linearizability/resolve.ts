/**
 * Operations without an answer, settled after the run by reading back the log of the nodes. It
 * finds lost writes that an open outcome would excuse, and spares the search.
 */
import type { Operation } from './operation.js'

/** What the log says of an operation. */
export type ReadBack = 'committed' | 'not in any log' | 'cannot be told'

/**
 * `readBack` is asked for every unknown write. One that is committed becomes `ok` and ends at
 * `readAt`; one in no log becomes `fail`. The caller answers `not in any log` only when every node
 * was read and nothing is under way any more: an entry that comes later would make it a lie.
 */
export function resolveUnknown(
  history: readonly Operation[],
  readAt: number,
  readBack: (operation: Operation) => ReadBack,
): readonly Operation[] {
  return history.map((operation) => {
    if (operation.status !== 'info' || operation.op === 'get') return operation
    switch (readBack(operation)) {
      case 'committed':
        return { ...operation, status: 'ok', end: Math.max(readAt, operation.start) }
      case 'not in any log':
        return { ...operation, status: 'fail' }
      case 'cannot be told':
        return operation
    }
  })
}
