/**
 * What any log store asks of a batch before it writes it. A batch that breaks these is a fault of
 * this process, never of a peer: the node stops instead of writing it.
 */
import { invariant } from '../invariant.js'
import type { LogBatch } from './log-store.js'
import type { SnapshotInfo } from './snapshot-store.js'

export interface LogEnd {
  readonly term: number
  readonly votedFor: string | null
  readonly commit: number
  readonly lastIndex: number
  readonly lastTerm: number
}

/**
 * The end of a log that restarts after this snapshot. `snapshot` is what the snapshot store holds
 * at the index of `batch.install`.
 */
export function endAfterInstall(
  now: LogEnd,
  install: NonNullable<LogBatch['install']>,
  snapshot: SnapshotInfo | null,
): LogEnd & { readonly snapshot: SnapshotInfo } {
  const facts = { now, index: install.index, term: install.term }
  invariant(
    snapshot?.term === install.term,
    'Only a snapshot that the snapshot store holds is installed.',
    facts,
  )
  invariant(install.index > now.commit, 'A snapshot is installed above the commit index.', facts)
  const { index, term } = install
  return { ...now, commit: index, lastIndex: index, lastTerm: term, snapshot }
}

/** `snapshot`: the newest one that is synced and verified. */
export function checkPurge(
  purgeTo: number,
  anchorIndex: number,
  end: LogEnd,
  snapshot: SnapshotInfo | null,
): asserts snapshot is SnapshotInfo {
  const facts = { purgeTo, anchorIndex, end, snapshot: snapshot?.index ?? null }
  invariant(purgeTo > anchorIndex && purgeTo <= end.commit, 'What is purged is committed.', facts)
  invariant(
    snapshot !== null && snapshot.index >= purgeTo,
    'The log is purged only as far as a synced and verified snapshot covers it.',
    facts,
  )
}

/**
 * Holds the rules between two points of the durable log; gives the log's next end.
 * `keptTerm` is the term of the last entry that stays: that of `truncateAfter`, else the last one.
 */
export function nextLogEnd(now: LogEnd, batch: LogBatch, keptTerm: number): LogEnd {
  const { hardState, truncateAfter, entries } = batch
  const term = hardState?.term ?? now.term
  const votedFor = hardState === null ? now.votedFor : hardState.votedFor
  const facts = { now, hardState, truncateAfter, first: entries[0]?.index ?? null }
  invariant(term >= now.term, 'The durable term never goes back.', facts)
  invariant(
    term > now.term || now.votedFor === null || votedFor === now.votedFor,
    'A durable vote is never changed within its term.',
    facts,
  )
  invariant(
    truncateAfter === null || (truncateAfter >= now.commit && truncateAfter <= now.lastIndex),
    'The log is truncated only above the commit index and below its end.',
    facts,
  )
  let lastIndex = truncateAfter ?? now.lastIndex
  let lastTerm = keptTerm
  for (const entry of entries) {
    invariant(entry.index === lastIndex + 1, 'Entries are appended without a gap.', facts)
    invariant(entry.term <= term, 'An entry is never durable before its term.', facts)
    lastIndex = entry.index
    lastTerm = entry.term
  }
  const commit = Math.max(now.commit, hardState?.commit ?? 0)
  invariant(commit <= lastIndex, 'What is committed here is in the durable log.', {
    ...facts,
    commit,
    lastIndex,
  })
  return { term, votedFor, commit, lastIndex, lastTerm }
}

/**
 * True when only the commit index moved. Such a batch is remembered and not written: the commit
 * index follows from the log and a majority, a restarted node learns it from the leader, and it
 * joins whatever batch comes next. Everything else is always written.
 */
export function isCommitOnly(now: LogEnd, batch: LogBatch): boolean {
  return (
    batch.entries.length === 0 &&
    batch.truncateAfter === null &&
    batch.install === null &&
    batch.purgeTo === null &&
    (batch.hardState === null ||
      (batch.hardState.term === now.term && batch.hardState.votedFor === now.votedFor))
  )
}
