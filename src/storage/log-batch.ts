/**
 * What any log store asks of a batch before it writes it. A batch that breaks these is a fault of
 * this process, never of a peer: the node stops instead of writing it.
 */
import { invariant } from '../invariant.js'
import type { LogBatch } from './log-store.js'

export interface LogEnd {
  readonly term: number
  readonly votedFor: string | null
  readonly commit: number
  readonly lastIndex: number
  readonly lastTerm: number
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
 * joins whatever batch comes next. Term, vote, entries and truncation are always written.
 */
export function isCommitOnly(now: LogEnd, batch: LogBatch): boolean {
  return (
    batch.entries.length === 0 &&
    batch.truncateAfter === null &&
    (batch.hardState === null ||
      (batch.hardState.term === now.term && batch.hardState.votedFor === now.votedFor))
  )
}
