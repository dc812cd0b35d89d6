/** Reading the applied state. Views are plain data; nothing of the state itself is handed out. */
import type { ChangeState, Hex16, Path, Revision } from '../approval/index.js'
import { isAtOrBelow } from '../approval/index.js'
import { invariant } from '../invariant.js'
import { changeView, summaryOf } from './change-view.js'
import type { Command } from './commands.js'
import { keyStanding } from './key-standing.js'
import { previewOf } from './preview.js'
import type { Attempt } from './preview.js'
import { writeRowId } from './records.js'
import type { EntryRow, WriteRow } from './records.js'
import type { Sight } from './sight.js'
import { statusOf } from './status.js'
import type {
  ChangeSummary,
  ChangeView,
  EntryView,
  HistoryView,
  MachineStatus,
  PreviewView,
} from './views.js'

export interface MachineReads {
  get(path: Path): EntryView | undefined
  /** The path itself and everything below it, in code-unit order. */
  list(prefix: Path, page: { readonly limit: number; readonly after?: Path }): readonly EntryView[]
  /** Newest first. */
  history(
    path: Path,
    page: { readonly limit: number; readonly before?: Revision },
  ): readonly HistoryView[]
  change(changeId: Hex16, asker?: string): ChangeView | undefined
  /** Newest first. */
  changes(filter: {
    readonly states?: readonly ChangeState[]
    readonly prefix?: Path
    readonly author?: string
    readonly limit: number
    readonly before?: Revision
  }): readonly ChangeSummary[]
  preview(command: Command): PreviewView
  status(): MachineStatus
}

/** `sight` answers anew at each read: a snapshot may have replaced the whole state. */
export function createReads(sight: () => Sight, attempt: Attempt): MachineReads {
  return {
    get: (path) => {
      const seen = sight()
      const row = seen.state.entries.get(path)
      return row === undefined ? undefined : entryView(seen, row)
    },
    list: (prefix, page) => listEntries(sight(), prefix, page),
    history: (path, page) => historyOf(sight(), path, page),
    change: (changeId, asker) => {
      const change = sight().state.changes.get(changeId)
      return change === undefined ? undefined : changeView(sight(), change, asker)
    },
    changes: (filter) => listChanges(sight(), filter),
    preview: (command) => previewOf(sight(), command, attempt),
    status: () => statusOf(sight().law, sight().state),
  }
}

const keysPrefix = '/sys/keys/'

function entryView(sight: Sight, row: EntryRow): EntryView {
  if (!row.path.startsWith(keysPrefix)) return row
  const key = keyStanding(sight, row.path.slice(keysPrefix.length))
  return key === undefined ? row : { ...row, key }
}

function listEntries(
  sight: Sight,
  prefix: Path,
  { limit, after }: { readonly limit: number; readonly after?: Path },
): readonly EntryView[] {
  const { state } = sight
  const { paths } = state.writeIndex
  const found: EntryView[] = []
  const take = (path: Path | undefined): void => {
    const row = path === undefined ? undefined : state.entries.get(path)
    if (row !== undefined && (after === undefined || row.path > after))
      found.push(entryView(sight, row))
  }
  const below = prefix.endsWith('/') ? prefix : `${prefix}/`
  if (prefix !== below && limit > 0) take(prefix)
  const from = after !== undefined && after > below ? after : below
  for (let at = paths.firstAtOrAfter(from); found.length < limit; at++) {
    const path = paths.items[at]
    if (path?.startsWith(below) !== true) break
    take(path)
  }
  return found
}

function historyOf(
  sight: Sight,
  path: Path,
  { limit, before }: { readonly limit: number; readonly before?: Revision },
): readonly HistoryView[] {
  const revisions = sight.state.writeIndex.revisions(path)
  const found: HistoryView[] = []
  for (let at = revisions.length - 1; at >= 0 && found.length < limit; at--) {
    const revision = revisions[at] ?? 0
    if (before !== undefined && revision >= before) continue
    const row = sight.state.writes.get(writeRowId(path, revision))
    invariant(row !== undefined, 'The history of a path names a write that is not kept.', { path })
    found.push(historyView(sight, row))
  }
  return found
}

function historyView({ state }: Sight, row: WriteRow): HistoryView {
  const change = row.changeId === '' ? undefined : state.changes.get(row.changeId)
  const activation =
    change?.activation === undefined ? undefined : state.activations.get(change.activation)
  const { path, modRevision, previousModRevision, at, changeId, content } = row
  return {
    path,
    modRevision,
    previousModRevision,
    at,
    changeId,
    title: change?.title ?? '',
    author: change?.author ?? '',
    approvers: activation?.counted.map(({ person }) => person) ?? [],
    content,
  }
}

function listChanges(
  sight: Sight,
  filter: Parameters<MachineReads['changes']>[0],
): readonly ChangeSummary[] {
  const { state } = sight
  const { states, prefix, author, limit, before } = filter
  const onlyOpen = states?.every((one) => one === 'OPEN' || one === 'APPROVED') === true
  const { changeIndex, changes } = state
  const order = onlyOpen
    ? [...changeIndex.open].map((id) => changes.get(id)?.openedIndex ?? 0).sort((a, b) => a - b)
    : changeIndex.openedOrder.items
  const found: ChangeSummary[] = []
  for (let at = order.length - 1; at >= 0 && found.length < limit; at--) {
    const index = order[at] ?? 0
    if (before !== undefined && index >= before) continue
    const change = changes.get(changeIndex.openedAtIndex(index))
    if (change === undefined) continue
    if (states?.includes(change.state) === false) continue
    if (author !== undefined && change.author !== author) continue
    if (prefix !== undefined && !change.paths.some((path) => isAtOrBelow(path, prefix))) continue
    found.push(summaryOf(sight, change))
  }
  return found
}
