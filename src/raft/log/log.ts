/** The log of one node in memory, from index 1, and what of it is durable. */
import { invariant } from '../../invariant.js'
import { logIndex, term, type Entry, type LogIndex, type Term } from '../types.js'
import { TermRuns, type LogPosition, type TermRun } from './term-runs.js'
import { Unstable } from './unstable.js'

/**
 * Share of an entry in a message limit. 32 bytes stand for index, term, kind and framing, so that
 * many tiny entries do not outgrow the limit of the transport.
 */
export function entryBytes(entry: Entry): number {
  return entry.payload.length + 32
}

export class Log {
  readonly unstable: Unstable
  private readonly entries: Entry[]
  private readonly runs: TermRuns

  constructor(entries: readonly Entry[]) {
    this.entries = []
    this.runs = new TermRuns()
    for (const entry of entries) this.push(entry)
    this.unstable = new Unstable(this.lastIndex)
  }

  get lastIndex(): LogIndex {
    return logIndex(this.entries.length)
  }

  get lastTerm(): Term {
    return this.entries.at(-1)?.term ?? term(0)
  }

  get durableIndex(): LogIndex {
    return this.unstable.durableIndex
  }

  /** Null where the log has no entry; index 0 is the founding state with term 0. */
  termAt(index: LogIndex): Term | null {
    if (index === 0) return term(0)
    return this.entries[index - 1]?.term ?? null
  }

  entryAt(index: LogIndex): Entry {
    const entry = this.entries[index - 1]
    invariant(entry, 'an entry that is asked for is in the log', { index, last: this.lastIndex })
    return entry
  }

  matches(position: LogPosition): boolean {
    return this.termAt(position.index) === position.term
  }

  /** Is a log with this end at least as up to date as this one? (3.6.1: term first, then length) */
  isUpToDate(end: { readonly lastIndex: LogIndex; readonly lastTerm: Term }): boolean {
    if (end.lastTerm !== this.lastTerm) return end.lastTerm > this.lastTerm
    return end.lastIndex >= this.lastIndex
  }

  /** Entries from `first` to `last`, both included. */
  range(first: LogIndex, last: LogIndex): Entry[] {
    return this.entries.slice(first - 1, last)
  }

  /** From `first` on as many as fit into `bytesMax`, but at least one when there is one. */
  rangeWithin(first: LogIndex, bytesMax: number): Entry[] {
    let bytes = 0
    let end = first - 1
    for (;;) {
      const entry = this.entries[end]
      if (entry === undefined) break
      bytes += entryBytes(entry)
      if (bytes > bytesMax && end >= first) break
      end += 1
    }
    return this.entries.slice(first - 1, end)
  }

  /**
   * The last position at or below `index` whose term is at most `maxTerm`: the back-tracking step
   * of both sides (3.5). It skips a whole term at once.
   */
  lastWithTermAtMost(index: LogIndex, maxTerm: Term): LogPosition {
    return this.runs.lastWithTermAtMost(logIndex(Math.min(index, this.lastIndex)), maxTerm)
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) this.push(entry)
  }

  /** Removes everything after `index`. The caller has made sure that none of it is committed. */
  truncateAfter(index: LogIndex): void {
    invariant(index <= this.lastIndex, 'a truncation lies within the log', { index })
    this.entries.length = index
    this.runs.truncateAfter(index)
    this.unstable.truncateAfter(index)
  }

  termRuns(): readonly TermRun[] {
    return this.runs.list()
  }

  private push(entry: Entry): void {
    invariant(entry.index === this.entries.length + 1, 'the log has no gap', {
      index: entry.index,
      lastIndex: this.entries.length,
    })
    invariant(entry.term >= this.lastTerm, 'terms in the log never decrease', {
      index: entry.index,
      term: entry.term,
      lastTerm: this.lastTerm,
    })
    this.entries.push(entry)
    this.runs.push(entry.index, entry.term)
  }
}
