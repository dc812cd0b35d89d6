/**
 * Where each term of a log begins: the log's outline, small however long the log is. The first run
 * begins at the log's anchor; what lies before is not known any more.
 */
import { logIndex, type LogAnchor, type LogIndex, type Term } from '../types.js'

export interface LogPosition {
  readonly index: LogIndex
  readonly term: Term
}

export interface TermRun {
  readonly term: Term
  readonly first: LogIndex
}

export class TermRuns {
  /** Ascending in term and in first index; never empty. */
  private readonly runs: TermRun[] = []
  private shown: readonly TermRun[] | null = null

  constructor(anchor: LogAnchor) {
    this.reset(anchor)
  }

  /** Does not change afterwards, and costs nothing while the terms stay the same. */
  list(): readonly TermRun[] {
    this.shown ??= [...this.runs]
    return this.shown
  }

  push(index: LogIndex, entryTerm: Term): void {
    if (this.runs.at(-1)?.term === entryTerm) return
    this.runs.push({ term: entryTerm, first: index })
    this.shown = null
  }

  /** `index` is not before the anchor. */
  truncateAfter(index: LogIndex): void {
    let last = this.runs.at(-1)
    while (last !== undefined && last.first > index) {
      this.runs.pop()
      this.shown = null
      last = this.runs.at(-1)
    }
  }

  /** The log begins after `anchor`, a position that is in it. */
  purge(anchor: LogAnchor): void {
    const later = this.runs.findIndex((run) => run.first > anchor.index)
    this.runs.splice(0, later < 0 ? this.runs.length : later, {
      term: anchor.term,
      first: anchor.index,
    })
    this.shown = null
  }

  /** Nothing but the anchor is left. */
  reset(anchor: LogAnchor): void {
    this.runs.splice(0, this.runs.length, { term: anchor.term, first: anchor.index })
    this.shown = null
  }

  /** Binary search; null when every such position lies before the anchor. */
  lastWithTermAtMost(index: LogIndex, maxTerm: Term): LogPosition | null {
    let low = 0
    let high = this.runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const run = this.runs[middle]
      if (run !== undefined && run.term <= maxTerm && run.first <= index) low = middle + 1
      else high = middle
    }
    const found = this.runs[low - 1]
    if (found === undefined) return null
    const next = this.runs[low]
    const end = next === undefined ? index : Math.min(index, next.first - 1)
    return { index: logIndex(end), term: found.term }
  }
}
